"""Fields of a dataclass as columns of a table, and back: one column per field, written
and read by its annotation.
"""

from __future__ import annotations

import json
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from operator import attrgetter
from typing import Any, Generic, TypeVar

from ennio.model.codec import dumps, reader, scalar

R = TypeVar("R")
Values = dict[str, Any]
_AS_THEY_ARE = frozenset({str, int, float, type(None)})
"""Most of what is written is one of these, and none of their subclasses: the shortest way first."""


@dataclass(frozen=True, slots=True)
class RowShape(Generic[R]):
    """How a dataclass lies in a table: its columns, and the way there and back. ``differing`` gives
    the columns in which the second of two rows is another than the first.
    """

    columns: tuple[str, ...]
    encode: Callable[[R], Values]
    decode: Callable[[Values], R]
    differing: Callable[[R, R], Values] | None = None


def shape_of(kind: type[R]) -> RowShape[R]:
    """The plain shape: every field is the column of its name."""
    columns = tuple(field.name for field in fields(kind))  # type: ignore[arg-type]
    return RowShape(columns, fields_of(columns), lambda values: kind(**decode_fields(kind, values)))


def fields_of(columns: tuple[str, ...]) -> Callable[[Any], Values]:
    """What gives those fields of a dataclass (two at least) as what a column holds."""
    read = attrgetter(*columns)

    def encode_fields(row: Any) -> Values:
        kind: Any
        return {
            name: value if (kind := type(value)) in _AS_THEY_ARE else _writer(kind)(value)
            for name, value in zip(columns, read(row), strict=True)
        }

    return encode_fields


def differences_of(columns: tuple[str, ...]) -> Callable[[Any, Any], Values]:
    """What gives those fields (two at least) in which the second of two dataclasses is another than
    the first, as what a column holds.
    """
    read = attrgetter(*columns)

    def encode_differences(before: Any, after: Any) -> Values:
        return {
            name: encode(new)
            for name, old, new in zip(columns, read(before), read(after), strict=True)
            if new is not old and new != old
        }

    return encode_differences


def encode(value: Any) -> Any:
    """A value as what a column holds: text, a number or NULL; structures as JSON text."""
    kind: Any = type(value)
    return value if kind in _AS_THEY_ARE else _writer(kind)(value)


@cache
def _writer(kind: Any) -> Callable[[Any], Any]:
    """What makes the content of a column of the values of a class."""
    return int if kind is bool else scalar(kind) or dumps


def decode_fields(kind: Any, values: Values) -> Values:
    """Columns as fields of the dataclass; a NULL where the field cannot
    be None takes its default.
    """
    readers, optional = _column_readers(kind)
    return {
        name: None if value is None else readers[name](value)
        for name, value in values.items()
        if value is not None or name in optional
    }


@cache
def _column_readers(kind: Any) -> tuple[Mapping[str, Callable[[Any], Any]], frozenset[str]]:
    """What reads the column of each field, and the fields that can be None."""
    hints = typing.get_type_hints(kind)
    optional = frozenset(
        name for name, hint in hints.items() if type(None) in typing.get_args(hint)
    )
    return {name: _column_reader(hint) for name, hint in hints.items()}, optional


def _column_reader(hint: Any) -> Callable[[Any], Any]:
    read = reader(hint)
    members = typing.get_args(hint) if type(None) in typing.get_args(hint) else (hint,)
    if bool in members:
        return bool
    if any(_structured(member) for member in members):
        return lambda value: read(json.loads(value))
    return read


def _structured(hint: Any) -> bool:
    return typing.get_origin(hint) is not None or hasattr(hint, "__dataclass_fields__")
