"""The windows of claude's plan: what its status line tells of them, and that one is used up.

    status line       {"rate_limits": {"five_hour": {"used_percentage", "resets_at"}, ...}}
    transcript line   {"isApiErrorMessage": true, "error": "rate_limit", "message": {"content":
                      [{"text": "You've hit your 5-hour limit · resets 3pm (Europe/Berlin)"}]}}

Versions differ in the words. What says how it was refused in fields (``rate_limit_info``) goes
before them, and the hour that the status line has told before the hour in the words, which is told
to the minute only. A refusal for anything else (too many requests at once, no credits) is none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ennio.plugins.agent import plan_windows
from ennio.plugins.agent.reset_hour import reset_at

_NAMES = {
    "five_hour": "five_hour",
    "5-hour": "five_hour",
    "session": "five_hour",
    "seven_day": "weekly",
    "weekly": "weekly",
    "seven_day_opus": "weekly_opus",
    "opus": "weekly_opus",
    "seven_day_sonnet": "weekly_sonnet",
    "sonnet": "weekly_sonnet",
    "seven_day_overage_included": "weekly_fable",
    "fable": "weekly_fable",
    "usage": "plan",
    "claude usage": "plan",
    "claude ai usage": "plan",
}
_WORDS = re.compile(
    r"\A\s*(?:You.ve (?:hit|reached) your (?P<hit>[\w -]+?) limit\b"
    r"|(?P<reached>[\w -]+?) limit reached\b)",
    re.IGNORECASE,
)
SETTINGS: Mapping[str, object] = {"autoContinueAtUsageLimit": False}
"""It would go on by itself some time after the reset; whether it may is for Ennio to say, and two
that let it go on do so twice."""
OFFER = re.compile(
    r"^\s*[│|]?\s*(?:❯\s*)?\d+\. Stop and wait for limit to reset[^\n]*\n"
    r"(?:\s*[│|]?\s*(?:❯\s*)?\d+\.[^\n]*\n)*\s*Enter to confirm[^\n]*\s*\Z",
    re.MULTILINE,
)
"""What it offers then in place of that, before its place to type."""
_NEAR = 120.0  # seconds; words tell an hour to the minute


def tell(windows: plan_windows.Kept, told: Mapping[str, Any]) -> None:
    """What the status line tells of each window."""
    for key, window in told.items():
        if key in _NAMES and isinstance(window, Mapping):
            used, until = window.get("used_percentage"), window.get("resets_at")
            plan_windows.tell(windows, _NAMES[key], used=used, resets_at=until)


def refused(windows: plan_windows.Kept, entry: Mapping[str, Any], at: float) -> bool:
    """Take in a line that may say that a window is used up; whether it does."""
    if entry.get("isApiErrorMessage") is not True:
        return False
    words, info = _text(entry), _info(entry)
    found = _WORDS.match(words)
    spoken = (found["hit"] or found["reached"]).lower() if found is not None else ""
    name = _NAMES.get(str(info.get("rateLimitType")), _NAMES.get(spoken, ""))
    if not name or not (info.get("status") == "rejected" or spoken in _NAMES):
        return False
    until = info.get("resetsAt") or _better(windows.get(name, {}), reset_at(words, at))
    plan_windows.refuse(windows, name, at, resets_at=until)
    return True


def _better(known: Mapping[str, Any], spoken: float | None) -> float | None:
    """The hour as it was told before, where it is the one that is spoken of."""
    told = known.get("resets_at")
    same = isinstance(told, float) and spoken is not None and abs(told - spoken) < _NEAR
    return told if same else spoken


def _info(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    params = entry.get("apiErrorParams")
    info = params.get("rate_limit_info") if isinstance(params, Mapping) else None
    return info if isinstance(info, Mapping) else {}


def _text(entry: Mapping[str, Any]) -> str:
    message = entry.get("message")
    content = message.get("content") if isinstance(message, Mapping) else None
    parts = content if isinstance(content, list) else [{"text": content}]
    texts = (part.get("text") for part in parts if isinstance(part, Mapping))
    return next((text for text in texts if isinstance(text, str)), "")
