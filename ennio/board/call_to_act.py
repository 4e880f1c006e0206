"""The last lines of the board: what is expected of the reader now, and the keys that do it."""

from __future__ import annotations

from ennio.board.columns import colour, why
from ennio.board.panes import wrapped
from ennio.board.row import Row
from ennio.board.table import cells, cut
from ennio.board.verb_table import KEYS
from ennio.board.view import BoardView

_SHORT = {
    "answer": "answer",
    "tell": "send",
    "interrupt": "stop turn",
    "request-changes": "changes",
    "seen": "seen",
    "go-on": "let end",
    "open": "open",
    "take-over": "take over",
    "leave-queue": "leave queue",
    "look": "look again",
}


def call(view: BoardView, width: int) -> list[str]:
    """What is typed, asked or told; else what the session under the cursor wants. In two lines
    where it is too long for one.
    """
    paint = view.style.paint
    if view.entry is not None:
        return [entry_line(view, width)[0]]
    if view.confirmation is not None:
        return [paint("you", line) for line in _two(view.confirmation.question, width)]
    if view.notice is not None:
        tone = "bad" if view.notice.bad else "good"
        return [paint(tone, line) for line in _two(view.notice.text, width)]
    return _of_row(view, view.row, width) if view.row is not None else [""]


def _two(text: str, width: int) -> list[str]:
    first, *rest = wrapped(text, max(1, width - 1))
    return [cut(f" {line}", width) for line in (first, " ".join(rest)) if line]


def _of_row(view: BoardView, row: Row, width: int) -> list[str]:
    paint = view.style.paint
    if view.stale and view.loaded:
        text = f" {row.id}: nothing can be done while the supervisor does not answer"
        return [paint("muted", cut(text, width))]
    short = view.body.short.get(row.id, row.id)
    if row.question and row.word == "asks":
        asked, answers = f" {short} asks: {row.question}", _answers(row)
        both = f"{asked}   {answers}"
        lines = [both] if cells(both) <= width else [asked, f" {answers}"]
        return [paint("you", cut(line, width)) for line in lines]
    return [paint(colour(row), cut(f" {short} {row.word}: {why(row)}", width))]


def _answers(row: Row) -> str:
    if row.options:
        chosen = "  ".join(f"{at} {one}" for at, one in enumerate(row.options[:9], 1))
        return f"{chosen}  a say something"
    return "1-9 its choice   a say something"


def entry_line(view: BoardView, width: int) -> tuple[str, int]:
    """The line that is typed, and the column of its cursor."""
    entry = view.entry
    if entry is None:
        return "", 0
    label = cut(f" {entry.label}: ", max(1, width // 2))
    start = cells(label)
    room = max(1, width - start - 1)
    text, column = entry.text, entry.column
    while column > room:  # its beginning leaves to the left
        column -= cells(text[:1])
        text = text[1:]
    while cells(text) > room:
        text = text[:-1]
    return view.style.paint("strong", label) + text, min(width - 1, start + column)


def keys_line(view: BoardView, width: int) -> str:
    """The keys that do something now; as many as there is room for, the most telling first."""
    text = ""
    for hint in _hints(view):
        longer = f"{text}  {hint}" if text else f" {hint}"
        if cells(longer) > width:
            break
        text = longer
    return view.style.paint("muted", text)


def _hints(view: BoardView) -> list[str]:
    glyphs = view.glyphs
    if view.entry is not None:
        done = {"palette": "do it", "filter": "keep it", "spawn": "write its prompt"}
        said = done.get(view.entry.purpose, "send")
        return [f"{glyphs.enter} {said}", "Esc leave it", "^U clear"]
    if view.confirmation is not None:
        return [f"{view.confirmation.key} yes", "Esc no"]
    if view.page:
        more = {"palette": [f"{glyphs.enter} do it"], "events": ["e back"]}.get(view.page, [])
        return [*more, "Esc back", f"{glyphs.ups} move", "q quit"]
    row = view.row
    if row is None:
        fold = ["z fold or unfold"] if view.item is not None else ["S spawn"]
        return [*fold, f"{glyphs.ups} row", "n next of yours", "/ filter", "? help", "q quit"]
    verbs = [] if view.stale else _verbs(view, row)
    opens_file = view.tab == "files" and bool(view.files) and not view.file
    known = any(hint.startswith(glyphs.enter) for hint in verbs)
    see = [
        f"{glyphs.space} {'close' if view.tab else 'peek'}",
        *(["[ ] tabs"] if view.tab else []),
        *([f"{glyphs.enter} its changes"] if opens_file else []),
        *([] if opens_file or known else [f"{glyphs.enter} open"]),
        "n next of yours",
        "/ filter",
        "? help",
        ": all commands",
    ]
    more = ["y copy id", "d diff", "b browser", "S spawn", "K kill", "q quit"]
    used = {hint.split(" ", 1)[0] for hint in (*verbs, *see)}
    return [*verbs, *see, *(hint for hint in more if hint.split(" ", 1)[0] not in used)]


def _verbs(view: BoardView, row: Row) -> list[str]:
    hints = []
    for name in row.wants:
        key = KEYS.get(name)
        if key is not None and view.verbs.get(name) is not None:
            key = view.glyphs.enter if key == "⏎" else key
            hints.append(f"{key} {_SHORT.get(name, name)}")
    return hints
