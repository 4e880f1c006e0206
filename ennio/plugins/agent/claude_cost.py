"""What claude-code's work has cost: its own count, and what was used since it last told that.

It tells its count through the status line, and not while a dialog stands on the screen, however
much its helpers do meanwhile. What they used is then in the transcripts, and is reckoned at what
the rest has cost: input as one, output as five, what is written to the cache or read from it in the
proportions of Anthropic's prices. The next count of its own replaces it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from ennio.machine import single
from ennio.machine.interface import Machine
from ennio.machine.untrusted import json_value
from ennio.plugins.agent.agent_state import MONEY, count

FILE = "cost.json"
_OUTPUT, _READ, _WRITTEN, _WRITTEN_FOR_LONG = (
    Decimal(5),
    Decimal("0.1"),
    Decimal("1.25"),
    Decimal(2),
)
_SLACK = 1.0  # seconds between the end of an answer and its line, or its count
_OPEN = 64
_LARGEST = 64 * 1024  # bytes of what the status line left


@dataclass(slots=True)
class ClaudeCost:
    """Kept as JSON in the cursor. ``meters`` is where the count of each conversation stood,
    ``cost`` what they come to.

    ``weight`` is the usage that is counted, ``open`` the answers that are not, by message
    id: when, and their weight.
    """

    meters: dict[str, str] = field(default_factory=dict)
    cost: str | None = None
    weight: str = "0"
    open: dict[str, list[Any]] = field(default_factory=dict)
    told_at: float = 0.0

    @classmethod
    def of(cls, text: str | None) -> ClaudeCost:
        """What is kept in a cursor; nothing when that cannot be read."""
        try:
            return cls(**json.loads(text or "{}"))
        except (ValueError, TypeError):
            return cls()

    def as_text(self) -> str:
        """It for a cursor."""
        return json.dumps(asdict(self), separators=(",", ":"))

    def used(self, answer: str, usage: Mapping[str, Any], at: float) -> None:
        """An answer; told again it replaces what was told of it before. One that is counted
        already changes nothing.
        """
        if at <= self.told_at + _SLACK:
            self.weight = str(
                Decimal(self.weight) + weight(usage) - Decimal(self.open.pop(answer, [0, "0"])[1])
            )
            return
        self.open.pop(answer, None)
        self.open[answer] = [at, str(weight(usage))]
        if len(self.open) > _OPEN:
            oldest, following = list(self.open)[:2]
            self.open[following] = [
                self.open[following][0],
                str(Decimal(self.open.pop(oldest)[1]) + Decimal(self.open[following][1])),
            ]

    def counted(self, told: Mapping[str, Any]) -> str | None:
        """Its own counts as ``hook.py`` keeps them. A new process counts from nothing, or on from
        where a resumed one stopped. Gives the total.
        """
        for name, meter in told.items():
            total, at = (
                (meter.get("total"), meter.get("t")) if isinstance(meter, Mapping) else (None, None)
            )
            if (
                isinstance(total, bool)
                or not isinstance(total, int | float)
                or not 0 <= total < MONEY
            ):
                continue
            now, before = round(Decimal(repr(total)), 6), Decimal(self.meters.get(name, "0"))
            self.cost = str(Decimal(self.cost or "0") + (now - before if now >= before else now))
            self.meters[name] = str(now)
            self.told_at = max(self.told_at, float(at) if isinstance(at, int | float) else 0.0)
        for answer, (at, heavy) in list(self.open.items()):
            if at <= self.told_at + _SLACK:
                self.weight = str(Decimal(self.weight) + Decimal(heavy))
                del self.open[answer]
        return self.total

    @property
    def total(self) -> str | None:
        """Dollars so far; None when nobody knows: nothing was ever counted, or only nothing."""
        cost, counted = Decimal(self.cost or "0"), Decimal(self.weight)
        if self.cost is None or (not cost and self.open):
            return None
        since = sum((Decimal(heavy) for _, heavy in self.open.values()), Decimal(0))
        return str(round(cost + cost / counted * since, 6)) if since and counted else str(cost)


def weight(usage: Mapping[str, Any]) -> Decimal:
    """The tokens of an answer, each as much as its price is of that of one given anew."""
    written, told = count(usage.get("cache_creation_input_tokens")), usage.get("cache_creation")
    long = count(told.get("ephemeral_1h_input_tokens")) if isinstance(told, Mapping) else 0
    return (
        count(usage.get("input_tokens"))
        + _READ * count(usage.get("cache_read_input_tokens"))
        + _WRITTEN * max(written - long, 0)
        + _WRITTEN_FOR_LONG * min(long, written)
        + _OUTPUT * count(usage.get("output_tokens"))
    )


def read(machine: Machine, directory: Path) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The counts in a session's folder by conversation, and the windows of its plan; nothing where
    there is no file yet, or it cannot be read.
    """
    try:
        told = json_value(single.content(machine, directory / FILE, _LARGEST))
    except (OSError, ValueError):
        return {}, {}
    return _mapping(told, "conversations"), _mapping(told, "rate_limits")


def _mapping(told: object, key: str) -> Mapping[str, Any]:
    found = told.get(key) if isinstance(told, dict) else None
    return found if isinstance(found, dict) else {}
