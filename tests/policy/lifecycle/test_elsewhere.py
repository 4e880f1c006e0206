"""What is to be done on another machine, which may be away for long."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ennio.model.errors import Refused, Unreachable
from ennio.model.session import SessionStatus
from ennio.policy.lifecycle import LifecycleState, orders
from ennio.policy.lifecycle.effects import Effect, LaunchAgent, MakeWorkspace, StopAgent
from ennio.policy.lifecycle.state import Desired

NOW = datetime(2026, 3, 1, tzinfo=UTC)
STATE = LifecycleState(SessionStatus.SPAWNING, NOW, desired=Desired.RUN)


@pytest.mark.parametrize("effect", [MakeWorkspace(), LaunchAgent(1, False)])
def test_a_start_waits_for_a_machine_that_is_away_however_long(effect: Effect) -> None:
    state, near = STATE, STATE
    for _ in range(50):
        state = orders.failed(state, effect, Unreachable("no route"), NOW, host="me@build")
        near = orders.failed(near, effect, Unreachable("no route"), NOW)
    assert state.desired is Desired.RUN
    assert state.retry_at is not None
    assert state.retry_at - NOW <= timedelta(seconds=60)
    assert near.desired is Desired.WATCH, "here it is given up"


def test_what_it_refuses_is_given_up_there_too() -> None:
    state = orders.failed(STATE, MakeWorkspace(), Refused("no repository"), NOW, host="me@build")
    assert state.desired is Desired.WATCH
    assert state.failure == "on host me@build: no repository", "a path over there is none of here"


def test_once_it_is_heard_of_what_failed_waits_no_longer_and_a_restart_keeps_its_pause() -> None:
    failed = orders.failed(
        STATE, StopAgent("killed"), Unreachable("no route"), NOW, host="me@build"
    )
    assert orders.heard_again(failed).retry_at is None
    paused = replace(STATE, retry_at=NOW + timedelta(seconds=5))
    assert orders.heard_again(paused) == paused
