"""What is forecast of a session, in words: the middle and the range, and from whose past."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ennio.board.quantities import money, span, tokens
from ennio.board.table import Column, table
from ennio.model.plural import number_of

Document = Mapping[str, Any]


def forecast_lines(forecast: Document | None) -> Sequence[str]:
    """What a session is expected to come to; nothing where nothing was forecast."""
    if not forecast:
        return ()
    shown: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
        ("costs", "cost", money),
        ("takes", "seconds", span),
        ("uses tokens", "tokens", tokens),
        ("succeeds", "success", lambda share: f"{share} %"),
    )
    answers = [forecast[key] for _, key, _ in shown]
    if all(answer["quantiles"] is None for answer in answers):
        return (_too_few(max(answers, key=lambda answer: int(answer["n"])), forecast["least"]),)
    whose = {_whose(answer) for answer in answers}
    lines = []
    for verb, key, words in shown:
        told = _range(forecast[key], words, forecast["least"])
        lines.append(f"{verb} {told}" + (f", {_whose(forecast[key])}" if len(whose) > 1 else ""))
    return [*lines, *(whose if len(whose) == 1 else ())]


def estimate_line(session: Document) -> str:
    """What a session under way still costs; empty where nothing is known."""
    estimate = session.get("estimate")
    if not estimate or estimate["remaining"]["quantiles"] is None:
        return ""
    left = estimate["remaining"]
    return f"costs {_range(left, money, 0)} more, {_whose(left)} that cost as much"


_LOSSES: Mapping[str, Callable[[Any], str]] = {
    "cost_usd": lambda loss: money(str(loss)),
    "seconds": span,
    "tokens": lambda loss: tokens(int(loss)),
    "success": lambda loss: f"{loss:.3f}",
}


def calibration_lines(report: Document, width: int | None) -> Sequence[str]:
    """How well each thing was forecast."""
    columns = [Column("FORECAST")]
    columns += [Column(title, right=True) for title in ("ENDED", "WITHIN", "LOSS", "AT BEST")]
    rows = [_calibrated(metric, report["least"]) for metric in report["metrics"]]
    return [
        *table(columns, rows, width),
        "",
        "WITHIN: how many ended between p10 and p90, of which 80 % is right; LOSS: how far off on",
        "average, AT BEST: for who had known how they all end, but not which how",
    ]


def _calibrated(metric: Document, least: int) -> tuple[str, ...]:
    name, n, within = metric["metric"], metric["n"], metric["within_percent"]
    if metric["loss"] is None:
        return name, f"{n}", f"too few (of {least})", "", ""
    words = _LOSSES.get(name, str)
    inside = "" if within is None else f"{within} %"
    return name, f"{n}", inside, words(metric["loss"]), words(metric["reference"])


def _range(answer: Document, words: Callable[[Any], str], least: int) -> str:
    found = answer["quantiles"]
    if found is None:
        return f"? ({_too_few(answer, least)})"
    dollars = "_usd" if "p50_usd" in found else ""
    low, middle, high = (words(found[f"{name}{dollars}"]) for name in ("p10", "p50", "p90"))
    return f"{middle} (8 in 10: {low} to {high})"


def _too_few(answer: Document, least: int) -> str:
    return f"too few sessions have ended to say: {answer['n']} of {least}"


def _whose(answer: Document) -> str:
    """From whose past it was learned."""
    group, n = answer["group"], answer["n"]
    parts = (
        f"by {number_of(n, 'ended session')}",
        f"of {group['project_id']}" if group["project_id"] else "of all projects",
        f"by {group['agent']}" if group["agent"] else "",
        f"with {group['model']}" if group["model"] else "",
        f"on {group['size']} tasks" if group["size"] else "",
    )
    return " ".join(filter(None, parts))
