"""How the letters of an emulated screen look, as codes (SGR)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import pyte

_COLOURS = ("black", "red", "green", "brown", "blue", "magenta", "cyan", "white")
_BASE = {
    **{name: number for number, name in enumerate(_COLOURS)},
    **{f"bright{name}": 60 + number for number, name in enumerate(_COLOURS)},
    "brightyellow": 63,
}
_LOOKS = (
    ("bold", 1),
    ("blink", 2),  # what makes letters dim comes to the emulator as this
    ("italics", 3),
    ("underscore", 4),
    ("reverse", 7),
    ("strikethrough", 9),
)


def styled(cells: Sequence[pyte.screens.Char]) -> str:
    """A row with its codes, and without the blanks at its end; it begins and ends plain."""
    plain = cells[0]._replace(data=" ").__class__(" ")
    end = next(
        (at for at in range(len(cells), 0, -1) if cells[at - 1]._replace(data=" ") != plain
         or cells[at - 1].data.strip()),
        0,
    )  # fmt: skip
    return "".join(_runs(cells[:end]))


def _runs(cells: Sequence[pyte.screens.Char]) -> Iterator[str]:
    for codes, run in groupby(cells, _codes):
        text = "".join(cell.data for cell in run)
        yield f"\x1b[{';'.join(map(str, codes))}m{text}\x1b[m" if codes else text


def _codes(cell: pyte.screens.Char) -> tuple[int, ...]:
    looks = tuple(code for name, code in _LOOKS if getattr(cell, name))
    return (*looks, *_colour(cell.fg, 30), *_colour(cell.bg, 40))


def _colour(colour: str, base: int) -> tuple[int, ...]:
    if colour == "default":
        return ()
    if colour in _BASE:
        return (base + _BASE[colour],)
    if len(colour) != 6:
        return ()
    return (base + 8, 2, *(int(colour[at : at + 2], 16) for at in (0, 2, 4)))
