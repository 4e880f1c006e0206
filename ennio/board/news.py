"""What the feed tells the board; each is taken into the view, one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ennio.board.orders import Act
from ennio.board.row import Row
from ennio.board.verb_table import VerbTable
from ennio.board.view import BoardView, Header, Link
from ennio.model.plural import number_of

_KEPT = 500
_NAMED = 160


@dataclass(frozen=True, slots=True)
class Rows:
    """Sessions as they are now: all of them, or those that were ``asked`` for."""

    documents: Sequence[Mapping[str, Any]]
    asked: frozenset[str] | None = None

    def taken(self, view: BoardView) -> BoardView:
        """With these rows; those that were asked for and are not told are gone."""
        told: dict[str, Row] = {}
        for document in self.documents:
            known = view.rows.get(str(document["id"]))
            same = known is not None and known.document == document
            row = known if same and known is not None else Row.of(document)
            told[row.id] = row
        if self.asked is None:
            return view if view.loaded and _same(told, view.rows) else view.with_rows(told)
        kept = {one: row for one, row in view.rows.items() if one not in self.asked or one in told}
        rows = {**kept, **told}
        return view if _same(rows, view.rows) else view.with_rows(rows)


def _same(one: Mapping[str, Row], other: Mapping[str, Row]) -> bool:
    return len(one) == len(other) and all(other.get(name) is row for name, row in one.items())


@dataclass(frozen=True, slots=True)
class Happened:
    """Events, oldest first."""

    events: tuple[Mapping[str, Any], ...]

    def taken(self, view: BoardView) -> BoardView:
        """With them at the end of those that are kept."""
        seq = int(self.events[-1].get("seq") or 0)
        events = (*view.events, *self.events)[-_KEPT:]
        return replace(view, events=events, link=replace(view.link, seq=seq))


@dataclass(frozen=True, slots=True)
class Linked:
    """The connection stands, and the rows are those of now; ``missed`` events are caught up."""

    seq: int
    missed: int | None = None

    def taken(self, view: BoardView) -> BoardView:
        """Live again."""
        again = view.link.lost is not None
        view = replace(view, link=Link(live=True, seq=self.seq))
        if not again or (view.notice is not None and view.notice.of_order):
            return view
        if self.missed is None:
            return view.saying("connected again; the log is another one, all rows were read anew")
        return view.saying(f"caught up: {number_of(self.missed, 'event')}")


@dataclass(frozen=True, slots=True)
class Unlinked:
    """The connection is gone, and is tried again at a time."""

    why: str
    at: datetime
    again: datetime

    def taken(self, view: BoardView) -> BoardView:
        """The rows stay, and are shown as old."""
        since = view.link.lost or self.at
        return replace(view, link=Link(False, since, self.again, self.why, view.link.seq))


@dataclass(frozen=True, slots=True)
class Looked:
    """One thing of what a pane shows, or why it could not be told."""

    id: str
    what: str
    told: Any = None
    fault: str = ""

    def taken(self, view: BoardView) -> BoardView:
        """Into the pane, if it is still about this session."""
        peek = view.peek
        if peek.id != self.id:
            return view
        faults = {name: why for name, why in peek.faults.items() if name != self.what}
        if self.fault:
            return replace(view, peek=replace(peek, faults={**faults, self.what: self.fault}))
        told = {**peek.told, self.what: self.told}
        return replace(view, peek=replace(peek, told=told, faults=faults))


@dataclass(frozen=True, slots=True)
class Acted:
    """What came of an operation."""

    act: Act
    fault: str = ""

    def taken(self, view: BoardView) -> BoardView:
        """Said; what was refused changes nothing else."""
        if self.fault:
            text = f"not done: {self.fault}"[:_NAMED]
            return view.saying(text, bad=True, seconds=20, of_order=True)
        return view.saying(f"done: {self.act.told}"[:_NAMED], of_order=True)


@dataclass(frozen=True, slots=True)
class Headed:
    """What stands above the rows."""

    header: Header

    def taken(self, view: BoardView) -> BoardView:
        """In place of what stood there."""
        return replace(view, header=self.header)


@dataclass(frozen=True, slots=True)
class Verbs:
    """What can be done."""

    table: VerbTable

    def taken(self, view: BoardView) -> BoardView:
        """In place of what was known."""
        return replace(view, verbs=self.table)


News = Rows | Happened | Linked | Unlinked | Looked | Acted | Headed | Verbs
