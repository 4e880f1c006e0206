"""Choices on a screen: which there are, which of them an answer means, and
the keys that lead to it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ennio.model.errors import Refused
from ennio.plugins.runtime.interface import Key

_LINE = re.compile(
    r"^[\s│|]*(?P<mark>[❯›>])?\s*(?P<number>\d+)[.)]\s+(?:\[(?P<tick>[ "
    r"✔✓xX])\]\s+)?(?P<words>\S.*?)[\s│|]*$"
)
_SUBMIT = re.compile(r"^[\s│|]*(?P<mark>[❯›>])?\s*(?P<words>Submit)[\s│|]*$")
_MARKED = re.compile(r"^(?P<before>\s*[❯›]\s+)\S")
_WHOLE = r"(?!['’.-]?\w)"
"""Behind a whole word: no part of one counts, lest a no is taken for "Now, always" or for
"No-questions mode".
"""
_SHORT = {
    "y": ("yes", "allow", "submit"),
    "yes": ("yes", "allow", "submit"),
    "n": ("no", "reject", "deny", "cancel"),
    "no": ("no", "reject", "deny", "cancel"),
}


@dataclass(frozen=True, slots=True)
class DialogChoice:
    """One choice of a question; ``marked`` is the one Enter takes.

    ``ticked`` is None but where several may be chosen: Enter then ticks it or takes the tick away,
    and what has the number 0 hands the answer in. ``at`` is its line on the screen.
    """

    number: int
    words: str
    marked: bool = False
    ticked: bool | None = None
    at: int = field(default=-1, compare=False)

    def __str__(self) -> str:
        tick = "" if self.ticked is None else "[✔] " if self.ticked else "[ ] "
        return f"{self.number}. {tick}{self.words}" if self.number else self.words


def choices(screen: str) -> tuple[DialogChoice, ...]:
    """The choices of a question, in their order on the screen: the last numbered list that begins
    with 1, or lines with a mark before one.

    Lines between the points of a list belong to them.
    """
    lines = screen.splitlines()
    found = _numbered(lines)
    return found if any(choice.marked for choice in found) else _without_numbers(lines) or found


def _numbered(lines: Sequence[str]) -> tuple[DialogChoice, ...]:
    found: list[DialogChoice] = []
    due = 1
    for at, line in enumerate(lines):
        match = _LINE.match(line)
        if match is not None and int(match["number"]) in (1, due):
            due = int(match["number"])
            found = found if due > 1 else []
            tick = match["tick"]
            found.append(
                DialogChoice(
                    due,
                    match["words"],
                    match["mark"] is not None,
                    None if tick is None else tick != " ",
                    at,
                )
            )
            due += 1
        elif found and found[-1].ticked is not None and (match := _SUBMIT.match(line)) is not None:
            found.append(DialogChoice(0, match["words"], match["mark"] is not None, at=at))
    return tuple(found)


def _without_numbers(lines: Sequence[str]) -> tuple[DialogChoice, ...]:
    """The marked line and its neighbours that begin where its words begin."""
    marks = [
        (at, len(match["before"]))
        for at, line in enumerate(lines)
        if (match := _MARKED.match(line)) is not None
    ]
    if not marks:
        return ()
    marked, column = marks[-1]

    def beside(at: int) -> bool:
        return (
            0 <= at < len(lines)
            and len(lines[at]) - len(lines[at].lstrip()) == column
            and bool(lines[at].strip())
        )

    first = last = marked
    while beside(first - 1):
        first -= 1
    while beside(last + 1):
        last += 1
    block = range(first, last + 1)
    if len(block) < 2:
        return ()
    return tuple(
        DialogChoice(n, lines[at][column:].strip(), at == marked, at=at)
        for n, at in enumerate(block, 1)
    )


def chosen(among: Sequence[DialogChoice], text: str) -> DialogChoice:
    """The choice that an answer means: its number, its words or the first of them, or yes and no.
    Raises Refused.
    """
    found = _fitting(among, text)
    if found is not None:
        return found
    told = "; ".join(
        f"{choice.number}. {choice.words}" if choice.number else choice.words for choice in among
    )
    several = sum(_fitting([choice], text) is not None for choice in among) > 1
    raise Refused(
        f"{text!r} fits {'more than one' if several else 'none'} of the choices; answer with the "
        f"number, or with the first whole words, of one of: {told}"
    )


def _fitting(among: Sequence[DialogChoice], text: str) -> DialogChoice | None:
    wanted = " ".join(text.split()).casefold()
    for choice in among:
        if (choice.number and wanted == str(choice.number)) or wanted == choice.words.casefold():
            return choice
    for beginning in (wanted, *_SHORT.get(wanted, ())):
        fitting = [
            choice
            for choice in among
            if beginning and re.match(re.escape(beginning) + _WHOLE, choice.words.casefold())
        ]
        # of "Yes" and "Yes, and don't ask again" a plain yes means the one that grants
        # less, which comes first
        if fitting and (len(fitting) == 1 or wanted in _SHORT):
            return fitting[0]
    return None


def answer(
    among: Sequence[DialogChoice], text: str, words: re.Pattern[str]
) -> tuple[Key | str, ...]:
    """The keys for an answer: the way to one choice, or to each that is named where several may be.

    A choice that ``words`` matches takes words of one's own, which then are
    the answer. Raises Refused.
    """
    several = [
        choice for choice in among if choice.ticked is not None and not words.match(choice.words)
    ]
    if several and not any(_fitting([choice], text) for choice in among if choice.ticked is None):
        return _ticking(among, several, text)
    own = next(
        (choice for choice in among if choice.ticked is None and words.match(choice.words)), None
    )
    found = _fitting([choice for choice in among if choice is not own], text)
    if found is None and own is not None and text.strip():
        return (*way(among, own)[:-1], text.strip(), Key.ENTER)
    return way(among, found or chosen(among, text))


def _ticking(
    among: Sequence[DialogChoice], several: Sequence[DialogChoice], text: str
) -> tuple[Key, ...]:
    """Exactly the choices that are named, by number or words with commas between
    them; then it is handed in.
    """
    whole = _fitting(several, text)
    wanted = [whole] if whole is not None else [chosen(several, part) for part in text.split(",")]
    submit = next((choice for choice in among if choice.number == 0), None)
    if submit is None:
        raise Refused(
            "the screen does not show where several choices are handed in; attach to the terminal "
            "and answer there"
        )
    keys: list[Key] = []
    place = _marked(among)
    for choice in [choice for choice in several if (choice in wanted) is not choice.ticked] + [
        submit
    ]:
        keys += (*_steps(among, place, choice), Key.ENTER)
        place = choice
    return tuple(keys)


def way(among: Sequence[DialogChoice], to: DialogChoice) -> tuple[Key, ...]:
    """The arrow keys from the marked choice to another, and Enter. Raises
    Refused when none is marked.
    """
    return (*_steps(among, _marked(among), to), Key.ENTER)


def _marked(among: Sequence[DialogChoice]) -> DialogChoice:
    marked = [choice for choice in among if choice.marked]
    if len(marked) != 1:
        raise Refused(
            "the screen does not show which choice is marked; attach to the terminal and answer "
            "there"
        )
    return marked[0]


def _steps(among: Sequence[DialogChoice], start: DialogChoice, to: DialogChoice) -> tuple[Key, ...]:
    steps = among.index(to) - among.index(start)
    return (Key.DOWN if steps > 0 else Key.UP,) * abs(steps)


class NothingAsked(Refused):
    """The question that is to be answered is not on the screen, or not yet."""


def nothing_asked() -> NothingAsked:
    """The error for an answer to a question that is not on the screen."""
    return NothingAsked(
        "the agent's screen shows no question that can be answered from here; attach to its "
        "terminal to see it"
    )
