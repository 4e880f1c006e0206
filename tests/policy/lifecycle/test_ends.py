"""How a session ends when its end overtakes its beginning: nothing stays running,
nothing stays lying about.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ennio.model.errors import Conflict, Unreachable
from ennio.model.facts import Facts, Presence, ProcessSeen
from ennio.model.session import SessionStatus
from ennio.policy.lifecycle import (
    Inputs,
    LifecycleState,
    MakeWorkspace,
    RemoveWorkspace,
    Spec,
    StopAgent,
    orders,
    step,
)
from tests.policy.lifecycle.world import START, World

ALIVE = Inputs(Facts(process=ProcessSeen(Presence.ALIVE, START, "survey", pid=7, number=1)))
GONE = Inputs(Facts(process=ProcessSeen(Presence.GONE, START, "survey")))
UNKNOWN = Inputs(Facts(process=ProcessSeen(Presence.UNKNOWN, START, "survey", detail="away")))


def _killed_during_launch() -> World:
    world = World()
    world.state = orders.admit(world.state)
    world.look()
    for _ in range(3):
        world.advance()
        if world.state.launches:
            break
        world.perform()
    world.try_order("kill")
    return world


def test_incident_05_a_launch_that_a_kill_overtook_is_ended_when_it_comes_up() -> None:
    world = _killed_during_launch()
    assert world.state.launches == 1
    plan = step(world.spec, GONE, world.state, world.now)
    assert isinstance(plan.effect, StopAgent), "ended once, to be sure"
    ended = orders.stopped(plan.state)
    assert step(world.spec, GONE, ended, world.now).effect is None
    assert isinstance(step(world.spec, ALIVE, ended, world.now).effect, StopAgent), (
        "and again, because it lives"
    )


def test_a_kill_of_a_merged_session_names_what_ends_its_agent() -> None:
    merged = LifecycleState(SessionStatus.MERGED, START)
    with pytest.raises(Conflict, match=r"it is merged already; .*: ennio cleanup SESSION"):
        orders.kill(merged, "a person")
    with pytest.raises(Conflict, match=r"nothing to kill$"):
        orders.kill(replace(merged, status=SessionStatus.DONE, cleaned_at=START), "a person")


def test_a_killed_session_is_not_restored_and_its_work_is_named() -> None:
    with pytest.raises(
        Conflict, match=r"this one is killed, which is for good: its work is in its workspace"
    ):
        orders.restore(LifecycleState(SessionStatus.KILLED, START, killed_by="a person"))


def test_incident_05_nothing_is_ended_that_cannot_be_seen() -> None:
    world = _killed_during_launch()
    assert step(world.spec, UNKNOWN, world.state, world.now).effect is None


def test_a_kill_of_what_was_launched_does_not_wait_for_its_terminal_to_be_seen() -> None:
    world = _killed_during_launch()
    launched = orders.launched(world.state, 1, world.now)
    plan = step(world.spec, UNKNOWN, launched, world.now)
    assert isinstance(plan.effect, StopAgent)
    assert not plan.state.status.terminal
    assert "not been seen to end" in plan.state.rule


def test_killed_is_said_once_nothing_of_the_agent_is_left() -> None:
    world = _killed_during_launch()
    killed = orders.launched(world.state, 1, world.now)
    failed = orders.failed(
        killed,
        StopAgent("killed by a person"),
        Unreachable("it did not end when killed"),
        world.now,
    )
    assert not step(world.spec, UNKNOWN, failed, world.now).state.status.terminal
    assert (
        step(world.spec, UNKNOWN, orders.stopped(failed), world.now).state.status
        is SessionStatus.KILLED
    )


def test_incident_07_a_workspace_that_was_begun_is_removed_and_one_that_was_not_is_not() -> None:
    waiting = orders.fresh(START)
    admitted = step(Spec(), Inputs(), orders.admit(waiting), START)
    assert isinstance(admitted.effect, MakeWorkspace)
    for state, removed in ((waiting, False), (admitted.state, True)):
        killed = step(Spec(), Inputs(busy=True), orders.kill(state, "a person"), START).state
        if killed.begun:
            killed = step(Spec(), Inputs(), orders.stopped(killed), START).state
        plan = step(
            Spec(), Inputs(), orders.clean(killed, force=False), START + timedelta(seconds=1)
        )
        assert isinstance(plan.effect, RemoveWorkspace) is removed
        assert (plan.state.cleaned_at is not None) is not removed


def test_what_prepares_a_workspace_is_ended_before_killed_is_said_and_the_workspace_goes() -> None:
    begun = step(Spec(), Inputs(), orders.admit(orders.fresh(START)), START).state
    plan = step(Spec(), Inputs(), orders.clean(orders.kill(begun, "a person"), force=True), START)
    assert isinstance(plan.effect, StopAgent)
    assert not plan.state.status.terminal
    ended = step(Spec(), Inputs(), orders.stopped(plan.state), START)
    assert ended.state.status is SessionStatus.KILLED
    assert isinstance(ended.effect, RemoveWorkspace)


def test_a_workspace_that_was_undone_counts_as_not_begun() -> None:
    begun = replace(orders.fresh(START), begun=True)
    assert not orders.removed(begun, START).begun
