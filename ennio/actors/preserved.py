"""What removals saved of all projects: found by its id, looked at, brought back."""

from __future__ import annotations

from gevent.pool import Pool

from ennio.actors.parts import Parts
from ennio.config.model import Project
from ennio.model.errors import EnnioError, NotFound
from ennio.model.session import Session
from ennio.plugins.workspace import preserved
from ennio.plugins.workspace.preserved import Contents, Preserved, Restored

AT_ONCE = 4
KINDS = ("worktree", "clone")


def everything(parts: Parts, project_id: str | None) -> list[Preserved]:
    """Of one project or all, the latest first; one request to git a project."""
    projects = [parts.project(project_id)] if project_id is not None else list(parts.config.projects)
    found = Pool(AT_ONCE).map(lambda project: _of(parts, project), projects)
    return sorted((item for items in found for item in items), key=lambda item: item.at, reverse=True)


def contents(parts: Parts, item_id: str) -> Contents:
    """What is in one. Raises NotFound."""
    return preserved.contents(_need(parts, item_id))


def restore(parts: Parts, item_id: str, branch: str | None) -> Restored:
    """Bring one back on a branch of its project's repository. Raises NotFound, Conflict."""
    return preserved.restored(_need(parts, item_id), branch)


def left_of(parts: Parts, session: Session) -> str:
    """Where the work of a cleaned session is, in words; empty where nothing was saved."""
    try:
        items = everything(parts, session.project_id)
    except EnnioError:
        return "ennio preserved list may have its work"
    item = next((one for one in items if one.id.startswith(session.id)), None)
    return f"its work is saved: ennio preserved show {item.id}" if item else ""


def _of(parts: Parts, project: Project) -> tuple[Preserved, ...]:
    roots = tuple(parts.home.workspace(kind, project.id, "x").parent for kind in KINDS)
    return preserved.listed(project.id, project.path, roots)


def _need(parts: Parts, item_id: str) -> Preserved:
    item = next((one for one in everything(parts, None) if one.id == item_id), None)
    if item is None:
        raise NotFound(f"nothing is preserved as {item_id}; `ennio preserved list` shows what is")
    return item
