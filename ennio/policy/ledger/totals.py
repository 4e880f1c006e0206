"""Requests out of running totals, for agents that tell nothing else. Pure.

A running total is never priced: each growth of it counts as a request. A new launch may count on
from where the last one ended, or from zero; within one launch a total that is smaller than before
was read from the beginning again, and says nothing new.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ennio.model.money import NOTHING
from ennio.model.session import Usage
from ennio.model.usage import RequestUsage, Tokens


@dataclass(frozen=True, slots=True)
class RunningTotal:
    """How far an agent's own count has been posted, and of which launch."""

    launch: int | None = None
    input: int = 0
    output: int = 0
    cost: Decimal | None = None

    def holds(self, usage: Usage) -> bool:
        """Whether at least so many tokens were told before."""
        return self.input <= usage.input_tokens and self.output <= usage.output_tokens


def grown(
    before: RunningTotal, usage: Usage, launch: int | None, now: datetime
) -> tuple[RunningTotal, RequestUsage | None]:
    """The total as it stands now, and what was used since; None where nothing was."""
    onward = before.holds(usage)
    if not onward and launch == before.launch:
        return before, None
    base = before if onward else RunningTotal(launch)
    told, known = usage.cost_usd, base.cost or NOTHING
    after = RunningTotal(
        launch,
        usage.input_tokens,
        usage.output_tokens,
        base.cost if told is None else max(told, known),
    )
    tokens = Tokens(after.input - base.input, after.output - base.output)
    cost = None if told is None else max(told - known, NOTHING)
    if not any(tokens.counts) and not cost:
        return after, None
    name = f"total:{launch or 0}:{after.input}:{after.output}:{after.cost or 0}"
    return after, RequestUsage(name, now, tokens, usage.model, cost_usd=cost)
