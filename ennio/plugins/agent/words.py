"""Words on their way to an agent: which are possible at all, and which fit on a command line."""

from __future__ import annotations

from ennio.errors import Invalid

# Linux allows 128 KiB for one argument, its end included; a flag's name may share it.
ARGUMENT_LIMIT = 128 * 1024 - 1024


def checked(text: str, field: str = "prompt") -> str:
    """The same text. Raises Invalid when no program could be given it."""
    if "\0" in text:
        raise Invalid(f"{field}: holds a NUL character at position {text.index(chr(0))}; remove it")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Invalid(f"{field}: half a character (surrogate) at position {error.start}; remove it") from error
    return text


def fits(text: str) -> bool:
    """Whether the text can be one argument of a command; longer words have to be typed."""
    return len(text.encode()) < ARGUMENT_LIMIT


def as_words(text: str) -> str:
    """The text with a space before it where a terminal for people would take its first character for a command."""
    return f" {text}" if text.lstrip("\r\n")[:1] in ("!", "/", "#", "&") else text


def same(text: str) -> str:
    """What stays of a text in every terminal: line ends are one kind, and the edges do not count."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()
