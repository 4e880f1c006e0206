"""Gives the events of v0.1, which had no number, their place in the log."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ennio.model.clock import parse_time


def number_events(sql: Callable[..., Any]) -> None:
    """Number the events that stand in the order of their times, which v0.1 wrote in two formats."""
    rows = sql("SELECT id, timestamp FROM events ORDER BY rowid").fetchall()
    rows.sort(
        key=lambda row: _moment(row[1])
    )  # stable: equal times stay in the order they were written
    for seq, (event_id, _) in enumerate(rows, start=1):
        sql("UPDATE events SET seq = ? WHERE id = ?", (seq, event_id))
    sql("INSERT INTO sequence (name, value) VALUES ('events', ?)", (len(rows),))


def _moment(text: str) -> datetime:
    """The time of a row; a text that is none sorts first rather than keeping the database shut."""
    try:
        return parse_time(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
