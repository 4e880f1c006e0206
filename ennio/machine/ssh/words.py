"""Text for a shell over there. This is the only place where text meets its syntax."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import PurePath


def quoted(text: str | bytes | PurePath) -> bytes:
    """A word that any POSIX shell takes for this very text. Raises ValueError for text with a NUL,
    which no word can hold.
    """
    raw = text if isinstance(text, bytes) else os.fsencode(text)
    if b"\0" in raw:
        raise ValueError("embedded null byte")
    return b"'" + raw.replace(b"'", b"'\\''") + b"'"


def joined(words: Iterable[str | bytes | PurePath]) -> bytes:
    """Several words of a line."""
    return b" ".join(map(quoted, words))
