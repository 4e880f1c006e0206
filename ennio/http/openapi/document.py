"""The whole OpenAPI document: the table of routes, and what each responder says of itself."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from ennio import __version__
from ennio.http.idempotency import HEADER, PATTERN
from ennio.http.openapi.schemas import COMPONENTS, SCHEMAS, Schema, schema_of
from ennio.http.operation import Operation, Resource
from ennio.http.routes import ROUTES
from ennio.model.id_list_field import IdListField
from ennio.model.object_field import fields_schema
from ennio.model.request_fields import ChoiceListField, RequestField, request_fields

METHODS = ("get", "post", "delete")


@cache
def document() -> dict[str, Any]:
    """The document; not to be changed by who gets it."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Ennio",
            "version": __version__,
            "description": "Conducts many AI coding agents at once, from first prompt to merged "
            "pull "
            "request.",
        },
        "security": [{"token": []}],
        "paths": {path: _path(path, kind, suffix) for path, kind, suffix in ROUTES},
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "responses": {
                "Error": {
                    "description": "What happened and what to do about it.",
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Error"}}
                    },
                }
            },
            "schemas": SCHEMAS,
        },
    }


def _path(template: str, kind: type[Resource], suffix: str) -> dict[str, Any]:
    """One path with its operations; the parameters in it are ids, but ``number`` is a number."""
    names = re.findall(r"\{(\w+)\}", template)
    ending = f"_{suffix}" if suffix else ""
    responders = {method: getattr(kind, f"on_{method}{ending}", None) for method in METHODS}
    operations = {
        method: _operation(responder.operation)
        for method, responder in responders.items()
        if responder is not None
    }
    return ({"parameters": [_in_path(name) for name in names]} if names else {}) | operations


def _operation(said: Operation) -> dict[str, Any]:
    done: dict[str, Any] = {
        "description": "Done.",
        "content": {said.media or "application/json": {"schema": _answer(said)}},
    }
    responses = {"200": done | _TAG, "304": _NOT_MODIFIED} if said.tagged else {"200": done}
    operation: dict[str, Any] = {
        "summary": said.summary,
        "responses": responses | {"default": {"$ref": "#/components/responses/Error"}},
    }
    query = request_fields(said.query) if said.query is not None else {}
    parameters = [_in_query(name, field) for name, field in query.items()] + (
        [_KEY] if said.once else []
    )
    parameters += [_SHOWN] if said.tagged else []
    if parameters:
        operation["parameters"] = parameters
    if said.body is not None:
        operation["requestBody"] = _body(said.body)
    return operation | ({"security": []} if said.is_open else {})


def _answer(said: Operation) -> Schema:
    data = said.answer if isinstance(said.answer, dict) else schema_of(said.answer, COMPONENTS)
    if said.media is not None:
        return data
    properties = (
        {"data": {"type": "array", "items": data}, "next": {"type": ["integer", "null"]}}
        if said.page
        else {"data": data}
    )
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_TAG = {
    "headers": {"ETag": {"description": "The answer is known by it.", "schema": {"type": "string"}}}
}
_NOT_MODIFIED = {"description": "Nothing is different from the answer that had this tag.", **_TAG}
_SHOWN = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The `ETag` of the answer that is known.",
    "schema": {"type": "string"},
}
_KEY = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": PATTERN},
}


def _body(cls: type[Any]) -> dict[str, Any]:
    schema = fields_schema(cls)
    return {
        "required": bool(schema["required"]),
        "content": {"application/json": {"schema": schema}},
    }


def _in_query(name: str, field: RequestField) -> dict[str, Any]:
    several = isinstance(field, ChoiceListField | IdListField)
    commas = {"style": "form", "explode": False} if several else {}
    return {
        "name": name,
        "in": "query",
        "required": field.required,
        "schema": field.schema(),
        **commas,
    }


_PLACES: dict[str, Schema] = {
    "number": {"type": "integer", "minimum": 1},
    "check": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[^/]+$"},
}
"""What stands in a path and is no id."""


def _in_path(name: str) -> dict[str, Any]:
    schema = _PLACES.get(name, {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,128}$"})
    return {"name": name, "in": "path", "required": True, "schema": schema}
