"""The books, opened with what every session has used so far."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from ennio.model.clock import parse_time, rfc3339
from ennio.model.money import MOST, to_units

LEDGER = (
    "ALTER TABLE session_metrics ADD COLUMN unpriced_requests INTEGER",
    "ALTER TABLE agents ADD COLUMN running_total TEXT",
    """CREATE TABLE ledger_accounts (
    id TEXT NOT NULL PRIMARY KEY,
    type TEXT NOT NULL,
    opened_at TEXT NOT NULL,
    CHECK (type IN ('asset', 'liability', 'revenue', 'expense')))""",
    """CREATE TABLE ledger_transfers (
    id TEXT NOT NULL PRIMARY KEY,
    debit TEXT NOT NULL,
    credit TEXT NOT NULL,
    amount INTEGER NOT NULL,
    at TEXT NOT NULL,
    posted_at TEXT NOT NULL,
    FOREIGN KEY (debit) REFERENCES ledger_accounts(id),
    FOREIGN KEY (credit) REFERENCES ledger_accounts(id),
    CHECK (amount > 0),
    CHECK (debit <> credit))""",
    """CREATE TABLE ledger_entries (
    id TEXT NOT NULL PRIMARY KEY,
    session_id TEXT NOT NULL,
    usage_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    project_id TEXT NOT NULL,
    agent TEXT NOT NULL,
    at TEXT NOT NULL,
    posted_at TEXT NOT NULL,
    source TEXT NOT NULL,
    billing TEXT NOT NULL,
    requests INTEGER NOT NULL,
    unpriced INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cache_read_tokens INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    cache_write_1h_tokens INTEGER NOT NULL,
    amount INTEGER,
    launch INTEGER,
    model TEXT,
    tier TEXT,
    CHECK (source IN ('provider', 'local')),
    CHECK (billing IN ('metered', 'plan')))""",
    (
        "CREATE UNIQUE INDEX idx_ledger_entries_usage ON ledger_entries(session_id, usage_id, "
        "revision)"
    ),
    "CREATE INDEX idx_ledger_entries_project ON ledger_entries(project_id, at)",
    "CREATE INDEX idx_ledger_entries_at ON ledger_entries(at)",
)

OPENING = "opening"
"""The usage that stands for all of a session's requests from before there were books."""
_USED = """SELECT m.session_id, s.project_id, s.agent_name, m.updated_at, m.total_tokens_in,
    m.total_tokens_out, m.cost_usd, m.estimated_cost_usd
    FROM session_metrics m JOIN sessions s ON s.id = m.session_id
    WHERE m.total_tokens_in > 0 OR m.total_tokens_out > 0 ORDER BY m.session_id"""
_ACCOUNT = (
    "INSERT INTO ledger_accounts (id, type, opened_at) SELECT ?, ?, ? WHERE NOT EXISTS (SELECT 1 "
    "FROM ledger_accounts WHERE id = ?)"
)
_TRANSFER = (
    "INSERT INTO ledger_transfers (id, debit, credit, amount, at, posted_at) VALUES (?, ?, "
    "'asset:prepaid', ?, ?, ?)"
)
_ENTRY = """INSERT INTO ledger_entries (id, session_id, usage_id, revision, project_id, agent,
    at, posted_at, source, billing, requests, unpriced, input_tokens, output_tokens,
    cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, amount)
    VALUES (?, ?, ?, 0, ?, ?, ?, ?, 'provider', 'metered', 1, ?, ?, ?, 0, 0, 0, ?)"""


def open_the_books(sql: Callable[..., Any]) -> None:
    """An entry for what each session has used, so that its numbers go on from where they were."""
    for session, project, agent, told_at, given, made, text, rough in sql(_USED).fetchall():
        at = rfc3339(parse_time(told_at))
        cost = _money(text) if text is not None else _money(repr(rough)) or None
        name, account = f"{session}/0/{OPENING}", f"expense:llm:{project}"
        if cost:
            sql(_ACCOUNT, (account, "expense", at, account))
            sql(_ACCOUNT, ("asset:prepaid", "asset", at, "asset:prepaid"))
            sql(_TRANSFER, (name, account, to_units(cost), at, at))
        amount = None if cost is None else to_units(cost)
        unknown = int(cost is None)
        sql(
            _ENTRY,
            (name, session, OPENING, project, agent or "", at, at, unknown, given, made, amount),
        )


def _money(text: str) -> Decimal | None:
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() and 0 <= found <= MOST else None


WEB_SEARCHES = ("ALTER TABLE ledger_entries ADD COLUMN web_searches INTEGER",)
"""Entries of before know of none, which is nothing in a sum."""
