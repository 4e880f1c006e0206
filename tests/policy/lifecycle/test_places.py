"""A workspace that a person removes, moves or puts on another branch: seen, said, and
nothing is done into nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ennio.config.model import Restart
from ennio.model.errors import Conflict
from ennio.model.facts import AgentSeen, Facts, Place, PlaceSeen, Presence, ProcessSeen
from ennio.model.message import MessageState
from ennio.model.session import Activity, Priority, SessionStatus
from ennio.policy.lifecycle import (
    DeliverMessage,
    Inputs,
    LaunchAgent,
    LifecycleState,
    MakeWorkspace,
    PendingMessage,
    Spec,
    StopAgent,
    orders,
    step,
)
from ennio.policy.lifecycle.state import Desired, Phase

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MAIL = PendingMessage("m", MessageState.QUEUED)
RUNNING = LifecycleState(
    status=SessionStatus.WORKING, status_since=NOW, desired=Desired.WATCH, phase=Phase.LAUNCHED, begun=True, launches=1,
    launched_at=NOW, ready_at=NOW, activity=Activity.READY, activity_since=NOW,
)  # fmt: skip


def _facts(place: Place, process: ProcessSeen | None = None) -> Facts:
    alive = process or ProcessSeen(Presence.ALIVE, NOW, "test", pid=1, number=1)
    agent = AgentSeen(NOW, "test", activity=Activity.READY, ready=True)
    detail = "" if place is Place.STANDING else f"it is {place}"
    return Facts(process=alive, agent=agent, place=PlaceSeen(NOW, place, detail))


GONE = ProcessSeen(Presence.GONE, NOW, "test", exit_code=1, number=1)


@pytest.mark.parametrize("place", [place for place in Place if place is not Place.STANDING])
def test_what_became_of_the_workspace_stands_before_the_rule_and_is_told_once(place: Place) -> None:
    plan = step(Spec(forge=False), Inputs(_facts(place)), RUNNING, NOW)
    again = step(Spec(forge=False), Inputs(_facts(place)), plan.state, NOW + timedelta(seconds=9))

    assert plan.state.status is SessionStatus.WORKING
    assert plan.state.rule == f"it is {place} (the agent is alive and there is no pull request yet)"
    assert plan.evidence is not None
    assert f"it is {place}" in [ground.what for ground in plan.evidence.facts]
    assert [event.priority for event in plan.events if event.data.get("step") == "place"] == [
        Priority.ACTION if place.takes_person else Priority.INFO
    ]
    assert again.events == ()


def test_what_is_right_again_is_told_and_shown() -> None:
    wrong = step(Spec(forge=False), Inputs(_facts(Place.DETACHED)), RUNNING, NOW).state
    plan = step(Spec(forge=False), Inputs(_facts(Place.STANDING)), wrong, NOW)
    assert plan.state.rule == "the agent is alive and there is no pull request yet"
    assert "its working copy is as it should be again" in [event.message for event in plan.events]


@pytest.mark.parametrize("place", list(Place))
def test_nothing_is_delivered_into_nothing(place: Place) -> None:
    plan = step(Spec(forge=False), Inputs(_facts(place), MAIL), RUNNING, NOW)
    assert (plan.effect == DeliverMessage("m")) is place.usable


def test_nothing_is_started_again_where_there_is_no_workspace() -> None:
    spec = Spec(forge=False, restart=Restart(attempts=5, within=60, delay=1))
    for place in (Place.GONE, Place.STANDING):
        state = RUNNING
        for _ in range(3):
            state = step(spec, Inputs(_facts(place, GONE)), state, NOW).state
        assert state.desired is (Desired.WATCH if place is Place.GONE else Desired.RUN)


def test_a_living_session_without_a_workspace_can_be_restored_and_its_agent_is_ended_first() -> (
    None
):
    with pytest.raises(Conflict):
        orders.restore(RUNNING)
    state = orders.admit(orders.restore(RUNNING, unusable=True))
    alive, unseen = (
        Facts(process=_facts(Place.GONE).process),
        Facts(process=ProcessSeen(Presence.UNKNOWN, NOW, "test")),
    )

    assert step(Spec(), Inputs(unseen), state, NOW).effect is None
    stop = step(Spec(), Inputs(alive), state, NOW)
    assert isinstance(stop.effect, StopAgent)
    state = orders.stopped(stop.state)
    make = step(Spec(), Inputs(Facts(process=GONE)), state, NOW)
    assert isinstance(make.effect, MakeWorkspace)
    state = orders.prepared(orders.workspace_made(make.state))
    launch = step(Spec(), Inputs(Facts(process=GONE)), state, NOW)
    assert launch.effect == LaunchAgent(2, resume=True, message=None)


def test_an_ended_session_without_a_workspace_is_restored_into_a_new_one() -> None:
    exited = replace(RUNNING, status=SessionStatus.EXITED)
    assert orders.restore(exited).phase is Phase.PREPARED
    assert orders.restore(exited, unusable=True).phase is Phase.NEW
