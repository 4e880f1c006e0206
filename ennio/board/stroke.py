"""What is pressed: what the screen reads, and the keyboard takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stroke:
    """A key as it was pressed: its name or character, and for a paste or the mouse what it
    brought.
    """

    name: str
    text: str = ""
    x: int = 0
    y: int = 0
