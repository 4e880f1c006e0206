"""What the API shows that no noun is by itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Self

from ennio.actors.orchestrator import Merged
from ennio.config.fan_out import FanOut
from ennio.config.model import Project, Reaction, ReactionAction
from ennio.config.quantity import shown_seconds
from ennio.config.reactions import TRIGGERS
from ennio.model.conflicts import ConflictWith
from ennio.model.pulls import PullRequest
from ennio.model.session import Priority


@dataclass(frozen=True, slots=True)
class ErrorView:
    """What an answer that is none says: what happened, what to do about it, and its status."""

    error: str
    code: int


@dataclass(frozen=True, slots=True)
class LoginCode:
    """A one-time code for a browser, and the seconds it is good for."""

    code: str
    expires_in: int


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule of a project as it holds: when it fires, and what is done then; times in seconds."""

    fires_when: str
    enabled: bool
    action: ReactionAction
    priority: Priority
    retries: int
    rounds: int | None
    escalate_after: float | None
    threshold: float | None

    @classmethod
    def of(cls, key: str, rule: Reaction) -> Self:
        """That of a rule of this key."""
        when = TRIGGERS[key].replace("`threshold`", shown_seconds(rule.threshold or 0))
        limits = rule.retries, rule.rounds, rule.escalate_after, rule.threshold
        return cls(when, rule.enabled, rule.action, rule.priority, *limits)


@dataclass(frozen=True, slots=True)
class ProjectView:
    """A project without anything secret; ``sessions`` counts those that have not ended.

    ``reactions`` are the rules as they hold. ``agent_rules`` and ``post_create`` are how many.
    """

    id: str
    name: str
    repo: str
    path: str
    default_branch: str
    session_prefix: str
    runtime: str
    agent: str
    workspace: str
    tracker: str | None
    scm: str | None
    max_sessions: int | None
    remote: str | None
    sessions: int
    protected_branches: Sequence[str]
    fan_out: FanOut
    resume_at_reset: bool
    notifiers: Sequence[str] | None
    agent_rules: int
    post_create: int
    reactions: Mapping[str, RuleView]

    @classmethod
    def of(cls, project: Project, live: int) -> Self:
        """The view of a configured project, so many of whose sessions live."""
        return cls(
            id=project.id,
            name=project.name,
            repo=_without_login(project.repo),
            path=str(project.path),
            default_branch=project.default_branch,
            session_prefix=project.session_prefix,
            runtime=project.runtime,
            agent=project.agent,
            workspace=project.workspace,
            tracker=project.tracker.plugin if project.tracker else None,
            scm=project.forge.plugin if project.forge else None,
            max_sessions=project.max_sessions,
            remote=project.ssh.host if project.ssh else None,
            sessions=live,
            protected_branches=(project.default_branch, *project.protected_branches),
            fan_out=project.fan_out,
            resume_at_reset=project.resume_at_reset,
            notifiers=project.notifiers,
            agent_rules=len(project.agent_rules),
            post_create=len(project.post_create),
            reactions={key: RuleView.of(key, rule) for key, rule in project.reactions.items()},
        )


def _without_login(repo: str) -> str:
    """The address without a password in it
    (``https://user:secret@host/...``); ``git@host:...`` stays.
    """
    return re.sub(r"^(https?://)[^/]*@", r"\1", repo)


@dataclass(frozen=True, slots=True, kw_only=True)
class PullView(PullRequest):
    """A pull request with the project it belongs to, and the conflicts that are expected with
    branches of other sessions (those with its base are ``conflicts``).
    """

    project_id: str
    conflicts_expected: tuple[ConflictWith, ...] = ()

    @classmethod
    def of(
        cls, project_id: str, pull: PullRequest, expected: tuple[ConflictWith, ...] = ()
    ) -> Self:
        """The view of a project's pull request."""
        return cls(
            project_id=project_id,
            conflicts_expected=expected,
            **{each.name: getattr(pull, each.name) for each in fields(pull)},
        )


@dataclass(frozen=True, slots=True)
class MergedView(Merged):
    """A merge that happened, and the conflicts that were expected with branches of other sessions:
    these will have them with the base now. ``undelivered``: so many messages its agent had not got
    by then; they are dropped with its session.
    """

    conflicts_expected: tuple[ConflictWith, ...] = ()
    undelivered: int = 0
