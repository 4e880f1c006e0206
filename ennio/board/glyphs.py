"""The marks of the board: each one cell wide, and none with an emoji form; a set of ASCII for
terminals that have no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Glyphs:
    """One set of marks. ``fail`` and ``pending`` stand before the counts of checks."""

    you: str = "◆"
    agent: str = "►"
    world: str = "◦"
    good: str = "✓"
    bad: str = "■"
    held: str = "‖"
    unseen: str = "?"
    fail: str = "✗"
    cursor: str = "▌"
    rule: str = "─"
    bar: str = "│"
    lost: str = "○"
    arrow: str = "→"
    none: str = "–"
    line: str = "━"
    step: str = "▸"
    gap: str = "┆"
    folded: str = "▸"
    minus: str = "−"
    enter: str = "⏎"
    space: str = "␣"
    ups: str = "↑↓"

    def of_turn(self, turn: str, word: str) -> str:
        """The mark before a row."""
        if turn == "over":
            return self.good if word in ("merged", "done") else self.bad
        if word == "held":
            return self.held
        return {"you": self.you, "agent": self.agent}.get(turn, self.world)


UNICODE = Glyphs()
ASCII = Glyphs(
    you="!",
    agent=">",
    world="~",
    good="+",
    bad="#",
    held="=",
    fail="x",
    cursor="*",
    rule="-",
    bar="|",
    lost="o",
    arrow="->",
    none="-",
    line="=",
    step=">",
    gap=":",
    folded=">",
    minus="-",
    enter="Enter",
    space="Space",
    ups="Up/Dn",
)
_TO_ASCII: Mapping[int, str] = {
    ord(mark): plain
    for mark, plain in (
        ("…", "~"),
        ("─", "-"),
        ("│", "|"),
        ("–", "-"),
        ("−", "-"),
        ("·", "-"),
        ("×", "x"),
        ("→", ">"),
        ("▸", ">"),
        ("━", "="),
        ("┆", ":"),
    )
}


def plainly(text: str) -> str:
    """What the board says itself, in ASCII; letters of any script stay."""
    return text if text.isascii() else text.translate(_TO_ASCII)
