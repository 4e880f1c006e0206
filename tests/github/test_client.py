"""Addresses, tokens, and how careful the client is."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ennio.model.errors import Unreachable
from ennio.plugins.forge.github.forge import GitHubForge
from ennio.plugins.github.address import PUBLIC, GitHubAddress, found_in
from ennio.plugins.github.counters import CORE
from ennio.plugins.github.token import TokenSource
from ennio.plugins.quota import Quota, RequestBudget
from tests.github import gate
from tests.github.published import openapi
from tests.github.standin.hub import Fault, Hub
from tests.github.standin.server import Server, Trouble

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("git@github.com:me/app.git", GitHubAddress("me", "app")),
        ("https://github.com/me/my.app", GitHubAddress("me", "my.app")),
        ("https://x:y@www.github.com/me/app.git", GitHubAddress("me", "app")),
        (
            "ssh://git@git.corp.example:2222/team/app.git",
            GitHubAddress("team", "app", "https://git.corp.example/api/v3"),
        ),
        (
            "git@git.corp.example:team/app.git",
            GitHubAddress("team", "app", "https://git.corp.example/api/v3"),
        ),
        ("/srv/app.git", None),
    ],
)
def test_owner_name_and_api_follow_from_the_remote(
    remote: str, address: GitHubAddress | None
) -> None:
    assert found_in(remote) == address


def test_an_enterprise_server_has_its_graphql_beside_v3() -> None:
    assert (
        GitHubAddress("a", "b", "https://git.corp.example/api/v3").graphql
        == "https://git.corp.example/api/graphql"
    )
    assert GitHubAddress("a", "b").graphql == f"{PUBLIC}/graphql"
    assert GitHubAddress("a", "b").host == "github.com"
    assert GitHubAddress("a", "b", "https://git.corp.example/api/v3").host == "git.corp.example"


GITHUB, CORP = (
    GitHubAddress("me", "app"),
    GitHubAddress("me", "app", "https://git.corp.example/api/v3"),
)
ALL = {
    name: name
    for name in ("GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")
}


@pytest.fixture
def gh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment with a gh that is logged in everywhere, and like gh prefers the
    token of its environment.
    """
    program = tmp_path / "gh"
    script = (
        '#!/bin/sh\n[ "$1 $2 $3" = "auth token --hostname" ] || exit 1\necho '
        '"${GH_TOKEN:-${GH_ENTERPRISE_TOKEN:-from-gh-$4}}"\n'
    )
    program.write_text(script, encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return {"PATH": os.environ["PATH"]}


def test_a_token_is_taken_from_the_configuration_the_environment_or_gh(
    gh: dict[str, str], tmp_path: Path
) -> None:
    assert TokenSource("given", GITHUB, gh).token() == "given"
    assert TokenSource(None, GITHUB, {**gh, "GITHUB_TOKEN": "env"}).token() == "env"
    assert TokenSource(None, GITHUB, gh).token() == "from-gh-github.com"
    assert (
        TokenSource(None, CORP, {**gh, "GITHUB_TOKEN": "not for there"}).token()
        == "from-gh-git.corp.example"
    )
    (tmp_path / "gh").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    assert TokenSource(None, GITHUB, {"PATH": str(tmp_path)}).token() is None


@pytest.mark.parametrize(
    ("address", "host", "token"),
    [
        (GITHUB, "", "GH_TOKEN"),
        (GITHUB, "git.corp.example", "GH_TOKEN"),
        (CORP, "", "from-gh-git.corp.example"),
        (CORP, "other.example", "from-gh-git.corp.example"),
        (CORP, "git.corp.example", "GH_ENTERPRISE_TOKEN"),
        (GitHubAddress("me", "app", "https://api.corp.ghe.com"), "corp.ghe.com", "GH_TOKEN"),
        (GitHubAddress("me", "app", "https://api.corp.ghe.com"), "", "from-gh-corp.ghe.com"),
        (GitHubAddress("me", "app", "http://api.github.com"), "", None),
        (GitHubAddress("me", "app", "http://git.corp.example/api/v3"), "git.corp.example", None),
        (
            GitHubAddress("me", "app", "https://github.com.evil.example/api/v3"),
            "",
            "from-gh-github.com.evil.example",
        ),
        (
            GitHubAddress("me", "app", "https://evil.example/api.github.com"),
            "",
            "from-gh-evil.example",
        ),
    ],
)
def test_incident_a_token_went_to_a_host_it_was_not_for(
    gh: dict[str, str], address: GitHubAddress, host: str, token: str | None
) -> None:
    """What is in the environment goes where gh would send it; gh itself is asked without it, and
    gives what it has for that host.
    """
    environ = {**gh, **ALL, **({"GH_HOST": host} if host else {})}
    assert TokenSource(None, address, environ).token() == token


def test_without_a_token_it_is_said_which_variable_is_not_used_and_why(tmp_path: Path) -> None:
    said = TokenSource(None, CORP, {"PATH": str(tmp_path), "GH_ENTERPRISE_TOKEN": "x"}).missing
    assert "set GH_HOST=git.corp.example where GH_ENTERPRISE_TOKEN is for it" in said
    assert "GH_HOST" not in TokenSource(None, CORP, {"PATH": str(tmp_path)}).missing


def test_counters_only_fall_within_a_period_whatever_the_order_of_answers() -> None:
    reset = NOW + timedelta(hours=1)
    budget = (
        RequestBudget()
        .answered(CORE, Quota(5000, 10, reset))
        .answered(CORE, Quota(5000, 11, reset))
    )
    assert budget.quotas[CORE].remaining == 10
    assert (
        budget.answered(CORE, Quota(5000, 5000, reset + timedelta(hours=1))).quotas[CORE].remaining
        == 5000
    )


def test_looks_become_rarer_as_the_quota_falls() -> None:
    def stretch(remaining: int, minutes: int) -> float:
        return RequestBudget(
            {CORE: Quota(5000, remaining, NOW + timedelta(minutes=minutes))}
        ).stretch(CORE, NOW)

    assert stretch(5000, 60) == stretch(3000, 50) == 1
    assert 1 < stretch(1500, 50) < stretch(800, 50) < stretch(500, 50)
    assert stretch(800, 2) == 1


def test_the_gate_notices_what_github_does_not_publish() -> None:
    openapi()
    pull = "/repos/acme/shop/pulls/1"
    assert gate.request_faults("PUT", f"{pull}/merge", {"sha": "a", "merge_method": "squash"}) == []
    assert gate.request_faults("PUT", f"{pull}/merge", {"merge_method": "octopus"})
    assert gate.request_faults("PUT", f"{pull}/merge", {"expected_head": "a"})
    assert gate.request_faults("PUT", f"{pull}/land", {})
    assert gate.request_faults("GET", "/repos/acme/shop/issues?stat=open", None)
    assert gate.request_faults("POST", "/repos/acme/shop/pulls", {"title": "no head"})
    assert (
        gate.answer_faults(
            "PUT", f"{pull}/merge", 200, {"sha": "a", "merged": True, "message": "done"}
        )
        == []
    )
    assert gate.answer_faults("PUT", f"{pull}/merge", 200, {"merged": True})
    assert gate.answer_faults("PUT", f"{pull}/merge", 218, {})
    assert gate.answer_faults(
        "GET", "/repos/acme/shop/issues/1", 200, {"title": "not a whole issue"}
    )


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, str]]]:
    """Another server on this machine, by the headers of what it was asked."""
    asked: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append({"path": self.path, **dict(self.headers)})
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"[]")

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    threading.Thread(target=http.serve_forever, args=(0.05,), daemon=True).start()
    monkeypatch.setenv("ELSEWHERE", f"http://127.0.0.1:{http.server_address[1]}")
    yield asked
    http.shutdown()
    http.server_close()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_carries_no_token_to_another_host(
    hub: Hub, forge: GitHubForge, elsewhere: list[dict[str, str]], status: int
) -> None:
    there, at = os.environ["ELSEWHERE"], forge.client.address.at
    hub.faults.append(Fault(status, {"Location": f"{there}/x"}, path="/issues"))
    forge.client.get(at("issues"))
    assert [request["path"] for request in elsewhere] == ["/x"]
    assert "Authorization" not in elsewhere[0]
    hub.faults.append(Fault(status, {"Location": f"{there}/y"}, path="/issues"))
    with pytest.raises(Unreachable, match="sends a POST on to another server"):
        forge.client.send("POST", at("issues"), {"title": "words that are not for others"})
    assert len(elsewhere) == 1


def test_a_list_is_not_read_on_at_another_host(
    hub: Hub, server: Server, forge: GitHubForge, elsewhere: list[dict[str, str]]
) -> None:
    server.trouble = Trouble(
        200,
        "[]",
        {"Link": f'<{os.environ["ELSEWHERE"]}/x>; rel="next"', "Content-Type": "application/json"},
    )
    assert forge.client.pages(forge.client.address.at("issues")) == []
    assert elsewhere == []
