"""What is different in two readings of a configuration, by the places a person wrote it at."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from ennio.config.model import Config

_DERIVED = frozenset(
    ("source", "directory", "hidden", "demands", "budget_lines", "origins", "config_hash")
)
_NAMED_BY = ("id", "name")
_NOTHING: tuple[Any, ...] = (None, "", (), {})

RESTART = ("host", "port", "terminal_port", "direct_terminal_port", "port_chosen")
"""What the process above the worker stands on, which a reload does not replace."""


class PlaceChange(StrEnum):
    """What became of what stood at a place."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


_Place = tuple[str, PlaceChange]


def differences(before: Config, after: Config) -> Mapping[str, PlaceChange]:
    """The places whose values differ, as ``projects[my-app].max_sessions``, in order, and how; an
    entry that came or went is one place. Values are not told: some are secrets.
    """
    found = dict(_differing(_fields(before), _fields(after), ""))
    return {place: _written(before, after, place) or found[place] for place in sorted(found)}


def _written(before: Config, after: Config, place: str) -> PlaceChange | None:
    """Whether it came into the file or went from it, where a default stands in for it otherwise."""
    where = tuple(place.split("."))
    was, now = where in before.origins, where in after.origins
    return None if was == now else PlaceChange.ADDED if now else PlaceChange.REMOVED


def _became(before: Any, after: Any) -> PlaceChange:
    if before in _NOTHING:
        return PlaceChange.ADDED
    return PlaceChange.REMOVED if after in _NOTHING else PlaceChange.CHANGED


def waits_for_restart(place: str) -> bool:
    """Whether what stands at a place takes effect with a new process only."""
    return place in RESTART


def _fields(value: Any) -> Mapping[str, Any]:
    return {
        field.name: getattr(value, field.name)
        for field in dataclasses.fields(value)
        if field.name not in _DERIVED
    }


def _differing(before: Mapping[str, Any], after: Mapping[str, Any], place: str) -> Iterator[_Place]:
    for key in before.keys() | after.keys():
        if key not in before or key not in after:
            yield f"{place}{key}", PlaceChange.REMOVED if key in before else PlaceChange.ADDED
        elif before[key] != after[key]:
            yield from _within(before[key], after[key], f"{place}{key}")


def _within(before: Any, after: Any, place: str) -> Iterator[_Place]:
    if dataclasses.is_dataclass(before) and type(before) is type(after):
        yield from _differing(_fields(before), _fields(after), f"{place}.")
    elif isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _differing(before, after, f"{place}.")
    elif (named := _named(before, place)) is not None and (
        others := _named(after, place)
    ) is not None:
        yield from _differing(named, others, "")
    else:
        yield place, _became(before, after)


def _named(entries: Any, place: str) -> Mapping[str, Any] | None:
    """The entries of a list by the names they have; None where they have none."""
    if not isinstance(entries, tuple):
        return None
    names = [_name(entry) for entry in entries]
    if None in names or len(set(names)) < len(names):
        return None
    return {f"{place}[{name}]": entry for name, entry in zip(names, entries, strict=True)}


def _name(entry: Any) -> str | None:
    if not dataclasses.is_dataclass(entry):
        return None
    return next((str(getattr(entry, key)) for key in _NAMED_BY if getattr(entry, key, None)), None)
