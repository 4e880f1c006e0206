"""One frame of the board: a pure function of what is known and how large the terminal is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from ennio.board.call_to_act import call, keys_line
from ennio.board.columns import (
    WIDE,
    Layout,
    RowLook,
    heads,
    layout,
    reason,
    row_lines,
    row_look,
)
from ennio.board.glyphs import ASCII, plainly
from ennio.board.pages import page_lines, told_event
from ennio.board.panes import pane
from ennio.board.style import bare
from ennio.board.table import cells, cut
from ennio.board.title import banner_line, title_lines
from ennio.board.view import BoardView
from ennio.board.zones import TITLES, BoardItem

_EVENTS_FROM = 40
"""With so many lines there is a strip of events."""
_STRIP = 5
_LEAST_BODY = 4
_KINDS = {"row": ("row", "cursor"), "ghost": ("ghost", "held")}


@dataclass(frozen=True, slots=True)
class Regions:
    """How the lines of the terminal are shared. ``side`` is the width of the pane beside the
    table, ``below`` the lines of one below it.
    """

    head: int
    body: int
    foot: int
    table: int
    side: int = 0
    below: int = 0
    strip: int = 0
    headed: bool = False


def regions(view: BoardView, width: int, height: int) -> Regions:
    """Which part of the terminal is for what."""
    head = 1 + bool(banner_line(view, width))
    foot = 3 if height >= 10 else 2 if height >= 6 else 1
    strip = _STRIP + 1 if height >= _EVENTS_FROM and not view.page else 0
    body = max(0, height - head - foot - strip)
    if not view.tab or view.page:
        return _headed(Regions(head, body, foot, width, strip=strip), view)
    if width >= WIDE:
        side = max(40, width * 2 // 5 - 2)
        return _headed(Regions(head, body, foot, width - side - 1, side, strip=strip), view)
    below = body * 3 // 5 if body >= 2 * _LEAST_BODY else 0
    return _headed(Regions(head, body - below, foot, width, below=below, strip=strip), view)


def _headed(found: Regions, view: BoardView) -> Regions:
    named = shape_of(view, found).headed and found.body > _LEAST_BODY and bool(view.body.items)
    if not named or view.page:
        return found
    return Regions(
        found.head,
        found.body - 1,
        found.foot,
        found.table,
        found.side,
        found.below,
        found.strip,
        headed=True,
    )


def shape_of(view: BoardView, found: Regions) -> Layout:
    """The columns of the table."""
    body = view.body
    return layout(
        found.table,
        pane=bool(found.side),
        longest_id=body.longest,
        pr_width=len(f"#{body.latest_pr}"),
        hosts=body.hosts,
    )


def frame(view: BoardView, width: int, height: int) -> list[str]:
    """Exactly ``height`` lines, none wider than ``width``."""
    if height <= 0 or width <= 0:
        return [""] * max(height, 0)
    found = regions(view, width, height)
    lines = title_lines(view, width)[: found.head]
    lines += _middle(view, found, width)
    lines += _foot(view, width, found.foot)
    if view.glyphs is ASCII:
        lines = list(map(plainly, lines))
    return [_within(line, width) for line in (lines + [""] * height)[:height]]


@lru_cache(maxsize=1024)
def _within(line: str, width: int) -> str:
    """A line never leaves the terminal, whatever it holds."""
    if len(line) <= width:
        return line
    text = bare(line)
    return line if cells(text) <= width else cut(text, width)


def _middle(view: BoardView, found: Regions, width: int) -> list[str]:
    if view.page:
        room = found.body + found.below + found.strip
        return _filled(page_lines(view, width, room), room)
    table = _filled(_table(view, found), found.body + found.headed)
    if found.side:
        beside = _filled(pane(view, found.side, len(table)), len(table))
        bar = view.style.paint("muted", view.glyphs.bar)
        table = [
            f"{_padded(line, found.table)}{bar}{other}"
            for line, other in zip(table, beside, strict=True)
        ]
    if found.below:
        rule = view.style.paint("muted", view.glyphs.rule * width)
        table += [rule, *_filled(pane(view, width, found.below - 1), found.below - 1)]
    return table + (_strip(view, width, found.strip) if found.strip else [])


def _filled(lines: Sequence[str], room: int) -> list[str]:
    return [*lines[:room], *[""] * (room - len(lines))]


@lru_cache(maxsize=1024)
def _padded(line: str, width: int) -> str:
    return line + " " * (width - cells(bare(line)))


def _table(view: BoardView, found: Regions) -> list[str]:
    shape = shape_of(view, found)
    if not view.body.items:
        return _empty(view, found)
    look = row_look(view.glyphs, view.style, view.stale or not view.loaded)
    names = [view.style.paint("muted", heads(shape))] if found.headed else []
    lines: list[str] = []
    minute = view.at.replace(second=0, microsecond=0)
    at = top_of(view, found)
    while len(lines) < found.body and at < len(view.body.items):
        lines += _item_lines(view, view.body.items[at], minute, shape, look)
        at += 1
    return [*names, *lines[: found.body]]


def top_of(view: BoardView, found: Regions) -> int:
    """The first thing that is shown: the view's own, moved so far that the cursor is seen."""
    items = view.body.items
    high = 2 if shape_of(view, found).narrow else 1
    at = view.body.at(view.cursor)
    room = max(1, found.body)
    tall = len(items) * high
    top = max(0, min(view.top, -(-(tall - room) // high)))  # nothing is left empty below
    if at is None:
        return top
    if at <= top:
        # its zone's head is seen with its first row
        first = at - 1 if at and items[at - 1].kind in ("head", "group") else at
        return max(0, first)
    return max(top, _first_that_shows(items, at, high, room)) if room > 1 else at


def item_at(view: BoardView, found: Regions, line: int) -> BoardItem | None:
    """What stands in a line of the terminal; None for a line that is none of the table."""
    narrow = shape_of(view, found).narrow
    left = line - found.head - found.headed
    if not 0 <= left < found.body:
        return None
    last: BoardItem | None = None
    for item in view.body.items[top_of(view, found) :]:
        tall = (0 if narrow else 1) if item.kind == "evidence" else 1 + (narrow and item.is_row)
        last = last if item.kind == "evidence" else item  # what is told below a row is of it
        left -= tall
        if left < 0:
            return last
    return None


def _first_that_shows(items: Sequence[BoardItem], at: int, high: int, room: int) -> int:
    taken = 0
    for first in range(at, -1, -1):
        taken += high if items[first].is_row else 1
        if taken > room:
            return min(first + 1, at)
    return 0


def _item_lines(
    view: BoardView, item: BoardItem, minute: datetime, shape: Layout, look: RowLook
) -> tuple[str, ...]:
    cursor = item.key == view.cursor
    if item.is_row:
        kind = _KINDS[item.kind][cursor]
        short = view.body.short[item.name]
        return row_lines(view.rows[item.name], minute, shape, look, short, kind)
    if item.kind == "head":
        title = TITLES[item.zone]
        head = _head_line(title, item.count, item.folded, shape.width, look, cursor, item.zone)
        return (head,)
    if item.kind in ("group", "more"):
        draw = _group_line if item.kind == "group" else _more_line
        return (draw(item, shape.width, look, cursor),)
    # evidence; where a row takes two lines, the second one says it
    told = cut(f"{'':11}{reason(view.rows[item.name])}", shape.width)
    return () if shape.narrow else (look.style.paint("muted", told),)


@lru_cache(maxsize=256)
def _head_line(
    title: str, count: int, folded: bool, width: int, look: RowLook, cursor: bool, zone: str
) -> str:
    glyphs, paint = look.glyphs, look.style.paint
    bar = glyphs.cursor if cursor else " "
    hint = f" {glyphs.folded} folded" if folded else ""
    number = str(count)
    rule = glyphs.rule * max(0, width - len(title) - len(number) - len(hint) - 4)
    line = cut(f"{bar}{title}{hint} {rule} {number}", width)
    tone = "muted" if look.faint or zone == "over" or not count else zone
    return paint("you" if cursor else tone, line)


def _group_line(item: BoardItem, width: int, look: RowLook, cursor: bool) -> str:
    mark = look.glyphs.folded if item.folded else " "
    bar = look.style.paint("you", look.glyphs.cursor) if cursor else " "
    text = cut(f"{mark} {item.name}  {item.count}", max(0, width - 1))
    return bar + look.style.paint("muted" if look.faint else None, text)


def _more_line(item: BoardItem, width: int, look: RowLook, cursor: bool) -> str:
    bar = look.style.paint("you", look.glyphs.cursor) if cursor else " "
    return bar + look.style.paint("muted", cut(f"  {item.count} more: press .", max(0, width - 1)))


def _empty(view: BoardView, found: Regions) -> list[str]:
    if not view.loaded:
        said = ["asking the supervisor ..." if not view.link.lost else "nothing was seen yet"]
    elif view.rows:
        said = [f"no session fits {view.wishes.filter.text!r}", "Esc takes the filter away"]
    else:
        said = [
            "No sessions yet.",
            'ennio spawn PROJECT -p "..."   or press S here',
            "",
            "see how it works, without any key: ennio demo",
        ]
    indent = max(0, (found.table - max(map(len, said))) // 2)
    above = max(0, (found.body - len(said)) // 2)
    lines = [cut(" " * indent + line, found.table) for line in said]
    return [*[""] * above, *lines]


def _strip(view: BoardView, width: int, room: int) -> list[str]:
    title = f" EVENTS {view.glyphs.rule * max(0, width - 8)}"
    lines = [view.style.paint("muted", cut(title, width))]
    latest = view.events[-(room - 1) :][::-1]
    lines += [told_event(view, event, width) for event in latest]
    return _filled(lines, room)


def _foot(view: BoardView, width: int, room: int) -> list[str]:
    rule = view.style.paint("muted", view.glyphs.rule * width)
    called = call(view, width)
    # what takes two lines has that of the rule
    lines = [*([rule] if len(called) == 1 else []), *called, keys_line(view, width)]
    return lines[-room:]
