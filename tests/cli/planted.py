"""A stand-in for the supervisor whose every answer, made after the API's own description, holds
an escape in every text.
"""

from __future__ import annotations

import re
from typing import Any

from ennio.http.openapi.document import document

PLANTED = "x\x1b]0;PWN\x07\x1b]52;c;UFdO\x07\x1b[2J\x9b31m\x1b[31m\x7f\u202e\u2066\x08\r\n\ty"
STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_MONEY = "1.5"
_TIME = "2026-01-01T00:00:00+00:00"


def answer(method: str, path: str) -> Any:
    """What the API answers to this, with a planted escape in every text that is free."""
    for template, operations in document()["paths"].items():
        operation = operations.get(method.lower())
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template.removeprefix("/api/v1")))
        if operation and re.fullmatch(pattern, path):
            content = operation["responses"]["200"]["content"].get("application/json")
            return _made(content["schema"]) if content else None
    return None


def component(name: str) -> Any:
    """One of the things answers are made of."""
    return _made({"$ref": f"#/components/schemas/{name}"})


def _made(schema: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return _made(document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return _made(schema["anyOf"][0])
    if "oneOf" in schema:
        return _made(schema["oneOf"][0])
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema["type"][0] if isinstance(schema.get("type"), list) else schema.get("type")
    match kind:
        case "object":
            more = schema.get("additionalProperties")
            named = isinstance(more, dict) and bool(more)
            anything = more not in (None, False) or "properties" not in schema
            free = {PLANTED: _made(more) if named else PLANTED} if anything else {}
            return {
                name: _made(inner) for name, inner in schema.get("properties", {}).items()
            } | free
        case "array":
            return [_made(schema["items"])]
        case "integer" | "number":
            return 7
        case "boolean":
            return True
    return {"date-time": _TIME, "decimal": _MONEY}.get(schema.get("format", ""), PLANTED)
