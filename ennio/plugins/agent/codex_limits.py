"""The windows of codex's plan: what its rollouts tell of them, and that one is used up.

    token_count      {"rate_limits": {"plan_type", "primary": {"used_percent", "window_minutes",
                     "resets_at"}, "secondary": {...}}}
    task_complete    {"error": {"message": "You've hit your usage limit. ... or try again at
                     3:05 PM.", "codex_error_info": "usage_limit_exceeded"}}
    error            {"message", "codex_error_info": "usage_limit_exceeded"}

The refusal does not say which window it is of: it is the one that is full and ends last, else it is
one that only the words tell of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ennio.plugins.agent import plan_windows
from ennio.plugins.agent.reset_hour import reset_at

_NAMES = {300: "five_hour", 10080: "weekly"}
_FULL = 99.5  # percent; it is told rounded
_WORDS = re.compile(r"\A\s*You.ve hit your usage limit\b", re.IGNORECASE)
_EXCEEDED = "usage_limit_exceeded"


def apply(windows: plan_windows.Kept, payload: Mapping[str, Any], at: float) -> bool:
    """Take in what happened; whether it is that a window is used up."""
    limits, failure = payload.get("rate_limits"), payload.get("error")
    if payload.get("type") == "token_count" and isinstance(limits, Mapping):
        _tell(windows, limits, at)
    elif payload.get("type") == "error":
        return _fail(windows, payload, at)
    elif payload.get("type") == "task_complete" and isinstance(failure, Mapping):
        return _fail(windows, failure, at)
    return False


def _tell(windows: plan_windows.Kept, limits: Mapping[str, Any], at: float) -> None:
    plan = limits.get("plan_type")
    for window in (limits.get("primary"), limits.get("secondary")):
        if isinstance(window, Mapping):
            plan_windows.tell(
                windows,
                _name(window.get("window_minutes")),
                used=window.get("used_percent"),
                resets_at=_until(window, at),
                account=plan if isinstance(plan, str) else "",
            )


def _name(minutes: object) -> str:
    if not isinstance(minutes, int) or isinstance(minutes, bool) or minutes <= 0:
        return ""
    return _NAMES.get(minutes, f"{minutes}_minutes")


def _until(window: Mapping[str, Any], at: float) -> object:
    left = window.get("resets_in_seconds")
    return at + left if isinstance(left, int | float) else window.get("resets_at")


def _fail(windows: plan_windows.Kept, failure: Mapping[str, Any], at: float) -> bool:
    words = failure.get("message")
    words = words if isinstance(words, str) else ""
    if failure.get("codex_error_info") != _EXCEEDED and _WORDS.match(words) is None:
        return False
    full = max(_full(windows, at), default=None)
    if full is None:
        plan_windows.refuse(windows, "plan", at, resets_at=reset_at(words, at))
    else:
        plan_windows.refuse(windows, full[1], at)
    return True


def _full(windows: plan_windows.Kept, at: float) -> Iterator[tuple[float, str]]:
    for name, window in windows.items():
        until = window.get("resets_at")
        if window.get("used", 0) >= _FULL and isinstance(until, float) and until > at:
            yield until, name
