"""A row for each thing that is to reach a destination, in place of what stood in texts
and in states of their own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

DELIVERIES = (
    """CREATE TABLE deliveries (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    lane TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    tried_at TEXT,
    not_before TEXT,
    error TEXT,
    result TEXT,
    settled_at TEXT,
    PRIMARY KEY (kind, subject, lane))""",
    "CREATE INDEX idx_deliveries_subject ON deliveries(kind, subject, ordinal)",
    "CREATE INDEX idx_deliveries_open ON deliveries(kind, settled_at, lane, ordinal)",
)

PLAIN_NOTIFICATIONS = tuple(
    f"ALTER TABLE notifications DROP COLUMN {column}" for column in ("sent", "failed", "attempts")
)

BROKEN_OFF = ("ALTER TABLE deliveries ADD COLUMN broken_off INTEGER",)

PLAIN_MERGES = (
    "DROP INDEX idx_merges_state",
    "ALTER TABLE merges DROP COLUMN state",
    'ALTER TABLE merges DROP COLUMN "commit"',
    "ALTER TABLE merges DROP COLUMN error",
)

_REFUSED = "refused: "
_NOTICES = "SELECT id, at, sent, failed, attempts, done_at FROM notifications ORDER BY ordinal"
_INSERT = """INSERT INTO deliveries
    (kind, subject, lane, ordinal, state, attempts, error, settled_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""  # noqa: E501


def notices_by_channel(sql: Callable[..., Any]) -> None:
    """A delivery for each channel that was tried; which others a notice goes to is
    asked when it is taken up.
    """
    rows = [row for found in sql(_NOTICES).fetchall() for row in _channels(*found)]
    for ordinal, row in enumerate(rows, start=1):
        sql(_INSERT, (*row[:3], ordinal, *row[3:]))
    if rows:
        sql("INSERT INTO sequence (name, value) VALUES ('deliveries', ?)", (len(rows),))
    # the notifier takes up whatever has no channels yet
    sql("UPDATE notifications SET channels = '[]' WHERE done_at IS NULL")


def _channels(
    notice: str, at: str, sent: str, failed: str, attempts: int, done_at: str | None
) -> Iterator[tuple[Any, ...]]:
    told: list[str] = json.loads(sent)
    for channel in told:
        yield "notice", notice, channel, "done", max(attempts, 1), None, done_at or at
    for channel, why in json.loads(failed).items():
        if channel in told:
            continue
        refused = why.startswith(_REFUSED)
        state = "refused" if refused else "intended" if done_at is None else "failed"
        settled = done_at or (at if refused else None)
        yield (
            "notice",
            notice,
            channel,
            state,
            max(attempts, 1),
            why.removeprefix(_REFUSED),
            settled,
        )


_MERGES = """SELECT m.session_id, m.head, s.project_id, m.state, m.attempts, m.error, m."commit", m.at
    FROM merges m JOIN sessions s ON s.id = m.session_id ORDER BY m.at"""  # noqa: E501
_INSERT_MERGE = """INSERT INTO deliveries
    (kind, subject, lane, ordinal, state, attempts, error, result, settled_at)
    VALUES ('merge', ?, ?, ?, ?, ?, ?, ?, ?)"""


def merges_by_project(sql: Callable[..., Any]) -> None:
    """A delivery for each merge, in the lane of its project; numbers go
    on after those there are.
    """
    last = sum(
        value for (value,) in sql("SELECT value FROM sequence WHERE name = 'deliveries'").fetchall()
    )
    rows = sql(_MERGES).fetchall()
    for ordinal, (session, head, project, state, attempts, error, commit, at) in enumerate(
        rows, start=last + 1
    ):
        settled = None if state == "intended" else at
        subject = f"{session}/{head}"
        sql(
            _INSERT_MERGE, (subject, project, ordinal, state, attempts or 0, error, commit, settled)
        )
    sql("DELETE FROM sequence WHERE name = 'deliveries'")
    sql("INSERT INTO sequence (name, value) VALUES ('deliveries', ?)", (last + len(rows),))


RESOLVED = (
    "ALTER TABLE notifications ADD COLUMN resolved_at TEXT",
    "ALTER TABLE notifications ADD COLUMN withdrawn_at TEXT",
    "ALTER TABLE notifications ADD COLUMN folds INTEGER",
    "CREATE INDEX idx_notifications_cause ON notifications(session_id, reaction)",
    "CREATE INDEX idx_notifications_resolved ON notifications(withdrawn_at, resolved_at)",
)
