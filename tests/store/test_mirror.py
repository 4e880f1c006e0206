"""The copy in memory of what people look at: what it holds of the latest, and how much at most."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ennio.model.clock import ManualClock
from ennio.model.errors import Unreachable
from ennio.model.events import Draft, EventType
from ennio.model.evidence import Evidence
from ennio.model.message import Message, MessageState, Origin
from ennio.model.session import Session, SessionStatus
from ennio.store import Store, mirror, open_store
from ennio.store.mirror import Mirror
from ennio.store.postgres import Postgres
from tests.postgres import Server

pytestmark = pytest.mark.real


@pytest.fixture
def store(postgres: Server, tmp_path: Path, clock: ManualClock) -> Iterator[Store]:
    opened = open_store(postgres.made(), tmp_path, clock)
    yield opened
    opened.close()


@pytest.fixture
def cut(store: Store, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Lets nothing be read from the server any more."""

    def away(*_asked: object) -> Any:
        raise Unreachable("cut off")

    return lambda: monkeypatch.setattr(Postgres, "read", away)


def of(store: Store) -> Mirror:
    dialect = store._connection.dialect
    assert isinstance(dialect, Postgres)
    assert dialect._mirror is not None
    return dialect._mirror


def test_the_latest_events_messages_and_reasons_are_known_as_they_were_written(
    store: Store, session: Session, cut: Callable[[], None], clock: ManualClock
) -> None:
    store.sessions.insert(session)
    with store.transaction() as tx:
        tx.emit("ma-1", "my-app", Draft(EventType.SESSION_SPAWNED, "spawned", data={"a": 1}))
        tx.emit("", "", Draft(EventType.CONFIG_ACCEPTED, "good again"))
    for number in range(2):
        store.messages.add(
            Message(f"m-{number}", "ma-1", f"do {number}", Origin.PERSON, clock.now())
        )
    first = store.messages.next("ma-1")
    assert first is not None
    taken = store.messages.take(first, 1, clock.now())
    done = replace(
        taken, state=MessageState.DELIVERED, delivered_at=clock.now(), detail="it says so"
    )
    store.messages.settle(taken, done, clock.now())
    store.evidence.add("ma-1", Evidence(clock.now(), SessionStatus.WORKING, "it works", ()))
    events, last = store.events.after(0), store.events.last_seq()
    messages, reasons = store.messages.list("ma-1"), store.evidence.list("ma-1")
    assert len(events) == 2
    assert messages[0].state is MessageState.DELIVERED
    cut()
    with store.last_known() as _, store.last_known():
        assert store.events.after(0) == events
        assert store.events.last_seq() == last == 2
        assert store.messages.list("ma-1") == messages
        assert store.messages.next("ma-1") == messages[1]
        assert store.evidence.list("ma-1") == reasons
    with pytest.raises(Unreachable):
        store.events.after(0)


def test_what_was_there_before_it_was_opened_is_known_too(
    store: Store, session: Session, cut: Callable[[], None], clock: ManualClock
) -> None:
    store.sessions.insert(session)
    long = "x" * 100_000
    store.messages.add(Message("m-1", "ma-1", long, Origin.PERSON, clock.now()))
    with store.transaction() as tx:
        tx.emit("ma-1", "my-app", Draft(EventType.SESSION_SPAWNED, "spawned"))
    dialect = store._connection.dialect
    assert isinstance(dialect, Postgres)
    dialect.ready()
    events = store.events.after(0)
    cut()
    with store.last_known():
        assert store.events.after(0) == events
        (message,) = store.messages.list("ma-1")
        assert long.startswith(message.text)
        assert 1000 < len(message.text) < 20_000


def test_of_many_the_latest_are_kept_and_a_message_goes_with_its_delivery(
    store: Store,
    session: Session,
    cut: Callable[[], None],
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    latest = (("events", "seq", 5), ("messages", "ordinal", 3), ("evidence", "ordinal", 2))
    monkeypatch.setattr(mirror, "_LATEST", latest)
    store.sessions.insert(session)
    for number in range(9):
        with store.transaction() as tx:
            tx.emit("ma-1", "my-app", Draft(EventType.SESSION_SPAWNED, str(number)))
            store.messages.add(Message(f"m-{number}", "ma-1", "x", Origin.PERSON, clock.now()))
            store.evidence.add(
                "ma-1", Evidence(clock.now(), SessionStatus.WORKING, str(number), ())
            )
    cut()
    with store.last_known():
        assert [event.message for event in store.events.after(0)] == ["4", "5", "6", "7", "8"]
        assert [message.id for message in store.messages.list("ma-1")] == ["m-6", "m-7", "m-8"]
        assert [one.rule for one in store.evidence.list("ma-1")] == ["8", "7"]
        assert store.events.last_seq() == 9


def test_it_stays_within_its_room_whatever_is_written(
    store: Store,
    session: Session,
    cut: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mirror, "ROOM", 2_000_000)
    store.sessions.insert(session)
    for _ in range(30):
        with store.transaction() as tx:
            for _ in range(10):
                data = {"much": "y" * 20_000}
                last = tx.emit("ma-1", "my-app", Draft(EventType.SESSION_SPAWNED, "s", data=data))
    cut()
    with store.last_known():
        assert store.sessions.list() == (session,), "the sessions are what matters most"
        kept = store.events.after(0)
        assert 10 < len(kept) < 150
        assert kept[-1] == last
    assert of(store).size <= 2_000_000


def test_a_statement_that_the_copy_does_not_take_costs_nothing_but_the_copy(
    store: Store, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.sessions.insert(session)
    of(store)._database.execute("DROP TABLE events")
    with store.transaction() as tx:
        tx.emit("ma-1", "my-app", Draft(EventType.SESSION_SPAWNED, "spawned"))
    with pytest.raises(sqlite3.Error):
        of(store).read('SELECT "t1"."seq" FROM "events" AS "t1"', [])
    assert len(store.events.after(0)) == 1
