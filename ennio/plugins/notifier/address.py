"""The kind of setting that is an address and a secret at once."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError

from ennio.config.fields import Json
from ennio.config.text_fields import StringField


class HookField(StringField):
    """An address of HTTP that opens something to whoever knows it: nothing of it
    is shown when it is wrong.
    """

    kind = "URL"

    def __init__(self, about: str, example: str, *, required: bool = True) -> None:
        super().__init__(about, required=f"write {example}" if required else False)
        self.example = example

    def read(self, value: Any) -> str:
        """The address when something can be sent to it."""
        text = self.text(value).strip() if isinstance(value, str) else ""
        try:
            parts = urlsplit(text)
            fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            fits = False
        if not fits or not text.isascii() or not text.isprintable() or " " in text:
            raise ValidationError(f"the value is no address: write one such as {self.example}")
        if "@" in parts.netloc:
            raise ValidationError(
                "the value has a name or password before its host, which is not sent: leave it out"
            )
        return text

    def json(self) -> Json:
        """An address of HTTP, or a variable."""
        return {"type": "string", "pattern": r"^\s*https?://\S|\$\{"}
