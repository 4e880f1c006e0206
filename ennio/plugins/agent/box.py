"""The place to type of an agent, and what stands in it: what is known of it, and
whose words these can be.

A person shares the terminal. What stands in the box is compared as a whole, never
looked for somewhere on the screen; only white space does not count, for a terminal that
wraps lines does not tell it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from ennio.plugins.runtime.interface import View

_FOLD = re.compile(
    r"\[(?:Pasted text #\d+(?: \+(?P<lines>\d+) lines?)?|Pasted Content (?P<letters>\d+) chars"
    r"|(?P<both>\d+) lines?, (?P<of>\d+) characters)\]"
)
_ECHOES = re.compile(r"\^\[(?:\[20[01]~|[\[O][A-D])?|\[20[01]~|\^[CHKU?]")
"""How a terminal, or a program, shows keys that it does not act on: Escape, arrows, the frame of a
paste, those that interrupt or clear.
"""
_ROOMLESS = frozenset({"Cf", "Cc", "Co", "Cn", "Cs", "Mn", "Me"})
_PICTURE = re.compile(r"\[Image\b[^\]]*\]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fold:
    """The mark of a paste that is shown instead of its text; None where it does not tell that size.
    Lines are counted by their ends.
    """

    lines: int | None = None
    letters: int | None = None

    def fits(self, text: str) -> bool:
        """Whether it tells a size, and the text has exactly this."""
        told = [(self.lines, text.count("\n")), (self.letters, len(text))]
        return any(size is not None for size, _ in told) and all(
            size in (None, real) for size, real in told
        )

    @property
    def has_size(self) -> bool:
        """Whether it tells any size."""
        return self.lines is not None or self.letters is not None


@dataclass(frozen=True, slots=True)
class InputBox:
    """The place to type as it shows; hints that are not anybody's words are no part of it.

    ``rows`` are its lines as they stand, ``width`` the cells a line has. ``around`` is the screen
    as if nothing stood in it. ``end`` is True where the cursor stands behind the last letter,
    ``cut`` where more may stand there than shows. Of a program whose place to type is not known
    ``opens`` matches what may stand before words: then the rows are the whole screen, and ``free``
    says whether it waits for words.
    """

    rows: tuple[str, ...]
    width: int
    around: str = ""
    end: bool = True
    cut: bool = False
    opens: re.Pattern[str] | None = None
    free: bool = False

    @property
    def text(self) -> str:
        """Its rows, one below the other."""
        return "\n".join(self.rows) if self.opens is not None else "\n".join(self.rows).strip("\n")

    @property
    def is_empty(self) -> bool:
        """Whether nothing stands there."""
        return self.free if self.opens is not None else not self.text.strip()

    @property
    def has_begun(self) -> bool:
        """Whether a program whose place to type is not known shows words behind what may stand
        before them, in the cursor's line.
        """
        return any(True for _ in self._begun)

    @property
    def _begun(self) -> Iterator[str]:
        """What may be the words that stand behind what opens the cursor's line."""
        if self.opens is None or self.free or not self.end:
            return
        line = self.rows[-1]
        for above in reversed(self.rows[:-1]):
            if _cells(above) < self.width:
                break
            line = above + line  # the terminal broke it
        yield from (line[at:] for at in range(1, len(line)) if self.opens.search(line[:at]))

    @property
    def is_echo(self) -> bool:
        """Whether nothing but keys stands in a place to type that is not known: they are pressed by
        us, and nobody's words.
        """
        return any(begun.strip() and not _without_echoes(begun) for begun in self._begun)

    def holds_part(self, typed: str) -> bool:
        """Whether nothing but the beginning of this stands there, or all of it behind keys."""
        words = squeezed(typed)
        parts = self._begun if self.opens is not None else (self.text,)
        here = [squeezed(_without_echoes(part)) for part in parts]
        return any(part and words.startswith(part) for part in here)

    @property
    def folds(self) -> tuple[Fold, ...]:
        """The pastes it shows by a mark."""
        return tuple(_fold(found) for found in _FOLD.finditer(self.text))

    def holds(self, typed: str, *, fresh: bool = False) -> bool:
        """Whether exactly this stands there, or the mark of a paste of exactly
        its size, and nothing else.

        ``fresh``: it was empty just before this was pasted, so that a mark that tells
        no size can be no other's.
        """
        here, words = squeezed(self.text), squeezed(typed)
        if not words:
            return False
        if self.opens is not None:
            at = _last(self.text, words)
            filled = len(here) > self.width and words.endswith(here)
            return filled or (
                at is not None
                and not self.text[at.stop :]
                and self.opens.search(self.text[: at.start]) is not None
            )
        if here != words and _FOLD.fullmatch(self.text.strip()) is not None:
            fold = self.folds[0]
            return fold.fits(typed) or (fresh and not fold.has_size)
        return here == words or (
            self.cut and self.end and len(here) > self.width and words.endswith(here)
        )

    def is_mixed(self, typed: str) -> bool:
        """Whether this stands there among other words."""
        if self.holds(typed) or not squeezed(typed):
            return False
        if self.opens is None:
            return squeezed(typed) in squeezed(self.text)
        at = _last(self.text, squeezed(typed))
        return at is not None and "\n" not in self.text[at.stop :]

    @property
    def words(self) -> str | None:
        """What stands there as it would have to be typed again, where that is proven: all of it,
        plain, its line ends known.
        """
        plain = "".join(self.rows)
        if (
            self.is_empty
            or self.cut
            or self.opens is not None
            or self.folds
            or _PICTURE.search(plain)
            or not plain.isprintable()
        ):
            return None
        text = self.rows[0].rstrip()
        for above, row in zip(self.rows, self.rows[1:], strict=False):
            begins = row.split(" ", 1)[0]
            # where the next word had room, the line ended because somebody ended it
            if row.startswith(" ") or _cells(above.rstrip()) + 1 + _cells(begins) >= self.width:
                return None
            text += f"\n{row.rstrip()}"
        return text


def between(view: View, first: int, last: int, mark: str) -> InputBox | None:
    """The box in these rows of a screen: a mark, and its text behind that or as far from the edge;
    None when the cursor is elsewhere.
    """
    indent = _cells(mark)
    if not first <= view.row <= last or view.column < indent:
        return None
    rows = tuple(_words(view, row, indent) for row in range(first, last + 1))
    while len(rows) > 1 and not rows[-1].strip():
        rows = rows[:-1]
    around = "\n".join((*view.lines[:first], mark, *view.lines[last + 1 :]))
    return InputBox(rows, view.columns - indent, around, _at_end(view, first, rows, indent))


def left_of(view: View, columns: int) -> View:
    """The part of a screen left of a column."""
    at = [_letters(line, columns) for line in view.lines]
    lines = tuple(line[:end] for line, end in zip(view.lines, at, strict=True))
    strong = tuple(line[:end] for line, end in zip(view.strong, at, strict=True))
    return replace(view, lines=lines, strong=strong, columns=columns)


def is_added(before: InputBox, after: InputBox, typed: str) -> bool:
    """Whether all that a screen shows more than before is what was typed: of a program whose
    place to type is not known.
    """
    was, now, words = squeezed(before.text), squeezed(after.text), squeezed(typed)
    if now == was or words.endswith(now):
        return True  # it shows nothing of what is typed, or nothing else has room
    at = now.rfind(words)
    return at >= 0 and bool(words) and was.endswith(now[:at] + now[at + len(words) :])


def left_text(view: View) -> str:
    """What a screen shows left of its cursor."""
    line = view.lines[view.row] if view.row < len(view.lines) else ""
    return line[: _letters(line, view.column)]


def _without_echoes(text: str) -> str:
    return _ECHOES.sub("", text).strip()


def squeezed(text: str) -> str:
    """A text without its white space and whatever takes no room on a screen: that a
    terminal does not tell reliably.
    """
    return "".join(map(_bare, text))


@lru_cache(maxsize=4096)
def _bare(letter: str) -> str:
    plain = unicodedata.normalize("NFD", letter)
    return "".join(
        one for one in plain if not one.isspace() and unicodedata.category(one) not in _ROOMLESS
    )


def _words(view: View, row: int, indent: int) -> str:
    """What stands in a row. What is drawn faint is a hint, and so is the letter under the cursor
    when faint ones follow it.
    """
    shown, strong = view.lines[row], view.strong[row]
    if row == view.row:
        at = _letters(shown, view.column)
        if shown[at + 1 :].strip() and not strong[at + 1 :].strip():
            strong = strong[:at]
    return strong[_letters(shown, indent) :].rstrip()


def _letters(line: str, cells: int) -> int:
    """How many letters of a line take so many cells."""
    count = 0
    while cells > 0 and count < len(line):
        cells -= _cells(line[count])
        count += 1
    return count


def _at_end(view: View, first: int, rows: Iterable[str], indent: int) -> bool:
    last = [(first + at, row) for at, row in enumerate(rows) if row.strip()][-1:] or [(first, "")]
    row, text = last[0]
    return view.row > row or (view.row == row and view.column >= indent + _cells(text.rstrip()))


def _last(text: str, words: str) -> slice | None:
    """Where words without white space stand in a text for the last time."""
    places = [at for at, letter in enumerate(text) for _ in _bare(letter)]
    found = squeezed(text).rfind(words) if words else -1
    return slice(places[found], places[found + len(words) - 1] + 1) if found >= 0 else None


def _fold(found: re.Match[str]) -> Fold:
    if found["both"] is not None:
        return Fold(int(found["both"]) - 1, int(found["of"]))
    return Fold(_number(found["lines"]), _number(found["letters"]))


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


def _cells(text: str) -> int:
    return sum(
        2
        if unicodedata.east_asian_width(letter) in "WF"
        else 0
        if unicodedata.combining(letter)
        else 1
        for letter in text
    )
