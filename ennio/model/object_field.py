"""A field of a request that holds several objects, each a dataclass of such fields itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ennio.model.errors import Invalid
from ennio.model.request_fields import brief, kind_of, request_fields


def fields_schema(cls: type[Any]) -> dict[str, Any]:
    """The JSON Schema of an object that is read as this dataclass; null stands for a field that is
    left out.
    """
    known = request_fields(cls)
    return {
        "type": "object",
        "properties": {
            name: field.schema()
            if field.required
            else {"anyOf": [field.schema(), {"type": "null"}]}
            for name, field in known.items()
        },
        "required": [name for name, field in known.items() if field.required],
        "additionalProperties": False,
    }


@dataclass(frozen=True, slots=True)
class ObjectListField:
    """Several objects of one kind, at least one; each is a dataclass of such fields."""

    of: type[Any]
    required: bool = False
    default: tuple[Any, ...] = ()
    most: int = 50

    def from_json(self, name: str, value: Any) -> tuple[Any, ...]:
        """Read a list of objects; what is wrong is named with its place: ``comments[2].line``."""
        if not isinstance(value, list) or not 1 <= len(value) <= self.most:
            told = f"a list of {len(value)}" if isinstance(value, list) else kind_of(value)
            raise Invalid(f"{name}: must be a list of 1 to {self.most} objects, not {told}")
        return tuple(self._read(f"{name}[{index}]", item) for index, item in enumerate(value))

    def _read(self, name: str, item: Any) -> Any:
        if not isinstance(item, dict):
            raise Invalid(f"{name}: must be an object, not {kind_of(item)}")
        fields = request_fields(self.of)
        unknown = next((key for key in item if key not in fields), None)
        if unknown is not None:
            raise Invalid(f"{name}: unknown field {brief(unknown)}; known: {', '.join(fields)}")
        missing = next(
            (key for key, field in fields.items() if field.required and item.get(key) is None), None
        )
        if missing is not None:
            raise Invalid(f"{name}.{missing}: is missing")
        return self.of(
            **{
                key: field.default
                if item.get(key) is None
                else field.from_json(f"{name}.{key}", item[key])
                for key, field in fields.items()
            }
        )

    def from_text(self, name: str, text: str) -> tuple[Any, ...]:
        """No query holds objects."""
        raise Invalid(f"{name}: {brief(text)} is no list of objects; send it in a body")

    def schema(self) -> dict[str, Any]:
        """A bounded array of what its fields make."""
        return {
            "type": "array",
            "items": fields_schema(self.of),
            "minItems": 1,
            "maxItems": self.most,
        }
