"""The document and the routes are the same."""

from __future__ import annotations

import jsonschema
import pytest

from ennio.http.openapi.document import METHODS, document
from ennio.http.routes import ROUTES
from tests.http.api import Api, check_answer


def test_every_responder_says_what_it_does() -> None:
    for path, kind, suffix in ROUTES:
        said = [method for method in METHODS if method in document()["paths"][path]]
        assert said, path
        for method in ("get", "post", "put", "patch", "delete"):
            responder = getattr(kind, f"on_{method}" + (f"_{suffix}" if suffix else ""), None)
            assert (responder is not None) == (method in said), (path, method)


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
