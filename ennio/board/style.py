"""Colours: what a status looks like. Nothing is told by colour alone."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ennio.model.printable import printable

_CODES: Mapping[str, str] = {
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
    "dim": "2",
}
_RGB = re.compile(r"#[0-9a-f]{6}\Z")
# Known to this process alone, so that no text from elsewhere holds a colour of ours.
_OURS = f"\x1b[{os.urandom(8).hex()}:"

TOKENS: Mapping[str, Mapping[str, str]] = {
    # by what is meant: on 16 colours, and as measured for contrast and for eyes that see fewer
    "basic": {
        "you": "1;33",
        "agent": "34",
        "world": "2",
        "good": "32",
        "bad": "31",
        "muted": "2",
        "strong": "1",
    },
    "dark": {
        "you": "1;38;2;255;176;32",
        "agent": "38;2;78;168;240",
        "world": "38;2;169;177;186",
        "good": "38;2;47;211;155",
        "bad": "38;2;255;93;82",
        "muted": "38;2;154;164;174",
        "strong": "1",
    },
    "light": {
        "you": "1;38;2;168;95;0",
        "agent": "38;2;0;89;179",
        "world": "38;2;90;99;109",
        "good": "38;2;0;122;85",
        "bad": "38;2;134;11;22",
        "muted": "38;2;86;96;107",
        "strong": "1",
    },
}

STATUS: Mapping[str, str] = {
    "spawning": "cyan",
    "working": "blue",
    "pr_draft": "blue",
    "pr_open": "blue",
    "ci_passing": "green",
    "ci_failed": "red",
    "ci_fix_sent": "yellow",
    "ci_fix_failed": "red",
    "review_pending": "magenta",
    "changes_requested": "yellow",
    "approved": "green",
    "merge_conflicts": "red",
    "merged": "green",
    "done": "dim",
    "exited": "red",
    "killed": "dim",
}
ACTIVITY: Mapping[str, str] = {
    "active": "blue",
    "waiting_input": "yellow",
    "blocked": "red",
    "paused": "yellow",
    "idle": "dim",
    "exited": "dim",
}


@dataclass(frozen=True, slots=True)
class Style:
    """Paints text when it is on, leaves it alone when it is not. ``theme`` is one of TOKENS."""

    on: bool = False
    theme: str = "basic"

    def paint(self, colour: str | None, text: str) -> str:
        """The text in a colour, as ``shown`` understands it; None is none."""
        if not (self.on and colour and text):
            return text
        code = TOKENS[self.theme].get(colour) or _CODES[colour]
        return f"{_OURS}{code}m{text}{_OURS}0m"

    def run(self, told: Mapping[str, Any]) -> str:
        """Letters of an agent's terminal as they look there; ``t`` must be clean."""
        text = str(told.get("t") or "")
        if not self.on or not text:
            return text
        marks = [_MARKS[one] for one in str(told.get("s") or "") if one in _MARKS]
        few = self.theme == "basic"
        colours = [_colour(told.get("f"), 30, few=few), _colour(told.get("b"), 40, few=few)]
        codes = ";".join([*marks, *filter(None, colours)])
        return f"{_OURS}{codes}m{text}{_OURS}0m" if codes else text


_MARKS: Mapping[str, str] = {"b": "1", "d": "2", "i": "3", "u": "4", "r": "7", "x": "9"}


def _colour(told: object, base: int, *, few: bool) -> str:
    """The code of a colour of letters (30) or ground (40); of the palette's first sixteen alone
    where the terminal has few.
    """
    if isinstance(told, int) and 0 <= told < 16:
        return str(base + told if told < 8 else base + 60 + told - 8)
    if few:
        return ""
    if isinstance(told, int) and told < 256:
        return f"{base + 8};5;{told}"
    if isinstance(told, str) and _RGB.match(told):
        red, green, blue = (int(told[at : at + 2], 16) for at in (1, 3, 5))
        return f"{base + 8};2;{red};{green};{blue}"
    return ""


def shown(text: str) -> str:
    """The text as a terminal gets it: our own colours, and nothing else that steers."""
    first, *painted = text.split(_OURS)
    return printable(first) + "".join(
        f"\x1b[{code}m{printable(rest)}"
        for code, _, rest in (part.partition("m") for part in painted)
    )


def bare(text: str) -> str:
    """The text without our colours: what is measured."""
    first, *painted = text.split(_OURS)
    return first + "".join(part.partition("m")[2] for part in painted)


PLAIN = Style()
