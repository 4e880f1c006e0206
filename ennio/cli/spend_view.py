"""Spending in short: what was used, where budgets and plans stand, what merged work cost, and which
models have no price.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from ennio.board.quantities import local, money, tokens
from ennio.board.table import clean
from ennio.model.plural import number_of

Document = Mapping[str, Any]


def spend_lines(spend: Document, budgets: Sequence[Document], now: datetime) -> list[str]:
    """Everything in a few lines; ``budgets`` are those that stand somewhere."""
    dry = {one["budget"]: one for one in spend["budgets"]}
    lines = [_used(spend["points"])]
    lines += [_budget(one, dry.get(one["name"])) for one in budgets if one["level"] is not None]
    lines += [_merged("merged", spend["merged"])]
    by_project = spend["merged_by_project"]
    if len(by_project) > 1:
        lines += [_merged(f"  {clean(name)}", one) for name, one in by_project.items()]
    lines += [_plan(one, now) for one in spend["plans"]]
    return [*lines, *_unpriced(spend["unpriced"])]


def _sum(points: Sequence[Document], key: str) -> str | None:
    """The known part, None where that is nothing."""
    known = [Decimal(one[key]) for one in points if one[key] is not None]
    return str(sum(known)) if known or not points else None


def _used(points: Sequence[Document]) -> str:
    if not points:
        return "used         nothing"
    unlisted = sum(one["unlisted_requests"] for one in points)
    unpriced = sum(one["unpriced_requests"] for one in points) - unlisted
    ours = any(one["source"] == "local" and Decimal(one["billed_usd"] or 0) for one in points)
    billed = f"{'~' if ours else ''}{money(_sum(points, 'billed_usd'), unpriced)}"
    listed = _sum(points, "listed_usd")
    plan = f", {money(listed, unlisted)} on plans" if unlisted or Decimal(listed or 0) else ""
    return f"used         {billed} billed{plan}, {tokens(sum(p['tokens'] for p in points))} tokens"


def _budget(budget: Document, dry: Document | None) -> str:
    limits = []
    if budget["limit"] is not None:
        used = money(budget["used"], budget["unpriced_requests"])
        limits.append(f"{used} of {money(budget['limit'])}")
    if budget["limit_tokens"] is not None:
        used = tokens(budget["used_tokens"])
        limits.append(f"{used} of {tokens(budget['limit_tokens'])} tokens")
    likely = dry and dry["likely_at"]
    runs = f", runs dry about {local(likely)}" if likely else ""
    runs = ", used up" if budget["level"] == "exceeded" else runs  # what is over is not foretold
    paused = f", {len(budget['paused'])} paused" if budget["paused"] else ""
    return f"budget       {clean(budget['name'])}: {', '.join(limits)}{runs}{paused}"


def _merged(label: str, cost: Document) -> str:
    if not cost["pulls"]:
        return f"{label:12} no pull request yet"
    each = money(cost["each_usd"], cost["unpriced_requests"])
    many = number_of(cost["pulls"], "pull request")
    return f"{label:12} {many}, {each} each"


def _plan(window: Document, now: datetime) -> str:
    used = window["used_percent"]
    much = "used up" if window["used_up"] else "?" if used is None else f"{used:g}% used"
    until = window["resets_at"]
    again = ""
    if until:
        again = f", {'reset' if datetime.fromisoformat(until) <= now else 'resets'} {local(until)}"
    parked = f", {len(window['parked'])} parked" if window["parked"] else ""
    whose = clean(" ".join(filter(None, (window["agent"], window["account"], window["name"]))))
    return f"plan         {whose}: {much}{again}{parked}"


def _unpriced(models: Sequence[Document]) -> Iterator[str]:
    """What to write, and where: nobody writes into a person's file but they."""
    for one in models:
        many = number_of(one["requests"], "request")
        yield f"no price     {clean(one['model'] or 'a model nobody named')}: {many}"
    named = [clean(one["model"]) for one in models if one["model"]]
    if named:
        place = clean(models[0]["write_in"])
        yield f"             write the price of a million tokens into {place}:"
        yield "               prices:"
        for name in named:
            yield f'                 - {{model: "{name}", input: ..., output: ...}}'
        yield "             what was used before that keeps having none"
