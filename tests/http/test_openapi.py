"""The document and the routes are the same."""

from __future__ import annotations

import jsonschema
import pytest

from ennio.http.app import create_app, routes
from ennio.http.browser import Browsers
from ennio.http.openapi import document
from ennio.http.sse import SseConnections
from ennio.model.clock import SystemClock
from tests.http.api import TOKEN, Api, check_answer
from tests.http.small_orchestrator import SmallOrchestrator


def test_every_route_is_documented_and_every_documented_path_is_a_route(orchestrator: SmallOrchestrator) -> None:
    create_app(orchestrator, TOKEN)
    served = {
        (path, method)
        for path, resource, suffix in routes(orchestrator, Browsers(TOKEN, 1, SystemClock()), SseConnections())
        for method in ("get", "post", "delete")
        if hasattr(resource, f"on_{method}" + (f"_{suffix}" if suffix else ""))
    }
    documented = {(path, method) for path, item in document()["paths"].items() for method in item if method != "parameters"}
    assert served == documented


def test_the_document_is_served_and_its_schemas_are_schemas(api: Api) -> None:
    served = api.get("/openapi.json")
    assert served["openapi"].startswith("3.1")
    for schema in served["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_the_check_of_answers_can_fail() -> None:
    with pytest.raises(jsonschema.ValidationError):
        check_answer("GET", "/api/v1/sessions", 200, {"data": [{"id": "x"}]})
    with pytest.raises(AssertionError):
        check_answer("GET", "/api/v1/nothing", 200, {"data": []})
