"""The names of plugins, as a person is offered them."""

from __future__ import annotations

from collections.abc import Iterable

_STUB = "stub"
"""In every slot: it does nothing in the world. A configuration of a test may name it."""


def offered(names: Iterable[str]) -> tuple[str, ...]:
    """Those of the names that are of use to a person: without the one that only tests use."""
    return tuple(name for name in names if name != _STUB)
