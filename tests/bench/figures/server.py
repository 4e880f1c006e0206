"""Durable transitions per second in a PostgreSQL, as ``commits`` measures them in a file.

The bare counterpart runs the very statements of two transitions by turns, as they were seen on
their way to the server, with psycopg and nothing above it. The server writes nothing through to its
disk: what takes the time is the way there and back, and what is done on either side of it.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any

from tests.bench.figure import Figure, Group, Run, Wanted
from tests.bench.figures.commits import rate, transitions, transitions_in, with_session
from tests.bench.timing import by_turns
from tests.postgres import server

Statement = tuple[str, Sequence[Any]]


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

    both = seen(url)
    database = psycopg.connect(url, autocommit=True)

    def transition(number: int) -> None:
        run, seq = database.execute, 0
        run("BEGIN")
        for text, parameters in both[number % 2]:
            given = parameters
            if text.startswith('INSERT INTO "events"'):
                given = _anew(text, parameters, {"id": str(uuid.uuid4()), "seq": seq})
            cursor = run(text, given)
            if cursor.description:
                found = cursor.fetchall()
                seq = found[0][0] if '"sequence"' in text else seq
        run("COMMIT")

    return transition


def seen(url: str) -> tuple[list[Statement], list[Statement]]:
    """The statements of two transitions between their begin and their end; the tables, and the rows
    that they change, are there afterwards.
    """
    store = with_session(url)
    dialect, transition = store._connection.dialect, transitions_in(store)
    run, noted = dialect.execute, list[Statement]()

    def note(text: str, parameters: Sequence[Any]) -> Any:
        noted.append((text, parameters))
        return run(text, parameters)

    transition(0)  # the first adds rows that those after it change
    dialect.execute = note  # type: ignore[method-assign]
    both = []
    for number in (2, 1):
        transition(number)
        both.append(noted.copy())
        noted.clear()
    store.close()
    return both[0], both[1]


def _anew(text: str, parameters: Sequence[Any], values: dict[str, Any]) -> list[Any]:
    """The parameters with other values for some columns of a row that is added."""
    names = re.findall(r'"(\w+)"', text.partition(" VALUES ")[0])[1:]
    return [values.get(name, one) for name, one in zip(names, parameters, strict=True)]


GROUP = Group(("store.postgres",), measure)
