"""The API as a test calls it: every answer is held against the OpenAPI document."""

from __future__ import annotations

import re
from typing import Any

import falcon.testing
from jsonschema import Draft202012Validator

from ennio.http.openapi.document import document

TOKEN = "t0ken"


def template_of(path: str) -> str | None:
    """The documented path that matches a real one; the one with the fewest parameters wins."""
    real = path.split("?", maxsplit=1)[0].rstrip("/")
    found = [
        each
        for each in document()["paths"]
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", each), real)
    ]
    return min(found, key=lambda each: each.count("{"), default=None)


def check_answer(method: str, path: str, status: int, body: Any) -> None:
    """Fail unless the document allows this answer."""
    if status >= 400:
        pointer = "#/components/schemas/Error"
        assert body["code"] == status
    else:
        template = template_of(path)
        assert template is not None, f"{path} is not documented"
        place = template.replace("/", "~1")
        pointer = f"#/paths/{place}/{method.lower()}/responses/200/content/application~1json/schema"
    Draft202012Validator({**document(), "$ref": pointer}).validate(body)


class Api:
    """A client of the app without sockets; ``headers`` are added to every request."""

    def __init__(self, app: Any, **headers: str) -> None:
        self._client = falcon.testing.TestClient(app, headers={"Host": "localhost:3000", **headers})

    def ask(self, method: str, path: str, **more: Any) -> falcon.testing.Result:
        """One request; the answer is checked."""
        more["headers"] = {"Authorization": f"Bearer {TOKEN}"} | more.get("headers", {})
        path = path if path == "/auth" else f"/api/v1{path}"
        result = self._client.simulate_request(method, path, **more)
        if method not in ("HEAD", "OPTIONS") and result.status_code not in (204, 303, 304):
            check_answer(method, path, result.status_code, result.json)
        return result

    def get(self, path: str, status: int = 200, **more: Any) -> Any:
        """The data of a GET, or the whole answer when an error is expected."""
        return self._expect("GET", path, status, more)

    def post(self, path: str, body: Any = None, status: int = 200, **more: Any) -> Any:
        """The data of a POST with a JSON body, or the whole answer when an error is expected."""
        return self._expect("POST", path, status, more | ({} if body is None else {"json": body}))

    def delete(self, path: str, status: int = 200, **more: Any) -> Any:
        """The data of a DELETE, or the whole answer when an error is expected."""
        return self._expect("DELETE", path, status, more)

    def _expect(self, method: str, path: str, status: int, more: dict[str, Any]) -> Any:
        result = self.ask(method, path, **more)
        assert result.status_code == status, result.text
        return result.json["data"] if status == 200 and "data" in result.json else result.json
