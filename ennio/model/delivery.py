"""One thing that is to reach one destination: whether it did, and what there
is still to do about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class DeliveryKind(StrEnum):
    """What is delivered, and with it who delivers it."""

    MESSAGE = "message"
    NOTICE = "notice"
    WITHDRAWAL = "withdrawal"
    MERGE = "merge"
    MILESTONE = "milestone"
    REVIEW = "review"


class DeliveryState(StrEnum):
    """How far a delivery got.

    ``doing`` after a crash: it may have happened. ``unsure``: a try has ended, and nobody can tell
    yet whether it happened. ``refused``: the destination does not want it. ``failed``: it was tried
    too often. ``dropped``: what it was about is not wanted any more. ``folded``: it is told as a
    part of another, which ``result`` names.
    """

    INTENDED = "intended"
    DOING = "doing"
    UNSURE = "unsure"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    DROPPED = "dropped"
    FOLDED = "folded"

    @property
    def open(self) -> bool:
        """True while there is still something to do about it."""
        return self in (DeliveryState.INTENDED, DeliveryState.DOING, DeliveryState.UNSURE)


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """One delivery: what it is about by its id (``subject``), and where it goes (``lane``).

    ``attempts`` counts every try, also those a crash broke off; ``broken_off`` counts these
    since the last that came to an end, before the present one. ``tried_at`` is when the last one
    began. It is not tried before ``not_before``. ``error`` is why the last try failed,
    ``result`` what the destination answered or is known to wait for, and ``settled_at`` when
    there was nothing left to do.
    """

    kind: DeliveryKind
    subject: str
    lane: str
    state: DeliveryState = DeliveryState.INTENDED
    attempts: int = 0
    tried_at: datetime | None = None
    not_before: datetime | None = None
    error: str | None = None
    result: str | None = None
    settled_at: datetime | None = None
    broken_off: int = 0
