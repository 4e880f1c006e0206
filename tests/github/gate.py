"""Holds REST requests and answers against GitHub's OpenAPI; every fault is one sentence."""

from __future__ import annotations

import copy
import functools
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from jsonschema import Draft4Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4

from tests.github.published import openapi

URN = "urn:github"
ANYWHERE = frozenset({301, 307, 401, 403, 404, 429, 500, 502, 503})
"""What GitHub documents for all operations together, and not for each."""


@functools.cache
def _registry() -> Registry[Any]:
    return Registry().with_resource(URN, DRAFT4.create_resource(_nullable(openapi())))


def _nullable(node: Any) -> Any:
    """OpenAPI 3.0 says ``nullable`` where JSON Schema has a type of its own."""
    if isinstance(node, list):
        return [_nullable(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {key: _nullable(value) for key, value in node.items()}
    return {"anyOf": [{"type": "null"}, plain]} if node.get("nullable") is True else plain


@functools.cache
def _templates() -> list[tuple[re.Pattern[str], str]]:
    """Longer literal paths first, so that ``/issues/comments`` is no issue."""
    paths = sorted(openapi()["paths"], key=lambda path: (path.count("{"), -len(path)))
    return [
        (re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path)) + r"\Z"), path)
        for path in paths
    ]


def operation(method: str, path: str) -> tuple[str, dict[str, Any]] | None:
    """The published operation behind a request; a ref may have slashes."""
    path = re.sub(r"(/git/refs/).+\Z", r"\1x", path)
    for pattern, template in _templates():
        if pattern.match(path) and method.lower() in openapi()["paths"][template]:
            return template, openapi()["paths"][template][method.lower()]
    return None


def example(name: str) -> Any:
    """A copy of one of the published examples."""
    return copy.deepcopy(openapi()["components"]["examples"][name]["value"])


def request_faults(method: str, url: str, body: Any) -> list[str]:
    """What is wrong with a request: no such operation, an unknown parameter,
    a body that does not fit.
    """
    parts = urlsplit(url)
    found = operation(method, parts.path)
    if found is None:
        return [f"{method} {parts.path} is no published operation"]
    template, described = found
    known = {
        _resolved(parameter)["name"]
        for parameter in described.get("parameters", ())
        if _resolved(parameter)["in"] == "query"
    }
    faults = [
        f"{method} {template} has no parameter {key}"
        for key, _ in parse_qsl(parts.query)
        if key not in known
    ]
    expected = (described.get("requestBody") or {}).get("content", {}).get("application/json")
    if body is not None and expected is None:
        return [*faults, f"{method} {template} takes no body"]
    if body is None and (described.get("requestBody") or {}).get("required"):
        return [*faults, f"{method} {template} needs a body"]
    if body is None or expected is None:
        return faults
    named = _properties(expected["schema"])
    faults += [
        f"{method} {template} has no field {key}" for key in body if named and key not in named
    ]
    return faults + _faults(
        f"/paths/{_pointer(template)}/{method.lower()}/requestBody", body, template
    )


def answer_faults(method: str, url: str, status: int, body: Any) -> list[str]:
    """What is wrong with an answer."""
    found = operation(method, urlsplit(url).path)
    if found is None:
        return []
    template, described = found
    if str(status) not in described["responses"]:
        return [] if status in ANYWHERE else [f"{method} {template} never answers {status}"]
    response, place = (
        described["responses"][str(status)],
        f"/paths/{_pointer(template)}/{method.lower()}/responses/{status}",
    )
    if "$ref" in response:
        place = response["$ref"].removeprefix("#")
        response = openapi()["components"]["responses"][place.rpartition("/")[2]]
    return (
        _faults(place, body, template) if "application/json" in response.get("content", {}) else []
    )


def _pointer(template: str) -> str:
    return template.replace("~", "~0").replace("/", "~1")


def _faults(place: str, value: Any, where: str) -> list[str]:
    schema = {
        "$ref": f"{URN}#{place.replace('{', '%7B').replace('}', '%7D')}/content/application~1json/schema"
    }
    errors = Draft4Validator(schema, registry=_registry()).iter_errors(value)
    return [
        f"{where}: {'.'.join(map(str, error.absolute_path))}: {error.message[:200]}"
        for error in errors
    ]


def _resolved(parameter: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in parameter:
        return parameter
    found: Mapping[str, Any] = openapi()["components"]["parameters"][
        parameter["$ref"].rpartition("/")[2]
    ]
    return found


def _properties(schema: Mapping[str, Any]) -> set[str]:
    """The published fields of a body; empty when it is not a plain object."""
    return set(schema.get("properties", ()))
