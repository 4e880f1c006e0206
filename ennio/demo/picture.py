"""One frame of the demo: a pure function of what has happened so far and
how large the terminal is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ennio.board.style import ACTIVITY, PLAIN, STATUS, Style
from ennio.board.table import Column, cells, clean, cut, table

COLUMNS = (
    Column("ROLE"),
    Column("STATUS"),
    Column("ACTIVITY"),
    Column("PR"),
    Column("WHY", elastic=True),
)
TITLE = "ennio demo"
SUBTITLE = "real git, real processes, no key, no network"

_COLOURS: Mapping[str, str] = {
    "ci_failing": "red",
    "merge_conflicts": "red",
    "signal_lost": "red",
    "message_failed": "red",
    "session_adopted": "yellow",
    "review_changes_requested": "yellow",
    "reaction_triggered": "cyan",
    "session_paused": "yellow",
    "notification_raised": "yellow",
    "message_delivered": "cyan",
    "ci_passing": "green",
    "review_approved": "green",
    "merge_ready": "green",
    "pr_merged": "green",
    "merge_completed": "green",
    "all_complete": "green",
}


@dataclass(frozen=True, slots=True)
class StoryLine:
    """Something that happened; without a kind it is something a person did."""

    at: float
    who: str
    words: str
    kind: str = ""

    def plain(self) -> str:
        """The line where nobody looks on: in a pipe, a file."""
        who = self.who if self.kind else f"> {self.who}"
        return f"{self.at:6.1f} s  {who:<9} {clean(self.words)}"

    def shown(self, width: int, style: Style) -> str:
        """The line at a terminal of this width, in the colour of what it tells."""
        start = f"{self.at:5.1f}  {self.who:<6}  "
        if not self.kind:
            return style.paint("magenta", cut(f"{start}> {clean(self.words)}", width))
        if len(start) >= width:
            return cut(start, width)
        words = cut(clean(self.words), width - len(start))
        return start + style.paint(_COLOURS.get(self.kind), words)


@dataclass(frozen=True, slots=True)
class FrameContent:
    """Everything a frame shows; ``trouble`` says why the sessions could not be read just now."""

    seconds: float
    sessions: Sequence[Mapping[str, Any]] = ()
    lines: Sequence[StoryLine] = ()
    trouble: str = ""
    style: Style = PLAIN


def picture(scene: FrameContent, width: int, height: int) -> list[str]:
    """At most ``height`` lines, none wider than ``width``: a title, the sessions, and the
    newest of what happened.
    """
    if width <= 0 or height <= 0:
        return []
    top = [_title(scene, width), "", *_table(scene, width), ""]
    room = max(0, height - len(top))
    return [
        *top,
        *(
            line.shown(width, scene.style)
            for line in scene.lines[len(scene.lines) - min(room, len(scene.lines)) :]
        ),
    ][:height]


def _title(scene: FrameContent, width: int) -> str:
    clock = f"{scene.seconds:.1f} s"
    said = scene.trouble or SUBTITLE
    if len(TITLE) + len(said) + len(clock) + 6 > width:
        return cut(f"{TITLE}  {clock}", width)
    rest = f"{'':<{width - len(TITLE) - len(said) - len(clock) - 3}}{clock}"
    return f"{TITLE}   {scene.style.paint('red' if scene.trouble else 'dim', said)}{rest}"


def _table(scene: FrameContent, width: int) -> list[str]:
    rows = [_row(session) for session in scene.sessions]
    plain = table(COLUMNS, rows, width)
    # painted lines cannot be cut afterwards: a terminal too narrow for the
    # table goes without colour
    if not scene.style.on or any(cells(line) > width for line in plain):
        return [cut(line, width) for line in plain]
    return table(
        COLUMNS,
        rows,
        width,
        lambda column, cell, padded: scene.style.paint(_tint(column, cell), padded),
    )


def _tint(column: Column, cell: str) -> str | None:
    return {"STATUS": STATUS, "ACTIVITY": ACTIVITY}.get(column.title, {}).get(cell)


def _row(session: Mapping[str, Any]) -> tuple[str, ...]:
    number = session.get("pr_number")
    return (
        str(session.get("role", "")),
        str(session.get("status", "")),
        str(session.get("activity") or "-"),
        f"#{number}" if number else "-",
        str(session.get("reason") or ""),
    )
