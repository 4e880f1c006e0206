"""The known word that somebody most likely meant."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that looks most like this one, letter case, ``-`` and ``_``
    aside; None when none does.

    >>> nearest("merge-methud", ["merge_method", "draft"])
    'merge_method'
    """
    from difflib import get_close_matches  # noqa: PLC0415 - most commands end without needing it

    folded = {_folded(each): each for each in known}
    found = get_close_matches(_folded(word), folded, n=1)
    return folded[found[0]] if found else None


def _folded(word: str) -> str:
    return word.lower().replace("-", "_")
