"""Every path of the API and every shape it answers, from its description of itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ennio.http.openapi.document import METHODS, document
from ennio.model import errors
from ennio.model.events import EventType
from ennio.model.session import SessionStatus
from tests.pages.markdown import anchor, cell, table

Schema = Mapping[str, Any]
NAMED = {
    tuple(kind.value for kind in EventType): "a type of [event](events.md)",
    tuple(kind.value for kind in SessionStatus): "a [status](lifecycle.md)",
}
"""Lists of words that stand on another page."""
TAGS = ("If-None-Match", "Idempotency-Key")
"""Headers that are told of once, for all."""
NAMES = {
    "date-time": "time",
    "decimal": "decimal text",
    "string": "text",
    "integer": "whole number",
}


def paths() -> Iterator[str]:
    """Every operation, those on one noun together."""
    by_noun: dict[str, list[tuple[str, Schema]]] = {}
    for path, item in document()["paths"].items():
        by_noun.setdefault(_noun(path), []).append((path, item))
    for noun, found in by_noun.items():
        yield f"### /api/v1/{noun}\n"
        for path, item in found:
            for method in METHODS:
                if method in item:
                    yield from _operation(f"{method.upper()} {path}", item[method])


def _noun(path: str) -> str:
    words = path.removeprefix("/api/v1").strip("/").split("/")
    return (
        "projects/{project_id}/pulls" if words[0] == "projects" and "pulls" in words else words[0]
    )


def _operation(title: str, said: Schema) -> Iterator[str]:
    yield f"**`{title}`** {'(open to all) ' if said.get('security') == [] else ''}\\"
    yield f"{cell(said['summary'])}\n"
    told = said.get("parameters", [])
    query = [each for each in told if each["in"] == "query"]
    if query:
        fields = (_field(each["name"], each["schema"], each["required"]) for each in query)
        yield f"- Query: {'; '.join(fields)}"
    if "requestBody" in said:
        yield from _body(said["requestBody"]["content"]["application/json"]["schema"])
    yield f"- Answers {_answered(said['responses']['200']['content'])}"
    headers = [f"`{each['name']}`" for each in told if each["name"] in TAGS]
    if headers:
        yield f"- Takes {' and '.join(headers)}"
    yield ""


def _body(schema: Schema) -> Iterator[str]:
    fields = [
        _field(name, each, name in schema["required"])
        for name, each in schema["properties"].items()
    ]
    if fields:
        yield f"- Body: {'; '.join(fields)}"


def _field(name: str, schema: Schema, required: bool) -> str:
    told = kind(schema).removesuffix(" or null")
    return f"`{name}` ({'**required**, ' if required else ''}{told})"


def _answered(content: Schema) -> str:
    ((media, told),) = content.items()
    if media != "application/json" or "properties" not in told["schema"]:
        return f"`{media}`"
    shape = told["schema"]["properties"]
    return kind(shape.get("data", told["schema"])) + (" with `next`" if "next" in shape else "")


def shapes() -> Iterator[str]:
    """Every shape that answers refer to."""
    for name, schema in document()["components"]["schemas"].items():
        yield f"### {name}\n"
        if "properties" not in schema:
            yield f"{kind(schema)}\n".capitalize()
            continue
        yield from table(
            ("Field", "Holds", "There"),
            (
                (f"`{field}`", kind(each), "" if field in schema["required"] else "where known")
                for field, each in schema["properties"].items()
            ),
        )


def refusals() -> Iterator[str]:
    """Which error has which status and ends a command with which code."""
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.EnnioError)
    ]
    yield from table(
        ("`Ennio-Error`", "Status", "A command ends with", "Means"),
        (
            (f"`{one.__name__}`", str(one.http_status), str(one.exit_code), _first(one.__doc__))
            for one in kinds
            if one is not errors.EnnioError
        ),
    )


def _first(words: str | None) -> str:
    return (words or "").partition("\n\n")[0]


def kind(schema: Schema) -> str:
    """What a value may be, in words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{anchor(name)})"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(kind(each) for each in schema["anyOf"]))
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return NAMED.get(tuple(schema["enum"])) or _words(schema["enum"])
    return _plain(schema)


def _words(words: Iterable[object]) -> str:
    return " ".join(f"`{word}`" for word in words)


def _plain(schema: Schema) -> str:
    match schema.get("type"):
        case "array":
            return f"list of {kind(schema['items'])}"
        case "object" if "properties" in schema:
            return f"object of {_words(schema['properties'])}".rstrip()
        case "object" if schema.get("additionalProperties"):
            return f"mapping to {kind(schema['additionalProperties'])}"
        case list(kinds):
            return " or ".join(map(str, kinds))
        case None:
            return "anything"
    return f"{_named(schema)}{_bounds(schema)}"


def _named(schema: Schema) -> str:
    name = schema["format"] if schema.get("format") in NAMES else schema["type"]
    return NAMES.get(name, str(name))


def _bounds(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    told = f" from {low} to {high}" if low is not None and high is not None else ""
    if schema.get("maxLength"):
        told += f" of at most {schema['maxLength']}"
    default = schema.get("default")
    return f"{told}, else {json.dumps(default)}" if default not in (None, False) else told
