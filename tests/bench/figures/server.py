"""Durable transitions per second in a PostgreSQL, as ``commits`` measures them in a file.

The bare counterpart runs the same statements on the same tables with psycopg and nothing above it.
The server writes nothing through to its disk: what takes the time is the way there and back, and
what is done on either side of it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count

from tests.bench.figure import Figure, Group, Run, Wanted
from tests.bench.figures.commits import STATES, rate, transitions
from tests.bench.timing import by_turns
from tests.postgres import server


def measure(run: Run) -> Iterator[Figure]:
    """Both in schemas of one server, by turns."""
    seconds = 0.3 if run.quick else 2.0
    run.say("store.postgres ...")
    with server() as started:
        ours, bare = transitions(started.made()), _bare(started.made())
        numbers = count()
        value, baseline = by_turns(
            run.times(3, 7),
            lambda: rate(ours, numbers, seconds),
            lambda: rate(bare, numbers, seconds),
        )
    yield Figure("store.postgres", value, "per second", baseline, Wanted("ratio", 0.5, most=False))


def _bare(url: str) -> Callable[[int], None]:
    import psycopg

    transitions(url)(0)  # the same tables with the same indices, and the rows to change
    database = psycopg.connect(url, autocommit=True)
    at = datetime.now(UTC).isoformat()

    def transition(number: int) -> None:
        status, run = str(STATES[number % 2]), database.execute
        run("BEGIN")
        run(
            "UPDATE sessions SET status = %s, reason = %s, last_activity_at = %s WHERE id = 's-1'",
            (status, str(number), at),
        )
        run(
            "UPDATE memories SET value = %s WHERE session_id = 's-1'",
            (f'{{"launches": {number}}}',),
        )
        run(
            "SELECT kind, value, source, observed_at FROM facts WHERE session_id = 's-1'"
        ).fetchall()
        run(
            "UPDATE facts SET value = %s, observed_at = %s WHERE session_id = 's-1' AND kind = "
            "'process'",
            (f'{{"pid": {number}}}', at),
        )
        ((seq,),) = run(
            "UPDATE sequence SET value = value + 1 WHERE name = 'events' RETURNING value"
        ).fetchall()
        run(_EVENT, (str(uuid.uuid4()), at, status, seq))
        run("COMMIT")

    return transition


_EVENT = (
    "INSERT INTO events (id, event_type, priority, session_id, project_id, timestamp, message, "
    "data, seq)"
    " VALUES (%s, 'status_changed', 'info', 's-1', 'p', %s, 'changed', %s, %s)"
)

GROUP = Group(("store.postgres",), measure)
