"""A window of the plan an agent works on: how much of it is used, and when it begins anew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PlanWindow:
    """One window of one account, as an agent tells it.

    ``name`` is how its provider calls it (``five_hour``, ``weekly``); ``account`` whose it is, as
    far as the agent tells. ``used_percent`` and ``resets_at`` are None where it does not say.
    ``refused_at`` is when the agent was refused because the window was used up, None while it is
    not, or once the agent was seen to work again.
    """

    name: str
    account: str = ""
    used_percent: float | None = None
    resets_at: datetime | None = None
    refused_at: datetime | None = None

    @property
    def used_up(self) -> bool:
        """Whether the agent was refused for it, and has not worked since."""
        return self.refused_at is not None


def decisive(windows: tuple[PlanWindow, ...]) -> PlanWindow | None:
    """The used up window that ends last: before that nothing goes on. One of which nobody knows
    when it ends is later than all others.
    """
    used_up = [window for window in windows if window.used_up]
    unknown = next((window for window in used_up if window.resets_at is None), None)
    if unknown is not None or not used_up:
        return unknown
    return max(used_up, key=lambda window: (window.resets_at, window.name))
