"""What was forecast of sessions, and what became of them.

Those that have ended already are taken in.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from ennio.model.clock import parse_time

FORECASTS = (
    """CREATE TABLE forecasts (
    session_id TEXT NOT NULL PRIMARY KEY,
    project_id TEXT NOT NULL,
    agent TEXT NOT NULL,
    model TEXT,
    words INTEGER,
    made_at TEXT NOT NULL,
    forecast TEXT,
    silence INTEGER,
    ended_at TEXT,
    outcome TEXT,
    seconds INTEGER,
    tokens INTEGER,
    cost_usd TEXT)""",
    "CREATE INDEX idx_forecasts_ended ON forecasts(ended_at)",
)
_ENDED = """SELECT s.id, s.project_id, s.agent_name, s.agent_info, s.prompt, s.issue_id,
    s.created_at, s.status, s.outcome, MIN(e.at)
    FROM sessions s JOIN evidence e ON e.session_id = s.id
    AND e.status IN ('merged', 'done', 'killed')
    WHERE s.status IN ('merged', 'done', 'killed')
    GROUP BY s.id, s.project_id, s.agent_name, s.agent_info, s.prompt, s.issue_id, s.created_at,
    s.status, s.outcome ORDER BY s.id"""
_TAKEN_IN = """INSERT INTO forecasts (session_id, project_id, agent, model, words, made_at,
    ended_at, outcome, seconds, tokens, cost_usd) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""


def take_in_the_past(sql: Callable[..., Any]) -> None:
    """A row for each session that has ended: nothing was forecast of it, others learn from it."""
    for row in sql(_ENDED).fetchall():
        session, project, agent, info, prompt, issue, begun, status, outcome, ended = row
        cost = _cost(info)
        seconds = int(max(0.0, (parse_time(ended) - parse_time(begun)).total_seconds()))
        tokens = sum(_count(cost.get(f"{name}_tokens")) for name in ("input", "output"))
        words = None if issue or not prompt else len(prompt.split())
        told = (session, project, agent or "", _text(cost.get("model")), words, begun, ended)
        money = None if cost.get("unpriced") else _money(cost.get("cost_usd"))
        sql(_TAKEN_IN, (*told, outcome or status, seconds, tokens or None, money))


def _cost(info: str | None) -> dict[str, Any]:
    """What an agent's column says of what it used; an older version wrote it more freely."""
    try:
        told = json.loads(info or "null")
    except ValueError:
        return {}
    cost = told.get("cost") if isinstance(told, dict) else None
    return cost if isinstance(cost, dict) else {}


def _count(value: object) -> int:
    return int(value) if isinstance(value, int | float) and value > 0 else 0


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _money(value: object) -> str | None:
    try:
        found = Decimal(value) if isinstance(value, str) else None
    except InvalidOperation:
        return None
    return str(found) if found is not None and found.is_finite() and found >= 0 else None
