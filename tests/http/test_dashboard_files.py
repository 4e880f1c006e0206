"""The built dashboard as a browser is served it."""

from __future__ import annotations

import gzip
from pathlib import Path

import falcon.testing
import pytest

from ennio.http.app import create_app
from ennio.http.dashboard_files import DashboardFiles
from tests.http.api import TOKEN
from tests.http.small_orchestrator import SmallOrchestrator

PAGE = {"Accept": "text/html,application/xhtml+xml"}
SCRIPT = "/assets/index-Ab12.js"


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>one</title>")
    (folder / "assets" / "index-Ab12.js").write_text("first()")
    (folder / "assets" / "index-Ab12.js.gz").write_bytes(gzip.compress(b"first()"))
    (folder / "secret.yaml").write_text("nobody asks for this")
    return folder


@pytest.fixture
def client(orchestrator: SmallOrchestrator, dist: Path) -> falcon.testing.TestClient:
    app = create_app(orchestrator, TOKEN, dashboard=DashboardFiles(dist))
    return falcon.testing.TestClient(app, headers={"Host": "localhost"})


@pytest.mark.parametrize("path", ["/", "/s/ma-1/pr", "/p/my-app", "/spend", "/nowhere/at/all"])
def test_every_address_that_is_not_the_api_is_the_page_and_says_what_it_may_do(
    client: falcon.testing.TestClient, path: str
) -> None:
    answer = client.simulate_get(path, headers=PAGE)
    assert (answer.status_code, answer.text) == (200, "<!doctype html><title>one</title>")
    assert answer.headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; connect-src 'self' ws://localhost; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


def test_what_has_its_hash_in_its_name_is_kept_and_sent_packed_to_who_takes_it(
    client: falcon.testing.TestClient,
) -> None:
    answer = client.simulate_get(SCRIPT, headers={"Accept-Encoding": "br, gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(answer.content) == b"first()"
    assert answer.headers["cache-control"] == "max-age=31536000, immutable"
    assert answer.headers["vary"] == "Accept-Encoding"
    plain = client.simulate_get(SCRIPT)
    assert (plain.text, plain.headers.get("content-encoding")) == ("first()", None)
    assert plain.headers["content-type"].startswith("text/javascript")
    assert client.simulate_head(SCRIPT).content == b""


@pytest.mark.parametrize(
    "path",
    ["/api/v1/sessions", "/api", "/metrics", "/secret.yaml", "/assets/../secret.yaml",
     "/assets/%2e%2e/secret.yaml", "/assets/other.js", "/index.html.gz"],
)  # fmt: skip
def test_nothing_else_is_given_to_who_has_no_token(
    client: falcon.testing.TestClient, path: str
) -> None:
    answer = client.simulate_get(path, headers={"Accept": "*/*"})
    assert answer.status_code == 401, answer.text
    assert "nobody asks" not in answer.text


def test_the_api_answers_a_browser_as_it_answers_everybody(
    client: falcon.testing.TestClient,
) -> None:
    for path in ("/api/v1/sessions", "/api/v1/nothing", "/api", "/metrics"):
        assert client.simulate_get(path, headers=PAGE).json["code"] == 401
    for method in ("POST", "DELETE", "PUT"):
        answer = client.simulate_request(method, "/", headers=PAGE)
        assert answer.json["code"] == 401


def test_a_page_of_another_host_or_for_a_foreign_page_is_none(
    client: falcon.testing.TestClient,
) -> None:
    assert client.simulate_get("/", headers=PAGE | {"Host": "evil.example"}).status_code == 421
    foreign = client.simulate_get("/", headers=PAGE | {"Origin": "http://evil.example"})
    assert foreign.status_code == 403


def test_a_page_that_was_built_meanwhile_is_served_without_a_restart(
    client: falcon.testing.TestClient, dist: Path
) -> None:
    assert client.simulate_get("/", headers=PAGE).text.endswith("one</title>")
    (dist / "assets" / "index-Ab12.js").rename(dist / "assets" / "index-Cd34.js")
    fresh = dist / "fresh"
    fresh.write_text("two")
    fresh.replace(dist / "index.html")
    assert client.simulate_get("/", headers=PAGE).text == "two"
    assert client.simulate_get("/assets/index-Cd34.js").text == "first()"
    assert client.simulate_get(SCRIPT, headers={"Accept": "*/*"}).status_code == 401


def test_without_a_build_a_browser_is_told_the_commands(
    orchestrator: SmallOrchestrator, tmp_path: Path
) -> None:
    app = create_app(orchestrator, TOKEN, dashboard=DashboardFiles(tmp_path / "nowhere"))
    answer = falcon.testing.TestClient(app, headers={"Host": "localhost"}).simulate_get(
        "/", headers=PAGE
    )
    assert answer.status_code == 401
    assert "npm --prefix dashboard ci" in answer.text
    assert "npm --prefix dashboard run build" in answer.text
