"""The figures as a table for people."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.figure import Figure

_HEAD = ("FIGURE", "VALUE", "UNIT", "BARE", "RATIO", "WANTED", "")


def table(figures: Sequence[Figure]) -> str:
    """One line each; what falls short says by how much."""
    rows = [_HEAD, *map(_row, figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _row(figure: Figure) -> tuple[str, ...]:
    wanted = "" if figure.wanted is None else str(figure.wanted)
    return (
        figure.name,
        _number(figure.value),
        figure.unit,
        _number(figure.baseline),
        _ratio(figure.ratio),
        wanted,
        _verdict(figure),
    )


def _verdict(figure: Figure) -> str:
    if figure.ok is None or figure.wanted is None:
        return ""
    if figure.ok:
        return "ok"
    found = (figure.ratio or 0.0) if figure.wanted.on == "ratio" else figure.value
    bound = figure.wanted.bound
    if not found or not bound:
        return "falls short"
    return f"falls short by {found / bound if figure.wanted.most else bound / found:.2g}×"


def _number(number: float | None) -> str:
    return "-" if number is None else f"{number:.4g}"


def _ratio(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.2f}×"
