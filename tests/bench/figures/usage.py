"""Usages posted per second: how far an agent was read, a priced entry with its transfer, and the
session's numbers in one transaction.

The bare counterpart writes the same rows to the same tables with the ``sqlite3`` module and nothing
above it; it neither prices nor looks whether the usage is there already.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from ennio.model.clock import SystemClock, rfc3339
from ennio.model.session import Session, SessionStatus
from ennio.model.usage import RequestUsage, Tokens
from ennio.policy.ledger.posting import Occasion, entries_of
from ennio.policy.ledger.prices import PriceBook
from ennio.policy.ledger.spending import Spending
from ennio.store import open_store
from tests.bench.figure import Figure, Group, Run, Wanted
from tests.bench.figures.commits import rate
from tests.bench.timing import by_turns


def measure(run: Run) -> Iterator[Figure]:
    """Both into files of the same folder, by turns."""
    seconds = 0.3 if run.quick else 2.0
    run.say("usage ...")
    ours, bare = usages(run.root / "usage.db"), _bare(run.root / "bare-usage.db")
    numbers = count(1)
    value, baseline = by_turns(
        run.times(3, 7), lambda: rate(ours, numbers, seconds), lambda: rate(bare, numbers, seconds)
    )
    yield Figure("usage", value, "per second", baseline, Wanted("ratio", 0.4, most=False))


def usages(file: Path) -> Callable[[int], None]:
    """What a session's books do with each request."""
    store, now, book = (
        open_store(f"sqlite:{file}", Path(), SystemClock()),
        datetime.now(UTC),
        PriceBook(),
    )
    session = Session(
        "s-1", "p", SessionStatus.WORKING, created_at=now, last_activity_at=now, config_hash=""
    )
    store.sessions.insert(session)
    of = Occasion("s-1", "p", "claude-code", 1, now)
    spent = [Spending()]

    def post(number: int) -> None:
        told = RequestUsage(
            f"msg_{number}", now, Tokens(10, 200, 50_000, 300), "claude-opus-4-6", "anthropic"
        )
        known = store.ledger.posted("s-1", [told.id])
        entries = entries_of(told, known.get(told.id, ()), book.cost, of)
        spent[0] = spent[0].plus(entries)
        with store.transaction():
            store.agents.save_read_to("s-1", {"transcript": str(number)})
            store.ledger.post(entries)
            store.metrics.charge("s-1", spent[0])

    post(0)
    return post


def _bare(file: Path) -> Callable[[int], None]:
    usages(file)  # the same tables with the same indices and rules, and the rows to change
    database = sqlite3.connect(file, isolation_level=None)
    database.execute("PRAGMA synchronous = NORMAL")
    at = rfc3339(datetime.now(UTC))

    def post(number: int) -> None:
        run, name = database.execute, f"s-1/0/msg_{number}"
        run("BEGIN IMMEDIATE")
        run(
            "UPDATE agents SET read_to = ? WHERE session_id = 's-1'",
            (f'{{"transcript":"{number}"}}',),
        )
        run(
            "INSERT INTO ledger_transfers VALUES (?, 'expense:llm:p', 'asset:prepaid', ?, ?, ?)",
            (name, 31_925_000_000 + number, at, at),
        )
        run(_ENTRY, (name, f"msg_{number}", at, at, 31_925_000_000 + number))
        run(
            "UPDATE session_metrics SET total_tokens_in = ?, estimated_cost_usd = ?, cost_usd = ?,"
            " updated_at = ? WHERE session_id = 's-1'",
            (number * 50_310, number * 0.03, str(number), at),
        )
        run("COMMIT")

    return post


_ENTRY = (
    "INSERT INTO ledger_entries (id, session_id, usage_id, revision, project_id, agent, at, "
    "posted_at, source, billing, requests, unpriced, input_tokens, output_tokens, "
    "cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, amount, launch, model) VALUES "
    "(?, 's-1', ?, 0, 'p', 'claude-code', ?, ?, 'local', 'metered', 1, 0, 10, 200, 50000, 300, 0, "
    "?, 1, 'claude-opus-4-6')"
)

GROUP = Group(("usage",), measure)
