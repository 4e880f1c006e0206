"""What a supervisor tells in the tests of several commands."""

from __future__ import annotations

from typing import Any

WHEN = "2026-01-01T00:00:00+00:00"


SESSION: dict[str, Any] = {
    "id": "ma-1a2b3c4d",
    "project_id": "my-app",
    "status": "ci_failed",
    "activity": "waiting_input",
    "branch": "issue-42-login",
    "base": "main",
    "pr_url": "https://example.org/pull/7",
    "pr_number": 7,
    "agent_name": "claude-code",
    "created_at": WHEN,
    "last_activity_at": WHEN,
    "reason": "a check fails on the head",
    "outcome": None,
    "prompt": "Log in\nby key",
    "usage": {"input_tokens": 12000, "output_tokens": 340, "cost_usd": "0.42", "model": None},
    "queued": None,
    "question": "May I run rm?",
    "no_signal_since": None,
    "no_signal": None,
    "title": "Log in",
    "turn": "you",
    "word": "asks",
    "rule": "2",
    "turn_why": "May I run rm?",
    "turn_since": WHEN,
    "wants": ["answer", "interrupt"],
    "runtime": "tmux",
    "tmux_name": "ma-1a2b3c4d",
}


EVENT = {
    "seq": 4,
    "id": "u",
    "event_type": "ci_failing",
    "priority": "urgent",
    "session_id": "ma-1a2b3c4d",
    "project_id": "my-app",
}
EVENT |= {"timestamp": WHEN, "message": "lint fails", "data": {}}
