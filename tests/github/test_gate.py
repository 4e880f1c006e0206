"""The gate between the tests and what GitHub publishes has teeth: whoever asks or
answers otherwise is found out.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ennio.model.clock import ManualClock
from ennio.model.errors import EnnioError
from ennio.plugins.forge import github as forge
from ennio.plugins.forge.github.forge import GitHubForge
from tests.github.conftest import context
from tests.github.standin import graph, rest
from tests.github.standin.hub import Hub
from tests.github.standin.server import Server

REPO = 'repository(owner: "acme", name: "shop")'


def noted(hub: Hub, ask: Callable[[], object]) -> str:
    """What the gate says of one request; it is forgotten afterwards."""
    assert hub.invalid == []
    with contextlib.suppress(EnnioError):  # the stand-in may refuse it besides
        ask()
    words, hub.invalid = "; ".join(hub.invalid), []
    return words


def test_a_wrong_request_is_noted(hub: Hub, forge: GitHubForge) -> None:
    client, at = forge.client, forge.client.address.at
    assert "no published operation" in noted(hub, lambda: client.get(at("nonsense")))
    assert "has no parameter stat" in noted(hub, lambda: client.get(at("issues"), {"stat": "open"}))
    assert "has no field sha1" in noted(
        hub, lambda: client.send("PUT", at("pulls", 1, "merge"), {"sha1": "a"})
    )
    assert "'head' is a required property" in noted(
        hub, lambda: client.send("POST", at("pulls"), {"title": "t", "base": "b"})
    )
    assert noted(hub, lambda: client.get(at("issues"), {"state": "open"})) == ""


def test_a_wrong_answer_is_noted(
    hub: Hub, server: Server, forge: GitHubForge, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, at = hub.issue("Fix"), forge.client.address.at
    shown = server.rest.issue_shown
    monkeypatch.setattr(
        server.rest, "issue_shown", lambda number: {**shown(number), "number": "one"}
    )
    assert "number" in noted(hub, lambda: forge.client.get(at("issues", number)))
    monkeypatch.setattr(
        server.rest,
        "issue_shown",
        lambda number: {k: v for k, v in shown(number).items() if k != "title"},
    )
    assert "'title' is a required property" in noted(
        hub, lambda: forge.client.get(at("issues", number))
    )


def test_a_wrong_refusal_is_noted_too(
    hub: Hub, forge: GitHubForge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        rest, "problem", lambda status, _message: rest.Answered(status, {"message": ["no text"]})
    )
    assert "message" in noted(hub, lambda: forge.client.get(forge.client.address.at("issues", 404)))


@pytest.mark.parametrize(
    ("question", "fault"),
    [
        (f"query {{ {REPO} {{ shoeSize }} }}", "shoeSize"),
        (f"query {{ {REPO} {{ pullRequest {{ id }} }} }}", "number"),
        ('mutation { resolveReviewThread(input: {thread: "x"}) { thread { id } } }', "threadId"),
    ],
)
def test_a_wrong_question_is_noted(hub: Hub, forge: GitHubForge, question: str, fault: str) -> None:
    assert fault in noted(hub, lambda: forge.client.ask(question, {}))


@pytest.mark.parametrize(
    ("field", "value"), [("state", "ASLEEP"), ("title", None), ("number", "one"), ("isDraft", {})]
)
def test_a_wrong_answer_to_a_question_is_noted(
    hub: Hub, forge: GitHubForge, monkeypatch: pytest.MonkeyPatch, field: str, value: Any
) -> None:
    hub.push("fix", {"a.txt": "1\n"})
    hub.open("fix")
    honest = graph.Root.pull
    monkeypatch.setattr(graph.Root, "pull", lambda self, pull: {**honest(self, pull), field: value})
    assert noted(hub, lambda: forge.look(1))


def test_an_enterprise_server_is_asked_below_its_own_paths_only(
    hub: Hub, tmp_path: Path, clock: ManualClock
) -> None:
    server = Server(hub, enterprise=True)
    try:
        right = forge.build(context(tmp_path, clock, server, {}))
        assert right.check() is None
        assert noted(hub, lambda: right.client.ask("query { rateLimit { cost } }", {})) == ""
        assert {path for _, _, path, _ in hub.requests} == {
            "/api/v3/repos/acme/shop",
            "/api/graphql",
        }
        assert "no published operation" in noted(
            hub, lambda: right.client.get(("repos", "acme", "shop", "nonsense"))
        )
        assert "shoeSize" in noted(
            hub, lambda: right.client.ask(f"query {{ {REPO} {{ shoeSize }} }}", {})
        )
        wrong = forge.build(
            context(tmp_path, clock, server, {"api_url": server.api.removesuffix("/api/v3")})
        )
        assert "not below /api/v3" in noted(hub, wrong.check)
    finally:
        server.close()
