"""Whom a branch belongs to already: two sessions never work on one branch."""

from __future__ import annotations

from ennio.actors.dependencies import Dependencies
from ennio.config.host_name import host_of
from ennio.config.model import Project
from ennio.model.branch import blocked, blocker, twin
from ennio.model.errors import Refused
from ennio.model.repository_address import is_local, place
from ennio.model.session import Session, SessionStatus


def refuse_rival(deps: Dependencies, project_id: str, branch: str, session_id: str = "") -> None:
    """Raise Refused where another session on the repository that has not ended for good has the
    branch, or one beside which git cannot make it, or one that differs from it in letter case
    alone. Which of its projects that session is of makes no difference.

    That counts on every machine: whoever fetches both to one whose file names do not tell
    letter case apart loses one of them, and no remote takes both of which one is a folder of the
    other's name.
    """
    sessions = deps.store.sessions
    projects = _of_one_repository(deps, project_id)
    rivals = (rival for each in projects for rival in sessions.on_branch(each, branch))
    rival = next((one for one in rivals if one.id != session_id), None)
    if rival is not None:
        raise Refused(
            f"branch: {branch} belongs to session {rival.id} ({rival.status}); {_way(rival)}"
        )
    found = (item for each in projects for item in sessions.branches_held(each).items())
    held = {name: owner for owner, name in found if owner != session_id}
    other = blocker(branch, held)
    if other is not None:
        owner = sessions.need(held[other])
        beside = f"{other} of session {owner.id}"
        raise Refused(f"branch: {blocked(branch, beside)}; {_way(owner)}")
    other = twin(branch, held)
    if other is not None:
        owner = sessions.need(held[other])
        raise Refused(
            f"branch: {branch} and {other} of session {owner.id} differ in letter case alone, "
            f"which not every machine tells apart; {_way(owner)}"
        )


def _of_one_repository(deps: Dependencies, project_id: str) -> tuple[str, ...]:
    """The project, and those in the file that are about the same repository, or whose working
    copies hang on the same one.
    """
    own = deps.config.project(project_id)
    if own is None:
        return (project_id,)
    return (
        own.id,
        *(one.id for one in deps.config.projects if one.id != own.id and _is_shared(one, own)),
    )


def _is_shared(one: Project, other: Project) -> bool:
    here = host_of(one) == host_of(other)
    if here and one.path == other.path:
        return True
    local = is_local(one.repo) or is_local(other.repo)
    return one.repo == other.repo and here if local else place(one.repo) == place(other.repo)


def _way(rival: Session) -> str:
    """What lets one go on: an agent that has ended may be the one that is wanted, and nothing but a
    person gives its branch up.
    """
    if rival.status is not SessionStatus.EXITED:
        return "choose another"
    return (
        f"choose another, or go on with that one: `ennio session restore {rival.id}`, or give it "
        f"up, which frees the branch: `ennio cleanup {rival.id} --force`"
    )
