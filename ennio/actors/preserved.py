"""What removals saved of all projects: found by its id, looked at, brought back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gevent.pool import Pool

from ennio.actors.dependencies import Dependencies
from ennio.config.model import Project
from ennio.hosts.interface import Host
from ennio.model.errors import EnnioError, NotFound, Unreachable
from ennio.model.session import Session
from ennio.plugins.workspace.preserved import Contents, Preserved, Restored

AT_ONCE = 4


HERE = "here"
"""How whoever asks calls this machine."""


def everything(
    deps: Dependencies, project_id: str | None, host: str | None = None
) -> list[Preserved]:
    """Of one project or all, of one machine or all, the latest first; one request to git a project
    and host. Raises Unreachable where a host cannot be asked, NotFound for one that is not known.
    """
    if host is not None and host != HERE and deps.host_of_name(host) is None:
        raise NotFound(f"no machine is called {host!r}; `ennio node list` shows those there are")
    found, away = _gathered(deps, project_id, host)
    if away:
        raise away[0]
    return found


def _gathered(
    deps: Dependencies, project_id: str | None, host: str | None = None
) -> tuple[list[Preserved], list[EnnioError]]:
    """What is found, and what was said of machines that cannot be asked."""
    projects = [deps.project(project_id)] if project_id is not None else list(deps.config.projects)
    asked = [
        (project, one)
        for project in projects
        for one in _places(deps, project)
        if host is None or (one.name or HERE) == host
    ]
    answers = list(Pool(AT_ONCE).map(lambda pair: _of(*pair), asked))
    found = [item for items in answers if not isinstance(items, EnnioError) for item in items]
    away = [error for error in answers if isinstance(error, EnnioError)]
    mine = [item for item in _once(deps, found) if project_id in (None, item.project_id)]
    return sorted(mine, key=lambda item: item.at, reverse=True), away


def _once(deps: Dependencies, found: Sequence[Preserved]) -> list[Preserved]:
    """Each thing once, as one of the project whose session it was: projects on one repository all
    find the same refs.
    """
    owners = {one.id: one.project_id for one in deps.store.sessions.list(archived=True)}
    once: dict[tuple[str, str, str], Preserved] = {}
    for item in found:
        owner = _owner(deps, item, owners)
        key = (item.host, item.place, item.commit)
        if key not in once or item.project_id == owner:
            once[key] = replace(item, project_id=owner)
    return list(once.values())


def _owner(deps: Dependencies, item: Preserved, owners: Mapping[str, str]) -> str:
    """Whose session it was, by what is stored of that; of one that is forgotten by its prefix, or
    the first of those that share the repository.
    """
    session, _, number = item.id.rpartition("-")
    of = owners.get(item.id) or (owners.get(session) if number.isdecimal() else None)
    if of is not None or item.place.startswith("/"):  # a bundle lies in its project's own folder
        return of or item.project_id
    path = deps.project(item.project_id).path
    sharing = [project for project in deps.config.projects if project.path == path]
    fitting = (one for one in sharing if item.id.startswith(f"{one.session_prefix}-"))
    return next(fitting, sharing[0]).id


def contents(deps: Dependencies, item_id: str) -> Contents:
    """What is in one. Raises NotFound."""
    item = _need(deps, item_id)
    return replace(_host(deps, item).preserved_contents(item), item=item)


def restore(deps: Dependencies, item_id: str, branch: str | None) -> Restored:
    """Bring one back on a branch of its project's repository. Raises NotFound, Refused."""
    item = _need(deps, item_id)
    return replace(_host(deps, item).preserved_restore(item, branch), item=item)


def left_of(deps: Dependencies, session: Session) -> str:
    """Where the work of a cleaned session is, in words; empty where nothing was saved."""
    try:
        items = everything(deps, session.project_id)
    except EnnioError:
        return "ennio preserved list may have its work"
    item = next((one for one in items if one.id.startswith(session.id)), None)
    return f"its work is saved: ennio preserved show {item.id}" if item else ""


def _places(deps: Dependencies, project: Project) -> list[Host]:
    """This machine, and wherever sessions of the project are or were."""
    elsewhere = {session.host for session in deps.store.sessions.list(project.id, archived=True)}
    return [host for host in deps.hosts if not host.name or host.name in elsewhere]


def _of(project: Project, host: Host) -> Sequence[Preserved] | EnnioError:
    try:
        found = host.preserved(project.id, str(project.path))
    except EnnioError as error:
        return error
    return [replace(item, host=host.name) for item in found]


def _host(deps: Dependencies, item: Preserved) -> Host:
    host = deps.host_of_name(item.host)
    if host is None:
        raise Unreachable(f"{item.id} is on host {item.host}, which this supervisor does not know")
    return host


def _need(deps: Dependencies, item_id: str) -> Preserved:
    """Raises NotFound; where it may be on a machine that cannot be asked, what was said of that."""
    found, away = _gathered(deps, None)
    item = next((one for one in found if one.id == item_id), None)
    if item is None and away:
        raise away[0]
    if item is None:
        raise NotFound(f"nothing is preserved as {item_id}; `ennio preserved list` shows what is")
    return item
