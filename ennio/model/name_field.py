"""The field of a request that says what somebody is called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ennio.model.errors import Invalid
from ennio.model.request_fields import TextField, brief

_CONTROLS = "\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029"
_CONTROL = re.compile(f"[{_CONTROLS}]")


@dataclass(frozen=True, slots=True)
class NameField(TextField):
    """What somebody is called: words in a line of ours, so without line breaks and other control
    characters.
    """

    longest: int = 100

    def from_json(self, name: str, value: Any) -> str:
        """Read it."""
        text = TextField.from_json(self, name, value)
        if _CONTROL.search(text):
            raise Invalid(
                f"{name}: {brief(text)} holds a line break or another control character; a name "
                "is one line of text"
            )
        return text

    from_text = from_json

    def schema(self) -> dict[str, Any]:
        """A string of bounded length in one line."""
        return TextField.schema(self) | {"pattern": f"^[^{_CONTROLS}]*$"}
