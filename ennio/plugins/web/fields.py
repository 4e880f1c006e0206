"""The kinds of setting that plugins which speak HTTP have."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError

from ennio.config.fields import Json
from ennio.config.text_fields import StringField
from ennio.plugins.web.address import base_address


class ApiAddressField(StringField):
    """The base of an API. Nothing of it is shown when it is wrong: it may hold a password."""

    kind = "URL"

    def __init__(self, about: str, example: str, *, shown: str | None = None) -> None:
        super().__init__(about, shown=shown)
        self.example = example

    def read(self, value: Any) -> str:
        """The address, without a slash at the end."""
        try:
            return base_address(value, self.example)
        except ValueError as error:
            raise ValidationError(f"the value {error}") from None

    def json(self) -> Json:
        """An address of HTTP, or a variable."""
        return {"type": "string", "pattern": r"^\s*https?://\S|\$\{"}
