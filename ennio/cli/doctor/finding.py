"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is: only ``broken`` keeps Ennio from working."""

    FINE = "fine"
    WARNING = "warning"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found, and the exact command (or sentence) that mends it."""

    level: Level
    what: str
    fix: str = ""


def fine(what: str) -> Finding:
    """All is well with it."""
    return Finding(Level.FINE, what)


def warning(what: str, fix: str) -> Finding:
    """It works without, but not as well."""
    return Finding(Level.WARNING, what, fix)


def broken(what: str, fix: str) -> Finding:
    """It must be mended first."""
    return Finding(Level.BROKEN, what, fix)
