"""Fail points: each place that acts on the world, declared where it does.

A declaration is a name, and nothing else at run time. A test that plays what can go wrong installs
a fuse before it imports the rest: from then on every declared point passes it, and the waits that
only cost time are shortened. ``because`` says why no story of the tests comes by a point; ``files``
that it writes some, so that a disk may be full there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
_OPERATION = re.compile(r"\b(query|mutation) ([A-Z]\w+)\(")


class Fuse(Protocol):
    """What is passed where something may go wrong."""

    def through(self, point: str, effect: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Do it, or let go wrong before or after it what is to go wrong there."""
        ...

    def guard(self, plugin: Any, slot: str, points: Mapping[str, str]) -> Any:
        """The plugin, whose methods pass these points."""
        ...


@dataclass(frozen=True, slots=True)
class FailPoint:
    """One declaration."""

    name: str
    because: str = ""
    files: bool = False


DECLARED: dict[str, FailPoint] = {}
"""Every declaration that was imported, by its name."""
_methods: dict[str, dict[str, str]] = {}  # by module: the points of its methods
_fuse: Fuse | None = None


def install(fuse: Fuse) -> None:
    """Have everything imported from now on pass this fuse. Raises RuntimeError when
    something was declared before.
    """
    global _fuse  # noqa: PLW0603 - one for the process, like the points
    if DECLARED:
        raise RuntimeError(
            f"imported before the fuse, and does not pass it: {', '.join(sorted(DECLARED))}"
        )
    _fuse = fuse


def declare(name: str, *, because: str = "", files: bool = False) -> None:
    """A point that is passed elsewhere: in the commit of a table, in the client of a server."""
    known = DECLARED.get(name)
    if (
        known is None or known.because
    ):  # one of several declarations without a reason is enough: it is passed there
        DECLARED[name] = FailPoint(name, because, files)


def failpoint(
    name: str, *, because: str = "", files: bool = False
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Declare a function to be a point; of a slot's interface, the method of every plugin."""
    declare(name, because=because, files=files)

    def declared(function: Callable[P, T]) -> Callable[P, T]:
        _methods.setdefault(function.__module__, {})[function.__name__] = name
        return _passing(function, lambda *_, **__: name)

    return declared


def named_by(name: Callable[..., str]) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Have a function pass the point that its arguments name; it is declared
    where they are put together.
    """

    def declared(function: Callable[P, T]) -> Callable[P, T]:
        return _passing(function, name)

    return declared


def asks(*names: str, because: str = "") -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Declare what a function asks of a server: ``put.pulls.merge``. The client passes the
    points, by what it sends.
    """
    for name in names:
        declare(f"request.{name}", because=because)
    return lambda function: function


def operation(text: str, *, because: str = "") -> str:
    """A text of GraphQL, declared by its name."""
    declare(f"request.{operation_of(text)}", because=because)
    return text


def operation_of(text: str) -> str:
    """The name of an operation: ``query.Survey``, ``mutation.Reply``."""
    return ".".join(_OPERATION.findall(text)[0])


def guarded(plugin: Any, slot: str, interface: type) -> Any:
    """The plugin; where there is a fuse, one whose methods pass the points
    of its slot's interface.
    """
    return (
        plugin
        if _fuse is None
        else _fuse.guard(plugin, slot, _methods.get(interface.__module__, {}))
    )


def seconds(wait: float, *, shortened: float) -> float:
    """A wait on whose length nothing but patience hangs: the shortened
    one where there is a fuse.
    """
    return wait if _fuse is None else shortened


def _passing(function: Callable[P, T], name: Callable[..., str]) -> Callable[P, T]:
    fuse = _fuse
    if fuse is None:
        return function

    @wraps(function)
    def passing(*args: P.args, **kwargs: P.kwargs) -> T:
        return fuse.through(name(*args, **kwargs), function, *args, **kwargs)

    return passing
