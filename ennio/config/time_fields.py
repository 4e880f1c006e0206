"""The kinds of setting that are an hour of the day, or the clock of a place."""

from __future__ import annotations

import re
from typing import Any
from zoneinfo import ZoneInfo

from marshmallow import ValidationError

from ennio.config.fields import ConfigField, Json
from ennio.config.text_fields import StringField

_HOUR = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])\Z")


class TimeOfDayField(ConfigField[int]):
    """An hour and minute, as minutes of the day."""

    kind = "hour of the day"

    def read(self, value: Any) -> int:
        """The minutes since midnight."""
        found = _HOUR.match(value.strip()) if isinstance(value, str) else None
        if found is None:
            raise ValidationError('{value} is no hour of the day: write one such as "22:30"')
        return int(found[1]) * 60 + int(found[2])

    def default(self, value: Any) -> Any:
        """With hours and minutes."""
        return f"{value // 60:02}:{value % 60:02}"

    def json(self) -> Json:
        """An hour, or a variable."""
        pattern = r"^\s*([01]?[0-9]|2[0-3]):[0-5][0-9]\s*$|\$\{"
        return {"type": "string", "pattern": pattern}


class ZoneField(StringField):
    """The name of a time zone that this machine knows."""

    kind = "time zone"

    def judged(self, text: str) -> str:
        """The name, when there is such a zone."""
        try:
            ZoneInfo(text.strip())
        except (KeyError, ValueError, OSError):
            raise ValidationError(
                "{value} is no time zone that this machine knows: write one such as Europe/Berlin"
            ) from None
        return text.strip()
