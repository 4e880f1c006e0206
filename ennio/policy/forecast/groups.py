"""From whose past a forecast is made: the closest group that has enough of them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TypeVar

from ennio.model.forecast import FinishedTask, TaskGroup, TaskKind

V = TypeVar("V")
LEAST = 10
"""How many sessions it takes to say anything of them."""


def groups(kind: TaskKind) -> tuple[TaskGroup, ...]:
    """Those that a session belongs to, the closest first: alike in project, agent, model and size;
    then without the size, the model, the agent, the project. What is not known of it is left out.
    """
    known = [(name, value) for name, value in asdict(kind).items() if value is not None]
    return tuple(TaskGroup(**dict(known[:many])) for many in range(len(known), -1, -1))


def sample(
    kind: TaskKind, history: Sequence[FinishedTask], value: Callable[[FinishedTask], V | None]
) -> tuple[TaskGroup, list[V]]:
    """The closest group of which a value is known of enough sessions, and the values; where there
    is none the widest, which has too few.
    """
    known = [(one.kind, found) for one in history if (found := value(one)) is not None]
    choice = groups(kind)
    for group in choice:
        values = [found for of, found in known if group.holds(of)]
        if len(values) >= LEAST:
            return group, values
    return choice[-1], [found for _, found in known]
