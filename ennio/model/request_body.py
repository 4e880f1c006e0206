"""A JSON object as the dataclass of what is asked for; strictly.

What is refused: broken UTF-8 or JSON, ``NaN``, a key that is there twice, fields nobody knows
(naming the nearest known one), and values that their fields do not take.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from ennio.model.errors import Invalid
from ennio.model.nearest import nearest
from ennio.model.request_fields import RequestField, request_fields

T = TypeVar("T")


def read_object(cls: type[T], given: Mapping[str, Any]) -> T:
    """The values as this dataclass, what is missing as its default. Raises Invalid."""
    fields = request_fields(cls)
    refuse_unknown(given, fields, "field")
    return cls(**{name: _field(name, given, field) for name, field in fields.items()})


def parse_object(raw: bytes) -> dict[str, Any]:
    """A JSON object from bytes; raises Invalid on anything else."""
    try:
        document = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant
        )
    except UnicodeDecodeError as error:
        raise Invalid(f"the body is not UTF-8 (byte {error.start})") from None
    except RecursionError:
        raise Invalid("the body is nested too deeply") from None
    except ValueError as error:
        raise Invalid(f"the body is no JSON: {error}") from None
    if not isinstance(document, dict):
        raise Invalid("the body must be a JSON object: {...}")
    return document


def missing(name: str, field: RequestField) -> Any:
    """What counts where nothing was given. Raises Invalid where something must be."""
    if field.required:
        raise Invalid(f"{name}: is missing")
    return field.default


def refuse_unknown(given: Iterable[str], fields: Mapping[str, RequestField], noun: str) -> None:
    """Raise Invalid for a name that is none of the fields."""
    for name in given:
        if name not in fields:
            near = nearest(name, fields)
            known = f"did you mean {near}?" if near else f"known: {', '.join(fields) or 'none'}"
            raise Invalid(f"unknown {noun} {name[:60]!r}; {known}")


def _field(name: str, given: Mapping[str, Any], field: RequestField) -> Any:
    value = given.get(name)
    return missing(name, field) if value is None else field.from_json(name, value)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for name, value in pairs:
        if name in document:
            raise ValueError(f"{name[:60]!r} is there twice")
        document[name] = value
    return document


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON value")
