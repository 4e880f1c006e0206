"""What removals saved of all projects: found by its id, looked at, brought back."""

from __future__ import annotations

from collections.abc import Sequence

from gevent.pool import Pool

from ennio.actors.dependencies import Dependencies
from ennio.config.model import Project
from ennio.model.errors import EnnioError, NotFound
from ennio.model.session import Session
from ennio.plugins.workspace.preserved import Contents, Preserved, Restored

AT_ONCE = 4


def everything(deps: Dependencies, project_id: str | None) -> list[Preserved]:
    """Of one project or all, the latest first; one request to git a project."""
    projects = [deps.project(project_id)] if project_id is not None else list(deps.config.projects)
    found = Pool(AT_ONCE).map(lambda project: _of(deps, project), projects)
    return sorted(
        (item for items in found for item in items), key=lambda item: item.at, reverse=True
    )


def contents(deps: Dependencies, item_id: str) -> Contents:
    """What is in one. Raises NotFound."""
    return deps.this_machine.preserved_contents(_need(deps, item_id))


def restore(deps: Dependencies, item_id: str, branch: str | None) -> Restored:
    """Bring one back on a branch of its project's repository. Raises NotFound, Conflict."""
    return deps.this_machine.preserved_restore(_need(deps, item_id), branch)


def left_of(deps: Dependencies, session: Session) -> str:
    """Where the work of a cleaned session is, in words; empty where nothing was saved."""
    try:
        items = everything(deps, session.project_id)
    except EnnioError:
        return "ennio preserved list may have its work"
    item = next((one for one in items if one.id.startswith(session.id)), None)
    return f"its work is saved: ennio preserved show {item.id}" if item else ""


def _of(deps: Dependencies, project: Project) -> Sequence[Preserved]:
    return deps.this_machine.preserved(project.id, str(project.path))


def _need(deps: Dependencies, item_id: str) -> Preserved:
    item = next((one for one in everything(deps, None) if one.id == item_id), None)
    if item is None:
        raise NotFound(f"nothing is preserved as {item_id}; `ennio preserved list` shows what is")
    return item
