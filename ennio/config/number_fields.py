"""The kinds of number a configuration has: switches, whole numbers, fractions,
money, durations, sizes.

They may also arrive as text, since ``${PORT}`` is text until it is expanded.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError

from ennio.config import quantity
from ennio.config.fields import ConfigField, Json
from ennio.config.text_fields import VARIABLE

MANY = 2**32 - 1


class BoolField(ConfigField[bool]):
    """Yes or no."""

    kind = "true or false"

    def read(self, value: Any) -> bool:
        """The switch's position."""
        if value in ("true", "false"):
            return bool(value == "true")
        if not isinstance(value, bool):
            raise ValidationError("{value} is neither true nor false")
        return value

    def json(self) -> Json:
        """A boolean, or a text that is one."""
        return {"anyOf": [{"type": "boolean"}, {"enum": ["true", "false"]}, VARIABLE]}


class IntField(ConfigField[int]):
    """A whole number within bounds, both included."""

    kind = "whole number"

    def __init__(self, about: str, least: int, most: int, *, none: bool = False) -> None:
        super().__init__(about, none=none)
        self.least, self.most = least, most

    def read(self, value: Any) -> int:
        """The number."""
        if isinstance(value, str) and re.fullmatch(r"0|[1-9][0-9]{0,17}", value, re.ASCII):
            value = int(value)
        if (
            isinstance(value, bool)
            or not isinstance(value, int)
            or not self.least <= value <= self.most
        ):
            raise ValidationError(
                f"{{value}} is not a whole number from {self.least} to {self.most}"
            )
        return value

    def json(self) -> Json:
        """An integer within bounds, or a text of digits."""
        number = {"type": "integer", "minimum": self.least, "maximum": self.most}
        return {"anyOf": [number, {"type": "string", "pattern": r"^(0|[1-9][0-9]*)$|\$\{"}]}


class FractionField(ConfigField[float]):
    """A number from 0 to 1."""

    kind = "number from 0 to 1"

    def read(self, value: Any) -> float:
        """The number as a float."""
        number = _decimal(value)
        if number is None or not 0 <= number <= 1:
            raise ValidationError("{value} is not a number from 0 to 1")
        return float(number)

    def json(self) -> Json:
        """A number within bounds, or a text."""
        return {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 1},
                {"type": "string", "pattern": r"^[0-9.]+$|\$\{"},
            ]
        }


class MoneyField(ConfigField[Decimal]):
    """US dollars, exact to a millionth."""

    kind = "US dollars"

    def read(self, value: Any) -> Decimal:
        """The exact amount."""
        number = _decimal(value)
        if number is None or not 0 <= number <= 10**9 or number != round(number, 6):
            raise ValidationError(
                "{value} is not an amount of US dollars: write a number such as 25 or 2.50"
            )
        return number

    def json(self) -> Json:
        """A number, or a text of one."""
        return {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 10**9},
                {"type": "string", "pattern": r"^[0-9.]+$|\$\{"},
            ]
        }


class DateField(ConfigField[date]):
    """A day, written as ``2026-11-30``."""

    kind = "day"

    def read(self, value: Any) -> date:
        """The day."""
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        try:
            if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
                return date.fromisoformat(value)
        except ValueError:
            pass
        raise ValidationError("{value} is no day: write it as 2026-11-30")

    def json(self) -> Json:
        """A text of year, month and day."""
        return {"type": "string", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$|\$\{"}


def _decimal(value: Any) -> Decimal | None:
    """The exact number that was written; a float's shortest text is what its author wrote."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{1,18}(\.[0-9]{1,18})?", value, re.ASCII):
        return None
    return Decimal(str(value))


class DurationField(ConfigField[float]):
    """Seconds, written as ``90``, ``90s``, ``500ms``, ``5m``, ``1h`` or ``2d``; ``bare`` is
    the unit of a bare number.
    """

    kind = "duration"

    def __init__(
        self, about: str, *, least: float = 0.0, bare: str = "s", none: bool = False
    ) -> None:
        super().__init__(about, none=none)
        self.least, self.bare = least, bare

    def read(self, value: Any) -> float:
        """The seconds."""
        try:
            found = quantity.seconds(value, self.bare)
        except ValueError as error:
            raise ValidationError(f"{{value}} {error}") from None
        if found < self.least:
            raise ValidationError(
                f"{{value}} is too short: at least {quantity.shown_seconds(self.least)}"
            )
        return found

    def json(self) -> Json:
        """A number, or a text with a unit."""
        text = {"type": "string", "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*(ms|s|m|h|d)?\s*$|\$\{"}
        return {"anyOf": [{"type": "number", "minimum": 0}, text]}

    def default(self, value: Any) -> Any:
        """With its unit."""
        return quantity.shown_seconds(value)


class SizeField(ConfigField[int]):
    """Bytes, written as a number or as ``512MiB``."""

    kind = "size"

    def read(self, value: Any) -> int:
        """The bytes."""
        try:
            return quantity.size(value)
        except ValueError as error:
            raise ValidationError(f"{{value}} {error}") from None

    def json(self) -> Json:
        """A number, or a text with a unit."""
        text = {
            "type": "string",
            "pattern": rf"^\s*[0-9]+(\.[0-9]+)?\s*({'|'.join(quantity.UNITS_OF_SIZE)})?\s*$|\$\{{",
        }
        return {"anyOf": [{"type": "integer", "minimum": 0}, text]}

    def default(self, value: Any) -> Any:
        """With its unit."""
        return quantity.shown_size(value)


class FactorField(ConfigField[float]):
    """A number above 0, up to ``most``."""

    kind = "number above 0"

    def __init__(self, about: str, most: float, *, shown: str | None = None) -> None:
        super().__init__(about, shown=shown)
        self.most = most

    def read(self, value: Any) -> float:
        """The number as a float."""
        number = _decimal(value)
        if number is None or not 0 < number <= self.most:
            raise ValidationError(f"{{value}} is not a number above 0 and up to {self.most:g}")
        return float(number)

    def json(self) -> Json:
        """A number within bounds, or a text."""
        number = {"type": "number", "exclusiveMinimum": 0, "maximum": self.most}
        return {"anyOf": [number, {"type": "string", "pattern": r"^[0-9.]+$|\$\{"}]}
