"""How much an agent may begin or burn before a person is told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FanOut:
    """``agents`` of its own at work at once, and ``tokens_per_minute``, those read from a cache not
    counted; None: no limit.
    """

    agents: int | None = 10
    tokens_per_minute: int | None = 2_000_000
