"""Sessions as a table by whose turn it is: for what, since when and why, as the board has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ennio.board.quantities import age
from ennio.board.sessions import activity, message_waits
from ennio.board.style import Style
from ennio.board.table import Column, Tint, table
from ennio.model.plural import number_of

Document = Mapping[str, Any]

TURNS = ("you", "agent", "world", "over")
WIDE = 120
"""From here on there is room for what the agent does and where the session stands."""
_COLUMNS = (
    Column("TURN"),
    Column("SESSION"),
    Column("STATUS"),
    Column("ACTIVITY"),
    Column("TITLE", elastic=True),
    Column("PR", right=True),
    Column("FOR", right=True),
    Column("WHY", elastic=True),
)
_WHERE_WIDE = ("STATUS", "ACTIVITY")
_COLOURS = {"you": "yellow", "agent": "blue", "over": "dim"}


def turn_of(session: Document) -> str:
    """Whose turn it is, and for what; ``?`` behind it where there is no signal of its agent."""
    return f"{session['turn']} {session['word']}{'?' if session.get('signal_at') else ''}"


def why(session: Document, now: datetime) -> str:
    """Why, and what a message for its agent waits for."""
    return "; ".join(filter(None, (message_waits(session, now), session["turn_why"])))


def by_turn(sessions: Sequence[Document]) -> list[Document]:
    """A person's turns first, who waits longest before all; the others as they were given."""

    def place(session: Document) -> tuple[int, str]:
        return TURNS.index(session["turn"]), session["turn_since"] * (session["turn"] == "you")

    return sorted(sessions, key=place)


def turn_table(
    sessions: Sequence[Document], now: datetime, width: int | None, style: Style
) -> list[str]:
    """The table of these sessions, in the order given."""
    wide = width is None or width >= WIDE
    columns = [one for one in _COLUMNS if wide or one.title not in _WHERE_WIDE]
    cells = [_cells(session, now) for session in sessions]
    rows = [[row[column.title] for column in columns] for row in cells]
    return table(columns, rows, width, _tint(style))


def _cells(session: Document, now: datetime) -> dict[str, str]:
    number = session.get("pr_number")
    return {
        "TURN": turn_of(session),
        "SESSION": session["id"],
        "STATUS": session["status"],
        "ACTIVITY": activity(session),
        "TITLE": session["title"],
        "PR": f"#{number}" if number else "",
        "FOR": age(session["turn_since"], now),
        "WHY": why(session, now),
    }


def _tint(style: Style) -> Tint | None:
    def painted(column: Column, cell: str, padded: str) -> str:
        known = _COLOURS.get(cell.partition(" ")[0]) if column.title == "TURN" else None
        return style.paint(known, padded)

    return painted if style.on else None


def count_of_turns(sessions: Sequence[Document]) -> str:
    """All in one line: ``5 sessions: 2 your turn, 1 agent's, 2 over``."""
    counts = Counter(session["turn"] for session in sessions)
    words = {"you": "your turn", "agent": "the agent's", "world": "the world's", "over": "over"}
    parts = ", ".join(f"{counts[turn]} {words[turn]}" for turn in TURNS if counts[turn])
    return f"{number_of(len(sessions), 'session')}: {parts}"
