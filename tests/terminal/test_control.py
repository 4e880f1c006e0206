"""Control of a terminal: one at a time, given back, taken from whoever says nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ennio.actors.terminal_control import IDLE, SILENCE, TerminalControls
from ennio.config.model import TerminalAccess
from ennio.hosts.delivery import Arrival
from ennio.model.errors import Conflict, Refused
from ennio.model.message import Message, Origin
from ennio.model.session import RuntimeHandle, Session
from tests.http.small_orchestrator import SmallOrchestrator


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def wait(self, time: timedelta) -> None:
        self.at += time


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallOrchestrator]:
    made = SmallOrchestrator.at(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def session(small: SmallOrchestrator) -> Session:
    from ennio.actors.orchestrator import SpawnRequest

    return small.sessions.spawn(SpawnRequest(project_id="my-app", prompt="x"))


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def controls(small: SmallOrchestrator, clock: Hand) -> TerminalControls:
    return TerminalControls(small.store, clock)  # type: ignore[arg-type] # of a clock only the hour


def kinds(small: SmallOrchestrator) -> list[str]:
    return [
        event.event_type
        for event in small.store.events.after(0)
        if event.event_type.startswith("control")
    ]


def test_a_second_one_waits_until_the_first_has_said_nothing_for_long_enough(
    small: SmallOrchestrator, session: Session, controls: TerminalControls, clock: Hand
) -> None:
    told: list[str] = []
    controls.listeners.append(told.append)
    lena = controls.take(session, "Lena", "here")
    with pytest.raises(Conflict, match="Lena has control"):
        controls.take(session, "Omar", "there")
    clock.wait(SILENCE - timedelta(seconds=1))
    controls.insist(session.id, lena.id)
    clock.wait(SILENCE - timedelta(seconds=1))
    with pytest.raises(Conflict):
        controls.take(session, "Omar", "there")
    clock.wait(timedelta(seconds=1))
    omar = controls.take(session, "Omar", "there")
    assert not controls.give_back(session, lena.id), "it is hers no more, which is fine"
    with pytest.raises(Conflict, match="read only"):
        controls.insist(session.id, lena.id)
    assert controls.give_back(session, omar.id)
    assert controls.of(session.id) is None
    assert kinds(small) == ["control_taken", "control_returned"] * 2
    assert told == [session.id] * len(told)
    assert len(told) == 5


def test_whoever_keeps_it_is_not_asked_any_more(
    session: Session, controls: TerminalControls, clock: Hand
) -> None:
    lena = controls.take(session, "Lena", "here")
    with pytest.raises(Conflict):
        controls.take(session, "Omar", "there")
    controls.keep(session.id, lena.id)
    clock.wait(SILENCE)
    with pytest.raises(Conflict):
        controls.take(session, "Omar", "there")
    assert lena.idle_at == lena.since + IDLE


def test_what_reactions_send_waits_for_whoever_has_control_and_people_do_not(
    session: Session, controls: TerminalControls, clock: Hand
) -> None:
    def obstacle(origin: Origin) -> object:
        return controls.obstacle(session.id, Message("m", session.id, "x", origin, clock.now()))

    assert obstacle(Origin.REACTION) is None
    lena = controls.take(session, "Lena", "here")
    held = controls.obstacle(
        session.id, Message("m", session.id, "x", Origin.REACTION, clock.now())
    )
    assert held is not None
    assert held.arrival is Arrival.NOT_NOW
    assert "Lena" in held.detail
    assert obstacle(Origin.PERSON) is None
    controls.give_back(session, lena.id)
    assert obstacle(Origin.REACTION) is None


def test_read_only_means_that_nobody_takes_control(tmp_path: Path) -> None:
    from ennio.actors.orchestrator import SpawnRequest

    small = SmallOrchestrator.at(tmp_path, terminal=TerminalAccess(read_only=True))
    session = small.sessions.spawn(SpawnRequest(project_id="my-app", prompt="x"))
    small.store.sessions.save(
        __import__("dataclasses").replace(session, runtime_handle=RuntimeHandle(session.id, "stub"))
    )
    with pytest.raises(Refused, match="read_only"):
        small.terminals.take(session.id, "Lena", "here")
    small.store.close()
