"""Rows as an older version wrote them: what is new by now is not among them."""

from __future__ import annotations

from typing import Any

from ennio.model.clock import rfc3339
from ennio.model.session import Session
from ennio.store import Store

RESOLVED = (
    "DROP INDEX idx_notifications_cause",
    "DROP INDEX idx_notifications_resolved",
    *(
        f"ALTER TABLE notifications DROP COLUMN {one}"
        for one in ("resolved_at", "withdrawn_at", "folds")
    ),
)
"""What makes of notices of today those of before there were causes that are gone."""


UNPRUNED = ("DROP TABLE pruned", "DROP INDEX idx_evidence_at")
"""What makes of a database of today the one before rows were let go and counted."""


WITHOUT_CONFLICTS = (
    "ALTER TABLE ledger_entries DROP COLUMN web_searches",
    "ALTER TABLE queue DROP COLUMN blocked_at",
    *(f"DROP TABLE {one}" for one in ("review_orders", "branch_diffs", "conflicts")),
)
"""What takes conflicts that are expected out of a database, and what came after them."""


WITHOUT_BUDGETS = (
    *WITHOUT_CONFLICTS,
    *(f"DROP TABLE budget{table}" for table in ("s", "_raises", "_notices", "_reservations")),
    "ALTER TABLE sessions DROP COLUMN paused_since",
    "ALTER TABLE sessions DROP COLUMN paused",
)
"""What takes budgets that hold out of a database."""


WITHOUT_BOOKS = (
    "DROP TABLE forecasts",
    *WITHOUT_BUDGETS,
    *(f"DROP TABLE ledger_{table}" for table in ("entries", "transfers", "accounts")),
    "ALTER TABLE session_metrics DROP COLUMN unpriced_requests",
)
"""What takes forecasts and books out of a database, with the column of ``session_metrics`` that came with them."""


WITHOUT_TURNS = (
    "ALTER TABLE queue DROP COLUMN held_at",
    "ALTER TABLE reactions DROP COLUMN seen",
)
"""What takes since when it is a person's turn out of a database."""


WITHOUT_ANSWERS = (*WITHOUT_TURNS, "DROP TABLE answer_links")
"""What takes links that answer a question out of a database, and all that came later but budgets."""


def insert_session(store: Store, session: Session) -> None:
    """Keep a session in a database that an older version left: its documented columns alone."""
    at = rfc3339(session.created_at)
    values: tuple[Any, ...] = (
        session.id,
        session.project_id,
        session.status.value,
        session.config_hash,
        at,
        at,
    )
    columns = "id, project_id, status, config_hash, created_at, last_activity_at"
    store._connection.sql(f"INSERT INTO sessions ({columns}) VALUES (?, ?, ?, ?, ?, ?)", values)  # noqa: S608


def go_back(store: Store, version: int) -> None:
    """Say that the database is one of an earlier version, which it has
    been made; closes the store.
    """
    store._connection.sql("DELETE FROM schema_migrations")
    store._connection.sql(
        f"INSERT INTO schema_migrations VALUES ({version}, 'as it was', '2026-01-01T00:00:00Z')"  # noqa: S608
    )
    store.close()
