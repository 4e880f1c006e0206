"""Which milestones an issue is told of: what the settings of a tracker say about it, read the same way everywhere."""

from __future__ import annotations

from typing import Any

from ennio.plugins.tracker.interface import MilestoneKind

ALL = tuple(MilestoneKind)


def milestone(value: Any) -> MilestoneKind:
    """The milestone of this name. Raises ValueError naming those there are."""
    try:
        return MilestoneKind(value)
    except ValueError:
        raise ValueError(f"{value!r} is no milestone; there are {', '.join(ALL)}") from None


def milestones(value: Any) -> tuple[MilestoneKind, ...]:
    """Some milestones: a list of names, ``true`` for all, ``false`` for none. Raises ValueError."""
    if value is None or isinstance(value, bool):
        return ALL if value else ()
    if isinstance(value, str):
        return (milestone(value),)
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"{value!r} is neither true, false nor a list of {', '.join(ALL)}")  # noqa: TRY004 - one kind for all readers
    return tuple(dict.fromkeys(milestone(item) for item in value))


def switch(value: Any) -> bool:
    """A switch. Raises ValueError."""
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is not true or false")  # noqa: TRY004 - one kind for all readers
    return value
