"""Keys that move the cursor, fold and choose; they ask nobody for anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ennio.board.frame import regions, top_of
from ennio.board.order import ORDERS, Order
from ennio.board.view import TABS, BoardView
from ennio.board.zones import BoardItem, Key

Size = tuple[int, int]
_STEPS: Mapping[str, int] = {"KEY_DOWN": 1, "j": 1, "KEY_UP": -1, "k": -1}
_PAGES: Mapping[str, int] = {
    "KEY_PGDOWN": 1,
    "KEY_CTRL_D": 1,
    "KEY_PGUP": -1,
    "KEY_CTRL_U": -1,
}
_ENDS: Mapping[str, int] = {"g": 0, "KEY_HOME": 0, "G": -1, "KEY_END": -1}


def moved(view: BoardView, key: str, size: Size) -> BoardView | None:
    """The view after a key that moves; None for another key."""
    if view.page:
        return _on_page(view, key, size)
    if key in _STEPS:
        return step(view, _STEPS[key], size)
    if key in _PAGES:
        return step(view, _PAGES[key] * max(1, regions(view, *size).body - 2), size)
    if key in _ENDS:
        chosen = _selectable(view)
        return on(view, chosen[_ENDS[key]].key, size) if chosen else view
    handler = _OTHERS.get(key)
    return handler(view, size) if handler else None


def _on_page(view: BoardView, key: str, size: Size) -> BoardView | None:
    by = _STEPS.get(key) or _PAGES.get(key, 0) * max(1, size[1] - 6)
    if key in _ENDS:
        return replace(view, page_top=0 if _ENDS[key] == 0 else 100_000)
    if not by:
        return None
    by = -by if view.page == "events" else by
    return replace(view, page_top=max(0, view.page_top + by))


def _selectable(view: BoardView) -> list[BoardItem]:
    """What the cursor stops at: sessions, and heads that hide some."""
    return [item for item in view.body.items if item.selectable]


def step(view: BoardView, by: int, size: Size) -> BoardView:
    """So many things down, or up."""
    chosen = [item.key for item in _selectable(view)]
    if not chosen:
        return view
    at = chosen.index(view.cursor) if view.cursor in chosen else 0
    return on(view, chosen[max(0, min(len(chosen) - 1, at + by))], size)


def on(view: BoardView, key: Key, size: Size) -> BoardView:
    """With the cursor on a thing; a ghost that it leaves is gone."""
    left = view.spot
    moved_to = replace(view, cursor=key)
    if key != view.cursor:
        moved_to = replace(moved_to, pane_top=0, file="")
    if left is not None and key != view.cursor:
        order = moved_to.order.without_ghosts(view.order.ghosts[left], moved_to.spot)
        moved_to = replace(moved_to, order=order).arranged()
    return settled(moved_to, size)


def settled(view: BoardView, size: Size) -> BoardView:
    """With the first thing that is shown chosen so that the cursor is seen."""
    return replace(view, top=top_of(view, regions(view, *size)))


def steady(before: BoardView, after: BoardView, size: Size) -> BoardView:
    """After the list has changed: what is under the cursor stays where it stood on the screen."""
    was, now = before.body.at(before.cursor), after.body.at(after.cursor)
    if was is None or now is None:
        return settled(after, size)
    return settled(replace(after, top=max(0, now - (was - before.top))), size)


def _next_of_yours(view: BoardView, by: int, size: Size) -> BoardView:
    keys = [item.key for item in view.body.items]
    yours = [at for at, key in enumerate(keys) if key[0] == "row" and key[1] == "you"]
    if not yours:
        return view.saying("nothing waits for you")
    here = keys.index(view.cursor) if view.cursor in keys else -1
    later = [at for at in yours if at > here] if by > 0 else [at for at in yours if at < here]
    ring = yours if by > 0 else yours[::-1]
    return on(view, keys[(later or ring)[0 if by > 0 or not later else -1]], size)


def _next_zone(view: BoardView, size: Size) -> BoardView:
    chosen = _selectable(view)
    item = view.item
    here = item.zone if item is not None else ""
    zones = list(dict.fromkeys(one.zone for one in chosen))
    if not zones:
        return view
    at = (zones.index(here) + 1) % len(zones) if here in zones else 0
    return on(view, next(one.key for one in chosen if one.zone == zones[at]), size)


def folded(view: BoardView, size: Size) -> BoardView:
    """The zone or group of the cursor folded, or unfolded."""
    item = view.item
    if item is None:
        return view
    if item.kind == "more":
        return _over(view, size)
    key = item.key if item.kind in ("head", "group") else _home(view, item)
    toggled = view.wishes.toggled ^ {key}
    after = replace(view.wishing(toggled=toggled), cursor=key)
    at = after.body.at(key) or 0
    if not after.body.items[at].folded:  # its first session, and not its head
        below = next((one.key for one in after.body.items[at:] if one.selectable), key)
        after = replace(after, cursor=below)
    return settled(after, size)


def _home(view: BoardView, item: BoardItem) -> Key:
    """The group or head that a row stands under."""
    at = view.body.at(item.key) or 0
    above = view.body.items[: at + 1]
    return next(one.key for one in reversed(above) if one.kind in ("group", "head"))


def _over(view: BoardView, size: Size) -> BoardView:
    after = view.wishing(over=not view.wishes.over)
    return steady(view, after, size)


def _by_project(view: BoardView, size: Size) -> BoardView:
    return steady(view, view.wishing(by_project=not view.wishes.by_project), size)


def resorted(view: BoardView, size: Size) -> BoardView:
    """All rows sorted anew; the cursor stays with its session."""
    after = replace(view, order=Order.sorted(view.rows, view.wishes.by)).arranged()
    row = view.row
    if row is not None and ("row", row.turn, row.id) in after.body.places:
        after = replace(after, cursor=("row", row.turn, row.id))
    return settled(after, size)


def _sorted_by_next(view: BoardView, size: Size) -> BoardView:
    """By what comes next, said; after the last as they wait again."""
    names = ["", *ORDERS]
    by = names[(names.index(view.wishes.by) + 1) % len(names)]
    after = resorted(replace(view, wishes=replace(view.wishes, by=by)), size)
    return after.saying(f"sorted: {by or 'yours by how long they wait, the rest by project'}")


def _tab(view: BoardView, by: int) -> BoardView:
    if not view.tab:
        return replace(view, tab=TABS[0], pane_top=0, file="")
    at = (TABS.index(view.tab) + by) % len(TABS)
    return replace(view, tab=TABS[at], pane_top=0, file="")


def _pane_by(view: BoardView, by: int) -> BoardView:
    if view.tab == "files" and not view.file:  # from one file to the next
        last = max(0, len(view.files) - 1)
        return replace(view, pane_top=max(0, min(last, view.pane_top + (1 if by > 0 else -1))))
    by = -by if view.tab == "output" else by  # the output is read from its end
    return replace(view, pane_top=max(0, view.pane_top + by))


_OTHERS: Mapping[str, Callable[[BoardView, Size], BoardView]] = {
    "n": lambda view, size: _next_of_yours(view, 1, size),
    "N": lambda view, size: _next_of_yours(view, -1, size),
    "KEY_TAB": _next_zone,
    "z": folded,
    ".": _over,
    "p": _by_project,
    "r": resorted,
    "o": _sorted_by_next,
    "]": lambda view, size: settled(_tab(view, 1), size),
    "[": lambda view, size: settled(_tab(view, -1), size),
    "KEY_CTRL_F": lambda view, _size: _pane_by(view, 10),
    "KEY_CTRL_B": lambda view, _size: _pane_by(view, -10),
}
