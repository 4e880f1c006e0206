"""The kinds of fields a request may carry: each reads a value, from JSON or from a
query, and describes itself.

A wrong value raises Invalid naming the field and what would be right. What a request carries is a
dataclass whose annotations say of what kind each field is: it is read and described by the same
fields, and one without a default is required.

    prompt: Annotated[str | None, TextField(longest=1000)] = None
"""

from __future__ import annotations

import re
import typing
from collections.abc import Hashable, Mapping
from dataclasses import MISSING, dataclass, fields, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any, Protocol, cast

from ennio.model.clock import parse_time
from ennio.model.errors import Invalid
from ennio.model.session import ID_PATTERN

BODY_LIMIT = 1024 * 1024
"""Bytes of a body at most, and so of a text in it."""
_DATED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T|\Z)")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_WHOLE = re.compile(r"-?[0-9]{1,16}\Z")
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")
_AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?\Z")
_MOST = Decimal(10) ** 9
_LARGEST = "999999999.999999"
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


def identifier(name: str, value: object) -> str:
    """An id as Ennio writes them, or Invalid: letters, digits, ``_`` and
    ``-``, 1 to 128 of them.
    """
    if isinstance(value, str) and ID_PATTERN.match(value):
        return value
    raise Invalid(
        f"{name}: {brief(value)} is no id; letters, digits, _ and - are allowed, 1 to 128 of them"
    )


class RequestField(Protocol):
    """One field of a body or a query."""

    @property
    def required(self) -> bool:
        """Whether a request without it is wrong."""
        ...

    @property
    def default(self) -> Any:
        """What stands for it when it is missing."""
        ...

    def from_json(self, name: str, value: Any) -> Any:
        """Read a JSON value."""
        ...

    def from_text(self, name: str, text: str) -> Any:
        """Read the text of a query parameter."""
        ...

    def schema(self) -> dict[str, Any]:
        """The field as JSON Schema."""
        ...


def request_fields(cls: type[Any]) -> Mapping[str, RequestField]:
    """The fields of a request's dataclass, by the names they have in it."""
    return _request_fields(cast("Hashable", cls))


@cache
def _request_fields(cls: Any) -> Mapping[str, RequestField]:
    hints = typing.get_type_hints(cls, include_extras=True)
    return {
        each.name: _field(hints[each.name].__metadata__[0], each.default) for each in fields(cls)
    }


def _field(kind: Any, default: Any) -> RequestField:
    return replace(kind, required=True) if default is MISSING else replace(kind, default=default)  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class IdField:
    """An id of Ennio's."""

    required: bool = False
    default: None = None

    def from_json(self, name: str, value: Any) -> str:
        """Read it."""
        return identifier(name, value)

    from_text = from_json

    def schema(self) -> dict[str, Any]:
        """The pattern of all ids."""
        return {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,128}$"}


@dataclass(frozen=True, slots=True)
class TextField:
    """Words; unless ``blank`` allows it, more than white space."""

    required: bool = False
    default: str | None = None
    longest: int = 200
    blank: bool = False

    def from_json(self, name: str, value: Any) -> str:
        """Read it; text that no file or terminal could take (NUL, half a
        surrogate pair) is wrong.
        """
        if not isinstance(value, str):
            raise Invalid(f"{name}: must be text, not {kind_of(value)}")
        if _UNWRITABLE.search(value):
            raise Invalid(
                f"{name}: contains a NUL character or half a surrogate pair; send plain Unicode "
                "text"
            )
        if len(value) > self.longest:
            raise Invalid(f"{name}: {len(value)} characters are too many; at most {self.longest}")
        if not self.blank and not value.strip():
            raise Invalid(f"{name}: is empty; give some words or leave it out")
        return value

    from_text = from_json

    def schema(self) -> dict[str, Any]:
        """A string of bounded length."""
        return {"type": "string", "minLength": 0 if self.blank else 1, "maxLength": self.longest}


@dataclass(frozen=True, slots=True)
class TextListField:
    """Several short texts."""

    required: bool = False
    default: tuple[str, ...] = ()
    most: int = 50

    def from_json(self, name: str, value: Any) -> tuple[str, ...]:
        """Read a list of texts."""
        if not isinstance(value, list) or len(value) > self.most:
            raise Invalid(
                f"{name}: must be a list of at most {self.most} texts, not {kind_of(value)}"
            )
        return tuple(
            TextField().from_json(f"{name}[{index}]", item) for index, item in enumerate(value)
        )

    def from_text(self, name: str, text: str) -> tuple[str, ...]:
        """Read texts between commas."""
        return self.from_json(name, text.split(","))

    def schema(self) -> dict[str, Any]:
        """A bounded array of strings."""
        return {"type": "array", "items": TextField().schema(), "maxItems": self.most}


@dataclass(frozen=True, slots=True)
class NumberField:
    """A whole number between two bounds."""

    low: int
    high: int
    required: bool = False
    default: int | None = None

    def from_json(self, name: str, value: Any) -> int:
        """Read it; ``true`` is no number, ``1.0`` neither."""
        if not isinstance(value, int) or isinstance(value, bool):
            raise Invalid(f"{name}: must be a whole number, not {kind_of(value)}")
        if not self.low <= value <= self.high:
            raise Invalid(
                f"{name}: {value if abs(value) < 10**20 else 'that number'} is not between "
                f"{self.low} and {self.high}"
            )
        return value

    def from_text(self, name: str, text: str) -> int:
        """Read decimal digits."""
        if not _WHOLE.match(text):
            raise Invalid(
                f"{name}: {brief(text)} is no whole number between {self.low} and {self.high}"
            )
        return self.from_json(name, int(text))

    def schema(self) -> dict[str, Any]:
        """A bounded integer."""
        bare = {"type": "integer", "minimum": self.low, "maximum": self.high}
        return bare if self.default is None else bare | {"default": self.default}


@dataclass(frozen=True, slots=True)
class AmountField:
    """US dollars, exact to a millionth; ``above``: more than this."""

    required: bool = False
    default: Decimal | None = None
    above: Decimal | None = None

    def from_json(self, name: str, value: Any) -> Decimal:
        """Read a number, or a text of one."""
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise Invalid(f"{name}: must be an amount of US dollars, not {kind_of(value)}")
        text = str(value)
        amount = Decimal(text) if _AMOUNT.match(text) else None
        if amount is None or amount > _MOST or (self.above is not None and amount <= self.above):
            least = "" if self.above is None else f" above {self.above}"
            raise Invalid(
                f"{name}: {brief(text)} is no amount of US dollars{least}; write one such as 2.50, "
                f"up to {_LARGEST}"
            )
        return amount

    from_text = from_json

    def schema(self) -> dict[str, Any]:
        """A number, or a text of digits."""
        number = {"type": "number", "minimum": 0, "maximum": float(_MOST)}
        text = {"type": "string", "pattern": "^[0-9]{1,9}(\\.[0-9]{1,6})?$"}
        return {"anyOf": [number, text]}


@dataclass(frozen=True, slots=True)
class PartField:
    """A part of a whole: from 0 to 1."""

    required: bool = False
    default: float | None = None

    def from_json(self, name: str, value: Any) -> float:
        """Read a number."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise Invalid(f"{name}: must be a number from 0 to 1, such as 0.8")
        return float(value)

    def from_text(self, name: str, text: str) -> float:
        """Read decimal digits."""
        return self.from_json(name, float(text) if _AMOUNT.match(text) else None)

    def schema(self) -> dict[str, Any]:
        """A bounded number."""
        return {"type": "number", "minimum": 0, "maximum": 1}


@dataclass(frozen=True, slots=True)
class TimeField:
    """A moment (RFC 3339), or a day of UTC: where it begins, or with ``through`` where it ends."""

    required: bool = False
    default: None = None
    through: bool = False

    def from_json(self, name: str, value: Any) -> datetime:
        """Read it."""
        try:
            moment = parse_time(value)
            whole = self.through and _DAY.match(value) is not None
            found = moment + timedelta(days=1) if whole else moment
        except (ValueError, TypeError, OverflowError):
            raise Invalid(
                f"{name}: {brief(value)} is no time; write a day (2026-11-30) or "
                "2026-11-30T12:00:00+00:00"
            ) from None
        if not _DATED.match(value):
            raise Invalid(f"{name}: write {brief(value)} as {moment.date()}")
        return found

    from_text = from_json

    def schema(self) -> dict[str, Any]:
        """A string."""
        return {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}"}


@dataclass(frozen=True, slots=True)
class FlagField:
    """Yes or no; missing means no."""

    required: bool = False
    default: bool = False

    def from_json(self, name: str, value: Any) -> bool:
        """Read true or false."""
        if not isinstance(value, bool):
            raise Invalid(f"{name}: must be true or false, not {kind_of(value)}")
        return value

    def from_text(self, name: str, text: str) -> bool:
        """Read ``true``, ``false``, ``1`` or ``0``."""
        if text.lower() not in _FLAGS:
            raise Invalid(f"{name}: must be true or false, not {brief(text)}")
        return _FLAGS[text.lower()]

    def schema(self) -> dict[str, Any]:
        """A boolean."""
        return {"type": "boolean", "default": self.default}


@dataclass(frozen=True, slots=True)
class ChoiceField:
    """One of the words of an enumeration."""

    words: type[StrEnum]
    required: bool = False
    default: str | None = None

    def from_json(self, name: str, value: Any) -> StrEnum:
        """Read one of the words."""
        if not isinstance(value, str) or value not in list(self.words):
            raise Invalid(f"{name}: {brief(value)} is none of {', '.join(self.words)}")
        return self.words(value)

    from_text = from_json

    def schema(self) -> dict[str, Any]:
        """A string out of an enumeration."""
        return {"type": "string", "enum": list(self.words)}


@dataclass(frozen=True, slots=True)
class ChoiceListField:
    """Any words of an enumeration, at least one; in a query between commas, or repeated."""

    words: type[StrEnum]
    required: bool = False
    default: tuple[StrEnum, ...] = ()

    def from_json(self, name: str, value: Any) -> tuple[StrEnum, ...]:
        """Read a list of words."""
        if not isinstance(value, list) or not value:
            raise Invalid(f"{name}: must be a list of at least one, not {kind_of(value)}")
        return tuple(ChoiceField(self.words).from_json(name, word) for word in value)

    def from_text(self, name: str, text: str) -> tuple[StrEnum, ...]:
        """Read words between commas."""
        return self.from_json(name, text.split(","))

    def schema(self) -> dict[str, Any]:
        """An array of strings out of an enumeration."""
        return {
            "type": "array",
            "items": {"type": "string", "enum": list(self.words)},
            "minItems": 1,
        }


def brief(value: object) -> str:
    """A value as it is named in an error."""
    text = value if isinstance(value, str) else str(value)
    return repr(text if len(text) <= 60 else text[:57] + "...")


_KINDS = {
    dict: "an object",
    list: "a list",
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
}


def kind_of(value: object) -> str:
    """What kind of JSON value it is, in words."""
    return _KINDS.get(type(value), type(value).__name__)
