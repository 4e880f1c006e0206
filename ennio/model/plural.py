"""A number of things in words."""

from __future__ import annotations


def number_of(many: int, thing: str, things: str = "") -> str:
    """The number with its noun in the right form; ``things`` where that is not just one s more.

    >>> number_of(1, "path"), number_of(0, "path"), number_of(2, "branch", "branches")
    ('1 path', '0 paths', '2 branches')
    """
    return f"{many} {thing if many == 1 else things or f'{thing}s'}"
