"""What was forecast of sessions, and what became of them.

Those that have ended already are taken in.
"""

from __future__ import annotations

import json
from collections.abc import Callable
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
        cost = (json.loads(info or "null") or {}).get("cost") or {}
        seconds = int(max(0.0, (parse_time(ended) - parse_time(begun)).total_seconds()))
        tokens = int(cost.get("input_tokens") or 0) + int(cost.get("output_tokens") or 0)
        words = None if issue or not prompt else len(prompt.split())
        told = (session, project, agent or "", cost.get("model"), words, begun, ended)
        money = None if cost.get("unpriced") else cost.get("cost_usd")
        sql(_TAKEN_IN, (*told, outcome or status, seconds, tokens or None, money))
