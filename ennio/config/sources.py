"""Each value of a configuration with where it comes from: a line of the file, a variable, another
key that it follows from, or what is built in. Secrets are masked; pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ennio.config.fields import ConfigField, ListField, MapField, MappingSchema, NestedField
from ennio.config.model import Config
from ennio.config.origin import WrittenAt
from ennio.config.schema import ConfigSchema
from ennio.config.secrets import masked
from ennio.config.yaml_source import Where, shown
from ennio.model.printable import MASK


class ValueSource(StrEnum):
    """Where a value comes from."""

    FILE = "file"
    ENVIRONMENT = "environment"
    DERIVED = "derived"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class ConfigValue:
    """A value as it would stand in the file under ``path``; a secret is ``***``.

    ``line`` is that of the file, None where it does not stand there; ``variables`` are those whose
    values are in it. ``follows`` is the key it was taken or made from, where that is another one.
    """

    path: str
    value: Any
    source: ValueSource
    line: int | None = None
    variables: Sequence[str] = ()
    follows: str | None = None


@dataclass(frozen=True, slots=True)
class ConfigSources:
    """A whole configuration, value by value, in the order of the reference.

    ``reload`` is the command after which a supervisor reads the file anew; None where none runs.
    """

    file: str
    values: Sequence[ConfigValue]
    reload: str | None = None


def sources(config: Config, supervisor: int | None = None) -> ConfigSources:
    """Every value that holds, and why it is this one; ``supervisor`` is the process that runs on
    the file.
    """
    found = _mapping(ConfigSchema, masked(config), (), config.origins)
    reload = None if supervisor is None else f"kill -HUP {supervisor}"
    return ConfigSources(str(config.source), tuple(found), reload)


_Origins = Mapping[Where, WrittenAt]


def _mapping(
    schema: type[MappingSchema], held: Mapping[str, Any], where: Where, origins: _Origins
) -> Iterator[ConfigValue]:
    for key, attribute, entry in schema.entries():
        yield from _entry(entry, held[attribute], (*where, key), origins)


def _entry(
    entry: ConfigField[Any], held: Any, where: Where, origins: _Origins
) -> Iterator[ConfigValue]:
    """What an entry holds, down to what has no keys of its own."""
    match entry:
        case NestedField() if held is not None:
            yield from _mapping(entry.schema, held, where, origins)
        case ListField(each=NestedField() as each) if held:
            for index, item in enumerate(held):
                yield from _entry(each, item, (*where, index), origins)
        case MapField(each=each) if held:
            for key, item in held.items():
                yield from _entry(each, item, (*where, key), origins)
        case _:
            yield _value(entry, held, where, origins)


def _value(entry: ConfigField[Any], held: Any, where: Where, origins: _Origins) -> ConfigValue:
    value = held if held is None or held == MASK else entry.default(held)
    if (written := _written(where, origins)) is not None:
        return _of(where, value, written)
    for other in _others(where):
        if (written := _written(other, origins)) is not None:
            return _of(where, value, written, shown(other))
    origin = _made_of(where) if value is not None else None
    if origin is not None:
        return ConfigValue(shown(where), value, ValueSource.DERIVED, follows=origin)
    return ConfigValue(shown(where), value, ValueSource.DEFAULT)


def _of(where: Where, value: Any, origin: WrittenAt, follows: str | None = None) -> ConfigValue:
    kind = ValueSource.ENVIRONMENT if origin.variables else ValueSource.FILE
    return ConfigValue(shown(where), value, kind, origin.line, origin.variables, follows)


def _written(where: Where, origins: _Origins) -> WrittenAt | None:
    return origins.get(where)


def _others(where: Where) -> Iterator[Where]:
    """The keys that hold where a project says nothing of its own."""
    match where:
        case ("projects", int(), "runtime" | "agent" | "workspace" as key):
            yield ("defaults", key)
        case ("projects", int(), "reactions" | "fan_out" | "resume_at_reset", *_):
            yield where[2:]


def _made_of(where: Where) -> str | None:
    """What a value is made of that nobody wrote."""
    match where:
        case ("projects", index, "project_id"):
            return shown(("projects", index, "name"))
        case ("projects", index, "session_prefix"):
            return shown(("projects", index, "project_id"))
        case ("projects", index, "tracker_config" | "scm_config", *_):
            return shown(("projects", index, "repo"))
        case ("notifiers", int(), "plugin" | "name"):
            return "where it is named"
    return None
