"""What a reviewer wants to know of a session's pull request, put together when it is asked for.

Nothing is kept and the forge is not asked: its part is what was seen last. What cannot be had is
said, and takes nothing from the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from ennio.actors import strays
from ennio.actors.dependencies import Dependencies
from ennio.actors.orchestrator.session_view import CheckCounts, SessionCost
from ennio.actors.orchestrator.sessions import SessionApi
from ennio.actors.session_context import SessionContext, context
from ennio.model.conflicts import ConflictWith
from ennio.model.errors import EnnioError, NotFound
from ennio.model.pulls import CheckState, PullRequest
from ennio.model.review_pack import (
    LONGEST_LOG,
    LONGEST_WORDS,
    MOST_CHANGED,
    NamedContent,
    NamedFile,
    PackChanges,
    PackCheck,
    PackFile,
    PackPull,
)
from ennio.model.session import Session
from ennio.model.workspace_changes import Until, WorkspaceDiff
from ennio.policy.named_paths import named_paths

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ReviewPack:
    """The page. ``pull``, ``counts``, ``changes``, ``cost`` and ``said`` are None where there is
    none or nobody knows; ``problems`` say why.

    ``said`` is what the agent said last, ``files`` those it named in that.
    """

    session_id: str
    project_id: str
    title: str
    at: datetime
    pull: PackPull | None
    counts: CheckCounts | None
    checks: tuple[PackCheck, ...]
    changes: PackChanges | None
    cost: SessionCost | None
    said: str | None
    files: tuple[NamedFile, ...]
    conflicts: tuple[ConflictWith, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PackApi:
    """What can be asked of review packs; raises NotFound for a session there is none of."""

    deps: Dependencies
    sessions: SessionApi

    def pack(self, session_id: str) -> ReviewPack:
        """The page of a session."""
        view = self.sessions.detail(session_id)
        session, problems = self.sessions.need(session_id), list[str]()
        pull = self._pull(session_id)
        changes = _had(problems, "changes", lambda: self._diff(session))
        said = _had(problems, "said", lambda: self._said(session))
        files = _had(problems, "files", lambda: self._files(session, said)) or ()
        return ReviewPack(
            session_id,
            session.project_id,
            view.title,
            self.deps.clock.now(),
            None if pull is None else _shown(pull),
            CheckCounts.of(pull),
            () if pull is None else _checks(pull),
            changes,
            view.cost,
            said,
            files,
            view.conflicts,
            tuple(problems),
        )

    def file(self, session_id: str, path: str) -> NamedContent:
        """One of the files that its agent named, whole. Raises NotFound for one that it did not
        name, and Refused saying why it is not shown.
        """
        session = self.sessions.need(session_id)
        known = {one.path for one in self._files(session, self._said(session))}
        if path not in known:
            raise NotFound(
                f"path: the agent of {session_id} names no file {path!r}; "
                f"GET /api/v1/sessions/{session_id}/pack has those it names"
            )
        at = self._at(session)
        return at.host.named_content(at.brief, path)

    def _at(self, session: Session) -> SessionContext:
        strays.refuse(self.deps, session)
        if session.workspace_path is None or session.archived_at is not None:
            raise NotFound(f"session {session.id} has no working copy ({session.status})")
        return context(self.deps, session)

    def _pull(self, session_id: str) -> PullRequest | None:
        forge = self.deps.store.facts.get(session_id).forge
        return None if forge is None else forge.pull

    def _diff(self, session: Session) -> PackChanges:
        at = self._at(session)
        return _stat(at.host.changes(at.brief, Until.HEAD, 0))

    def _said(self, session: Session) -> str | None:
        if session.workspace_path is None or strays.why(self.deps, session) is not None:
            return session.summary
        at = context(self.deps, session)
        return at.host.last_message(at.brief) or (session.summary or "")[:LONGEST_WORDS] or None

    def _files(self, session: Session, said: str | None) -> tuple[NamedFile, ...]:
        """Words that look like a path where nothing is are left out, unless they are linked."""
        named = named_paths(said or "")
        if not named:
            return ()
        at = self._at(session)
        found = at.host.named_files(at.brief, [one.path for one in named])
        shown = {
            file.path: file
            for one, file in zip(named, found, strict=True)
            if one.linked or not file.absent
        }
        return tuple(shown.values())


def _had(problems: list[str], what: str, ask: Callable[[], T]) -> T | None:
    """What could be had; None with the reason among the problems."""
    try:
        return ask()
    except EnnioError as error:
        problems.append(f"{what}: {error}")
        return None


def _shown(pull: PullRequest) -> PackPull:
    return PackPull(
        pull.number,
        pull.url,
        pull.title,
        pull.state,
        pull.draft,
        pull.branch,
        pull.base,
        pull.head,
        pull.review,
    )


def _checks(pull: PullRequest) -> tuple[PackCheck, ...]:
    """The failing ones first."""
    order = (CheckState.FAILING, CheckState.PENDING)
    runs = sorted(pull.check_runs, key=lambda run: (run.state not in order, run.name))
    return tuple(
        PackCheck(run.name, run.state, run.url, run.log_tail[-LONGEST_LOG:]) for run in runs
    )


def _stat(diff: WorkspaceDiff) -> PackChanges:
    files = tuple(
        PackFile(one.path, one.status, one.added, one.removed) for one in diff.files[:MOST_CHANGED]
    )
    return PackChanges(diff.base, diff.head, diff.count, diff.added, diff.removed, files)
