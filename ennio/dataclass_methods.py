"""Methods of dataclasses, compiled when they are first called.

``@dataclass(frozen=True, slots=True)`` writes the text of six methods for each class, and compiles
each on its own: of five hundred classes a third of the time that a start of the supervisor takes.
Most are never called: nobody assigns to what is frozen, few are printed, hashed or compared. Here a
method that is called for the first time is compiled, and takes the place it was called from; from
then on everything is as the standard library has it.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from typing import Any

_GIVEN = ["name", "args", "body", "globals", "locals", "return_type"]


def compile_when_called() -> None:
    """From now on the methods of new dataclasses of this process wait for their first call; may be
    called twice.

    Where the standard library makes them in another way (all of a class at once, since 3.13),
    everything stays as it is: slower, and just as right.
    """
    compiled = getattr(dataclasses, "_create_fn", None)
    if compiled is None or list(inspect.signature(compiled).parameters) != _GIVEN:
        return

    def late(name: str, args: Any, body: Any, **given: Any) -> Callable[..., Any]:
        return _late(name, lambda: compiled(name, args, body, **given))

    dataclasses._create_fn = late  # type: ignore[attr-defined] # noqa: SLF001 - the one seam there is


def _late(name: str, compiled: Callable[[], Callable[..., Any]]) -> Callable[..., Any]:
    """What stands for a method until it is called."""
    made: list[Callable[..., Any]] = []

    def waiting(self: Any, /, *given: Any, **named: Any) -> Any:
        if not made:
            method = compiled()
            method.__qualname__ = waiting.__qualname__
            made.append(method)
        for place in _places(type(self), name, waiting):
            setattr(place, name, made[0])
        return made[0](self, *given, **named)

    waiting.__name__ = name
    return waiting


def _places(kind: type, name: str, method: Callable[..., Any]) -> Iterator[type]:
    """The classes that have this very method under the name: of those a class with slots is made
    of, the one that is in use.
    """
    return (place for place in kind.__mro__ if vars(place).get(name) is method)
