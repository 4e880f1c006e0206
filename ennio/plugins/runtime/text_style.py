"""How letters look, as far as it matters: what is drawn dim or grey is a
hint, and nobody's words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_CODE = re.compile(r"\x1b\[([0-9;:]*)m|\x1b[^a-zA-Z]*[a-zA-Z]|[\x0e\x0f]")
_BRIGHT_BLACK = "90"
_GRAYS = range(0x50, 0xC0)


def strong(lines: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Lines with their escape codes (which last from one line to the next) as what they show, and
    the same without faint letters.
    """
    shown, left, faint = [], [], _Ink()
    for line in lines:
        plain, kept, at = "", "", 0
        for code in _CODE.finditer(line):
            plain, kept = (
                plain + line[at : code.start()],
                kept + faint.kept(line[at : code.start()]),
            )
            if code[1] is not None:
                faint.take(code[1])
            at = code.end()
        shown.append(plain + line[at:])
        left.append(kept + faint.kept(line[at:]))
    return tuple(shown), tuple(left)


def is_gray(colour: str) -> bool:
    """Whether a colour of six hexadecimal digits, or by its name, is a grey
    neither black nor white.
    """
    if len(colour) != 6:
        return colour == "brightblack"
    red, green, blue = (int(colour[at : at + 2], 16) for at in (0, 2, 4))
    return max(red, green, blue) - min(red, green, blue) < 8 and red in _GRAYS


class _Ink:
    """The look of the letters that follow."""

    def __init__(self) -> None:
        self._dim = False
        self._gray = False

    def kept(self, text: str) -> str:
        """The text, or as many blanks."""
        return " " * len(text) if self._dim or self._gray else text

    def take(self, codes: str) -> None:
        """Take in one code."""
        numbers = (codes or "0").replace(":", ";").split(";")
        while numbers:
            one = numbers.pop(0) or "0"
            if one in ("38", "48"):
                size = 2 if numbers[:1] == ["5"] else 4
                colour, numbers = numbers[:size], numbers[size:]
                self._gray = _is_gray_code(colour) if one == "38" else self._gray
            elif one in ("2", "22"):
                self._dim = one == "2"
            elif one == "0":
                self._dim = self._gray = False
            elif len(one) == 2 and one[0] in "39":
                self._gray = one == _BRIGHT_BLACK


def _is_gray_code(colour: list[str]) -> bool:
    values = [int(value) for value in colour[1:] if value.isdigit()]
    if colour[:1] == ["5"] and values:
        return values[0] == 8 or 240 <= values[0] <= 250
    return len(values) == 3 and is_gray("".join(f"{min(value, 255):02x}" for value in values))
