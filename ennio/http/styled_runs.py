"""Lines of a terminal as runs of letters that look alike, for a page that shows them as text. Pure.

A run is ``{"t": text}`` with what is not plain of it: ``f`` and ``b`` are the colours of letters
and ground (a number of the palette, or ``#rrggbb``), ``s`` the rest, by letters: ``b`` bold, ``d``
dim, ``i`` italic, ``u`` underlined, ``r`` reversed, ``x`` struck through.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

Colour = int | str | None
Run = dict[str, Any]
_CODE = re.compile(r"\x1b\[([0-9;:]*)m|\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_UNSEEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")
_ON = {1: "b", 2: "d", 3: "i", 4: "u", 7: "r", 9: "x"}
_NAMED = (*range(8), 9)
"""The palette's first eight, and what there is without any."""
_OFF = {22: "bd", 23: "i", 24: "u", 27: "r", 29: "x"}


@dataclass(frozen=True, slots=True)
class LetterLook:
    """How letters look."""

    front: Colour = None
    ground: Colour = None
    marks: frozenset[str] = frozenset()

    def run(self, text: str) -> Run:
        """These letters in this look."""
        shown: Run = {"t": text}
        if self.front is not None:
            shown["f"] = self.front
        if self.ground is not None:
            shown["b"] = self.ground
        if self.marks:
            shown["s"] = "".join(sorted(self.marks))
        return shown


def runs_of(lines: Iterable[str]) -> list[list[Run]]:
    """Each line as its runs; a look lasts from one line to the next."""
    look, shown = LetterLook(), []
    for line in lines:
        runs: list[Run] = []
        for text, following in _pieces(line, look):
            if text:
                runs.append(look.run(text))
            look = following
        shown.append(runs)
    return shown


def _pieces(line: str, look: LetterLook) -> Iterator[tuple[str, LetterLook]]:
    """The letters before each code, and the look after it."""
    at = 0
    for code in _CODE.finditer(line):
        text = _UNSEEN.sub("", line[at : code.start()])
        if code[1] is not None:
            look = _after(look, code[1])
        yield text, look
        at = code.end()
    yield _UNSEEN.sub("", line[at:]), look


def _after(look: LetterLook, codes: str) -> LetterLook:
    numbers = [int(one or 0) for one in (codes or "0").replace(":", ";").split(";")]
    while numbers:
        one = numbers.pop(0)
        if one in (38, 48):
            colour, numbers = _colour(numbers)
            look = replace(look, front=colour) if one == 38 else replace(look, ground=colour)
        else:
            look = _changed(look, one)
    return look


_FRONT = {30: 0, 90: 8}
_GROUND = {40: 0, 100: 8}


def _changed(look: LetterLook, code: int) -> LetterLook:
    first, ones = code - code % 10, code % 10
    if code == 0:
        return LetterLook()
    if code in _ON:
        return replace(look, marks=look.marks | {_ON[code]})
    if code in _OFF:
        return replace(look, marks=look.marks - set(_OFF[code]))
    if first in _FRONT and ones in _NAMED:
        return replace(look, front=None if ones == 9 else ones + _FRONT[first])
    if first in _GROUND and ones in _NAMED:
        return replace(look, ground=None if ones == 9 else ones + _GROUND[first])
    return look


def _colour(numbers: list[int]) -> tuple[Colour, list[int]]:
    if numbers[:1] == [5] and len(numbers) > 1:
        return min(numbers[1], 255), numbers[2:]
    if numbers[:1] == [2] and len(numbers) > 3:
        red, green, blue = (min(number, 255) for number in numbers[1:4])
        return f"#{red:02x}{green:02x}{blue:02x}", numbers[4:]
    return None, []
