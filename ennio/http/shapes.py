"""What a dataclass looks like as JSON, and the JSON Schema of exactly that: both follow from its fields.

A field is written under its name, unless its metadata says otherwise (see ``ennio.model.shape``). Enums are written
as their word, times as RFC 3339, money as text.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from operator import attrgetter
from pathlib import PurePath
from typing import Any

from ennio.model.clock import rfc3339
from ennio.model.shape import OPTIONAL, WIRE

Schema = dict[str, Any]

_AS_THEY_ARE = frozenset({str, int, float, bool, type(None)})
"""Most of what is written is one of these: the shortest way first."""


@dataclass(frozen=True, slots=True)
class WireField:
    """A field of a dataclass as others see it."""

    name: str
    wire: str
    hint: Any
    optional: bool


@cache
def wire_fields(cls: Any) -> tuple[WireField, ...]:
    """The fields of a dataclass that are shown, in their order."""
    hints = typing.get_type_hints(cls)
    return tuple(
        WireField(each.name, wire, hints[each.name], bool(each.metadata.get(OPTIONAL)))
        for each in fields(cls)
        if (wire := each.metadata.get(WIRE, each.name)) is not None
    )


def plain(value: Any) -> Any:
    """Any frozen value as JSON can hold it; a dataclass becomes an object with the fields that are shown."""
    kind: Any = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if is_dataclass(value):
        names, read = _reading(kind)
        return {name: one if type(one) in _AS_THEY_ARE else plain(one) for name, one in zip(names, read(value), strict=True)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, AbstractSet) or (isinstance(value, Sequence) and not isinstance(value, str)):
        return [plain(item) for item in value]
    return _scalar(value)


@cache
def _reading(cls: Any) -> tuple[tuple[str, ...], Any]:
    shown = wire_fields(cls)
    names = [each.name for each in shown]
    read = attrgetter(*names) if len(names) > 1 else lambda value: tuple(getattr(value, name) for name in names)
    return tuple(each.wire for each in shown), read


def _scalar(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case datetime():
            return rfc3339(value)
        case Decimal() | PurePath():
            return str(value)
        case _:
            return value


# --- the schema ---------------------------------------------------------------------------------------

TEXT: Schema = {"type": "string"}
ANY: Schema = {"type": "object"}
_SCALARS: Mapping[Any, Schema] = {
    str: TEXT,
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    datetime: {"type": "string", "format": "date-time"},
    Decimal: TEXT,
}


def schema_of(hint: Any, named: Mapping[Any, str]) -> Schema:
    """The schema of what ``plain`` makes of a value with this annotation; a class that is ``named`` is referred to.

    Raises TypeError for an annotation whose values have no JSON form.
    """
    if hint in named:
        return {"$ref": f"#/components/schemas/{named[hint]}"}
    if hint in _SCALARS:
        return _SCALARS[hint]
    if is_dataclass(hint):
        return object_schema(hint, named)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"type": "string", "enum": [str(word.value) for word in hint]}
    return _generic(hint, named)


def object_schema(cls: Any, named: Mapping[Any, str]) -> Schema:
    """The schema of a dataclass: an object with just the fields that are shown, all of them there but the optional ones."""
    shown = wire_fields(cls)
    return {
        "type": "object",
        "properties": {each.wire: schema_of(each.hint, named) for each in shown},
        "required": [each.wire for each in shown if not each.optional],
        "additionalProperties": False,
    }


def _generic(hint: Any, named: Mapping[Any, str]) -> Schema:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        kinds = [schema_of(each, named) for each in arguments if each is not type(None)]
        return {"anyOf": [*kinds, *([{"type": "null"}] if type(None) in arguments else [])]}
    if origin is typing.Literal:
        return {"type": "string", "enum": list(arguments)}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return ANY if arguments[1] is Any else {"type": "object", "additionalProperties": schema_of(arguments[1], named)}
    if isinstance(origin, type) and issubclass(origin, (Sequence, AbstractSet)):
        return {"type": "array", "items": schema_of(arguments[0], named)}
    raise TypeError(f"{hint!r} has no JSON form")
