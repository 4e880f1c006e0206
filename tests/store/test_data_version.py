"""Whether anything was written since: the data version of a store."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ennio.config import database
from ennio.model.clock import ManualClock
from ennio.model.errors import Unreachable
from ennio.model.events import Draft, EventType
from ennio.model.facts import Facts, WorkspaceSeen
from ennio.model.session import Session
from ennio.store import SessionMetrics, Store, Waiting, open_store

Spawn = Callable[..., Session]


def _emit(store: Store) -> None:
    with store.transaction() as transaction:
        transaction.emit("", "my-app", Draft(EventType.ALL_COMPLETE, "done"))


WRITES: dict[str, Callable[[Store, Session], object]] = {
    "a session": lambda store, session: store.sessions.save(replace(session, reason="other")),
    "a new session": lambda store, session: store.sessions.insert(replace(session, id="new")),
    "a memory": lambda store, session: store.memories.save(session.id, "{}"),
    "facts": lambda store, session: store.facts.save(
        session.id, Facts(workspace=WorkspaceSeen(session.created_at, exists=True))
    ),
    "numbers": lambda store, session: store.metrics.save(SessionMetrics(session.id, ci_runs=1)),
    "a place in the queue": lambda store, session: store.queue.add(
        Waiting(session.id, "my-app", 0, 0, False, session.created_at, "")
    ),
    "a mark": lambda store, _session: store.meta.set("mark", "1"),
    "an event": lambda store, _session: _emit(store),
}


@pytest.mark.parametrize("what", WRITES)
def test_whatever_is_written_makes_a_new_data_version_and_reading_makes_none(
    store: Store, spawn: Spawn, what: str
) -> None:
    session = spawn()
    before = store.data_version()
    store.sessions.list()
    store.events.after(0)
    assert store.data_version() == before
    WRITES[what](store, session)
    after = store.data_version()
    assert after != before
    assert store.data_version() == after


def test_what_is_taken_away_makes_a_new_data_version_too(store: Store, spawn: Spawn) -> None:
    WRITES["a place in the queue"](store, spawn())
    before = store.data_version()
    assert store.queue.remove("ma-1")
    assert store.data_version() != before


def test_what_another_process_writes_makes_a_new_data_version_once_it_is_committed(
    store: Store, spawn: Spawn, url: str
) -> None:
    spawn()
    with closing(_another(url)) as other:
        other.execute("UPDATE sessions SET reason = 'elsewhere'")
        before = store.data_version()
        assert store.data_version() == before
        assert store.sessions.need("ma-1").reason != "elsewhere"
        other.commit()
    assert store.data_version() != before


def _another(url: str) -> Any:
    if not database.served(url):
        return sqlite3.connect(url.removeprefix("sqlite:"))
    import psycopg

    return psycopg.connect(url)


def test_no_data_version_stands_for_what_was_rolled_back(store: Store, spawn: Spawn) -> None:
    session = spawn()

    def fail() -> None:
        with store.transaction():
            store.sessions.save(replace(session, reason="never"))
            with pytest.raises(RuntimeError, match="not committed"):
                store.data_version()
            raise Unreachable("the disk is gone")

    with suppress(Unreachable):
        fail()
    rolled_back = store.data_version()
    store.sessions.save(replace(session, reason="then"))
    assert store.data_version() != rolled_back


def test_a_store_in_memory_has_data_versions_as_well(
    tmp_path: Path, session: Session, clock: ManualClock
) -> None:
    store = open_store("sqlite::memory:", tmp_path, clock)
    before = store.data_version()
    store.sessions.insert(session)
    assert store.data_version() != before
    store.close()
