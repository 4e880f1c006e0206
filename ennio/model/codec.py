"""Frozen dataclasses as JSON and back, directed by their annotations.

    datetime  RFC 3339 text        date  ISO 8601 text        enum  its value
    Decimal, Path  text
    tuple, set  array              mapping, dataclass  object (fields by name)
    bytes  base64 text

Reading is forgiving where time passes between writer and reader: unknown keys are ignored
and a missing key takes the field's default. It is strict in all else: a value of the wrong
shape is a ValueError that names the field. A union has at most one dataclass and one member
that is written as text.

What is kept has every field under its own name; what is shown to others has those that are shown,
under the names they are shown by (``ennio.model.shape``).
"""

from __future__ import annotations

import json
import types
import typing
from base64 import b64decode, b64encode
from collections.abc import Callable, Hashable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache, partial
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeVar, cast

from ennio.model.clock import parse_time, rfc3339
from ennio.model.money import plain
from ennio.model.shape import wire_fields

T = TypeVar("T")
Reader = Callable[[Any], Any]
_Written = tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]
_AS_THEY_ARE = frozenset({str, int, float, bool, type(None)})
"""Most of what is written is one of these: the shortest way first."""


def dumps(value: Any) -> str:
    """A value as compact JSON text. Raises TypeError for what has no JSON form here."""
    return "".join(_pieces(value, 0))


def loads(cls: type[T], text: str) -> T:
    """Read a value of this type from JSON text. Raises ValueError."""
    return from_json(cls, json.loads(text))


def to_json(value: Any) -> Any:
    """A value as what ``json`` writes. Raises TypeError for what has no JSON form here."""
    return _to_json(value, _kept)


def shown(value: Any) -> Any:
    """The same as others see it: dataclasses with the fields that are
    shown. Raises TypeError, too.
    """
    return _to_json(value, _shown)


def _to_json(value: Any, written: Callable[[Any], _Written]) -> Any:
    kind: Any = type(value)
    write = scalar(kind)
    if write is not None:
        return write(value)
    if is_dataclass(kind):
        names, read = written(kind)
        return {
            name: one if type(one) in _AS_THEY_ARE else _to_json(one, written)
            for name, one in zip(names, read(value), strict=True)
        }
    if kind is dict or isinstance(value, Mapping):  # most are one: the shortest way first
        return {_key(key): _to_json(item, written) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_to_json(item, written) for item in value]
    if isinstance(value, AbstractSet):
        return sorted((_to_json(item, written) for item in value), key=str)
    raise TypeError(f"{kind.__qualname__} has no JSON form: {value!r}")


@cache
def scalar(kind: Any) -> Callable[[Any], Any] | None:
    """What makes one text, number, truth value or null of the values of a class; None
    where they are structures.
    """
    return next((write for base, write in _SCALARS if issubclass(kind, base)), None)


def unfolded(value: Any) -> dict[str, Any]:
    """The fields of a dataclass by name, as they are, for ``dumps`` to write."""
    cls: Any = type(value)
    names, read = _kept(cls)
    return dict(zip(names, read(value), strict=True))


def from_json(cls: type[T], data: Any) -> T:
    """Read a value of this type (a dataclass, or any annotation one may
    carry). Raises ValueError.
    """
    return cast("T", reader(cast("Hashable", cls))(data))


def _key(key: Any) -> str:
    if type(key) is str:
        return key
    if isinstance(key, bool) or not isinstance(key, (str, int)):
        raise TypeError(f"a mapping's key must be text or a whole number, not {key!r}")
    return str(key.value) if isinstance(key, Enum) else str(key)


def _unknown_to_json(value: Any) -> Any:
    """What ``json`` cannot write by itself, a step nearer to what it can."""
    kind: Any = type(value)
    write = scalar(kind)
    if write is not None:
        return write(value)
    return unfolded(value) if is_dataclass(kind) else to_json(value)


# What ``json`` makes anew for every text, and a small text takes no longer than that: compact, not
# looking for circles, not escaping what is no ASCII, and with what is not a number.
_pieces: Callable[[Any, int], Iterable[str]] = json.encoder.c_make_encoder(  # type: ignore[attr-defined]
    None, _unknown_to_json, json.encoder.encode_basestring, None, ":", ",", False, False, True
)
_SCALARS: tuple[tuple[type[Any] | tuple[type[Any], ...], Callable[[Any], Any]], ...] = (
    (Enum, attrgetter("_value_")),  # ``value`` is a property in Python: four times as long
    ((str, int, float, type(None)), lambda value: value),
    (datetime, rfc3339),
    (date, date.isoformat),
    (Decimal, plain),
    (Path, str),
    (bytes, lambda data: b64encode(data).decode("ascii")),
)


@cache
def _kept(cls: Any) -> _Written:
    """The fields that are kept: the names they are written by, and what reads them."""
    names = tuple(_slots(cls))
    return names, _reading(names)


@cache
def _shown(cls: Any) -> _Written:
    fields_shown = wire_fields(cls)
    return tuple(each.wire for each in fields_shown), _reading(
        tuple(each.name for each in fields_shown)
    )


def _reading(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda value: tuple(getattr(value, name) for name in names)


@dataclass(frozen=True, slots=True)
class _Slot:
    """How one field of a dataclass is read."""

    read: Reader
    required: bool


@cache
def _slots(cls: Any) -> Mapping[str, _Slot]:
    hints = typing.get_type_hints(cls)
    return {
        field.name: _Slot(
            reader(hints[field.name]),
            field.default is MISSING and field.default_factory is MISSING,
        )
        for field in fields(cls)
        if field.init
    }


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType)


@cache
def reader(hint: Hashable) -> Reader:
    """The function that reads JSON into this annotation. Raises TypeError for
    one that has no JSON form.
    """
    hint = getattr(hint, "__supertype__", hint)  # a NewType is read as what it stands for
    if hint in (Any, object):
        return lambda data: data
    if typing.get_origin(hint) is not None or _is_union(hint) or hint in (tuple, list, dict):
        return _generic(hint)
    if not isinstance(hint, type):
        raise TypeError(f"{hint!r} has no JSON form")
    if is_dataclass(hint):
        return partial(_dataclass, hint)
    return hint if issubclass(hint, Enum) else _scalar(hint)


def _generic(hint: Any) -> Reader:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if _is_union(hint):
        return _union(arguments)
    if origin is typing.Literal:
        return _literal(arguments)
    return _container(origin or hint, arguments)


def _scalar(hint: type[Any]) -> Reader:
    if hint is type(None):
        return lambda data: _shape(data, type(None), "null")
    if hint is bool:
        return lambda data: _shape(data, bool, "true or false")
    if hint is int:
        return _whole
    if hint is float:
        return lambda data: float(_shape(data, (float, int), "a number"))
    convert = _FROM_TEXT.get(hint)
    if convert is None:
        raise TypeError(f"{hint.__qualname__} has no JSON form")
    return lambda data: convert(_shape(data, str, "text"))


def _shape(data: Any, kind: type | tuple[type, ...], words: str) -> Any:
    if not isinstance(data, kind) or (isinstance(data, bool) and kind is not bool):
        raise ValueError(f"{words} was expected, not {data!r}")
    return data


def _whole(data: Any) -> int:
    return cast("int", _shape(data, int, "a whole number"))


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"a decimal number was expected, not {text!r}") from None


_FROM_TEXT: Mapping[type[Any], Callable[[str], Any]] = {
    str: str,
    datetime: parse_time,
    date: date.fromisoformat,
    Decimal: _decimal,
    Path: Path,
    bytes: partial(b64decode, validate=True),
}


def _literal(allowed: tuple[Any, ...]) -> Reader:
    def read(data: Any) -> Any:
        if data not in allowed:
            raise ValueError(f"one of {allowed} was expected, not {data!r}")
        return data

    return read


def _container(origin: Any, arguments: tuple[Any, ...]) -> Reader:
    if issubclass(origin, Mapping):
        key, item = (reader(argument) for argument in arguments or (str, Any))
        whole = bool(arguments) and arguments[0] is int
        return lambda data: {
            key(int(name) if whole else name): item(value)
            for name, value in _shape(data, dict, "an object").items()
        }
    if origin is tuple and arguments and arguments[-1] is not Ellipsis:
        return _fixed_tuple(arguments)
    if not issubclass(origin, Iterable):
        raise TypeError(f"{origin!r} has no JSON form")
    item = reader(arguments[0] if arguments else Any)
    make = (
        origin
        if origin in (list, set, frozenset)
        else frozenset
        if issubclass(origin, AbstractSet)
        else tuple
    )
    return lambda data: make(item(value) for value in _shape(data, list, "an array"))


def _fixed_tuple(arguments: tuple[Any, ...]) -> Reader:
    readers = [reader(argument) for argument in arguments]

    def read(data: Any) -> tuple[Any, ...]:
        if len(_shape(data, list, "an array")) != len(readers):
            raise ValueError(f"{len(readers)} items were expected, not {len(data)}")
        return tuple(read_one(value) for read_one, value in zip(readers, data, strict=True))

    return read


def _dataclass(cls: Any, data: Any) -> Any:
    _shape(data, dict, f"an object ({cls.__name__})")
    values = {}
    for name, slot in _slots(cls).items():
        if name in data:
            try:
                values[name] = slot.read(data[name])
            except ValueError as error:
                raise ValueError(f"{cls.__name__}.{name}: {error}") from error
        elif slot.required:
            raise ValueError(f"{cls.__name__}.{name}: it is missing and has no default")
    return cls(**values)


def _union(members: tuple[Any, ...]) -> Reader:
    several = [member for member in members if member is not type(None)]
    if sum(map(_is_text, several)) > 1 or sum(map(is_dataclass, several)) > 1:
        raise TypeError(
            f"a union of several types that are written alike cannot be read back: {members}"
        )
    readers = [reader(member) for member in several]

    def read(data: Any) -> Any:
        if data is None and type(None) in members:
            return None
        return readers[0](data) if len(readers) == 1 else _first(readers, members, data)

    return read


def _is_text(hint: Any) -> bool:
    hint = getattr(hint, "__supertype__", hint)
    return isinstance(hint, type) and (hint in _FROM_TEXT or issubclass(hint, Enum))


def _first(readers: list[Reader], members: tuple[Any, ...], data: Any) -> Any:
    for read in readers:
        try:
            return read(data)
        except ValueError:
            continue
    raise ValueError(f"one of {members} was expected, not {data!r}")
