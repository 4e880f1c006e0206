"""What every call of a plugin passes: it is counted, with how long it took and whether it failed.

Each plugin stands behind an object of a class made for its own class, which has the methods that
its slot's interface declares. So whoever asks what a plugin offers gets the same answer as before.
"""

from __future__ import annotations

import inspect
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, cast

from ennio import tracing
from ennio.model.errors import EnnioError, Refused, Unreachable, run_out

log = logging.getLogger(__name__)
BOUNDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0)
"""Seconds; each call counts in the first of these that it did not exceed."""
_WAITING = 256
_DISPENSABLE = frozenset({"notifier", "predictor"})
"""Slots without whose plugins all else goes on: what one of them raises is no bug of whoever asks,
and is told as an error of its own.
"""
_HOLDS_SECRETS = frozenset({"notifier"})
"""Slots of which the words of an error may hold the address of a channel, which is a secret."""


@dataclass(frozen=True, slots=True)
class CallStatistics:
    """The calls of one plugin so far. ``within`` counts those of each of ``BOUNDS``,
    and of none of them last.
    """

    calls: int = 0
    failed: int = 0
    seconds: float = 0.0
    within: tuple[int, ...] = field(default=(0,) * (len(BOUNDS) + 1))

    @property
    def bounds(self) -> tuple[float, ...]:
        """See ``BOUNDS``."""
        return BOUNDS


class _Counted:
    """The calls of one plugin; safe from many threads, none of which ever waits for another."""

    def __init__(self, begun_with: CallStatistics) -> None:
        self._sum = begun_with
        self._new: deque[tuple[float, bool]] = deque()
        self._adding = threading.Lock()

    def note(self, seconds: float, failed: bool) -> None:
        self._new.append((seconds, failed))
        if len(self._new) >= _WAITING and self._adding.acquire(blocking=False):
            try:
                self._add()
            finally:
                self._adding.release()

    def read(self) -> CallStatistics:
        with self._adding:
            self._add()
            return self._sum

    def _add(self) -> None:
        taken = [self._new.popleft() for _ in range(len(self._new))]
        within = list(self._sum.within)
        for seconds, _ in taken:
            within[next((at for at, most in enumerate(BOUNDS) if seconds <= most), -1)] += 1
        self._sum = replace(
            self._sum,
            calls=self._sum.calls + len(taken),
            failed=self._sum.failed + sum(failed for _, failed in taken),
            seconds=self._sum.seconds + sum(seconds for seconds, _ in taken),
            within=tuple(within),
        )


class PluginCalls:
    """The calls of all plugins of a supervisor, by slot and name."""

    def __init__(self) -> None:
        self._counted: dict[tuple[str, str], _Counted] = {}

    def of(self, slot: str, name: str) -> _Counted:
        """Where the calls of this plugin are counted, those of all its instances together."""
        return self._counted.setdefault((slot, name), _Counted(CallStatistics()))

    def read(self) -> Mapping[tuple[str, str], CallStatistics]:
        """All so far."""
        return {key: counted.read() for key, counted in sorted(self._counted.items())}

    def go_on(self, before: Mapping[tuple[str, str], CallStatistics]) -> None:
        """Count on from what an earlier supervisor had counted; before anything is called."""
        self._counted = {key: _Counted(statistics) for key, statistics in before.items()}


def observed(plugin: Any, slot: str, name: str, interface: type, calls: PluginCalls) -> Any:
    """The plugin, whose calls are counted."""
    kind = _class_of(cast("Hashable", type(plugin)), _offered(plugin, interface))
    return kind(plugin, slot, name, calls.of(slot, name))


class _Observed:
    """A plugin that is counted. What is no method of its slot is its own."""

    def __init__(self, plugin: Any, slot: str, name: str, counted: _Counted) -> None:
        self._plugin = plugin
        self._slot = slot
        self._name = name
        self._counted = counted
        self._attributes = {tracing.SLOT: slot, tracing.PLUGIN: name}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plugin, name)


@cache
def _class_of(kind: Any, offered: frozenset[str]) -> type[_Observed]:
    """A class for each class of plugins: what one offers, and is asked whether it offers, is the
    same for all of a class.
    """
    return type(
        f"Observed{kind.__name__}", (_Observed,), {name: _counting(name) for name in offered}
    )


def _offered(plugin: Any, interface: type) -> frozenset[str]:
    """The methods that its slot declares and it has; an older plugin may lack some."""
    return frozenset(
        name for name in _methods(interface) if inspect.isroutine(getattr(plugin, name, None))
    )


@cache
def _methods(interface: type) -> frozenset[str]:
    """The methods of a slot, with those of the further protocols that some of its plugins offer."""
    module = inspect.getmodule(interface)
    protocols = [each for each in vars(module).values() if getattr(each, "_is_protocol", False)]
    return frozenset(name for each in protocols for name in _routines(each))


def _routines(protocol: type) -> Iterator[str]:
    return (
        name
        for name, value in vars(protocol).items()
        if inspect.isfunction(value) and not name.startswith("_")
    )


def _counting(name: str) -> Callable[..., Any]:
    def call(self: _Observed, *args: Any, **kwargs: Any) -> Any:
        begun, failed = time.perf_counter(), True
        try:
            with tracing.span(f"{self._slot}.{name}", self._attributes):
                result = getattr(self._plugin, name)(*args, **kwargs)
            failed = False
        except EnnioError:
            raise
        except Exception as bug:
            if self._slot not in _DISPENSABLE or run_out(bug) is not None:
                raise
            raise _told(bug, self._slot, f"the {self._slot} {self._name} failed in {name}") from bug
        finally:
            self._counted.note(time.perf_counter() - begun, failed)
        return result

    call.__name__ = name
    return call


def _told(bug: Exception, slot: str, words: str) -> EnnioError:
    """What a plugin raised that it should not have: a channel that nobody answers for is tried
    again, as if it had said so itself.
    """
    said = type(bug).__name__
    if slot not in _HOLDS_SECRETS:
        return Refused(f"{words}: {said}: {bug}")
    log.warning("a plugin failed", exc_info=bug, extra={"plugin": words})
    return (Unreachable if isinstance(bug, OSError) else Refused)(f"{words}: {said}")
