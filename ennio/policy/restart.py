"""How often and how soon something that failed is started again. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ennio.config.model import Restart


class Again(StrEnum):
    """Start it (after the delay), or leave it to a person."""

    RESTART = "restart"
    GIVE_UP = "give_up"


@dataclass(frozen=True, slots=True)
class RestartVerdict:
    """What to do, in how many seconds, and why."""

    again: Again
    delay: float
    reason: str


def decide(
    policy: Restart, earlier: Sequence[datetime], now: datetime, jitter: float = 0.0
) -> RestartVerdict:
    """Whether to start again after a failure, given when that was done before.

    Only restarts within the policy's window count; times in the future (a clock that stepped back)
    count too. The delay doubles with each, up to a minute; ``jitter`` (0..1) adds up to half of it.
    """
    window = timedelta(seconds=policy.within)
    recent = sum(1 for at in earlier if now - at < window)
    if recent >= policy.attempts:
        if policy.attempts == 0:
            return RestartVerdict(Again.GIVE_UP, 0.0, "it is not restarted by itself")
        return RestartVerdict(
            Again.GIVE_UP, 0.0, f"it failed {recent + 1} times within {policy.within:g} s"
        )
    delay = min(policy.delay * 2**recent, max(policy.delay, 60.0)) * (1.0 + jitter / 2)
    return RestartVerdict(
        Again.RESTART,
        delay,
        f"restart {recent + 1} of {policy.attempts} within {policy.within:g} s",
    )
