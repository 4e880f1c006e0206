"""Choices on a screen: which there are, which of them an answer means, and the keys that lead to it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ennio.errors import Refused
from ennio.plugins.runtime.interface import Key

_LINE = re.compile(r"^[\s│|]*(?P<mark>[❯›>])?\s*(?P<number>\d+)[.)]\s+(?P<words>\S.*?)[\s│|]*$")
_SHORT = {"y": ("yes", "allow"), "yes": ("yes", "allow"), "n": ("no", "reject", "deny"), "no": ("no", "reject", "deny")}


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of a question; ``marked`` is the one Enter takes."""

    number: int
    words: str
    marked: bool = False


def choices(screen: str) -> tuple[Choice, ...]:
    """The last numbered list on the screen that begins with 1, in its order; lines between its points belong to them."""
    found: list[Choice] = []
    for line in screen.splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        choice = Choice(int(match["number"]), match["words"], match["mark"] is not None)
        if choice.number == 1:
            found = []
        if choice.number == len(found) + 1:
            found.append(choice)
    return tuple(found)


def chosen(among: Sequence[Choice], text: str) -> Choice:
    """The choice that an answer means: its number, its words, how they begin, or yes and no. Raises Refused."""
    wanted = " ".join(text.split()).casefold()
    for choice in among:
        if wanted == str(choice.number) or wanted == choice.words.casefold():
            return choice
    for beginning in (wanted, *_SHORT.get(wanted, ())):
        fitting = [choice for choice in among if beginning and re.match(re.escape(beginning) + r"\b", choice.words.casefold())]
        # of "Yes" and "Yes, and don't ask again" a plain yes means the one that grants less, which comes first
        if fitting and (len(fitting) == 1 or wanted in _SHORT):
            return fitting[0]
    told = "; ".join(f"{choice.number}. {choice.words}" for choice in among)
    raise Refused(f"{text!r} fits none of the choices, or more than one; answer with one of: {told}")


def way(among: Sequence[Choice], to: Choice) -> tuple[Key, ...]:
    """The arrow keys from the marked choice to another, and Enter. Raises Refused when none is marked."""
    marked = [choice for choice in among if choice.marked]
    if len(marked) != 1:
        raise Refused("the screen does not show which choice is marked; attach to the terminal and answer there")
    steps = to.number - marked[0].number
    return (*((Key.DOWN if steps > 0 else Key.UP,) * abs(steps)), Key.ENTER)


class NothingAsked(Refused):
    """The question that is to be answered is not on the screen, or not yet."""


def nothing_asked() -> NothingAsked:
    """The error for an answer to a question that is not on the screen."""
    return NothingAsked("the agent's screen shows no question that can be answered from here; attach to its terminal to see it")
