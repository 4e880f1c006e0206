"""What is seen of an agent's terminal: the bytes it puts out, by where they stand in the stream of
them, and its screen as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass

COLUMNS = range(40, 401)
ROWS = range(10, 201)
"""The sizes that a terminal may be given."""


@dataclass(frozen=True, slots=True)
class TerminalShot:
    """A screen with ``above`` lines of what scrolled off it before its rows.

    ``lines`` hold the codes (SGR alone) of how their letters look; one lasts from a line to the
    next. ``column`` and ``row`` are where the cursor stands, ``cursor`` whether it is shown.
    """

    columns: int
    rows: int
    column: int
    row: int
    lines: tuple[str, ...]
    above: int = 0
    cursor: bool = True


@dataclass(frozen=True, slots=True)
class TerminalOutput:
    """A piece of what a terminal puts out.

    ``stream`` names the looking that ``offset``, where the piece begins, is counted in. ``whole``:
    the bytes are no piece but bring an empty terminal to what it shows, and ``offset`` is where
    it goes on; ``skipped`` bytes were passed over for that. ``ended``: nothing follows.
    """

    stream: str
    offset: int
    data: bytes
    columns: int
    rows: int
    whole: bool = False
    skipped: int = 0
    ended: bool = False

    @property
    def following(self) -> int:
        """Where what comes next begins."""
        return self.offset if self.whole else self.offset + len(self.data)
