"""What each key does: another view, and what is to be done besides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

from ennio.board.filters import Filter
from ennio.board.frame import item_at, regions
from ennio.board.moving import Size, folded, moved, on, settled
from ennio.board.orders import (
    Act,
    Attach,
    Browse,
    Copy,
    LookInto,
    Order,
    Quit,
    Repaint,
    ShowDiff,
    Spawn,
    WritePrompt,
)
from ennio.board.pages import commands
from ennio.board.row import Row
from ennio.board.stroke import Stroke
from ennio.board.verb_table import LINES, BoardVerb
from ennio.board.view import BoardView, Confirmation, Entry, Peek
from ennio.model.plural import number_of

Outcome = tuple[BoardView, list[Order]]
_HOLD = BoardVerb(
    "hold", "hold in the queue", "POST", "/queue/{session_id}/hold", "ennio queue hold {session_id}"
)
_OPENS = ("open", "take-over")
_NOT_NOW = "nothing was done: the supervisor does not answer just now"


class TypingLine(Protocol):
    """A line that is typed (blessed's LineEditor, as the loop holds it)."""

    def begin(self, text: str) -> None:
        """With this text, the cursor behind it."""
        ...

    def feed(self, stroke: Stroke) -> str:
        """What became of it: ``more``, ``done`` or ``left``."""
        ...

    @property
    def text(self) -> str:
        """What stands there."""
        ...

    @property
    def column(self) -> int:
        """Where the cursor stands, in cells."""
        ...


class BoardKeyboard:
    """Turns keys into views and orders. It holds the line that is being typed, and nothing else."""

    def __init__(self, typing: TypingLine) -> None:
        self._typing = typing

    def press(self, view: BoardView, stroke: Stroke, size: Size) -> Outcome:
        """The view after a key, and what it ordered."""
        if stroke.name.startswith("MOUSE"):
            return self._mouse(view, stroke, size)
        if view.entry is not None:
            return self._typed(view, view.entry, stroke, size)
        if stroke.name == "BRACKETED_PASTE":
            return view.saying("nothing is typed here; press a or s first", bad=True), []
        view = replace(view, notice=None)
        if view.confirmation is not None:
            return self._confirmed(view, view.confirmation, stroke.name)
        return self._commanded(view, stroke.name, size)

    # --- a line -----------------------------------------------------------------------------------

    def _enter(
        self, view: BoardView, purpose: str, label: str, text: str = "", about: Row | None = None
    ) -> BoardView:
        self._typing.begin(text)
        return replace(
            view, entry=Entry(purpose, label, self._typing.text, self._typing.column, about)
        )

    def _typed(self, view: BoardView, entry: Entry, stroke: Stroke, size: Size) -> Outcome:
        if entry.purpose == "palette" and stroke.name in ("KEY_UP", "KEY_DOWN"):
            last = max(0, len(commands(view)) - 1)
            by = 1 if stroke.name == "KEY_DOWN" else -1
            return replace(view, page_top=max(0, min(last, view.page_top + by))), []
        became = "left" if stroke.name == "KEY_ESCAPE" else self._typing.feed(stroke)
        view = replace(
            view, entry=replace(entry, text=self._typing.text, column=self._typing.column)
        )
        if became == "left":
            return self._left(replace(view, entry=None), entry, size), []
        if became == "done":
            return self._done(view, entry, self._typing.text.strip(), size)
        if entry.purpose == "filter":
            view = self._filtered(view, self._typing.text, size)
        elif entry.purpose == "palette":
            view = replace(view, page_top=0)
        return view, []

    def _left(self, view: BoardView, entry: Entry, size: Size) -> BoardView:
        if entry.purpose == "filter":
            return self._filtered(view, "", size)
        return replace(view, page="", page_top=0) if entry.purpose == "palette" else view

    def _filtered(self, view: BoardView, text: str, size: Size) -> BoardView:
        wanted = Filter.of(text)
        view = settled(view.wishing(filter=wanted), size)
        return view.saying(wanted.fault, bad=True) if wanted.fault else view

    def _done(self, view: BoardView, entry: Entry, text: str, size: Size) -> Outcome:
        chosen = commands(view)[view.page_top : view.page_top + 1]  # while its words still stand
        view = replace(view, entry=None)
        if entry.purpose == "filter":
            return view, []
        if entry.purpose == "palette":
            return self._chosen(replace(view, page="", page_top=0), chosen, size)
        if not text:
            return view.saying("nothing was typed, nothing was done"), []
        if entry.purpose == "spawn":
            return view, [WritePrompt(text)]
        verb, row = view.verbs.get(entry.purpose), entry.about
        if verb is None or row is None or row.id not in view.rows:
            return view.saying("it is not there any more; nothing was done", bad=True), []
        return self._act(view, verb, row, text)

    def _chosen(
        self, view: BoardView, chosen: list[tuple[str, str, str, BoardVerb | None]], size: Size
    ) -> Outcome:
        if not chosen:
            return view.saying("no command fits", bad=True), []
        key, _label, _line, verb = chosen[0]
        if verb is not None and view.row is not None:
            return self._verb(view, verb, view.row, key)
        return self._commanded(view, key, size)

    # --- yes or no --------------------------------------------------------------------------------

    def _confirmed(self, view: BoardView, asked: Confirmation, key: str) -> Outcome:
        view = replace(view, confirmation=None)
        if key != asked.key:
            return view.saying("nothing was done"), []
        if asked.verb == "spawn":
            project, _, prompt = asked.about.partition("\n")
            return replace(view, page=""), [Spawn(project, prompt, dry=False)]
        verb, row = view.verbs.get(asked.verb), view.rows.get(asked.about)
        if verb is None or row is None:
            return view.saying("it is not there any more; nothing was done", bad=True), []
        return self._act(view, verb, row)

    def _act(self, view: BoardView, verb: BoardVerb, row: Row, given: object = None) -> Outcome:
        if view.stale:
            return view.saying(_NOT_NOW, bad=True), []
        told = verb.command(row, "" if given is None else str(given))
        body = verb.body if given is None else verb.with_words(given, row)
        act = Act(row.id, verb.method, verb.target(row), body, told, verb.once)
        return view.saying(f"{told} ...", seconds=None, of_order=True), [act]

    def _verb(self, view: BoardView, verb: BoardVerb, row: Row, key: str) -> Outcome:
        if verb.name in _OPENS:
            return view, [Attach(row.id)]
        if view.stale:
            return view.saying(_NOT_NOW, bad=True), []
        if verb.asks_words:
            called = LINES.get(verb.name, verb.label)
            label = f"{called} ({view.body.short.get(row.id, row.id)})"
            return self._enter(view, verb.name, label, about=row), []
        if verb.name == "move":
            return self._moved_in_queue(view, verb, row, key)
        if verb.confirm:
            key = (key or "Y").upper()
            asked = Confirmation(key, verb.name, row.id, verb.question(row))
            return replace(view, confirmation=asked), []
        return self._act(view, verb, row)

    def _moved_in_queue(self, view: BoardView, verb: BoardVerb, row: Row, key: str) -> Outcome:
        place = int((row.document.get("queued") or {}).get("position") or 1)
        position = max(1, place + (1 if key == "-" else -1))
        return self._act(view, verb, row, position)

    # --- commands ---------------------------------------------------------------------------------

    def _commanded(self, view: BoardView, key: str, size: Size) -> Outcome:
        if key in ("q", "Q", "KEY_CTRL_C"):
            return view, [Quit()]
        if key == "KEY_ESCAPE":
            return self._back(view, size), []
        if (after := moved(view, key, size)) is not None:
            return self._seen(view, after)
        plain = _PLAIN.get(key)
        if plain is not None:
            return plain(self, view, size)
        return self._of_row(view, key)

    def _of_row(self, view: BoardView, key: str) -> Outcome:
        row = view.row
        if row is None:
            return view.saying(f"there is no session under the cursor for {key}"), []
        if key.isdigit():
            return self._option(view, row, key)
        key = "⏎" if key == "KEY_ENTER" else key
        if key == "h" and row.word in ("queued", "blocked"):
            return self._act(view, _HOLD, row)
        verb = view.verbs.by_key("+" if key == "-" else key, row)
        if verb is not None:
            return self._verb(view, verb, row, key)
        return view.saying(f"{key} does nothing here; ? lists the keys"), []

    def _option(self, view: BoardView, row: Row, key: str) -> Outcome:
        verb = view.verbs.get("answer")
        if verb is None or "answer" not in row.wants:
            return view.saying(f"{row.id} asks nothing"), []
        if row.options and not 1 <= int(key) <= len(row.options):
            answers = number_of(len(row.options), "answer")
            return view.saying(f"its question has {answers}", bad=True), []
        return self._act(view, verb, row, key)

    def _back(self, view: BoardView, size: Size) -> BoardView:
        if view.page:
            return replace(view, page="", page_top=0, page_lines=())
        if view.tab:
            if view.file:
                return _listed(view)
            return settled(replace(view, tab="", pane_top=0), size)
        return self._filtered(view, "", size) if view.wishes.filter else view

    def _seen(self, before: BoardView, after: BoardView) -> Outcome:
        """What the pane needs of the session that is under the cursor now."""
        row = after.row
        open_pane = after.tab or after.page == "why"
        same = row is not None and before.row is row and before.tab == after.tab
        if row is None or not open_pane or (same and after.peek.id == row.id):
            return after, []
        if after.peek.id != row.id:
            after = replace(after, peek=Peek(row.id))
        return after, [LookInto(row.id, after.tab or "why")]

    def peek(self, view: BoardView, size: Size) -> Outcome:
        """The pane opened or closed; a head or group folded."""
        item = view.item
        if item is not None and not item.is_row:
            return folded(view, size), []
        tab = "" if view.tab else "why"
        after = settled(replace(view, tab=tab, pane_top=0, file=""), size)
        return self._seen(view, after)

    def open(self, view: BoardView, size: Size) -> Outcome:
        """The terminal of the session; a head or group folded; what a file of the pane changes."""
        item = view.item
        if view.tab == "files" and view.row is not None and view.files:
            if view.file:
                return _listed(view), []
            chosen = view.files[min(view.pane_top, len(view.files) - 1)]
            after = replace(view, file=str(chosen["path"]), pane_top=0)
            return after, [LookInto(view.row.id, "files")]
        if item is not None and not item.is_row:
            return folded(view, size), []
        return (view, [Attach(view.row.id)]) if view.row is not None else (view, [])

    def page(self, name: str) -> Callable[[BoardView, Size], Outcome]:
        """What shows a page, or leaves it."""

        def shown(view: BoardView, _size: Size) -> Outcome:
            after = replace(view, page="" if view.page == name else name, page_top=0)
            return self._seen(view, after) if name == "why" else (after, [])

        return shown

    def find(self, view: BoardView, _size: Size) -> Outcome:
        """The filter is typed."""
        return self._enter(view, "filter", "filter", view.wishes.filter.text), []

    def all_commands(self, view: BoardView, _size: Size) -> Outcome:
        """The palette."""
        return self._enter(replace(view, page="palette", page_top=0), "palette", "command"), []

    def spawn(self, view: BoardView, _size: Size) -> Outcome:
        """The project of a new session is typed."""
        if view.stale:
            return view.saying(_NOT_NOW, bad=True), []
        row = view.row
        known = row.project if row is not None else next(iter(dict(view.body.projects)), "")
        return self._enter(view, "spawn", "spawn in project", known), []

    def copy(self, view: BoardView, _size: Size) -> Outcome:
        """The id into the clipboard."""
        row = view.row
        return (view.saying(f"copied {row.id}"), [Copy(row.id)]) if row else (view, [])

    def diff(self, view: BoardView, _size: Size) -> Outcome:
        """What it changes."""
        row = view.row
        return (view, [ShowDiff(row.id)]) if row else (view, [])

    def browse(self, view: BoardView, _size: Size) -> Outcome:
        """Its pull request on its forge, or its page of the dashboard."""
        row = view.row
        if row is None:
            return view, [Browse("")]
        return view, [Browse(str(row.document.get("pr_url") or ""), f"/s/{row.id}")]

    # --- the mouse --------------------------------------------------------------------------------

    def _mouse(self, view: BoardView, stroke: Stroke, size: Size) -> Outcome:
        if view.entry is not None or view.confirmation is not None:
            return view, []
        if "SCROLL" in stroke.name:
            after = moved(view, "KEY_UP" if "UP" in stroke.name else "KEY_DOWN", size)
            return self._seen(view, after) if after is not None else (view, [])
        if stroke.name != "MOUSE_LEFT" or view.page:
            return view, []
        found = regions(view, *size)
        item = item_at(view, found, stroke.y) if stroke.x < found.table else None
        if item is None:
            return view, []
        return self._seen(view, on(view, item.key, size))


def _listed(view: BoardView) -> BoardView:
    """Back from one file to all of them."""
    paths = [str(one["path"]) for one in view.files]
    at = paths.index(view.file) if view.file in paths else 0
    return replace(view, file="", pane_top=at)


_PLAIN: Mapping[str, Callable[[BoardKeyboard, BoardView, Size], Outcome]] = {
    " ": BoardKeyboard.peek,
    "KEY_ENTER": BoardKeyboard.open,
    "?": lambda hands, view, size: hands.page("help")(view, size),
    "e": lambda hands, view, size: hands.page("events")(view, size),
    "$": lambda hands, view, size: hands.page("spend")(view, size),
    "w": lambda hands, view, size: hands.page("why")(view, size),
    "/": BoardKeyboard.find,
    ":": BoardKeyboard.all_commands,
    "S": BoardKeyboard.spawn,
    "y": BoardKeyboard.copy,
    "d": BoardKeyboard.diff,
    "b": BoardKeyboard.browse,
    "KEY_CTRL_L": lambda _hands, view, _size: (view, [Repaint()]),
}
