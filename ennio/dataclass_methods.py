"""Methods of dataclasses, compiled when they are first called, and shorter where one is frozen.

``@dataclass(frozen=True, slots=True)`` writes the text of six methods for each class, and compiles
each on its own: of five hundred classes a third of the time that a start of the supervisor takes.
Most are never called: nobody assigns to what is frozen, few are printed, hashed or compared. Here a
method that is called for the first time is compiled, and takes the place it was called from; from
then on everything is as the standard library has it.

But for one thing: what is frozen is filled by ``object.__setattr__``, which looks up each field in
the class again and takes six times as long as an assignment. Here each field is put into its slot,
known since the class was made: half of that, of a row with forty fields as of one with two.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

_FILLS = re.compile(r"__dataclass_builtins_object__\.__setattr__\((\w+),'(\w+)',")
"""How the text of a frozen class's ``__init__`` begins each of its lines."""
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
        def of(kind: type) -> Callable[..., Any]:
            lines, slots = _by_slots(kind, body)
            named = {"locals": {**given["locals"], **slots}} if slots else {}
            method: Callable[..., Any] = compiled(name, args, lines, **given | named)
            return method

        return _late(name, of)

    dataclasses._create_fn = late  # type: ignore[attr-defined] # noqa: SLF001 - the one seam there is


def _by_slots(kind: type, body: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """The text of a method where each field goes into its slot, and those slots by the names they
    have in it; as it is for a class that has none.
    """
    slots: dict[str, Any] = {}

    def put(found: re.Match[str]) -> str:
        instance, field = found.groups()
        slot = getattr(kind, field, None)
        if not inspect.ismemberdescriptor(slot):
            return found[0]
        slots[f"_slot_{field}"] = slot.__set__
        return f"_slot_{field}({instance},"

    return [_FILLS.sub(put, line, count=1) for line in body], slots


def _late(name: str, compiled: Callable[[type], Callable[..., Any]]) -> Callable[..., Any]:
    """What stands for a method until it is called."""
    made: list[Callable[..., Any]] = []

    def waiting(self: Any, /, *given: Any, **named: Any) -> Any:
        if not made:
            method = compiled(next(_places(type(self), name, waiting), type(self)))
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
