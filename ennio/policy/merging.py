"""Why a merge that is wanted does not happen yet, what mends it, and when it is tried again. Pure.

A merge that a forge refuses is not refused for good: it stays intended until it has happened, or
until what was to be merged is no longer there. Each reason has a remedy, and a person hears of
whatever only a person mends.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from ennio.model.errors import Conflict, EnnioError, Unreachable
from ennio.model.failpoints import seconds

PATIENCE = timedelta(minutes=10)
"""How long something that should pass by itself may last before a person hears of it."""


class Remedy(StrEnum):
    """What mends a reason: another try, something that comes by itself, the
    base taken in, or a person.
    """

    AGAIN = "again"
    WAIT = "wait"
    UPDATE = "update"
    PERSON = "person"


FIRST_PAUSE = seconds(10.0, shortened=1.0)
"""Seconds until a merge that failed for a passing reason is tried again; other reasons have a
multiple of it, and it doubles.
"""
_FIRST = {Remedy.AGAIN: 1, Remedy.WAIT: 3, Remedy.UPDATE: 3, Remedy.PERSON: 30}
_A_WHILE = seconds(300.0, shortened=2.0)
_LONGEST = {
    Remedy.AGAIN: _A_WHILE,
    Remedy.WAIT: _A_WHILE,
    Remedy.UPDATE: _A_WHILE,
    Remedy.PERSON: seconds(900.0, shortened=2.0),
}


class Held(Conflict):
    """A merge is held back. ``kind`` is a word for the reason that stays the
    same when its words do not.
    """

    def __init__(
        self, words: str, remedy: Remedy, kind: str, *, until: datetime | None = None
    ) -> None:
        self.remedy = remedy
        self.kind = kind
        self.until = until
        super().__init__(words)


class Superseded(Conflict):
    """What was to be merged is not there any more: it has another head, or was closed."""


UNREACHABLE = "unreachable"
"""The kind of a forge that does not answer: that is shown as such, and
is no affair of the merge.
"""
HANDED_OVER = "handed over"
"""The kind of a merge that the forge has taken over and does by itself."""


def held(error: EnnioError) -> Held:
    """Any error of a merge as a reason to hold it back: time, a conflict
    that may pass, or a person.
    """
    if isinstance(error, Held):
        return error
    if isinstance(error, Unreachable):
        return Held(str(error), Remedy.AGAIN, UNREACHABLE, until=error.until)
    if isinstance(error, Conflict):
        return Held(str(error), Remedy.WAIT, "conflict")
    return Held(str(error), Remedy.PERSON, type(error).__name__.lower())


def next_try(reason: Held, attempts: int, now: datetime) -> datetime:
    """When a merge that was tried so often is tried again."""
    pause = min(
        FIRST_PAUSE * _FIRST[reason.remedy] * 2 ** min(attempts - 1, 10), _LONGEST[reason.remedy]
    )
    again = now + timedelta(seconds=pause)
    return again if reason.until is None else max(again, reason.until)


def concerns_a_person(reason: Held, since: datetime, now: datetime) -> bool:
    """Whether a person has to hear of it: at once where only a person mends it, else when it
    does not pass by itself.
    """
    if reason.remedy is Remedy.PERSON:
        return True
    return reason.kind not in (UNREACHABLE, HANDED_OVER) and now - since >= PATIENCE


def outlook(reason: Held) -> str:
    """What happens next, in words."""
    return {
        Remedy.AGAIN: "it is tried again",
        Remedy.WAIT: "it is waited for",
        Remedy.UPDATE: "the branch is brought up to date",
        Remedy.PERSON: "a person is needed; it is tried again now and then",
    }[reason.remedy]
