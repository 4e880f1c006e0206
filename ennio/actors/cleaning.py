"""Cleaning up after ended sessions: says beforehand exactly what it will
do, and does exactly that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gevent.pool import Pool

from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import Clean
from ennio.actors.registry import session_name
from ennio.actors.session_context import context
from ennio.hosts.session_results import WorkspaceRemoved
from ennio.model.errors import EnnioError
from ennio.model.session import Activity, Session, SessionStatus
from ennio.plugins.workspace.interface import UnsavedPath

AT_ONCE = 4


CleanupAction = Literal["removed", "removing", "would remove", "kept", "nothing"]


@dataclass(frozen=True, slots=True)
class CleanupItem:
    """What happened, or would happen, to one workspace. ``size`` is how many bytes its removal
    frees, of one that is kept what ``--force`` would; ``unsaved`` goes with it and is kept nowhere.
    """

    session_id: str
    path: str
    size: int
    action: CleanupAction
    reason: str
    preserved: str | None = None
    unsaved: tuple[UnsavedPath, ...] = ()


def cleanup(
    deps: Dependencies,
    session_id: str | None,
    project_id: str | None,
    *,
    dry_run: bool,
    force: bool,
) -> list[CleanupItem]:
    """One session's workspace, a project's, or all. Live ones are kept whatever is asked."""
    if session_id is not None:
        sessions = [deps.store.sessions.need(session_id)]
    else:
        project = deps.project(project_id).id if project_id else None
        sessions = list(deps.store.sessions.list(project))
    # a few at a time: what is saved and freed is found out by git, working copy by working copy
    return list(
        Pool(AT_ONCE).map(
            lambda session: _one(deps, session, dry_run=dry_run, force=force), sessions
        )
    )


def _one(deps: Dependencies, session: Session, *, dry_run: bool, force: bool) -> CleanupItem:
    path = session.workspace_path or ""
    if session.archived_at is not None:
        return CleanupItem(session.id, path, 0, "nothing", "it was cleaned up before")
    if session.status is SessionStatus.EXITED and not force:
        size = _size(deps, session) if dry_run else 0
        hint = "with --force it is ended and cleaned"
        return CleanupItem(session.id, path, size, "kept", f"it is {session.status}; {hint}")
    if not session.status.terminal and session.status is not SessionStatus.EXITED:
        return CleanupItem(session.id, path, 0, "kept", f"it is {session.status}")
    try:
        removed = _would_go(deps, session) if session.branch else None
        if not dry_run:
            deps.actors.ask(session_name(session.id), Clean(force=force))
    except EnnioError as error:
        return CleanupItem(session.id, path, 0, "kept", str(error))
    action: CleanupAction = "would remove" if dry_run else "removing"
    reason = f"it is {session.status}{_still(session)}"
    if removed is None:
        return CleanupItem(session.id, path, 0, action, reason)
    return CleanupItem(
        session.id, path, removed.size, action, reason, removed.preserved, removed.unsaved
    )


def _size(deps: Dependencies, session: Session) -> int:
    """What its removal would free; 0 where that cannot be found out."""
    try:
        return _would_go(deps, session).size
    except EnnioError:
        return 0


def _would_go(deps: Dependencies, session: Session) -> WorkspaceRemoved:
    at = context(deps, session)
    return at.host.remove(at.brief, dry_run=True)


def _still(session: Session) -> str:
    """That the agent of one whose task is over is ended first: it lives on until then."""
    over = session.status in (SessionStatus.MERGED, SessionStatus.DONE)
    lingers = over and session.activity not in (None, Activity.EXITED)
    return "; its agent is still there and is ended first" if lingers else ""
