"""What is shown of plans."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from ennio.board.plan_windows import window_lines, windows_of

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def _session(*windows: dict[str, Any], agent: str = "codex") -> dict[str, Any]:
    return {"agent_name": agent, "windows": list(windows)}


def _window(name: str, hours: float | None, used: float | None, **more: Any) -> dict[str, Any]:
    until = None if hours is None else (NOW + timedelta(hours=hours)).isoformat()
    return {"name": name, "used_percent": used, "resets_at": until, "refused_at": None, **more}


def test_windows_of_one_account_are_told_once_and_the_fullest_counts() -> None:
    told = window_lines(
        [
            _session(_window("five_hour", 1, 40.0), _window("weekly", 72, 12.5)),
            _session(_window("five_hour", 1, 62.0)),
            _session(_window("five_hour", 1, 5.0), agent="claude-code"),
            _session(),
        ],
        NOW,
    )
    assert len(told) == 2
    assert told[1].startswith("plan of codex: five_hour 62% used, resets ")
    assert "weekly 12.5% used, resets " in told[1]


def test_a_window_that_has_begun_anew_is_told_no_more_and_what_nobody_knows_is_no_zero() -> None:
    assert windows_of(_session(_window("five_hour", -1, 100.0)), NOW) == ""
    assert windows_of(_session(_window("weekly", None, None)), NOW) == "weekly ?"
    refused = _window("five_hour", None, 100.0, refused_at=NOW.isoformat())
    assert windows_of(_session(refused), NOW) == "five_hour used up"
