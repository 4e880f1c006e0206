"""Rows go a few at a time, and no total falls by it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ennio.model.clock import ManualClock
from ennio.model.events import Draft, EventType
from ennio.model.evidence import Evidence
from ennio.model.session import Session, SessionStatus
from ennio.store import Store, database_file
from ennio.store import retention as module
from ennio.store.retention import STEP

Spawn = Callable[..., Session]


def _tell(store: Store, session_id: str, many: int) -> None:
    with store.transaction() as tx:
        for number in range(many):
            kind = EventType.SESSION_WORKING if number % 2 else EventType.CI_FAILING
            tx.emit(session_id, "app", Draft(kind, "told"))


def _totals(store: Store) -> tuple[object, ...]:
    last, totals = store.events.last_seq(), store.totals
    return dict(totals.events(last)), dict(totals.sessions()), totals.lives()


def _ended(store: Store, clock: ManualClock, session: Session) -> Session:
    store.evidence.add(session.id, Evidence(clock.now(), SessionStatus.WORKING, "it works", ()))
    clock.advance(120)
    store.evidence.add(session.id, Evidence(clock.now(), SessionStatus.MERGED, "merged", ()))
    done = replace(session, status=SessionStatus.DONE, archived_at=clock.now())
    store.sessions.save(done)
    return done


def test_the_oldest_events_go_in_small_steps_and_stay_counted(store: Store, spawn: Spawn) -> None:
    session = spawn()
    _tell(store, session.id, STEP)
    with store.transaction() as tx:
        tx.emit("", "", Draft(EventType.ALL_COMPLETE, "of no session"))
    _tell(store, session.id, 9)
    before, last = _totals(store), store.events.last_seq()
    assert store.retention.forget_events(last - 5) == STEP
    assert _totals(store) == before
    assert store.retention.forget_events(last - 5) == 5
    assert [event.seq for event in store.events.after(0)] == list(range(last - 4, last + 1))
    assert _totals(store) == before
    assert store.totals.pruned_until() == last - 5
    assert store.events.last_seq() == last


def test_what_breaks_off_in_the_middle_has_not_happened(
    store: Store, spawn: Spawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = spawn()
    _tell(store, session.id, 20)
    before = _totals(store)

    def broken(*_args: object) -> None:
        raise RuntimeError("killed here")

    with monkeypatch.context() as patch:
        patch.setattr(module.RetentionRepository, "_remove", broken)
        with pytest.raises(RuntimeError):
            store.retention.forget_events(10)
    assert (len(store.events.after(0)), _totals(store)) == (20, before)


def test_a_past_session_goes_with_all_that_is_its_own_and_stays_counted(
    store: Store, clock: ManualClock, spawn: Spawn
) -> None:
    past, other = spawn("ma-1"), spawn("ma-2")
    for session in (past, other):
        _tell(store, session.id, 7)
    _tell(store, past.id, STEP)
    _ended(store, clock, past)
    store.reactions.save(past.id, "ci-failed", "{}")
    before = _totals(store)
    assert [each.id for each in store.retention.past_sessions()] == [past.id]
    assert not store.retention.forget_session(past.id)
    assert _totals(store) == before
    assert store.sessions.get(past.id) is not None, "first its events go"
    assert store.retention.forget_session(past.id)
    assert (store.sessions.get(past.id), store.reactions.list(past.id)) == (None, {})
    assert store.events.list_by_session(past.id) == []
    assert store.evidence.list(past.id) == ()
    assert len(store.events.list_by_session(other.id)) == 7
    assert _totals(store) == before
    assert store.totals.lives().total == 120.0


def test_old_reasons_go_but_not_the_present_one_nor_that_for_an_end(
    store: Store, clock: ManualClock, spawn: Spawn
) -> None:
    living, ended = spawn("ma-1"), spawn("ma-2")
    for status in (SessionStatus.WORKING, SessionStatus.PR_OPEN):
        store.evidence.add(living.id, Evidence(clock.now(), status, "a rule", ()))
    _ended(store, clock, ended)
    later = clock.now() + timedelta(days=100)
    assert store.retention.forget_facts(later - timedelta(days=200)) == 0
    before = _totals(store)
    assert store.retention.forget_facts(later) == 2
    assert [each.status for each in store.evidence.list(living.id)] == [SessionStatus.PR_OPEN]
    assert [each.status for each in store.evidence.list(ended.id)] == [SessionStatus.MERGED]
    assert _totals(store) == before
    assert store.retention.forget_facts(later) == 0


def test_a_look_that_finds_nothing_old_writes_nothing(
    sqlite_store: Store, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_file, "_MARK_SECONDS", 0.0)  # the next write is marked, too
    sqlite_store.meta.set("anything", "new")
    files = [tmp_path / "ennio.db", tmp_path / "ennio.db-wal"]
    before = [file.read_bytes() for file in files]
    assert sqlite_store.retention.forget_facts(clock.now()) == 0
    assert sqlite_store.retention.forget_forecasts() == 0
    assert [file.read_bytes() for file in files] == before


def test_what_the_database_takes_is_known(store: Store) -> None:
    size = store.size()
    assert size.total > 0
    assert size.used is None or 0 < size.used <= size.total
