"""Several ids in a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ennio.model.errors import Invalid
from ennio.model.request_fields import IdField, identifier


@dataclass(frozen=True, slots=True)
class IdListField:
    """Several ids of Ennio's, at least one; in a query between commas, or repeated."""

    required: bool = False
    default: tuple[str, ...] = ()
    most: int = 200

    def from_json(self, name: str, value: Any) -> tuple[str, ...]:
        """Read a list of ids."""
        if not isinstance(value, list) or not 0 < len(value) <= self.most:
            many = f"{len(value)} of them" if isinstance(value, list) else type(value).__name__
            raise Invalid(f"{name}: must be a list of 1 to {self.most} ids, not {many}")
        return tuple(identifier(name, item) for item in value)

    def from_text(self, name: str, text: str) -> tuple[str, ...]:
        """Read ids between commas."""
        return self.from_json(name, text.split(","))

    def schema(self) -> dict[str, Any]:
        """A bounded array of ids."""
        return {
            "type": "array",
            "items": IdField().schema(),
            "minItems": 1,
            "maxItems": self.most,
        }
