"""Why a session has the status it has: the rule that matched and the facts it stood on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ennio.model.session import SessionStatus


@dataclass(frozen=True, slots=True)
class Ground:
    """One fact behind a status: what was seen, by whom, and when (None: not looked yet)."""

    what: str
    source: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """A decided status with the sentence that says why, and the facts it rests on."""

    at: datetime
    status: SessionStatus
    rule: str
    facts: tuple[Ground, ...] = ()
