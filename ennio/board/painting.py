"""What is written to a terminal so that it shows a frame: only the lines that are not as they were.

Lines are addressed one by one, so that one the terminal draws wider than it is counted moves no
other.
"""

from __future__ import annotations

from collections.abc import Sequence

from ennio.board.style import bare, shown
from ennio.board.table import cells

_CLEAR = "\x1b[0m\x1b[2J"
_REST_OF_LINE = "\x1b[K"


def painted(before: Sequence[str] | None, lines: Sequence[str], width: int) -> str:
    """What turns the frame before into this one; all of it where nothing is known of the one
    before, or it was of another size.
    """
    if before is None or len(before) != len(lines):
        return _CLEAR + "".join(_line(at, line, width) for at, line in enumerate(lines) if line)
    return "".join(
        _line(at, line, width)
        for at, (line, was) in enumerate(zip(lines, before, strict=True))
        if line != was
    )


def _line(at: int, line: str, width: int) -> str:
    # behind a line that is full this would take away its last character
    rest = _REST_OF_LINE if cells(bare(line)) < width else ""
    return f"\x1b[{at + 1};1H{shown(line)}{rest}"
