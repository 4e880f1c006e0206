"""The fuse of a supervisor of the tests; it is installed before the rest of the package is
imported, and imports little of it.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from ennio.model.failpoints import DECLARED
from tests.faults import plan
from tests.faults.watch import Watch


class Fuse(plan.Fuse):
    """The fuse of a house, which watches what passes it and what does not."""

    def guard(self, plugin: Any, slot: str, points: Mapping[str, str]) -> Any:
        """See ``failpoints.Fuse.guard``."""
        return Wired(slot, plugin, points, self)

    @cached_property
    def watch(self) -> Watch:
        """Who is at it in this process."""
        return Watch(self.home)

    def writes(self, point: str) -> bool:
        """See ``plan.Fuse.writes``."""
        return super().writes(point) or (point in DECLARED and DECLARED[point].files)

    def through(self, point: str, effect: Any, *args: Any, **kwargs: Any) -> Any:
        """See ``plan.Fuse.through``."""
        if point.startswith("request.") and point not in DECLARED:
            with self.watch.inside(point, declared=False):
                self.watch.noted("asked of a server")
        with self.watch.inside(point, declared=True):
            return super().through(point, effect, *args, **kwargs)


class Wired:
    """A plugin with a point on both sides of each method that is declared as
    one; the others are watched.
    """

    def __init__(self, slot: str, plugin: Any, points: Mapping[str, str], fuse: Fuse) -> None:
        self._slot, self._plugin, self._points, self._fuse = slot, plugin, points, fuse

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._plugin, name)
        if not inspect.isroutine(value):
            return value
        if name == "shutdown":  # of any slot, and no method of its interface: a point of its own
            return value
        if name not in self._points:
            return self._fuse.watch.watching(f"{self._slot}.{name}", value)
        return lambda *args, **kwargs: self._fuse.through(
            self._points[name], value, *args, **kwargs
        )
