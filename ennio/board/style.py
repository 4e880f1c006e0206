"""Colours: what a status looks like. Nothing is told by colour alone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

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
# Known to this process alone, so that no text from elsewhere holds a colour of ours.
_OURS = f"\x1b[{os.urandom(8).hex()}:"

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
    """Paints text when it is on, leaves it alone when it is not."""

    on: bool = False

    def paint(self, colour: str | None, text: str) -> str:
        """The text in a colour, as ``shown`` understands it; None is none."""
        return f"{_OURS}{_CODES[colour]}m{text}{_OURS}0m" if self.on and colour else text


def shown(text: str) -> str:
    """The text as a terminal gets it: our own colours, and nothing else that steers."""
    first, *painted = text.split(_OURS)
    return printable(first) + "".join(
        f"\x1b[{code}m{printable(rest)}"
        for code, _, rest in (part.partition("m") for part in painted)
    )


PLAIN = Style()
