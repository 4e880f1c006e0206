"""The effects of a session that take long: each runs in a greenlet beside the
mailbox and is safe to repeat.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ennio.actors import adoption, budgets, hook_token
from ennio.actors.session_context import SessionContext, remote
from ennio.hosts.interface import Delivery, Launched, Words, WorkspaceMade
from ennio.model.branch import check_work_branch, issue_branch, refuse_protected
from ennio.model.errors import NotFound
from ennio.model.message import Message, MessageState, Origin
from ennio.model.session import Session
from ennio.plugins.tracker.interface import Issue
from ennio.policy import prompt
from ennio.policy.forecast import words_asked
from ennio.policy.lifecycle.effects import LaunchAgent

_FIRST = datetime.min.replace(tzinfo=UTC)
_OURS = 10  # messages; what Escape puts back was sent lately
WITH_THE_COMMAND = "given with the command line"
"""What a person reads of a message that a command line carried."""


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
    session, project = at.session, at.project
    issue = _issue(at)
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


def make_workspace(at: SessionContext, chosen: Callable[[Task, str], Session]) -> WorkspaceMade:
    """Choose the branch (written down through ``chosen`` first, with the place of the working
    copy), make the working copy, keep the words there.
    """
    work = task(at)
    at = at.now_of(chosen(work, at.host.workspace_path(at.brief)))
    created = at.host.make(at.brief)
    at.host.instruct(
        at.brief, work.words, rules(at.now_of(called(at.session, created.remote)), work.branch)
    )
    return created


def called(session: Session, name: str) -> Session:
    """The session that knows what the project's repository is called in its working copy."""
    return replace(session, metadata={**session.metadata, "remote": name})


def launch(at: SessionContext, effect: LaunchAgent, message: Message | None) -> Launched:
    """Start the agent or find it; a resume carries the message when the agent's command line can.

    Raises Refused for a branch that is protected by now: of an older Ennio, or since
    the configuration says so.
    """
    session, project = at.session, at.project
    refuse_protected(
        session.branch or session.id, project.default_branch, project.protected_branches
    )
    hooks = hook_token.issue(at.deps, session.id)
    record = adoption.record(at.deps, session)
    carry = words(at, message, None) if message is not None else None
    return at.host.launch(at.brief, effect.number, hooks, record, effect.resume, carry)


def words(at: SessionContext, message: Message, aside: str | None) -> Words:
    """A message as a host delivers it: past what a person has begun to type
    when that may be put aside.
    """
    return Words(message.id, message.text, at.deps.clock.now(), _sent(at), aside)


def _sent(at: SessionContext) -> tuple[str, ...]:
    """The words that were sent to the agent of late, the newest first."""
    sent = [
        message
        for message in at.deps.store.messages.list(at.session.id)
        if message.started_at is not None
    ]
    return tuple(
        message.text
        for message in sorted(sent, key=lambda message: message.started_at or _FIRST, reverse=True)[
            :_OURS
        ]
    )


def settle(at: SessionContext, message: Message, *, alive: bool) -> Delivery:
    """Find out whether a message in doubt arrived."""
    since = message.started_at or message.created_at
    if message.carried:
        # a launch that was found again after a crash took its prompt before it was asked for again
        begun = at.session.created_at if message.origin is Origin.PROMPT else since
        delivery = at.host.received(at.brief, Words(message.id, message.text, begun))
        return delivery if delivery.detail else replace(delivery, detail=WITH_THE_COMMAND)
    return at.host.settle(
        at.brief,
        Words(message.id, message.text, since),
        alive=alive,
        entered=message.state is MessageState.SENT_UNSURE,
    )
