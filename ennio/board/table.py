"""Text tables that fit the terminal: columns share the width, the last words give way first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ennio.model.printable import one_line

GAP = "  "
NARROW = "◆►◦✓■‖✗▌─│○→–━▸┆−⏎␣↑↓·…"
"""What the board draws with, each one cell wide: no table of all letters is loaded for these."""
_NARROW = dict.fromkeys(map(ord, NARROW))
SHORTEST = 4  # a column is never squeezed below this


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; ``elastic`` ones give way when the table is wider than the terminal."""

    title: str
    elastic: bool = False
    right: bool = False


Tint = Callable[[Column, str, str], str]
"""Colours a padded cell: given the column, the bare cell and the padded one."""


def clean(text: str) -> str:
    """The text on one line, as it will be printed: measured so, a title neither steers the
    terminal nor moves a column.
    """
    return one_line(text)


def cells(text: str) -> int:
    """How many cells of a terminal the text takes: wide characters two, combining ones none."""
    if text.isascii() or text.translate(_NARROW).isascii():
        return len(text)
    from wcwidth import width  # noqa: PLC0415 - most tables never need it

    return int(width(text, control_codes="ignore"))


def cut(text: str, width: int) -> str:
    """The text in at most ``width`` cells, its loss shown by an ellipsis."""
    if cells(text) <= width:
        return text
    if width <= 1:
        return "…"[: max(width, 0)]
    if text.isascii():
        return text[: width - 1].rstrip() + "…"
    from wcwidth import iter_graphemes  # noqa: PLC0415 - the same

    kept, room = [], width - 1
    for grapheme in iter_graphemes(text):
        room -= cells(grapheme)
        if room < 0:
            break
        kept.append(grapheme)
    return "".join(kept).rstrip() + "…"


def pad(text: str, width: int, *, right: bool = False) -> str:
    """The text filled up with spaces to ``width`` cells, cut when it is longer."""
    short = cut(text, width)
    fill = " " * (width - cells(short))
    return fill + short if right else short + fill


def _fit(widths: list[int], columns: Sequence[Column], room: int) -> list[int]:
    """Take cells from the widest elastic column until all fit (or nothing can give any more)."""
    fitted = list(widths)
    while sum(fitted) > room:
        givers = [i for i, column in enumerate(columns) if column.elastic and fitted[i] > SHORTEST]
        if not givers:
            return fitted
        widest = max(givers, key=lambda i: fitted[i])
        fitted[widest] -= 1
    return fitted


def table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    width: int | None = None,
    tint: Tint | None = None,
) -> list[str]:
    """The lines of a table with a heading; columns empty in every row are left out.

    ``width`` None means as wide as it wants to be (for pipes). ``tint`` colours
    cells after they are padded.
    """
    bare = [[clean(cell) for cell in row] for row in rows]
    used = [i for i, _ in enumerate(columns) if any(row[i] for row in bare)]
    shown = [columns[i] for i in used]
    body = [[row[i] for i in used] for row in bare]
    widths = [
        max(cells(column.title), *(cells(row[i]) for row in body)) for i, column in enumerate(shown)
    ]
    if width is not None:
        widths = _fit(widths, shown, width - len(GAP) * (len(shown) - 1))
    lines = [_line(shown, [column.title for column in shown], widths, None)]
    lines += [_line(shown, row, widths, tint) for row in body]
    return lines


def _line(
    columns: Sequence[Column], row: Sequence[str], widths: Sequence[int], tint: Tint | None
) -> str:
    padded = [
        pad(cell, width, right=column.right)
        for column, cell, width in zip(columns, row, widths, strict=True)
    ]
    padded[-1:] = [cell.rstrip() for cell in padded[-1:]]
    if tint is not None:
        padded = [
            tint(column, cell, filled)
            for column, cell, filled in zip(columns, row, padded, strict=True)
        ]
    return GAP.join(padded).rstrip()


def pairs(items: Sequence[tuple[str, str]]) -> list[str]:
    """Names and values below one another; empty values are left out, several lines stay aligned."""
    kept = [(name, value) for name, value in items if value]
    width = max((len(name) for name, _ in kept), default=0)
    lines: list[str] = []
    for name, value in kept:
        first, *rest = [clean(line) for line in value.splitlines()] or [""]
        lines.append(f"{name:<{width}}  {first}".rstrip())
        lines += [f"{'':<{width}}  {line}".rstrip() for line in rest]
    return lines
