"""All that a frame of the board is made of. It is a value: whoever changes it makes another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from ennio.board.glyphs import UNICODE, Glyphs
from ennio.board.order import Order, Spot
from ennio.board.row import Row
from ennio.board.style import PLAIN, Style
from ennio.board.verb_table import NO_VERBS, VerbTable
from ennio.board.zones import BoardItem, Body, Key, Wishes, body

TABS = ("why", "timeline", "messages", "output", "files", "pr")
PAGES = ("events", "help", "palette", "why", "spend", "spawn")
"""What may take the whole screen."""


@dataclass(frozen=True, slots=True)
class Link:
    """How the connection to the supervisor is. ``lost`` is since when it is gone, ``again`` when
    it is tried next.
    """

    live: bool = False
    lost: datetime | None = None
    again: datetime | None = None
    why: str = ""
    seq: int = 0


@dataclass(frozen=True, slots=True)
class BoardNotice:
    """A line that tells what came of something, until a time or the next key. ``of_order``: of what
    a person ordered, which no news of the connection may hide.
    """

    text: str
    bad: bool = False
    until: datetime | None = None
    of_order: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """The line somebody types: what it is for, its text, and where its cursor stands; the session
    that it is about, as it was when the line was begun.
    """

    purpose: str
    label: str
    text: str = ""
    column: int = 0
    about: Row | None = None


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What is asked once before it is done; ``key`` pressed again says yes."""

    key: str
    verb: str
    about: str
    question: str


@dataclass(frozen=True, slots=True)
class Peek:
    """What was asked about one session, by tab; and why it could not be told."""

    id: str = ""
    told: Mapping[str, Any] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Header:
    """What stands above all rows: the money, and the one thing that is not as it should be."""

    spend: str = ""
    short: str = ""
    banner: str = ""
    grave: bool = False
    budgets: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class BoardView:
    """What is shown at a moment. ``file`` is the one whose changes the pane shows."""

    at: datetime
    rows: Mapping[str, Row] = field(default_factory=dict)
    order: Order = field(default_factory=Order)
    wishes: Wishes = field(default_factory=Wishes)
    body: Body = field(default_factory=Body)
    cursor: Key | None = None
    top: int = 0
    loaded: bool = False
    link: Link = field(default_factory=Link)
    header: Header = field(default_factory=Header)
    tab: str = ""
    pane_top: int = 0
    file: str = ""
    peek: Peek = field(default_factory=Peek)
    page: str = ""
    page_top: int = 0
    page_lines: tuple[str, ...] = ()
    entry: Entry | None = None
    confirmation: Confirmation | None = None
    notice: BoardNotice | None = None
    events: tuple[Mapping[str, Any], ...] = ()
    verbs: VerbTable = NO_VERBS
    style: Style = PLAIN
    glyphs: Glyphs = UNICODE

    def with_rows(self, rows: Mapping[str, Row], *, anew: bool = False) -> BoardView:
        """After an answer of the API; ``anew`` sorts all of it."""
        first = anew or not self.loaded
        order = Order.sorted(rows, self.wishes.by) if first else self.order.with_rows(rows, self.at)
        return replace(self, rows=rows, order=order, loaded=True).arranged()

    def arranged(self) -> BoardView:
        """With the body anew, after what it is made of has changed. The cursor stays with what it
        stood on; where that is gone, on what has taken its place.
        """
        made = body(self.order, self.rows, self.wishes)
        return replace(self, body=made, cursor=_kept(self.cursor, self.body, made))

    def wishing(self, **changes: Any) -> BoardView:
        """With other wishes."""
        return replace(self, wishes=replace(self.wishes, **changes)).arranged()

    def with_time(self, now: datetime) -> BoardView:
        """Later: ghosts and notices whose time is up are gone."""
        notice = self.notice
        if notice is not None and notice.until is not None and notice.until <= now:
            notice = None
        view = replace(self, at=now, notice=notice)
        order = self.order.without_ghosts(now, self.spot)
        return view if order is self.order else replace(view, order=order).arranged()

    @property
    def item(self) -> BoardItem | None:
        """What the cursor stands on."""
        at = self.body.at(self.cursor)
        return None if at is None else self.body.items[at]

    @property
    def row(self) -> Row | None:
        """The session the cursor stands on, or has left its zone under it."""
        item = self.item
        return self.rows.get(item.name) if item is not None and item.is_row else None

    @property
    def files(self) -> Sequence[Mapping[str, Any]]:
        """The files that the session under the cursor changes, as far as they were asked for."""
        row, told = self.row, self.peek.told.get("files")
        same = row is not None and self.peek.id == row.id
        return (told or {}).get("files") or () if same else ()

    @property
    def spot(self) -> Spot | None:
        """The ghost that the cursor holds."""
        item = self.item
        return (item.zone, item.name) if item is not None and item.kind == "ghost" else None

    @property
    def stale(self) -> bool:
        """Whether what is shown may be old: nothing can be done then."""
        return not self.link.live

    def saying(
        self, text: str, *, bad: bool = False, seconds: float | None = 8.0, of_order: bool = False
    ) -> BoardView:
        """With a notice."""
        until = None if seconds is None else self.at + timedelta(seconds=seconds)
        return replace(self, notice=BoardNotice(text, bad, until, of_order))

    def next_change(self) -> datetime:
        """When time alone makes another frame: at the next minute, or sooner."""
        minute = self.at.replace(second=0, microsecond=0) + timedelta(minutes=1)
        moments = [minute]
        if self.link.lost is not None:
            moments.append(self.at.replace(microsecond=0) + timedelta(seconds=1))
        if self.notice is not None and self.notice.until is not None:
            moments.append(self.notice.until)
        held = {self.spot}
        moments += [until for spot, until in self.order.ghosts.items() if spot not in held]
        return min(moments)


def _kept(cursor: Key | None, before: Body, after: Body) -> Key | None:
    at = after.at(cursor)
    if at is not None and after.items[at].selectable:
        return cursor
    if cursor is not None and cursor[0] in ("row", "ghost"):
        for kind in ("ghost", "row"):
            if (kind, *cursor[1:]) in after.places:
                return kind, *cursor[1:]
    chosen = [at for at, item in enumerate(after.items) if item.selectable]
    if not chosen:
        return None
    was = before.at(cursor)
    if was is None:
        rows = [at for at in chosen if after.items[at].is_row]
        return after.items[(rows or chosen)[0]].key
    near = min(chosen, key=lambda at: (abs(at - was), at < was))
    return after.items[near].key
