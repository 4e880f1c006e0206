"""A session that is parked because a window of its agent's plan is used up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ResumeWhen(StrEnum):
    """What a person said: go on once the window begins anew, or at once."""

    AT_RESET = "at_reset"
    NOW = "now"


@dataclass(frozen=True, slots=True)
class Parked:
    """``refused_at`` is when the agent was refused, ``said`` what a person ordered. ``told_at`` is
    when its going on was written down, None before: nothing is typed to it until then. ``again``:
    it went on for this very reset, and was refused once more.
    """

    window: str
    account: str
    resets_at: datetime | None
    since: datetime
    refused_at: datetime
    said: ResumeWhen | None = None
    told_at: datetime | None = None
    again: bool = False

    @property
    def words(self) -> str:
        """What is used up, and until when."""
        return f"plan window {self.window} used up, {self._until}"

    @property
    def _until(self) -> str:
        if self.resets_at is None:
            return "nobody knows when it resets"
        return f"resets {hour(self.resets_at, self.since)}"

    @property
    def name(self) -> str:
        """Which window of which account it is, until when: the same for each look at it."""
        until = "" if self.resets_at is None else self.resets_at.isoformat(timespec="seconds")
        return f"{self.account}:{self.window}:{until}"


def hour(moment: datetime, near: datetime) -> str:
    """The hour; with the day where that is another one than ``near``."""
    return f"{moment:%H:%M} UTC" if moment.date() == near.date() else f"{moment:%a %d %b %H:%M} UTC"
