"""What a tmux pane shows, from what ``display-message`` and ``capture-pane -e`` say of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ennio.model.terminal_view import TerminalShot
from ennio.plugins.runtime.interface import View
from ennio.plugins.runtime.text_style import strong

SIZE = "#{window_width} #{window_height}"
CURSOR = "#{cursor_x} #{cursor_y} #{pane_width} #{pane_height} #{cursor_flag}"
PANE_CURSOR = (
    "#{session_name} #{cursor_x} #{cursor_y} #{pane_width} #{pane_height} #{cursor_flag} "
    "#{pane_in_mode}"
)
VIEW = "capture-pane -p -e"
_NO_LOOK = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x0e\x0f]|\x1b[^\[\]][^\x1b]?")
"""Codes that say nothing of how letters look: links, other sets of letters."""
_MOST = 256 << 10
_BEGIN = b"\x1b[?1h\x1b="
"""The modes that a client of tmux has its terminal in."""


def shot_of(told: str) -> TerminalShot:
    """The screen from a line of numbers (``CURSOR``) and the captured lines after it."""
    head, _, captured = told.partition("\n")
    column, row, columns, rows, cursor = (int(number or 0) for number in head.split())
    lines = captured.removesuffix("\n").split("\n")
    above = max(0, len(lines) - rows)
    return TerminalShot(
        columns,
        rows,
        min(column, columns - 1),
        row,
        tuple(_NO_LOOK.sub("", line) for line in lines),
        above,
        cursor == 1,
    )


def painted(shot: TerminalShot) -> bytes:
    """The same as bytes for an empty terminal of that size; the oldest lines are left out where
    they are too many.
    """
    lines, size, kept = [*shot.lines], 0, 0
    for line in reversed(lines):
        size += len(line) + 2
        if size > _MOST and kept >= shot.rows:
            break
        kept += 1
    shown = "\r\n".join(lines[len(lines) - kept :]).encode()
    place = f"\x1b[m\x1b[{shot.row + 1};{shot.column + 1}H\x1b[?25{'h' if shot.cursor else 'l'}"
    return _BEGIN + shown + place.encode()


def sections_of(text: str, mark: str) -> dict[str, tuple[list[str], list[str]]]:
    """What was told of each pane, and its rows, by the name behind each mark."""
    sections: dict[str, tuple[list[str], list[str]]] = {}
    current: list[str] = []
    for line in text.split("\n"):
        if line.startswith(mark):
            name, *told = line[len(mark) + 1 :].split(" ")
            current = sections.setdefault(name, (told, []))[1]
        else:
            current.append(line)
    return sections


def view_of(told: Sequence[str], rows: Sequence[str]) -> View:
    """The screen from the numbers of ``PANE_CURSOR`` and its rows."""
    column, row, width, height, cursor, mode = (int(number or 0) for number in told)
    shown, left = strong(rows[:height])
    return View(
        shown, left, min(column, width - 1), row, width, cursor=cursor == 1, scrolled=mode > 0
    )


def capturing(panes: Iterable[str], mark: str, telling: str, capture: str) -> bytes:
    """What tells of these panes and shows them. Every line of it stands alone: a pane that is gone
    does not spoil the others.
    """
    naming = f"'{mark} {telling}'"
    return "".join(
        f"display-message -p -t {pane} {naming}\n{capture} -t {pane}\n" for pane in panes
    ).encode()
