"""One frame of the board: a pure function of what is known and how large the terminal is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ennio.board.sessions import session_table, summary, warnings
from ennio.board.style import PLAIN, Style
from ennio.board.table import clean, cut

HELP = "q quit  ↑↓ scroll"


@dataclass(frozen=True, slots=True)
class BoardView:
    """What the board shows. ``trouble`` says why it could not be read
    afresh; the last is shown then.
    """

    at: datetime
    sessions: Sequence[Mapping[str, Any]] = ()
    queue: Sequence[Mapping[str, Any]] = ()
    url: str = ""
    trouble: str = ""
    top: int = 0
    style: Style = PLAIN


def frame(view: BoardView, width: int, height: int) -> list[str]:
    """Exactly ``height`` lines, none wider than ``width``: a title, the table
    from ``top`` on, a foot.
    """
    if height <= 0 or width <= 0:
        return [""] * max(height, 0)
    head = [cut(line, width) for line in _head(view)][:height]
    foot = [cut(line, width) for line in _foot(view)]
    room = max(0, height - len(head) - len(foot))
    body = _body(view, width, room)
    lines = [*head, *body, *[""] * (room - len(body)), *foot]
    return lines[:height]


def _head(view: BoardView) -> list[str]:
    queued = f"; {len(view.queue)} in the queue" if view.queue else ""
    return [
        f"ennio  {view.url}  {summary(view.sessions)}{queued}",
        *warnings(view.sessions, view.at),
        "",
    ]


def _body(view: BoardView, width: int, room: int) -> list[str]:
    if not view.sessions:
        return ["no sessions; begin one with: ennio spawn PROJECT --prompt TEXT"[:width]][:room]
    # painted lines cannot be cut afterwards: a terminal too narrow for the
    # table goes without colour
    plain = session_table(view.sessions, view.at, width, PLAIN)
    if max(map(len, plain)) > width:
        titles, *rows = [cut(line, width) for line in plain]
    else:
        titles, *rows = session_table(view.sessions, view.at, width, view.style)
    top = scroll(view.top, 0, len(rows), room - 1)
    return [titles, *rows[top : top + max(0, room - 1)]][:room]


def scroll(top: int, by: int, rows: int, room: int) -> int:
    """The first row shown after scrolling: never past the ends."""
    return max(0, min(top + by, rows - max(room, 1)))


def _foot(view: BoardView) -> list[str]:
    trouble = f"not up to date: {clean(view.trouble)}" if view.trouble else ""
    return (
        [trouble, f"{view.at.astimezone():%H:%M:%S}  {HELP}"]
        if trouble
        else [f"{view.at.astimezone():%H:%M:%S}  {HELP}"]
    )
