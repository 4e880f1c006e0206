"""The keys of the board, by what they are for: the list that the help and the docs show."""

from __future__ import annotations

from ennio.board.table import cut
from ennio.board.view import BoardView

SECTIONS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "move",
        (
            ("↑↓ j k", "row"),
            ("PgUp PgDn ^u ^d", "a page"),
            ("g G", "first, last"),
            ("Tab", "next zone"),
            ("n N", "next, previous that waits for you"),
        ),
    ),
    (
        "see",
        (
            ("Space", "peek: a pane for this session"),
            ("[ ]", "its tabs: why, timeline, messages, output, files, pr"),
            ("^b ^f", "scroll the pane"),
            ("Enter", "open its terminal; you come back to the same row"),
            ("w", "why, on the whole screen"),
            ("e", "events"),
            ("$", "money"),
            ("d", "what it changes, in $PAGER"),
            ("b", "in the browser"),
            ("y", "copy its id"),
        ),
    ),
    (
        "do",
        (
            ("1-9", "answer with an option"),
            ("a", "answer in words"),
            ("s", "send a message"),
            ("i", "interrupt the turn"),
            ("A", "approve"),
            ("C", "request changes"),
            ("m", "merge"),
            ("R", "restore"),
            ("u", "mark as seen"),
            ("O B v", "let it end its turn, raise the budget, resume"),
            ("t ! L", "run checks again, remind reviewers, leave the merge queue"),
            ("h + - x", "hold or release, earlier, later, drop from the queue"),
            ("c", "clean up its workspace"),
            ("K E", "kill; end what its budget holds"),
            ("l", "look again at one that gives no signal"),
            ("S", "spawn"),
        ),
    ),
    (
        "list",
        (
            ("/", "filter: words, p:project s:word t:turn r:review"),
            ("z", "fold or unfold"),
            (".", "all that are over"),
            ("p", "by project"),
            ("r", "sort anew"),
            ("o", "sort by another order"),
            (":", "all commands, with their lines"),
            ("?", "this"),
            ("q", "quit"),
            ("Esc", "back: line, page, pane, filter"),
        ),
    ),
)
_LEFT = 17


def help_lines(view: BoardView, width: int) -> list[str]:
    """The page of help: the wanted verbs of the session under the cursor, then all keys."""
    paint = view.style.paint
    lines: list[str] = []
    row = view.row
    if row is not None and row.wants:
        lines += [paint("strong", cut(f" {row.id} wants", width))]
        for name in row.wants:
            verb = view.verbs.get(name)
            if verb is not None:
                lines.append(cut(f"   {verb.label:<30} {verb.command(row)}", width))
        lines.append("")
    columns = [_section(view, title, keys) for title, keys in SECTIONS]
    if width < 120:
        for column in columns:
            lines += [*(cut(line, width) for line in column), ""]
        return [_tinted(view, line) for line in lines]
    half = width // 2
    for left, right in ((columns[0] + [""] + columns[1], columns[2]), (columns[3], [])):
        for at in range(max(len(left), len(right))):
            one = left[at] if at < len(left) else ""
            two = right[at] if at < len(right) else ""
            lines.append(_tinted(view, cut(f"{cut(one, half - 1):<{half}}{two}", width)))
        lines.append("")
    return lines


def _section(view: BoardView, title: str, keys: tuple[tuple[str, str], ...]) -> list[str]:
    ascii_only = view.glyphs.enter != "⏎"
    return [
        f" {title.upper()}",
        *(
            f"   {key.replace('↑↓', 'Up Down') if ascii_only else key:<{_LEFT}} {words}"
            for key, words in keys
        ),
    ]


def _tinted(view: BoardView, line: str) -> str:
    return view.style.paint("strong", line) if line.strip().isupper() and len(line) < 8 else line
