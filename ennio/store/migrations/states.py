"""State that stood inside texts, and keys that named a session, as fields,
columns and rows of their own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

_BY_PUSH = "by a push, not by a merge of Ennio's"


def split_lifecycle(sql: Callable[..., Any]) -> None:
    """What was last told of the checks and of which head, in two fields; a text that is no
    object is left as it stands.
    """
    for session_id, text in sql("SELECT session_id, value FROM memories").fetchall():
        state = _read(text)
        if state is not None:
            sql(
                "UPDATE memories SET value = ? WHERE session_id = ?",
                (json.dumps(_split(state)), session_id),
            )


def _read(text: str) -> dict[str, Any] | None:
    try:
        state = json.loads(text)
    except ValueError:
        return None
    return state if isinstance(state, dict) else None


def _split(state: dict[str, Any]) -> dict[str, Any]:
    head, _, checks = str(state.get("checks") or "").rpartition(":")
    told = {name: state.get(name) or None for name in ("review", "pull_state")}
    by_push = _BY_PUSH in str(state.get("rule"))
    return (
        state | told | {"checks": checks or None, "checks_head": head or None, "by_push": by_push}
    )


AGENTS = (
    """CREATE TABLE agents (
    session_id TEXT NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
    read_to TEXT NOT NULL,
    hook_digest TEXT,
    draft TEXT,
    PRIMARY KEY (session_id))""",
    """INSERT INTO agents (session_id, read_to, hook_digest, draft)
    SELECT s.id, COALESCE(c.value, '{}'), b.value, d.value FROM sessions s
    LEFT JOIN meta c ON c."key" = 'cursor:' || s.id
    LEFT JOIN meta b ON b."key" = 'bell:' || s.id
    LEFT JOIN meta d ON d."key" = 'draft:' || s.id
    WHERE c."key" IS NOT NULL OR b."key" IS NOT NULL OR d."key" IS NOT NULL""",
    """DELETE FROM meta WHERE "key" LIKE 'cursor:%' OR "key" LIKE 'bell:%' OR "key" LIKE 'draft:%'""",  # noqa: E501
)

MERGE_IDS = (
    "ALTER TABLE merges ADD COLUMN id TEXT",
    "UPDATE merges SET id = session_id || '/' || head",
    "CREATE UNIQUE INDEX idx_merges_id ON merges(id)",
)

_FOR_A_PERSON = "waits for the person at the terminal: words of theirs stand in the place to type"
MESSAGES_BY_SESSION = (
    "CREATE INDEX idx_deliveries_lane ON deliveries(kind, lane, ordinal)",
    "ALTER TABLE messages ADD COLUMN by_person INTEGER",
    f"UPDATE messages SET by_person = 1 WHERE state = 'queued' AND detail = '{_FOR_A_PERSON}'",  # noqa: S608
    # numbers go on after those there are
    """INSERT INTO deliveries
        (kind, subject, lane, ordinal, state, attempts, tried_at, error, result, settled_at)
    SELECT 'message', m.id, m.session_id,
        m.ordinal + COALESCE((SELECT value FROM sequence WHERE name = 'deliveries'), 0),
        CASE m.state WHEN 'queued' THEN 'intended' WHEN 'sending' THEN 'doing'
            WHEN 'sent_unsure' THEN 'unsure' WHEN 'delivered' THEN 'done' ELSE m.state END,
        m.attempts, m.started_at, m.error, NULLIF(m.detail, ''),
        CASE WHEN m.state IN ('queued', 'sending', 'sent_unsure') THEN NULL
            ELSE COALESCE(m.delivered_at, m.started_at, m.created_at) END
    FROM messages m""",
    "DELETE FROM sequence WHERE name = 'deliveries'",
    (
        "INSERT INTO sequence (name, value) SELECT 'deliveries', COALESCE(MAX(ordinal), 0) FROM "
        "deliveries"
    ),
    "DROP INDEX idx_messages_session_state",
    "DROP INDEX idx_messages_state",
    *(
        f"ALTER TABLE messages DROP COLUMN {one}"
        for one in ("state", "started_at", "delivered_at", "attempts", "error", "detail")
    ),
)
"""A delivery for each message, in the lane of its session, and nothing of
deliveries beside the message.
"""


_EDITION = re.compile(r"~([0-9a-f]{12})\Z")
_REMEMBERED = (
    ("reactions", "session_id"),
    ("project_reactions", "project_id"),
)


def split_items(sql: Callable[..., Any]) -> None:
    """What a reaction saw, and the digest of its words, in two fields; a text that is no object is
    left as it stands.
    """
    for table, owner in _REMEMBERED:
        rows = sql(f'SELECT {owner}, "key", value FROM {table}').fetchall()  # noqa: S608
        update = f'UPDATE {table} SET value = ? WHERE {owner} = ? AND "key" = ?'  # noqa: S608
        for whose, key, text in rows:
            state = _read(text)
            if state is not None:
                items = {
                    name: _items(state[name]) for name in ("told", "passed_over") if name in state
                }
                sql(update, (json.dumps(state | items), whose, key))


def _items(names: list[str]) -> list[dict[str, str]]:
    found = [(name, _EDITION.search(name)) for name in names]
    return [
        {
            "about": name[: edition.start()] if edition else name,
            "edition": edition[1] if edition else "",
        }
        for name, edition in found
    ]
