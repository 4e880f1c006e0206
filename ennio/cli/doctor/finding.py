"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ennio.model.errors import Refused


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


def insist(finding: Finding | None) -> None:
    """Raise Refused, in the words of ``ennio doctor``, for what must be mended first."""
    if finding is not None and finding.level is Level.BROKEN:
        raise Refused(f"{finding.what}; {finding.fix}")


def broken(what: str, fix: str) -> Finding:
    """It must be mended first."""
    return Finding(Level.BROKEN, what, fix)
