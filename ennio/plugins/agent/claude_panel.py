"""The panel of changes that Claude Code opens at the right in a wide terminal."""

from __future__ import annotations

from collections import Counter

_PANEL, _LEAST = 40, 8  # a bar in so many lines from this column on is its edge
_CORNERS = "╮╯┐┘"


def panel_edge(screen: str) -> int | None:
    """The column of its edge, or None where there is none; the edge of a box has corners."""
    if screen.count("│") < _LEAST:
        return None
    lines = screen.splitlines()
    bars = Counter(
        at for line in lines for at, sign in enumerate(line) if sign == "│" and at >= _PANEL
    )
    corners = {at for line in lines for at, sign in enumerate(line) if sign in _CORNERS}
    return min(
        (at for at, times in bars.items() if times >= _LEAST and at not in corners), default=None
    )
