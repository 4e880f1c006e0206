"""Whom a branch belongs to already: two sessions never work on one branch."""

from __future__ import annotations

from ennio.model.branch import twin
from ennio.model.errors import Refused
from ennio.model.session import Session, SessionStatus
from ennio.store import Store


def refuse_rival(store: Store, project_id: str, branch: str, session_id: str = "") -> None:
    """Raise Refused where another session of the project that has not ended for good has the
    branch, or one that differs from it in letter case alone.

    That counts on every machine: whoever fetches both to one whose file names do not tell
    letter case apart loses one of them.
    """
    rivals = store.sessions.on_branch(project_id, branch)
    rival = next((one for one in rivals if one.id != session_id), None)
    if rival is not None:
        raise Refused(
            f"branch: {branch} belongs to session {rival.id} ({rival.status}); {_way(rival)}"
        )
    held = store.sessions.branches_held(project_id)
    other = twin(branch, (name for owner, name in held.items() if owner != session_id))
    if other is not None:
        owner = next(one for one, name in held.items() if name == other)
        raise Refused(
            f"branch: {branch} and {other} of session {owner} differ in letter case alone, which "
            f"not every machine tells apart; {_way(store.sessions.need(owner))}"
        )


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
