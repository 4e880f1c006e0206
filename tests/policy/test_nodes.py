"""How a machine is, by what is heard of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ennio.model.events import Draft
from ennio.model.node import NodeHealth, NodeState, NodeStep, StepName
from ennio.policy.nodes import (
    LOOK_EVERY,
    Answered,
    ContactWanted,
    Failed,
    Heard,
    Moved,
    Node,
    Parted,
    Rested,
    Stepped,
    move,
    pause,
)

T0 = datetime(2026, 1, 1, tzinfo=UTC)
HEALTH = NodeHealth(T0, 0.012, version="0.2.0")
ARROWS = {
    NodeState.UNKNOWN: {
        "connecting",
        "connected",
        "unreachable",
        "refused",
        "disconnected",
        "idle",
    },
    NodeState.IDLE: {"connecting", "disconnected"},
    NodeState.DISCONNECTED: {"connecting"},
    NodeState.CONNECTING: {
        *("deploying", "connected", "unreachable", "refused", "disconnected", "idle")
    },
    NodeState.DEPLOYING: {"connected", "unreachable", "refused", "disconnected", "idle"},
    NodeState.CONNECTED: {"unreachable", "refused", "disconnected", "idle"},
    NodeState.UNREACHABLE: {"connecting", "connected", "refused", "disconnected", "idle"},
    NodeState.REFUSED: {"connecting", "connected", "unreachable", "disconnected", "idle"},
}


def _step(name: StepName, *, ok: bool = True) -> Stepped:
    return Stepped(NodeStep(name, T0, ok, "said so", "" if ok else "no space left"))


HEARD = st.one_of(
    st.builds(ContactWanted, st.booleans()),
    st.builds(lambda name, ok: _step(name, ok=ok), st.sampled_from(StepName), st.booleans()),
    st.just(Answered(HEALTH)),
    st.builds(Failed, st.sampled_from(("no route", "the key changed")), st.booleans()),
    st.builds(Parted, st.integers(0, 3)),
    st.just(Rested()),
)


def _heard(node: Node, *all_heard: Heard) -> Moved:
    events: list[Draft] = []
    for at, heard in enumerate(all_heard):
        moved = move(node, heard, T0 + timedelta(seconds=at))
        node, events = moved.node, [*events, *moved.events]
    return Moved(node, tuple(events))


def _types(moved: Moved) -> list[str]:
    return [draft.event_type.value for draft in moved.events]


@given(st.booleans(), st.lists(HEARD, max_size=30))
def test_whatever_is_heard_only_the_drawn_arrows_are_gone(
    daemon: bool, all_heard: Sequence[Heard]
) -> None:
    node = Node("me@build", daemon)
    told = 0
    for at, heard in enumerate(all_heard):
        now = T0 + timedelta(seconds=at)
        moved = move(node, heard, now)
        if moved.node.state is not node.state:
            assert moved.node.state in ARROWS[node.state]
            assert moved.node.since == now
        if moved.node.state is NodeState.CONNECTED:
            assert moved.node.health is not None, "nobody is connected who never answered"
            assert (moved.node.failures, moved.node.detail) == (0, "")
        if node.state is NodeState.DISCONNECTED and moved.node.state is not node.state:
            assert heard == ContactWanted(by_person=True), (
                "what a person ended only a person begins"
            )
        assert all(draft.data["host"] == "me@build" for draft in moved.events)
        node, told = moved.node, told + len(moved.events)
    assert told <= len(all_heard)


@given(st.lists(HEARD, max_size=30), st.booleans())
def test_it_is_asked_again_for_ever_while_a_session_needs_it_and_never_without(
    all_heard: Sequence[Heard], needed: bool
) -> None:
    node = _heard(Node("h", True), *all_heard).node
    wait = pause(node, needed=needed)
    if not needed or node.under_way or node.left_alone:
        assert wait is None
    else:
        assert wait is not None
        assert 0 < wait <= 600


def test_a_failure_is_told_once_and_again_when_it_is_another() -> None:
    lost = [ContactWanted(), Failed("no route", False)]
    moved = _heard(Node("h", False), *lost, *lost, *lost, ContactWanted(), Failed("refused", False))
    assert _types(moved) == ["node_health_check", "node_health_check"]
    assert moved.node.failures == 4
    assert _types(_heard(moved.node, ContactWanted(), Answered(HEALTH))) == ["node_connected"]


def test_a_loss_is_told_as_one_and_looks_that_go_well_are_not_told() -> None:
    moved = _heard(
        Node("h", False), ContactWanted(), *[Answered(HEALTH)] * 5, Failed("no route", False)
    )
    assert _types(moved) == ["node_connected", "node_disconnected"]
    assert moved.node.state is NodeState.UNREACHABLE
    assert moved.node.health == HEALTH, "what was known last"


def test_each_step_of_a_deployment_is_an_event_and_a_failure_has_its_output() -> None:
    steps = [_step(name) for name in (StepName.LOG_IN, StepName.COPY, StepName.START)]
    moved = _heard(Node("h", True), ContactWanted(), *steps, _step(StepName.VERIFY, ok=False))
    assert _types(moved) == ["node_step", "node_launched", "node_step"]
    assert moved.events[-1].data["output"] == "no space left"
    assert moved.node.state is NodeState.DEPLOYING
    assert [each.name for each in moved.node.steps] == ["log in", "copy", "start", "verify"]
    assert _heard(moved.node, Failed("x", True), ContactWanted()).node.steps == (), (
        "each try by itself"
    )


def test_a_disconnection_says_how_many_sessions_go_on_there() -> None:
    moved = _heard(Node("h", True), ContactWanted(), Answered(HEALTH), Parted(2), Answered(HEALTH))
    assert "2 of its sessions go on there" in moved.events[-1].message
    assert moved.node.state is NodeState.DISCONNECTED, "a late answer changes nothing"
    assert "ennio node connect h" in moved.node.detail


def test_a_daemon_that_nobody_needs_rests_and_a_machine_without_one_does_not() -> None:
    assert _heard(Node("h", True), ContactWanted(), Answered(HEALTH), Rested()).node.state == "idle"
    assert (
        _heard(Node("h", False), ContactWanted(), Answered(HEALTH), Rested()).node.state
        == "connected"
    )


@pytest.mark.parametrize(
    ("failed", "first", "last"),
    [
        (Failed("x", refused=False), 1.0, 60.0),
        (Failed("x", refused=False, away=True), 1.0, 10.0),
        (Failed("x", refused=True), 30.0, 600.0),
    ],
)
def test_tries_become_seldom_and_never_end(failed: Failed, first: float, last: float) -> None:
    node, waits = Node("h", False), []
    for _ in range(12):
        node = _heard(node, ContactWanted(), failed).node
        waits.append(pause(node, needed=True) or 0.0)
    assert (waits[0], waits[-1]) == (first, last)
    assert waits == sorted(waits)
    assert pause(_heard(node, Answered(HEALTH)).node, needed=True) == LOOK_EVERY
