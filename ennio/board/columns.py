"""The columns of the board by the room there is, and the cells of one row in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from ennio.board.glyphs import UNICODE, Glyphs
from ennio.board.quantities import span
from ennio.board.row import Row
from ennio.board.style import PLAIN, Style
from ennio.board.table import cut, pad

NARROW = 60
"""Below this a row takes two lines."""
WIDE = 120
"""From here on there is a place for a pane beside the table."""
_TITLE, _WHY = 25, 25
_WORD = 7
_WIDEST_ID = 14
_WIDEST_PR = 9
_OPTIONAL = (("checks", 5), ("agent", 10), ("cost", 6), ("review", 4), ("project", 6))
"""With their widths, in the order in which they get room."""
_HOST = ("host", 14)
"""Where some session is on another machine; it gets room before all of those."""
_HEADS = {
    "word": "TURN",
    "id": "SESSION",
    "project": "PROJ",
    "host": "HOST",
    "title": "TITLE",
    "pr": "PR",
    "checks": "CHECK",
    "review": "REV",
    "agent": "AGENT",
    "for": "FOR",
    "cost": "COST",
    "why": "WHY",
}
_RIGHT = frozenset({"pr", "for", "cost"})
_ORDER = (
    "word",
    "id",
    "project",
    "host",
    "title",
    "pr",
    "checks",
    "review",
    "agent",
    "for",
    "cost",
    "why",
)


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """The width of the table and of each of its columns, in order; none in the narrow one."""

    width: int
    columns: tuple[tuple[str, int], ...]
    id_width: int = 7

    @property
    def narrow(self) -> bool:
        """Whether a row takes two lines."""
        return not self.columns

    @property
    def headed(self) -> bool:
        """Whether there are so many columns that they need their names above them."""
        return any(name == "checks" for name, _ in self.columns)


@lru_cache(maxsize=64)
def layout(
    width: int, *, pane: bool, longest_id: int = 7, pr_width: int = 4, hosts: bool = False
) -> Layout:
    """How the columns share the room; with a ``pane`` beside the table the reason stands there.
    ``hosts``: some session is on another machine than this. A number of a pull request is never
    cut: what is left of one is another.
    """
    of_id = min(max(longest_id, 7), _WIDEST_ID)
    if width < NARROW:
        return Layout(width, (), of_id)
    of_pr = min(max(pr_width, 4), _WIDEST_PR)
    given = {"word": _WORD, "id": of_id, "pr": of_pr, "for": 4, "title": 12}
    if not pane:
        given["why"] = 12
    # the bar and the mark before, a space between
    room = width - 3 - sum(given.values()) - len(given) + 1
    for name, most in (("title", _TITLE), ("why", _WHY)):
        if name in given:
            more = max(0, min(room // (2 if name == "title" and not pane else 1), most - 12))
            given[name] += more
            room -= more
    if pane or width >= WIDE:
        for name, wide in (*([_HOST] if hosts else []), *_OPTIONAL):
            if room > wide:
                given[name] = wide
                room -= wide + 1
    # a title has eighty letters at most, a reason two hundred
    for name, most in (("title", 40), ("why", 60), ("title", 60), ("why", width), ("title", width)):
        if name in given:
            more = max(0, min(room, most - given[name]))
            given[name] += more
            room -= more
    return Layout(width, tuple((name, given[name]) for name in _ORDER if name in given), of_id)


def heads(shape: Layout) -> str:
    """The line of names above the columns."""
    names = (pad(_HEADS[name], wide, right=name in _RIGHT) for name, wide in shape.columns)
    return cut("   " + " ".join(names), shape.width)


@dataclass(frozen=True, slots=True, eq=False)
class RowLook:
    """How rows are drawn: marks, colours, and whether all of it is faint, because it is old.
    There is one of each kind (``row_look``), since cells are kept by it.
    """

    glyphs: Glyphs = UNICODE
    style: Style = PLAIN
    faint: bool = False


@lru_cache(maxsize=16)
def row_look(glyphs: Glyphs, style: Style, faint: bool) -> RowLook:
    """The one look of these."""
    return RowLook(glyphs, style, faint)


_BRIEFLY = "<1m"


@lru_cache(maxsize=4096)
def row_lines(
    row: Row, minute: datetime, shape: Layout, look: RowLook, short: str, kind: str
) -> tuple[str, ...]:
    """The lines of a row; ``kind`` is ``row``, ``cursor`` where the cursor stands, or ``ghost`` or
    ``held``, with the cursor, for one that has left its zone: it shows where it went.

    They are kept: ages are as of the ``minute``, so nothing is drawn anew between two of them.
    """
    cursor, ghost = kind in ("cursor", "held"), kind in ("ghost", "held")
    waits, went = waited(row.since, minute), row.word if ghost else ""
    if shape.narrow:
        return _narrow(row, waits, shape, look, short, went, cursor)
    return _columns(row, waits, _signal(row, minute), shape, look, short, went, cursor)


def waited(since: datetime | None, now: datetime) -> str:
    """How long: in minutes at least, so that nothing is drawn anew each second."""
    if since is None:
        return ""
    seconds = (now - since).total_seconds()
    return span(seconds) if seconds >= 60 else _BRIEFLY


def _signal(row: Row, now: datetime) -> str:
    """What the agent does, and how long nobody has heard of it."""
    if row.place:
        return row.place
    since = waited(row.signal_at, now) if row.signal_at else ""
    if row.turn == "over" or row.activity == "exited":
        return ""
    word = "silent" if row.unseen else row.activity
    return f"{word} {since}" if since not in ("", _BRIEFLY) else word


def _columns(
    row: Row,
    waits: str,
    signal: str,
    shape: Layout,
    look: RowLook,
    short: str,
    went: str,
    cursor: bool,
) -> tuple[str, ...]:
    told = {
        "word": went or row.word,
        "id": short,
        "project": row.project,
        "host": row.host,
        "title": row.title,
        "pr": f"#{row.pr}" if row.pr else "",
        "checks": checks(row, look.glyphs),
        "review": row.review,
        "agent": signal,
        "for": waits,
        "cost": row.cost,
        "why": reason(row, costs="cost" not in dict(shape.columns)),
    }
    parts = [_bar(look, cursor), _mark(row, look, went)]
    for name, wide in shape.columns:
        filled = pad(told[name], wide, right=name in _RIGHT)
        parts.append(_painted(name, filled, row, look, went, cursor))
        parts.append(" ")
    return (_whole("".join(parts[:-1]), look, went),)


def _narrow(
    row: Row, waits: str, shape: Layout, look: RowLook, short: str, went: str, cursor: bool
) -> tuple[str, ...]:
    number = f"#{row.pr}" if row.pr else ""
    of_title = max(0, shape.width - 3 - _WORD - 1 - len(number) - 1 - 5)
    word = _painted("word", pad(went or row.word, _WORD), row, look, went, cursor)
    first = _painted("title", pad(row.title, of_title), row, look, went, cursor)
    rest = f" {number} {pad(waits, 4, right=True)}"
    line = f"{_bar(look, cursor)}{_mark(row, look, went)}{word} {first}{rest}"
    below = pad(f"{short} {reason(row)}", max(0, shape.width - 11)).rstrip()
    second = f"{_bar(look, cursor)}{' ' * 10}{look.style.paint('muted', below)}"
    if shape.width < 24:  # nothing but what it is
        line, second = cut(f"{_glyph(row, look)} {row.word} {row.title}", shape.width), ""
    return _whole(line, look, went), _whole(second, look, went)


def _whole(line: str, look: RowLook, went: str) -> str:
    """Faint lines are painted as a whole: marks say the rest."""
    if not (look.faint or went):
        return line
    from ennio.board.style import bare  # noqa: PLC0415 - rarely needed

    return look.style.paint("muted", bare(line))


def _bar(look: RowLook, cursor: bool) -> str:
    return look.style.paint("you", look.glyphs.cursor) if cursor else " "


def _glyph(row: Row, look: RowLook) -> str:
    return look.glyphs.of_turn(row.turn, row.word)


def _mark(row: Row, look: RowLook, went: str) -> str:
    if went:
        return pad(look.glyphs.arrow, 2)
    return look.style.paint(colour(row), _glyph(row, look) + ("?" if row.unseen else " "))


def colour(row: Row) -> str:
    """The token of a row's turn."""
    if row.turn != "over":
        return row.turn
    return "good" if row.word in ("merged", "done") else "muted"


def _painted(name: str, text: str, row: Row, look: RowLook, went: str, cursor: bool) -> str:
    if look.faint or went:
        return text
    return look.style.paint(_tone(name, row, cursor), text)


def _tone(name: str, row: Row, cursor: bool) -> str | None:
    """The token of a cell."""
    if name == "word":
        return colour(row)
    if name == "title":
        return "strong" if cursor else "muted" if row.turn == "over" else None
    if name == "checks" and row.checks:
        return "bad" if row.checks[1] else "world" if row.checks[2] else "good"
    if name == "review" and row.review:
        return {"ok": "good", "chg": "you"}.get(row.review[:3].rstrip("0123456789"))
    if name == "agent" and row.unseen:
        return "bad"
    return None if name == "pr" else "muted"


def checks(row: Row, glyphs: Glyphs) -> str:
    """How the checks stand: ``✓9``, ``✗2/9``, ``◦3/9``."""
    if row.checks is None or not sum(row.checks):
        return ""
    passing, failing, pending = row.checks
    total = passing + failing + pending
    if failing:
        return f"{glyphs.fail}{failing}/{total}"
    return f"{glyphs.world}{pending}/{total}" if pending else f"{glyphs.good}{passing}"


def reason(row: Row, *, costs: bool = True) -> str:
    """What is to be known of it first: its question with the answers, or why it is whose turn; of
    one that is over what it has cost (``costs``: where no column tells that).
    """
    if row.question and row.word == "asks":
        answers = "  ".join(f"{at} {one}" for at, one in enumerate(row.options, 1))
        return f"{row.question} {answers}".rstrip()
    if row.turn == "over":
        return ", ".join(filter(None, (row.cost if costs else "", row.why)))
    return why(row)


def why(row: Row) -> str:
    """Why it is whose turn; of what may be merged first of all with what it will not merge."""
    clashes = row.clashes if row.word in ("merge", "review") else ""
    return "; ".join(filter(None, (clashes, row.why)))
