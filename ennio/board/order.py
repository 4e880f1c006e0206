"""Where each session stands on the board. Nothing moves under the hand: a row keeps its place
until it leaves its zone, newcomers join at the end, and only who asks has all of it sorted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ennio.board.row import TURNS, Row

STAYS = timedelta(seconds=3)
"""How long a row that left its zone is still seen there."""
_EVER = datetime.max.replace(tzinfo=UTC)
Spot = tuple[str, str]
"""A zone and a session's id."""


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """The ids of each zone as they stand, and until when a ghost is shown at a spot."""

    zones: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ghosts: Mapping[Spot, datetime] = field(default_factory=dict)

    @classmethod
    def sorted(cls, rows: Mapping[str, Row], by: str = "") -> Order:
        """All of it anew: yours by waiting time, what is over latest first, the rest by project; or
        each zone ``by`` one of ORDERS.
        """
        zones = {turn: [row for row in rows.values() if row.turn == turn] for turn in TURNS}
        keys: Mapping[str, Callable[[Row], Any]] = {"you": _waiting, "over": _latest}
        if by:
            keys = dict.fromkeys(TURNS, ORDERS[by])
        return cls(
            {
                turn: tuple(row.id for row in sorted(found, key=keys.get(turn, _spawned)))
                for turn, found in zones.items()
            }
        )

    def with_rows(self, rows: Mapping[str, Row], now: datetime) -> Order:
        """After rows have changed: who left a zone stays as a ghost, who is new joins at the end.

        What is over joins at the head of its zone, where only the latest are shown.
        """
        zones: dict[str, tuple[str, ...]] = {}
        ghosts: dict[Spot, datetime] = {}
        for turn in TURNS:
            here = self.zones.get(turn, ())
            kept = [one for one in here if one in rows]
            for one in kept:
                if rows[one].turn != turn:
                    ghosts[turn, one] = self.ghosts.get((turn, one), now + STAYS)
            known = set(here)
            new = [row for row in rows.values() if row.turn == turn and row.id not in known]
            joined = [row.id for row in sorted(new, key=_spawned)]
            zones[turn] = (*joined, *kept) if turn == "over" else (*kept, *joined)
        return Order(zones, ghosts)

    def without_ghosts(self, now: datetime, under: Spot | None = None) -> Order:
        """Those whose time is up are gone; the one ``under`` the cursor stays."""
        gone = {spot for spot, until in self.ghosts.items() if until <= now and spot != under}
        if not gone:
            return self
        return Order(
            {
                turn: tuple(one for one in ids if (turn, one) not in gone)
                for turn, ids in self.zones.items()
            },
            {spot: until for spot, until in self.ghosts.items() if spot not in gone},
        )

    @property
    def next_change(self) -> datetime | None:
        """When the next ghost goes."""
        return min(self.ghosts.values(), default=None)


def _waiting(row: Row) -> tuple[datetime, str]:
    return row.since or _EVER, row.id


def _dearest(row: Row) -> tuple[float, str]:
    return -row.dollars, row.id


def _title(row: Row) -> tuple[str, str]:
    return row.title.casefold(), row.id


def _latest(row: Row) -> tuple[float, str]:
    return -(row.since.timestamp() if row.since else 0.0), row.id


def _spawned(row: Row) -> tuple[str, str, str]:
    return row.project, row.created, row.id


ORDERS: Mapping[str, Callable[[Row], Any]] = {
    "longest": _waiting,
    "latest": _latest,
    "dearest": _dearest,
    "title": _title,
}
"""What a reader may have the rows of each zone sorted by."""
