"""All or nothing, told once and in order, whoever works at the same time."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace

import pytest

from ennio.model.clock import ManualClock
from ennio.model.errors import NotFound, Unreachable
from ennio.model.events import Draft, Event, EventType
from ennio.model.session import Session, SessionStatus
from ennio.store import Store, Transaction

DRAFT = Draft(EventType.STATUS_CHANGED, "changed")


class Listener:
    """Keeps what it was told."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    def __call__(self, events: Sequence[Event]) -> None:
        self.batches.append([event.seq for event in events])


@pytest.fixture
def heard(store: Store) -> Listener:
    listener = Listener()
    store.listen(listener)
    return listener


def _emit(store: Store, times: int = 1) -> None:
    with store.transaction() as transaction:
        for _ in range(times):
            transaction.emit("", "my-app", DRAFT)


def test_an_event_is_stored_with_id_number_and_time_and_told_after_the_commit(
    store: Store, clock: ManualClock, spawn: Callable[..., Session]
) -> None:
    spawn()
    seen: list[Event | None] = []
    store.listen(lambda events: seen.extend(store.events.get(event.id) for event in events))
    with store.transaction() as transaction:
        event = transaction.emit(
            "ma-1",
            "my-app",
            Draft(EventType.CI_FAILING, "red", data={"at": clock.now(), "checks": ("lint",)}),
        )
        assert not seen
    assert seen == [event]
    assert (event.seq, event.timestamp) == (1, clock.now())
    assert event.data == {"at": "2026-01-01T00:00:00.000000+00:00", "checks": ["lint"]}


def test_an_error_rolls_everything_back_tells_nobody_and_takes_no_number(
    store: Store, session: Session, heard: Listener
) -> None:
    def fail() -> None:
        with store.transaction() as transaction:
            store.sessions.insert(session)
            transaction.emit(session.id, "my-app", DRAFT)
            store.memories.save(session.id, "x")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert store.sessions.get(session.id) is None
    assert store.memories.get(session.id) is None
    assert store.events.last_seq() == 0
    assert heard.batches == []
    _emit(store)
    assert heard.batches == [[1]]


def test_a_transaction_inside_another_joins_it(
    store: Store, session: Session, heard: Listener
) -> None:
    with store.transaction() as outer:
        outer.emit("", "my-app", DRAFT)
        with store.transaction() as inner:
            assert inner is outer
            inner.emit("", "my-app", DRAFT)
        assert heard.batches == []
        store.sessions.insert(session)
    assert heard.batches == [[1, 2]]


def test_an_inner_failure_that_is_caught_still_rolls_all_back(
    store: Store, session: Session, heard: Listener
) -> None:
    def swallow() -> None:
        with store.transaction() as transaction:
            transaction.emit("", "my-app", DRAFT)
            with suppress(ZeroDivisionError), store.transaction():
                store.sessions.insert(session)
                raise ZeroDivisionError

    with pytest.raises(RuntimeError, match="rolled back"):
        swallow()
    assert store.sessions.list() == ()
    assert heard.batches == []
    _emit(store)
    assert heard.batches == [[1]]


def test_a_transaction_cannot_be_used_after_its_end(store: Store) -> None:
    with store.transaction() as transaction:
        pass
    with pytest.raises(RuntimeError, match="inside its `with`"):
        transaction.emit("", "my-app", DRAFT)


def test_an_event_of_an_unknown_session_is_not_found_by_name(store: Store) -> None:
    with pytest.raises(NotFound, match="no session nobody"), store.transaction() as transaction:
        transaction.emit("nobody", "my-app", DRAFT)
    assert store.events.last_seq() == 0


def test_a_listener_that_fails_is_logged_and_disturbs_nobody(
    store: Store, heard: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(events: Sequence[Event]) -> None:
        raise ZeroDivisionError

    store.listen(fail)
    after = Listener()
    store.listen(after)
    _emit(store)
    _emit(store)
    assert heard.batches == after.batches == [[1], [2]]
    assert "a listener failed on events 1 to 1" in caplog.text


def test_a_listener_that_left_hears_nothing_and_may_leave_twice(store: Store) -> None:
    listener, other = Listener(), Listener()
    leave = store.listen(listener)
    store.listen(other)
    _emit(store)
    leave()
    leave()
    _emit(store)
    assert (listener.batches, other.batches) == ([[1]], [[1], [2]])


def test_what_a_listener_emits_is_told_to_all_after_what_it_heard(
    store: Store, heard: Listener
) -> None:
    def answer(events: Sequence[Event]) -> None:
        if events[0].seq < 3:
            _emit(store)

    store.listen(answer)
    last = Listener()
    store.listen(last)
    _emit(store)
    assert heard.batches == last.batches == [[1], [2], [3]]


def test_threads_do_not_mix_their_transactions_and_all_is_told_in_order(
    store: Store, heard: Listener
) -> None:
    def work() -> None:
        for _ in range(20):
            _emit(store, times=3)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert heard.batches == [[first, first + 1, first + 2] for first in range(1, 360, 3)]
    assert store.events.last_seq() == 360


def test_a_half_done_transaction_is_invisible_to_others(
    store: Store, spawn: Callable[..., Session]
) -> None:
    """With SQLite they wait for its end, with PostgreSQL they are given what was there before."""
    session = spawn()
    inside, read = threading.Event(), threading.Event()
    seen: list[SessionStatus] = []

    def look() -> None:
        inside.wait(30)
        seen.append(store.sessions.need("ma-1").status)
        read.set()

    reader = threading.Thread(target=look)
    reader.start()
    with suppress(ZeroDivisionError), store.transaction():
        store.sessions.save(replace(session, status=SessionStatus.KILLED))
        inside.set()
        assert read.wait(30) if store._connection.dialect.apart else not read.wait(0.1)
        raise ZeroDivisionError
    reader.join(30)
    assert seen == [SessionStatus.WORKING]


GREENLETS = """
from gevent import monkey; monkey.patch_all()
import sys, tempfile, gevent
from pathlib import Path
from ennio.model.clock import SystemClock
from ennio.model.events import Draft, EventType
from ennio.store import open_store
store = open_store("sqlite:g.db", Path(sys.argv[1]), SystemClock())
heard = []
def slow(events):
    gevent.sleep(0)
    heard.extend(event.seq for event in events)
leave = store.listen(slow)
def work(breach):
    for _ in range(10):
        with store.transaction() as transaction:
            transaction.emit("", "p", Draft(EventType.ALL_COMPLETE, "x"))
            if breach:
                gevent.sleep(0)
            transaction.emit("", "p", Draft(EventType.ALL_COMPLETE, "y"))
        gevent.sleep(0)
gevent.joinall([gevent.spawn(work, number % 5 == 0) for number in range(30)], raise_error=True)
leave()
inside = []
def half():
    with store.transaction() as transaction:
        transaction.emit("", "p", Draft(EventType.ALL_COMPLETE, "half"))
        inside.append(store._connection._depth)
        gevent.sleep(60)
victim = gevent.spawn(half)
gevent.sleep(0)
assert inside == [1]
assert store._connection._depth == 0, "a transaction belongs to the greenlet that began it"
victim.kill()
events = store.events.after(0, limit=10000)
assert heard == [event.seq for event in events] == list(range(1, store.events.last_seq() + 1)), heard
assert [event.message for event in events] == ["x", "y"] * (len(events) // 2)
assert len(events) == 600, len(events)
import os
assert sum("g.db" in os.readlink(f"/proc/self/fd/{fd}") and not os.readlink(f"/proc/self/fd/{fd}").endswith(("-wal", "-shm"))
           for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")) == 2, "one connection, and who looks"
"""


@pytest.mark.real
def test_greenlets_share_one_connection_without_mixing_even_when_one_yields_where_it_must_not(
    tmp_path: object,
) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", GREENLETS, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


def test_text_with_halves_of_characters_does_not_stop_a_session(
    store: Store, spawn: Callable[..., Session]
) -> None:
    spawn(summary="caf\udce9")
    with store.transaction() as transaction:
        assert isinstance(transaction, Transaction)
        transaction.emit("ma-1", "my-app", Draft(EventType.SESSION_STEP, "caf\udce9"))
    assert store.sessions.need("ma-1").summary == "caf?"
    assert store.events.after(0)[0].message == "caf?"


@pytest.mark.parametrize("happened", [True, False])
def test_a_commit_that_fails_is_looked_up_and_told_of_when_it_happened_after_all(
    store: Store, heard: Listener, happened: bool
) -> None:
    commit = store._connection._commit

    def failing() -> None:
        if happened:
            commit()
        else:
            store._connection._roll_back()
        raise Unreachable("the disk did not answer")

    store._connection._commit = failing  # type: ignore[method-assign]
    with suppress(Unreachable) if not happened else nullcontext():
        _emit(store)
    store._connection._commit = commit  # type: ignore[method-assign]
    assert heard.batches == ([[1]] if happened else [])
    _emit(store)
    assert heard.batches[-1] == [2 if happened else 1]
