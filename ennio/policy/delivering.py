"""When a delivery is due, and what becomes of it after a try. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ennio.model.delivery import DeliveryRecord, DeliveryState
from ennio.model.errors import EnnioError, Unreachable

BROKEN_OFF = 2
"""How often it may be tried again at once after a try was broken off; then it waits,
for it may be what ends us.
"""


@dataclass(frozen=True, slots=True)
class Retry:
    """How what did not answer is tried again: the first pause, by what it grows, the longest
    (seconds), and how often.

    ``attempts`` None: until it answers.
    """

    first: float
    factor: float = 1.0
    longest: float = 300.0
    attempts: int | None = None

    def pause(self, attempts: int) -> timedelta:
        """How long to wait after so many tries."""
        grown: float = self.first * self.factor ** min(max(attempts - 1, 0), 10)
        return timedelta(seconds=min(grown, self.longest))


def due(delivery: DeliveryRecord, retry: Retry, now: datetime) -> datetime:
    """When it may be tried; ``now`` or earlier for at once.

    A pause that begins in a time to come is one from before the clock was put back: it is over.
    """
    since, until = delivery.tried_at or now, delivery.not_before
    if delivery.state is DeliveryState.DOING and delivery.broken_off >= BROKEN_OFF:
        until = since + retry.pause(delivery.attempts)
    return until if until is not None and since <= now else now


def outcome(
    delivery: DeliveryRecord, error: EnnioError | None, retry: Retry, now: datetime
) -> DeliveryRecord:
    """What becomes of it: done, tried again where nobody answered, else refused for good."""
    if error is None:
        return settled(delivery, DeliveryState.DONE, now)
    if not isinstance(error, Unreachable):
        return settled(delivery, DeliveryState.REFUSED, now, str(error))
    if retry.attempts is not None and delivery.attempts >= retry.attempts:
        return settled(delivery, DeliveryState.FAILED, now, str(error))
    again = now + retry.pause(delivery.attempts)
    return postponed(delivery, max(again, error.until or again), str(error))


def settled(
    delivery: DeliveryRecord,
    state: DeliveryState,
    now: datetime,
    error: str | None = None,
    *,
    result: str | None = None,
) -> DeliveryRecord:
    """The delivery that has come to its end."""
    return replace(
        delivery, state=state, not_before=None, error=error, result=result, settled_at=now
    )


def postponed(delivery: DeliveryRecord, until: datetime, why: str) -> DeliveryRecord:
    """The delivery that is tried again, and not before then."""
    return replace(delivery, state=DeliveryState.INTENDED, not_before=until, error=why)
