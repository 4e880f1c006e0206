"""Words on their way to an agent: which are possible at all, and which fit on a command line."""

from __future__ import annotations

import unicodedata

from ennio.model.errors import Invalid

# Linux allows 128 KiB for one argument, its end included; a flag's name may share it.
ARGUMENT_LIMIT = 128 * 1024 - 1024


def checked(text: str, field: str = "prompt") -> str:
    """The same text. Raises Invalid when no program could be given it."""
    if "\0" in text:
        raise Invalid(f"{field}: holds a NUL character at position {text.index(chr(0))}; remove it")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Invalid(
            f"{field}: half a character (surrogate) at position {error.start}; remove it"
        ) from error
    return text


def fits(text: str) -> bool:
    """Whether the text can be one argument of a command; longer words have to be typed."""
    return len(text.encode()) < ARGUMENT_LIMIT


def may_not_fit(text: str) -> bool:
    """Whether some agent could have no room for so many words, with what it adds to them."""
    return not fits(text * 2)


FRAME = "Message: "
"""What stands before words that an agent's own terminal would act upon instead of
passing them to the model.
"""

_CONTROL = {number: chr(0x2400 + number) for number in range(0x20) if chr(number) not in "\t\n"} | {
    0x7F: "\u2421"
}
_CONTROL |= {number: f"\\x{number:x}" for number in range(0x80, 0xA0)}


def plain(text: str) -> str:
    """The text with nothing in it that is a key: line ends are one kind, other control characters
    are pictures (``^C``: ``\u2403``).
    """
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROL)


def as_words(text: str) -> str:
    """The text with a space before it where a terminal for people would take its first
    character for a command.
    """
    return f" {text}" if text.lstrip("\r\n")[:1] in ("!", "/", "#", "&") else text


def unpicked(text: str, marks: str) -> str:
    """The text with a space after it where its last word would open a list of files or skills
    that takes Enter for itself.
    """
    last = text.split()[-1:] or [""]
    return (
        f"{text} " if any(mark in last[0] for mark in marks) and not text[-1:].isspace() else text
    )


def is_same_text(told: str, text: str, typed: str) -> bool:
    """Whether what an agent was told is this text, as it is or as it was typed."""
    return visible(told) in (visible(text), visible(typed))


def visible(text: str) -> str:
    """A text without white space and without what shows nothing: terminals wrap lines, and some
    agents leave out the rest.
    """
    whole = unicodedata.normalize("NFC", text)
    return "".join(
        letter
        for letter in whole
        if not letter.isspace() and not unicodedata.category(letter).startswith("C")
    )


def same(text: str) -> str:
    """What stays of a text in every terminal: line ends and letters are of one kind,
    and the edges do not count.
    """
    return unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").strip()
