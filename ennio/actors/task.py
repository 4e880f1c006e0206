"""What a session is to do: its branch, its title and its words, composed from issue, configuration
and what a person said.
"""

from __future__ import annotations

from dataclasses import dataclass

from ennio.actors import budgets
from ennio.actors.session_context import SessionContext, remote
from ennio.model.branch import check_work_branch, issue_branch
from ennio.model.errors import NotFound
from ennio.plugins.tracker.interface import Issue
from ennio.policy import prompt
from ennio.policy.forecast import words_asked


@dataclass(frozen=True, slots=True)
class Task:
    """What a session is to do, in words: the branch it works on, its title, its prompt; and in how
    many words that was asked for.
    """

    branch: str
    title: str
    words: str
    asked: int


def task(at: SessionContext) -> Task:
    """Compose the task from its layers; asks the tracker when there is an issue.
    Raises NotFound, Unreachable.
    """
    return composed(at, _issue(at))


def composed(at: SessionContext, issue: Issue | None) -> Task:
    """The same of an issue that was read, or without one."""
    session, project = at.session, at.project
    branch = (
        session.branch
        or (issue and (issue.branch or issue_branch(issue.id, issue.title)))
        or session.id
    )
    check_work_branch(branch, project.default_branch, project.protected_branches)
    layers = prompt.Layers(
        project=project.prompt or "",
        issue=issue,
        rules=project.agent_rules,
        user=session.prompt or "",
    )
    title = issue.title if issue else (session.prompt or session.id).strip().splitlines()[0][:72]
    asked = words_asked(session.prompt, *((issue.title, issue.body) if issue else ()))
    return Task(branch, title, prompt.compose(layers), asked)


def rules(at: SessionContext, branch: str) -> str:
    """The rules above all words."""
    session = at.session
    said = prompt.system(
        session.id, session.project_id, branch, at.brief.base, session.role, remote(session)
    )
    return "\n".join((said, *budgets.exposed(at.deps, session)))


def _issue(at: SessionContext) -> Issue | None:
    issue_id = at.session.issue_id
    if issue_id is None:
        return None
    tracker = at.deps.plugins.tracker(at.project)
    if tracker is None:
        raise NotFound(
            f"project {at.project.id} has no tracker_config, so issue {issue_id} cannot be read"
        )
    return tracker.issue(issue_id)
