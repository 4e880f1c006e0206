"""Durable transitions per second: a session's row, memory, facts and an event in one transaction.

The bare counterpart changes the same rows of the same tables with the ``sqlite3``
module and nothing above it.
"""

from __future__ import annotations

import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from ennio.model import codec
from ennio.model.clock import SystemClock
from ennio.model.events import Draft, EventType
from ennio.model.facts import Facts, Presence, ProcessSeen
from ennio.model.session import Session, SessionStatus
from ennio.policy.lifecycle import LifecycleState
from ennio.store import Store, open_store
from tests.bench.figure import Figure, Group, Run, Wanted
from tests.bench.timing import by_turns

STATES = (SessionStatus.WORKING, SessionStatus.PR_OPEN)


def measure(run: Run) -> Iterator[Figure]:
    """Both into files of the same folder, by turns."""
    seconds = 0.3 if run.quick else 2.0
    run.say("transitions ...")
    ours, bare = transitions(f"sqlite:{run.root / 'ours.db'}"), _bare(run.root / "bare.db")
    numbers = count()
    value, baseline = by_turns(
        run.times(3, 7), lambda: rate(ours, numbers, seconds), lambda: rate(bare, numbers, seconds)
    )
    yield Figure("transitions", value, "per second", baseline, Wanted("ratio", 0.5, most=False))


def rate(deed: Callable[[int], None], numbers: Iterator[int], seconds: float) -> float:
    """How often a deed is done in a second."""
    begun, done = time.perf_counter(), 0
    while time.perf_counter() - begun < seconds:
        deed(next(numbers))
        done += 1
    return done / (time.perf_counter() - begun)


def transitions(url: str) -> Callable[[int], None]:
    """What a session's state does when its status changes, in the database of this address."""
    return transitions_in(with_session(url))


def with_session(url: str) -> Store:
    """An empty database with one session in it."""
    store, now = open_store(url, Path(), SystemClock()), datetime.now(UTC)
    store.sessions.insert(
        Session(
            "s-1", "p", SessionStatus.WORKING, created_at=now, last_activity_at=now, config_hash=""
        )
    )
    return store


def transitions_in(store: Store) -> Callable[[int], None]:
    """The same in a database that is open, with one session in it."""
    kept, now = store.sessions.need("s-1"), datetime.now(UTC)

    def transition(number: int) -> None:
        nonlocal kept
        status, before = STATES[number % 2], kept
        kept = replace(before, status=status, reason=str(number))
        with store.transaction() as tx:
            store.sessions.save(kept, before)
            store.memories.save("s-1", codec.dumps(LifecycleState(status, now, launches=number)))
            store.facts.save(
                "s-1", Facts(process=ProcessSeen(Presence.ALIVE, now, "bench", pid=number))
            )
            tx.emit("s-1", "p", Draft(EventType.STATUS_CHANGED, "changed", data={"to": status}))

    return transition


def _bare(file: Path) -> Callable[[int], None]:
    transitions(f"sqlite:{file}")(
        0
    )  # the same tables with the same indices, and the rows to change
    database = sqlite3.connect(file, isolation_level=None)
    database.execute("PRAGMA synchronous = NORMAL")
    at = datetime.now(UTC).isoformat()

    def transition(number: int) -> None:
        status, run = str(STATES[number % 2]), database.execute
        run("BEGIN IMMEDIATE")
        run(
            "UPDATE sessions SET status = ?, reason = ?, last_activity_at = ? WHERE id = 's-1'",
            (status, str(number), at),
        )
        run(
            "UPDATE memories SET value = ? WHERE session_id = 's-1'", (f'{{"launches": {number}}}',)
        )
        run(
            "UPDATE facts SET value = ?, observed_at = ? WHERE session_id = 's-1' AND kind = "
            "'process'",
            (f'{{"pid": {number}}}', at),
        )
        run("UPDATE sequence SET value = ? WHERE name = 'events'", (number + 10,))
        run(_EVENT, (str(uuid.uuid4()), at, status, number + 10))
        run("COMMIT")

    return transition


_EVENT = (
    "INSERT INTO events (id, event_type, priority, session_id, project_id, timestamp, message, "
    "data, seq)"
    " VALUES (?, 'status_changed', 'info', 's-1', 'p', ?, 'changed', ?, ?)"
)

GROUP = Group(("transitions",), measure)
