"""A message for an agent, and how its delivery ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Words:
    """A message for an agent. ``since``: when its delivery began; ``sent``: what the agent was sent
    before, the newest first.

    ``aside`` is what a person has begun to type and may be put aside for it.
    """

    message_id: str
    text: str
    since: datetime
    sent: tuple[str, ...] = ()
    aside: str | None = None


class Arrival(StrEnum):
    """How a delivery ended."""

    DELIVERED = "delivered"
    NOT_NOW = "not_now"  # the agent cannot take it; nothing was typed
    UNSURE = "unsure"  # it was typed; nobody saw it arrive
    MISSING = "missing"  # it was looked for and is not there: it may be typed again


@dataclass(frozen=True, slots=True)
class Delivery:
    """How it ended, and how one knows.

    ``draft`` is what a person has begun to type, when the words wait for that; ``aside`` tells
    that it was put aside. ``by_person``: a person's words stand in the way. ``typed`` False: not
    a key was pressed for it.
    """

    arrival: Arrival
    detail: str
    draft: str | None = None
    aside: bool = False
    typed: bool = True
    by_person: bool = False
