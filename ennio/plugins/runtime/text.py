"""The words that go into a terminal and come out of it."""

from __future__ import annotations

from collections.abc import Iterable

from ennio.model.errors import Invalid
from ennio.model.session import ID_PATTERN

_ESCAPES = ("\x1b[201~", "\x9b201~")
_INERT = "\N{SYMBOL FOR ESCAPE}[201~"


def pasteable(text: str) -> bytes:
    """The text as it goes into a bracketed paste: unchanged, but no part of it
    can end the paste early.

    The code that would end it keeps its looks and loses its power. Raises Invalid for NUL,
    which no terminal takes.
    """
    if "\0" in text:
        raise Invalid("message: it contains a NUL character, which no terminal takes; remove it")
    for escape in _ESCAPES:
        text = text.replace(escape, _INERT)
    return text.encode("utf-8", "replace")


def named(name: str) -> str:
    """A name fit for a terminal. Raises Invalid."""
    if not ID_PATTERN.match(name):
        raise Invalid(f"name {name!r}: a terminal is named by 1-128 letters, digits, '_' and '-'")
    return name


def last_lines(shown: Iterable[str], lines: int) -> str:
    """The last lines, without the blank ones a terminal is filled up with."""
    rows = [line.rstrip() for line in shown]
    while rows and not rows[-1]:
        rows.pop()
    return "\n".join(rows[-lines:]) if lines > 0 else ""
