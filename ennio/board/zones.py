"""The board's body as a list of things, one below the other: heads of zones, groups, rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ennio.board.filters import Filter
from ennio.board.order import Order
from ennio.board.row import TURNS, Row, shortened

MANY = 100
"""With more sessions than this, what is over is folded and the rest stands by project."""
FEW = 5
"""With no more than this, what is yours shows its evidence below it."""
LATEST = 3
"""So many of those that are over are shown until all are asked for."""

TITLES: Mapping[str, str] = {
    "you": "YOUR TURN",
    "agent": "AGENT'S TURN",
    "world": "WORLD'S TURN",
    "over": "OVER",
}
Key = tuple[str, str, str]
"""What a thing is (``head``, ``group``, ``row``, ``ghost``, ``evidence``, ``more``), its zone, and
which one.
"""


@dataclass(frozen=True, slots=True)
class BoardItem:
    """One thing of the body."""

    kind: str
    zone: str
    name: str = ""
    count: int = 0
    folded: bool = False

    @property
    def key(self) -> Key:
        """What it is known by when the list has changed."""
        return self.kind, self.zone, self.name

    @property
    def selectable(self) -> bool:
        """Whether the cursor stops there."""
        return self.is_row or self.kind == "more" or self.folded

    @property
    def is_row(self) -> bool:
        """Whether a session stands there."""
        return self.kind in ("row", "ghost")


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """All things in order; ``counts`` are those of all sessions by turn, ``planned`` those whose
    agents tell of a plan.
    """

    items: tuple[BoardItem, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    projects: tuple[tuple[str, int], ...] = ()
    total: int = 0
    fitting: int = 0
    places: Mapping[Key, int] = field(default_factory=dict)
    short: Mapping[str, str] = field(default_factory=dict)
    longest: int = 7
    latest_pr: int = 0
    hosts: bool = False
    queued: int = 0
    held: int = 0
    planned: tuple[Mapping[str, Any], ...] = ()

    def at(self, key: Key | None) -> int | None:
        """Where a thing stands; None for one that is not there."""
        return None if key is None else self.places.get(key)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the reader wants of it: a filter, what is folded otherwise than at first, all of
    what is over, and what rows are sorted ``by`` (empty: as they wait).
    """

    filter: Filter = field(default_factory=Filter)
    toggled: frozenset[Key] = frozenset()
    over: bool = False
    by_project: bool = False
    by: str = ""


def body(order: Order, rows: Mapping[str, Row], wishes: Wishes) -> Body:
    """The list of what is to be seen."""
    counts = Counter(row.turn for row in rows.values())
    living = Counter(row.project for row in rows.values() if row.turn != "over")
    short = shortened(rows)
    items: list[BoardItem] = []
    fitting = 0
    for turn in TURNS:
        ids = [one for one in order.zones.get(turn, ()) if one in rows]
        if wishes.filter:
            ids = [one for one in ids if wishes.filter.fits(rows[one])]
        real = sum((turn, one) not in order.ghosts for one in ids)
        fitting += real
        if ids:
            items += _Zone(turn, ids, real, order, rows, wishes).items()
    return Body(
        tuple(items),
        counts,
        tuple(living.most_common()),
        len(rows),
        fitting,
        {item.key: at for at, item in enumerate(items)},
        short,
        max((len(one) for one in short.values()), default=7),
        max((row.pr or 0 for row in rows.values()), default=0),
        any(row.host for row in rows.values()),
        sum(bool(row.place) for row in rows.values()),
        sum(row.place == "held" for row in rows.values()),
        tuple(row.document for row in rows.values() if row.document.get("windows")),
    )


@dataclass(frozen=True, slots=True)
class _Zone:
    turn: str
    ids: list[str]
    real: int
    order: Order
    rows: Mapping[str, Row]
    wishes: Wishes

    @property
    def many(self) -> bool:
        return len(self.rows) > MANY and not self.wishes.filter

    def items(self) -> Iterator[BoardItem]:
        head = BoardItem("head", self.turn, "", self.real)
        folded = (self.turn == "over" and self.many) != (head.key in self.wishes.toggled)
        yield BoardItem("head", self.turn, "", self.real, folded)
        if folded:
            return
        if self.turn in ("agent", "world") and (self.many or self.wishes.by_project):
            yield from self._grouped()
        elif self.turn == "over" and not (self.wishes.over or self.wishes.filter):
            yield from self._latest()
        else:
            for one in self.ids:
                yield from self._row(one)

    def _latest(self) -> Iterator[BoardItem]:
        room = len(self.ids) if len(self.rows) <= FEW else LATEST
        for one in self.ids[:room]:
            yield from self._row(one)
        if len(self.ids) > room:
            yield BoardItem("more", self.turn, "", len(self.ids) - room)

    def _grouped(self) -> Iterator[BoardItem]:
        by_project: dict[str, list[str]] = {}
        for one in self.ids:
            by_project.setdefault(self.rows[one].project, []).append(one)
        for project, ids in sorted(by_project.items()):
            group = BoardItem("group", self.turn, project, len(ids))
            folded = self.many != (group.key in self.wishes.toggled)
            yield BoardItem("group", self.turn, project, len(ids), folded)
            if not folded:
                for one in ids:
                    yield from self._row(one)

    def _row(self, one: str) -> Iterator[BoardItem]:
        ghost = (self.turn, one) in self.order.ghosts
        yield BoardItem("ghost" if ghost else "row", self.turn, one)
        if self.turn == "you" and not ghost and len(self.rows) <= FEW:
            yield BoardItem("evidence", self.turn, one)
