"""Rows as an older version wrote them: what is new by now is not among them."""

from __future__ import annotations

from typing import Any

from ennio.model.clock import rfc3339
from ennio.model.session import Session
from ennio.store import Store


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


def go_back(store: Store, version: int, *statements: str) -> None:
    """Make the database what it was at an earlier version; the statements undo what later
    steps do. Closes the store.
    """
    for statement in statements:
        store._connection.sql(statement)
    store._connection.sql("DELETE FROM schema_migrations")
    store._connection.sql(
        f"INSERT INTO schema_migrations VALUES ({version}, 'as it was', '2026-01-01T00:00:00Z')"  # noqa: S608
    )
    store.close()
