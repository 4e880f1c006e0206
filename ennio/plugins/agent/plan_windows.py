"""The windows of an agent's plan, as they are kept in a cursor: by name, as JSON has it.

Times are seconds since the epoch. A refusal counts until the agent is seen to work again, which is
then somebody's doing; a window that is told of later replaces what was told before.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ennio.model.plan_window import PlanWindow

Kept = dict[str, dict[str, Any]]
_MOST = 16  # windows; a plan has three or four
_LATEST = 253_402_214_399.0  # the last day but one of the year 9999
_NAME = 64


def tell(
    kept: Kept, name: str, *, used: object = None, resets_at: object = None, account: str = ""
) -> None:
    """How much of a window is used, and when it begins anew; what is no number is not known."""
    if not name or (name not in kept and len(kept) >= _MOST):
        return
    window = kept.setdefault(name[:_NAME], {})
    if account:
        window["account"] = account[:_NAME]
    percent, until = _number(used), _number(resets_at)
    if percent is not None:
        window["used"] = round(min(percent, 1000.0), 1)
    if until is not None and 0 < until < _LATEST:
        window["resets_at"] = until


def refuse(
    kept: Kept, name: str, at: float, *, resets_at: object = None, account: str = ""
) -> None:
    """The agent was refused, for this window is used up."""
    tell(kept, name, used=100, resets_at=resets_at, account=account)
    window = kept.get(name[:_NAME])
    if window is None:
        return
    if _number(window.get("resets_at")) is not None and window["resets_at"] <= at - _LATE:
        del window["resets_at"]  # an hour of before: of this window nobody has told it
    window["refused_at"] = max(at, window.get("refused_at", at))


_LATE = 300.0
"""A provider that refuses somebody this long after the reset it told means another one."""


def works(kept: Kept, at: float) -> None:
    """The agent works, or was given words: it is not refused any more."""
    for window in kept.values():
        if window.get("refused_at", math.inf) < at:
            del window["refused_at"]


def begin(kept: Kept) -> None:
    """A new process has been refused nothing yet."""
    for window in kept.values():
        window.pop("refused_at", None)


def facts(kept: Mapping[str, Mapping[str, Any]]) -> tuple[PlanWindow, ...]:
    """The windows, by name."""
    return tuple(
        PlanWindow(
            name,
            str(window.get("account", "")),
            window.get("used"),
            _date(window.get("resets_at")),
            _date(window.get("refused_at")),
        )
        for name, window in sorted(kept.items())
    )


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value) if value >= 0 else None


def _date(at: object) -> datetime | None:
    return datetime.fromtimestamp(at, UTC) if isinstance(at, int | float) else None
