"""The grammar of the file: what a mapping, a list and an entry of it look
like, in marshmallow's terms.

A message is written as it follows its place (``projects[0].port: is missing``); ``{value}`` in it
stands for the value as its author wrote it, or for "the value" where that is a secret.
Every entry can also describe itself as JSON Schema.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from marshmallow import Schema, ValidationError, fields, missing, post_load, pre_load

from ennio.config.anchors import PREFIX
from ennio.config.yaml_source import Where
from ennio.model.nearest import nearest

T = TypeVar("T")
Json = dict[str, Any]


def hint(word: str, known: Collection[str]) -> str:
    """The end of a message about an unknown word: the known one that looks
    like it, else all of them.
    """
    near = nearest(word, known)
    if near:
        return f"did you mean `{near}`?"
    return (
        f"known are {', '.join(dict.fromkeys(known))}" if known else "there is none; leave it out"
    )


class ConfigField(fields.Field[T]):
    """A value under a key. ``about`` explains it, ``shown`` words a default
    that is not in the model.

    ``required`` may be the words that say what to write.
    """

    kind: ClassVar[str] = "text"
    default_error_messages: ClassVar[dict[str, str | list[Any] | dict[Any, Any]]] = {  # type: ignore[misc]
        "required": "is missing",
        "null": "is empty: give it a value or remove the line",
    }

    def __init__(
        self,
        about: str,
        *,
        key: str | None = None,
        required: bool | str = False,
        none: bool = False,
        shown: str | None = None,
    ) -> None:
        super().__init__(data_key=key, required=bool(required), allow_none=none)
        if isinstance(required, str):
            self.error_messages["required"] = f"is missing: {required}"
        self.about = about
        self.shown = shown

    def read(self, value: Any) -> T:
        """What the value in the file means. Raises ValidationError."""
        raise NotImplementedError

    def json(self) -> Json:
        """The JSON Schema of what may stand there."""
        raise NotImplementedError

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> T:
        return self.read(value)

    def default(self, value: Any) -> Any:
        """A default of the model as it would stand in the file."""
        return _plain(value)


def _plain(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case Path() | Decimal():
            return str(value)
        case tuple() | list():
            return [_plain(item) for item in value]
    return value


class MappingSchema(Schema):
    """A mapping with known keys (marshmallow refuses any other); ``makes`` is the value of
    the model it turns into.

    With ``at_once`` False the keys are handed on as they are: what they become depends on others.
    """

    makes: ClassVar[type]
    at_once: ClassVar[bool] = True
    rules: ClassVar[Json] = {}
    """What the JSON Schema says beyond the keys."""
    holds_anchors: ClassVar[bool] = False
    """Whether keys that begin with ``x-`` may stand in it; they are
    taken away before it is read.
    """

    error_messages: ClassVar[dict[str, str]] = {  # type: ignore[misc]
        "type": "{value} is not a mapping: indent `key: value` lines below it",
        "unknown": "?",
    }

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Any:
        return self.makes(**data) if self.at_once else data

    def handle_error(self, error: ValidationError, data: Any, *, many: bool, **kwargs: Any) -> None:
        """Name the nearest known key beside every unknown one."""
        if isinstance(error.messages, dict):
            for key, message in error.messages.items():
                if message == ["?"]:
                    error.messages[key] = [f"is no known key here: {hint(str(key), self.keys())}"]

    @classmethod
    def entries(cls) -> Iterator[tuple[str, str, ConfigField[Any]]]:
        """The key, the model's attribute and the entry of everything that may stand in it."""
        for name, entry in cls._declared_fields.items():
            if isinstance(entry, ConfigField):
                yield entry.data_key or name, name, entry

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        """The keys that may stand in it."""
        return tuple(key for key, _, _ in cls.entries())

    @classmethod
    def model_defaults(cls) -> dict[str, Any]:
        """The model's defaults by attribute, as they would stand in the file; None
        and empty ones left out.
        """
        entries = {name: entry for _, name, entry in cls.entries()}
        found = {}
        for attribute in dataclasses.fields(cls.makes):
            entry = entries.get(attribute.name)
            value = attribute.default
            if (
                entry
                and not entry.required
                and not isinstance(entry, ContainerField)
                and value not in (dataclasses.MISSING, None, "")
            ):
                found[attribute.name] = entry.default(value)
        return found

    @classmethod
    def json_schema(cls) -> Json:
        """The JSON Schema of this mapping."""
        defaults = cls.model_defaults()
        properties = {}
        for key, name, entry in cls.entries():
            described = entry.json() | {"description": entry.about}
            if entry.allow_none:
                described = {"anyOf": [entry.json(), {"type": "null"}], "description": entry.about}
            properties[key] = described | (
                {"default": defaults[name]} if name in defaults and not entry.shown else {}
            )
        required = [key for key, _, entry in cls.entries() if entry.required]
        schema: Json = {"type": "object", "properties": properties, "additionalProperties": False}
        anchors: Json = {"patternProperties": {f"^{PREFIX}": {}}} if cls.holds_anchors else {}
        return schema | anchors | ({"required": required} if required else {}) | cls.rules


class SettingsSchema(MappingSchema):
    """What a plugin lets itself be told; a key without a value counts as left out."""

    @pre_load
    def _without_empty(self, data: Any, **_: Any) -> Any:
        return (
            {key: value for key, value in data.items() if value is not None}
            if isinstance(data, Mapping)
            else data
        )

    @classmethod
    def json_schema(cls) -> Json:
        """The JSON Schema of the settings."""
        schema = super().json_schema()
        for key, described in schema["properties"].items():
            if key not in schema.get("required", ()):
                about = {
                    name: described.pop(name)
                    for name in ("description", "default")
                    if name in described
                }
                schema["properties"][key] = {"anyOf": [described, {"type": "null"}], **about}
        return schema


def faults_of(messages: Any, where: Where = ()) -> Iterator[tuple[Where, str]]:
    """The places and messages in marshmallow's tree of errors; of several
    for one place the first.
    """
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from faults_of(inner, where if key == "_schema" else (*where, key))
    elif messages:
        yield where, str(messages[0] if isinstance(messages, list) else messages)


class ContainerField(ConfigField[T]):
    """An entry that holds others; left empty it counts as left out."""

    def deserialize(
        self,
        value: Any,
        attr: str | None = None,
        data: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Read it, nothing for none."""
        return super().deserialize(missing if value is None else value, attr, data, **kwargs)


class NestedField(ContainerField[Any]):
    """A mapping with a schema of its own."""

    kind = "mapping"

    def __init__(
        self,
        about: str,
        schema: type[MappingSchema],
        *,
        key: str | None = None,
        required: bool = False,
    ) -> None:
        super().__init__(about, key=key, required=required)
        self.schema = schema

    def read(self, value: Any) -> Any:
        """The value that the schema makes."""
        return self.schema().load(value)

    def json(self) -> Json:
        """A reference to the schema's own JSON Schema, or null."""
        reference = {"$ref": f"#/$defs/{self.schema.makes.__name__}"}
        return reference if self.required else {"anyOf": [reference, {"type": "null"}]}


class ListField(ContainerField[tuple[Any, ...]]):
    """A list of entries of one kind."""

    def __init__(
        self,
        about: str,
        each: ConfigField[Any],
        *,
        key: str | None = None,
        required: bool | str = False,
    ) -> None:
        super().__init__(about, key=key, required=required)
        self.each = each

    @property
    def kind(self) -> str:  # type: ignore[override]
        """What it is a list of."""
        return f"list of {self.each.kind}s"

    def read(self, value: Any) -> tuple[Any, ...]:
        """The items in their order."""
        if not isinstance(value, (list, tuple)):
            raise ValidationError(
                "{value} is not a list: start each item on a line of its own with `- `"
            )
        found, errors = [], {}
        for index, item in enumerate(value):
            try:
                found.append(_full(self.each, item))
            except ValidationError as error:
                errors[index] = error.messages
        if errors:
            raise ValidationError(errors)
        return tuple(found)

    def json(self) -> Json:
        """A list, or null."""
        return {"type": ["array", "null"], "items": _json_of(self.each)}


class MapField(ContainerField[dict[str, Any]]):
    """A mapping whose keys are names: any, or those of ``keys``; ``pattern``
    says what a name looks like.
    """

    kind = "mapping"

    def __init__(
        self,
        about: str,
        each: ConfigField[Any],
        *,
        keys: Collection[str] = (),
        names: ConfigField[str] | None = None,
    ) -> None:
        super().__init__(about)
        self.each = each
        self.known = tuple(keys)
        self.names = names

    def read(self, value: Any) -> dict[str, Any]:
        """The items by name."""
        if not isinstance(value, Mapping):
            raise ValidationError(MappingSchema.error_messages["type"])
        found, errors = {}, {}
        for key, item in value.items():
            try:
                found[self._name(key)] = _full(self.each, item)
            except ValidationError as error:
                errors[key] = error.messages
        if errors:
            raise ValidationError(errors)
        return found

    def _name(self, key: str) -> str:
        if self.known and key not in self.known:
            raise ValidationError(f"is no known key here: {hint(key, self.known)}")
        return str(self.names.deserialize(key)) if self.names else key

    def json(self) -> Json:
        """An object with exactly the known keys, or with any."""
        each = _json_of(self.each)
        if self.known:
            return {
                "type": ["object", "null"],
                "properties": dict.fromkeys(self.known, each),
                "additionalProperties": False,
            }
        names = {"propertyNames": self.names.json()} if self.names else {}
        return {"type": ["object", "null"], "additionalProperties": each} | names


class AnyField(ConfigField[Any]):
    """Whatever a plugin understands."""

    kind = "any value"

    def __init__(self, about: str = "") -> None:
        super().__init__(about, none=True)

    def read(self, value: Any) -> Any:
        """The value itself."""
        return value

    def json(self) -> Json:
        """No restriction."""
        return {}


def _full(entry: ConfigField[Any], item: Any) -> Any:
    """An item of a list or table, where empty is not the same as left out."""
    if item is None and not entry.allow_none and not (isinstance(entry, (ListField, MapField))):
        raise ValidationError("is empty: give it a value or remove the line")
    value = entry.deserialize(item)
    return () if value is missing else value


def _json_of(entry: ConfigField[Any]) -> Json:
    """The schema of an item; unlike an entry it is null only where that means something."""
    schema: Json = (
        {"$ref": f"#/$defs/{entry.schema.makes.__name__}"}
        if isinstance(entry, NestedField)
        else entry.json()
    )
    return {"anyOf": [schema, {"type": "null"}]} if schema and entry.allow_none else schema
