"""What GitHub sends: believed with a signature, taken once, and only ever "look again"."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import falcon.testing
import pytest

from ennio.actors.dependencies import Dependencies
from ennio.actors.registry import ActorRegistry
from ennio.actors.webhooks import received
from ennio.config.model import Config, PluginChoice, Project
from ennio.hosts.plugin_host import PluginHost
from ennio.http.app import create_app
from ennio.machine.home import Home
from ennio.model.clock import ManualClock
from ennio.model.errors import Invalid, Unauthorized
from ennio.plugins.forge.github.forge import GitHubForge
from ennio.plugins.forge.interface import Watch
from ennio.plugins.github.webhook import WebhookEvent, happenings
from ennio.plugins.registry import Registry
from tests import made_database
from tests.github import published
from tests.github.standin.hub import Hub
from tests.github.standin.server import Server
from tests.http.small_orchestrator import SmallOrchestrator

SECRET = "of-the-hook"


def sign(raw: bytes, secret: str = SECRET) -> str:
    return f"sha256={hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()}"


@pytest.fixture
def deps(tmp_path: Path, clock: ManualClock, server: Server) -> Iterator[Dependencies]:
    given = {"api_url": server.api, "token": server.hub.token, "webhook_secret": SECRET}
    project = Project(
        id="shop",
        name="shop",
        repo="git@github.com:acme/shop.git",
        path=tmp_path,
        forge=PluginChoice("github", given),
    )
    config = Config(source=tmp_path / "ennio.yaml", directory=tmp_path, projects=(project,))
    store, home = made_database.opened(tmp_path, clock), Home(tmp_path / "home")
    plugins = Registry(home, clock)
    yield Dependencies(
        config, home, clock, store, plugins, ActorRegistry(), PluginHost(plugins, home, clock)
    )
    store.close()


def test_recorded_deliveries_name_their_pull_request_branch_or_commit() -> None:
    recorded = published.webhooks()
    for event, examples in recorded.items():
        for payload in examples:
            happenings(event, payload)
    for event in ("pull_request_review", "pull_request_review_comment"):
        for payload in recorded[event]:
            (happening,) = happenings(event, payload)
            assert happening.number == payload["pull_request"]["number"]
            assert happening.repository == payload["repository"]["full_name"]
    (pushed, *_) = (p for p in recorded["push"] if p["ref"].startswith("refs/heads/"))
    assert happenings("push", pushed)[0].ref == pushed["ref"].removeprefix("refs/heads/")
    assert happenings("status", recorded["status"][0])[0].ref == recorded["status"][0]["sha"]
    assert any(happenings("check_run", payload) for payload in recorded["check_run"])
    many = {"number": 1, "head": {}}
    crowd = {
        "repository": {"full_name": "acme/shop"},
        "check_run": {"pull_requests": [{**many, "number": n} for n in range(5000)]},
    }
    why = "whatever is too much to look for one by one is looked at at once"
    assert happenings("check_run", crowd) == (WebhookEvent("acme/shop"),), why
    assert happenings("star", recorded["star"][0]) == ()
    assert (
        happenings("pull_request", {})
        == happenings("pull_request", {"repository": None, "pull_request": 7})
        == ()
    )


def test_incident_24_a_delivery_makes_the_forge_look_once_and_only_at_what_it_is_about(
    deps: Dependencies, server: Server
) -> None:
    hub, forge = server.hub, deps.plugins.forge(deps.config.projects[0])
    assert forge is not None
    hub.push("fix", {"a.txt": "1\n"})
    hub.open("fix")
    watches = [Watch("s-1", "fix", "main"), Watch("s-2", "other", "main")]
    forge.survey(watches)
    deps.clock.advance(3)  # type: ignore[attr-defined]
    payload = {
        "action": "submitted",
        "repository": {"full_name": "Acme/shop"},
        "pull_request": {"number": 1, "head": {"ref": "fix"}},
    }
    body = json.dumps(payload).encode()
    received(deps, "pull_request_review", "d-1", sign(body), body)
    assert received(deps, "pull_request_review", "d-1", sign(body), body) == "known already"
    before = len(hub.requests)
    forge.survey(watches)
    forge.survey(watches)
    assert len(hub.requests) == before + 1


def test_a_delivery_right_after_a_look_presses_until_it_was_looked_at(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    hub.push("fix", {"a.txt": "1\n"})
    hub.open("fix")
    watches = [Watch("s-1", "fix", "main")]
    forge.survey(watches)
    assert forge.next_due() is None
    forge.nudge(1)
    before = len(hub.requests)
    forge.survey(watches)
    assert (forge.next_due(), len(hub.requests)) == (2.0, before), "too soon, and not forgotten"
    clock.advance(2)
    forge.survey(watches)
    assert (forge.next_due(), len(hub.requests)) == (None, before + 1)


def test_a_delivery_that_comes_while_a_nudged_look_is_under_way_asks_for_another(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    hub.push("fix", {"a.txt": "1\n"})
    hub.open("fix")
    watches = [Watch("s-1", "fix", "main")]
    forge.survey(watches)
    forge.nudge(1)
    clock.advance(2)
    asked = forge.client.ask

    def meanwhile(*args: Any, **more: Any) -> Any:
        answer = asked(*args, **more)
        forge.nudge(1)
        return answer

    forge.client.ask = meanwhile  # type: ignore[method-assign]
    forge.survey(watches)
    assert forge.next_due() == 2.0


def test_a_wrong_signature_and_a_wrong_body_are_refused(deps: Dependencies) -> None:
    body = b'{"repository": {"full_name": "acme/shop"}}'
    for signature in (
        None,
        "",
        "sha256=",
        sign(body, "other"),
        sign(b"{}"),
        "sha1=abc",
        "sha256=é",
    ):
        with pytest.raises(Unauthorized, match="webhook_secret"):
            received(deps, "push", "d-1", signature, body)
    for broken in (b"payload=%7B%7D", b"[]", b""):
        with pytest.raises(Invalid):
            received(deps, "push", "d-1", sign(broken), broken)
    assert received(deps, "ping", "d-2", sign(body), body) == "nothing to do"


def test_over_http_the_signature_is_the_token_and_bodies_are_limited(tmp_path: Path) -> None:
    orchestrator = SmallOrchestrator.at(tmp_path)
    taken: list[tuple[str, str, str | None, bytes]] = []

    def webhook(event: str, delivery: str, signature: str | None, raw: bytes) -> str:
        taken.append((event, delivery, signature, raw))
        if signature != "good":
            raise Unauthorized("no")
        return "looking"

    orchestrator.supervisor = SimpleNamespace(webhook=webhook)
    client = falcon.testing.TestClient(
        create_app(orchestrator, "t0ken"), headers={"Host": "hooks.example.org"}
    )  # type: ignore[arg-type]
    sent = {"X-GitHub-Event": "push", "X-GitHub-Delivery": "d-1", "X-Hub-Signature-256": "good"}
    place = "/api/v1/webhooks/github"
    assert client.simulate_post(place, body=b"{}", headers=sent).json == {"data": "looking"}
    assert taken == [("push", "d-1", "good", b"{}")]
    assert (
        client.simulate_post(
            place, body=b"{}", headers={**sent, "X-Hub-Signature-256": "bad"}
        ).status_code
        == 401
    )
    assert client.simulate_post(place, body=b"{}").status_code == 400
    assert (
        client.simulate_post(place, body=b"x" * (1024 * 1024 + 1), headers=sent).status_code == 413
    )
    assert client.simulate_get("/api/v1/status").status_code == 421
    orchestrator.store.close()


def test_a_secret_is_never_shown(deps: Dependencies) -> None:
    from ennio.config.secrets import masked

    assert SECRET not in json.dumps(masked(deps.config), default=str)
    assert SECRET not in repr(deps.config)
