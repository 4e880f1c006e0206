"""How one operation is written down: its words, what it takes, what it answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ennio.http.fields import ChoiceListField, RequestField
from ennio.http.idempotency import HEADER, PATTERN
from ennio.http.openapi.schemas import TEXT, Schema

Operation = dict[str, Any]
Fields = Mapping[str, RequestField]

WORD: Schema = TEXT


def ref(name: str) -> Schema:
    """A schema of the components."""
    return {"$ref": f"#/components/schemas/{name}"}


def listed(item: Schema) -> Schema:
    """A list of these."""
    return {"type": "array", "items": item}


def word(text: str) -> Schema:
    """Exactly this word."""
    return {"const": text}


def takes(summary: str, data: Schema, *, query: Fields | None = None, body: Fields | None = None) -> Operation:
    """An operation that answers its data in the envelope."""
    return _operation(summary, _envelope(data), query, body)


def repeatable(operation: Operation) -> Operation:
    """The operation, which may be sent again: under the same key it is answered as the first time, for a day."""
    header = {"name": HEADER, "in": "header", "required": False, "schema": {"type": "string", "pattern": PATTERN}}
    return {**operation, "parameters": [*operation.get("parameters", ()), header]}


def pages(summary: str, item: Schema, query: Fields) -> Operation:
    """An operation that answers one page of a list, and the way to the next."""
    schema = _envelope(listed(item))
    schema["properties"]["next"] = {"type": ["integer", "null"]}
    schema["required"].append("next")
    return _operation(summary, schema, query, None)


def bare(summary: str, media: str, schema: Schema, query: Fields | None = None) -> Operation:
    """An operation whose answer stands in no envelope."""
    return _operation(summary, schema, query, None, media)


def path(template: str, **operations: Operation) -> dict[str, Any]:
    """One path with its operations; the parameters in it are ids, but ``number`` is a number."""
    names = re.findall(r"\{(\w+)\}", template)
    return {template: ({"parameters": [_in_path(name) for name in names]} if names else {}) | operations}


def _operation(summary: str, schema: Schema, query: Fields | None, body: Fields | None, media: str = "application/json") -> Operation:
    operation: Operation = {
        "summary": summary,
        "responses": {
            "200": {"description": "Done.", "content": {media: {"schema": schema}}},
            "default": {"$ref": "#/components/responses/Error"},
        },
    }
    if query:
        operation["parameters"] = [_in_query(name, field) for name, field in query.items()]
    if body is not None:
        operation["requestBody"] = _body(body)
    return operation


def _envelope(data: Schema) -> Schema:
    return {"type": "object", "properties": {"data": data}, "required": ["data"], "additionalProperties": False}


def _body(fields: Fields) -> dict[str, Any]:
    required = [name for name, field in fields.items() if field.required]
    schema = {
        "type": "object",
        "properties": {name: field.schema() if field.required else _or_null(field.schema()) for name, field in fields.items()},
        "required": required,
        "additionalProperties": False,
    }
    return {"required": bool(required), "content": {"application/json": {"schema": schema}}}


def _or_null(schema: Schema) -> Schema:
    """Null in a body stands for a field that is left out."""
    return {"anyOf": [schema, {"type": "null"}]}


def _in_query(name: str, field: RequestField) -> dict[str, Any]:
    commas = {"style": "form", "explode": False} if isinstance(field, ChoiceListField) else {}
    return {"name": name, "in": "query", "required": field.required, "schema": field.schema(), **commas}


def _in_path(name: str) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": 1} if name == "number" else {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,128}$"}
    return {"name": name, "in": "path", "required": True, "schema": schema}
