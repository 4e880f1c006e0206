"""What is shown of many sessions, and whose turn it is in each; read in so many queries whatever
their number.
"""

from __future__ import annotations

from collections.abc import Sequence

from ennio.actors.dependencies import Dependencies
from ennio.actors.orchestrator.session_view import QueuePlace, SessionView, WaitingMessage
from ennio.actors.turns import FEW, gathered
from ennio.model.conflicts import by_session
from ennio.model.session import Session
from ennio.policy import turn
from ennio.store import Waiting


def rows(deps: Dependencies, sessions: Sequence[Session]) -> Sequence[SessionView]:
    """The views of these sessions, in their order."""
    now = deps.clock.now()
    inputs, mail, queue = gathered(deps, sessions)
    conflicts = by_session(
        deps.store.conflicts.of(sessions[0].id)
        if len(sessions) == 1
        else deps.store.conflicts.list()
    )
    few = len(sessions) <= FEW
    diffs = deps.store.branch_diffs.of_sessions([one.id for one in sessions] if few else None)
    return [
        SessionView.of(
            one,
            turn.decide(one, now),
            _place(queue.get(one.session.id)),
            WaitingMessage.of(mail.get(one.session.id)),
            conflicts.get(one.session.id, ()),
            diff.stat if (diff := diffs.get(one.session.id)) is not None else None,
        )
        for one in inputs
    ]


def _place(waiting: tuple[int, Waiting] | None) -> QueuePlace | None:
    return None if waiting is None else QueuePlace(waiting[0], waiting[1].reason, waiting[1].held)
