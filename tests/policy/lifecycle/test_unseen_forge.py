"""That a head has no checks is known by a look at the forge once they had their time, and by nothing
else.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from ennio.model.events import EventType
from ennio.model.facts import Facts, ForgeSeen, Presence, ProcessSeen
from ennio.model.pulls import CheckState
from ennio.model.session import SessionStatus
from ennio.policy.lifecycle import Inputs, Plan, Spec, step
from ennio.policy.lifecycle.state import Desired, LifecycleState, Phase
from tests.policy.lifecycle.world import START, pull_request

GRACE = timedelta(seconds=30)
PULL = pull_request(checks=CheckState.NONE, check_runs=(), head_since=START)
STATE = LifecycleState(
    SessionStatus.WORKING,
    START,
    desired=Desired.WATCH,
    phase=Phase.LAUNCHED,
    launches=1,
    launched_at=START,
    ready_at=START,
)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def looked(seen: float, now: float, state: LifecycleState, *, away: bool = False) -> Plan:
    """A step at a moment, after the last look at the forge at another."""
    forge = ForgeSeen(Presence.UNKNOWN if away else Presence.ALIVE, at(seen), "local", PULL)
    process = ProcessSeen(Presence.ALIVE, at(now), "survey", pid=1, number=1)
    return step(Spec(), Inputs(Facts(process, forge=forge), None, busy=False), state, at(now))


def told_passing(plan: Plan) -> bool:
    return any(event.event_type is EventType.CI_PASSING for event in plan.events)


def test_that_there_are_no_checks_is_known_by_a_look_after_they_had_their_time() -> None:
    first = looked(0, 0, STATE)
    assert first.wake_at is not None
    assert first.wake_at <= START + GRACE
    later = looked(0, 31, first.state)
    assert (told_passing(later), later.state.status) == (False, SessionStatus.PR_OPEN)
    assert later.forge_look == START + GRACE, "somebody has to look"
    seen = looked(31, 31, later.state)
    assert told_passing(seen)
    assert (seen.state.status, seen.forge_look) == (SessionStatus.CI_PASSING, None)


def test_while_the_forge_is_away_there_is_no_time_for_checks_to_appear() -> None:
    state = looked(0, 0, STATE).state
    state = looked(5, 40, state, away=True).state
    assert state.status is SessionStatus.PR_OPEN
    back = looked(65, 65, state)
    assert not told_passing(back), "it was seen for five seconds, and had no checks when it came"
    assert back.wake_at == at(60) + GRACE
    assert told_passing(looked(90, 90, back.state))


def test_a_new_head_has_all_of_its_time() -> None:
    state = replace(looked(0, 0, STATE).state, unseen=60.0)
    newer = replace(PULL, head="b" * 40, head_since=at(100))
    forge = ForgeSeen(Presence.ALIVE, at(100), "local", newer)
    process = ProcessSeen(Presence.ALIVE, at(100), "survey", pid=1, number=1)
    plan = step(Spec(), Inputs(Facts(process, forge=forge), None, busy=False), state, at(100))
    assert (plan.state.head_at, plan.state.unseen) == (at(100), 0.0)
