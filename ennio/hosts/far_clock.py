"""The clock of another machine, and what it says as ours would have said it.

A host works by the clock that its files, terminals and agents go by. What it is given and what it
answers goes by ours: each moment is translated on its way, and none is where the two agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ennio.machine.interface import Machine
from ennio.model.clock import Clock
from ennio.model.plan_window import PlanWindow

_OF_OTHERS: Mapping[type, frozenset[str]] = {PlanWindow: frozenset({"resets_at"})}
"""Moments that a provider names, whatever clock its customer has."""


class FarClock:
    """What time it is on another machine."""

    def __init__(self, machine: Machine, near: Clock) -> None:
        self._machine = machine
        self._near = near

    def now(self) -> datetime:
        """The present moment by that machine."""
        return datetime.fromtimestamp(self._machine.now(), UTC)

    def running(self) -> float:
        """Seconds that this machine was awake."""
        return self._near.running()


def moved(value: Any, by: timedelta) -> Any:
    """The same with every moment in it so much later."""
    if not by:
        return value
    if isinstance(value, datetime):
        return value + by
    if isinstance(value, dict):
        return {key: moved(one, by) for key, one in value.items()}
    if isinstance(value, list | tuple):
        each = [moved(one, by) for one in value]
        named = hasattr(value, "_fields")
        return type(value)(*each) if named else type(value)(each)
    return _dataclass_moved(value, by) if is_dataclass(value) else value


def _dataclass_moved(value: Any, by: timedelta) -> Any:
    if isinstance(value, type):
        return value
    now = {name: getattr(value, name) for name in _named(type(value))}
    then = {name: moved(one, by) for name, one in now.items()}
    changes = {name: one for name, one in then.items() if one is not now[name]}
    return replace(value, **changes) if changes else value


_NAMES: dict[type, tuple[str, ...]] = {}
"""What is moved of each class."""


def _named(kind: type) -> tuple[str, ...]:
    if kind not in _NAMES:
        kept = _OF_OTHERS.get(kind, frozenset())
        _NAMES[kind] = tuple(one.name for one in fields(kind) if one.init and one.name not in kept)
    return _NAMES[kind]
