"""What the facts of a session amount to, where time is part of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ennio.model.facts import AgentSeen, Facts, Presence, ProcessSeen
from ennio.model.session import Activity, SessionStatus
from ennio.policy.lifecycle.activity import derive, turns_at
from ennio.policy.lifecycle.state import Inputs, LifecycleState, Phase, Spec

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LONG_AGO = NOW - timedelta(hours=2)
STATE = LifecycleState(SessionStatus.WORKING, LONG_AGO, phase=Phase.LAUNCHED, launches=1)


def resting(helpers: int) -> Inputs:
    agent = AgentSeen(
        NOW, "hooks", activity=Activity.READY, ready=True, since=LONG_AGO, helpers=helpers
    )
    return Inputs(Facts(ProcessSeen(Presence.ALIVE, NOW, "test", pid=7), agent))


def test_a_turn_that_is_over_becomes_idle_with_time() -> None:
    assert derive(Spec(), resting(0), STATE, NOW) is Activity.IDLE
    assert turns_at(Spec(), resting(0), STATE)


def test_a_turn_that_is_over_does_not_become_idle_while_a_helper_works() -> None:
    assert derive(Spec(), resting(1), STATE, NOW) is Activity.READY
    assert turns_at(Spec(), resting(1), STATE) == ()
