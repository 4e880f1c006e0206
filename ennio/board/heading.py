"""What stands above the rows, of the supervisor's state and the budgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from ennio.board.quantities import money
from ennio.board.row import words
from ennio.board.view import Header

Document = Mapping[str, Any]
_WARNED = 80.0


def header(status: Document, budgets: Sequence[Document]) -> Header:
    """The money against the tightest budget, and the gravest of what is not well."""
    tight = tightest(budgets)
    spend = _spend(tight) if tight else ""
    banner, grave = gravest(status, tight)
    return Header(spend, spend, banner, grave, budgets=tuple(budgets))


def tightest(budgets: Sequence[Document]) -> Document | None:
    """The budget of money that is used up most, of those that hold for more than one session: what
    a session has used up is its row's to tell.
    """
    limited = [
        one
        for one in budgets
        if one.get("scope") != "session"
        and one.get("limit") is not None
        and one.get("used") is not None
    ]
    return max(limited, key=lambda one: float(one.get("percent_used") or 0), default=None)


def _spend(budget: Document) -> str:
    used = money(str(budget["used"]), int(budget.get("unpriced_requests") or 0))
    limit = money(str(budget["limit"])).removesuffix(".00")
    period = {"day": "today", "daily": "today"}.get(
        str(budget.get("period")), words(budget.get("period"))
    )
    return f"{used} of {limit} {period}"


def gravest(status: Document, tight: Document | None) -> tuple[str, bool]:
    """The one thing to know, and whether work stands still for it."""
    if away := status.get("database_problem"):
        return words(away), True
    if refused := status.get("config_problem"):
        return words(f"the configuration was refused: {refused}"), True
    degraded: Sequence[Document] = status.get("degraded") or ()
    ordered = sorted(degraded, key=lambda one: not one.get("blocks"))
    if ordered and ordered[0].get("blocks"):
        return _part(ordered[0]), True
    if status.get("config_edited"):
        name = PurePath(str(status.get("config") or "")).name or "the configuration"
        return words(f"{name} has changed since it was read: ennio reload"), False
    if tight is not None and float(tight.get("percent_used") or 0) >= _WARNED:
        return words(f"budget {tight.get('name')}: {float(tight['percent_used']):g} % used"), False
    return (_part(ordered[0]), False) if ordered else ("", False)


def _part(one: Document) -> str:
    return words(f"{one.get('name') or one.get('part')}: {one.get('detail')}")
