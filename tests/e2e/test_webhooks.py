"""Webhooks through a supervisor that looks by itself every ten minutes only: what it sees within
seconds, a delivery told it.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import subprocess
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from ennio.demo.scene import GREET
from ennio.demo.scene import story as told
from tests.conftest import eventually
from tests.e2e.house import QUICK, Ground, Supervised, close, configure, project
from tests.e2e.test_github import ground, server  # noqa: F401 - fixtures
from tests.github.standin.hub import Hub, Pull
from tests.github.standin.server import Server

pytestmark = pytest.mark.e2e

SECRET = "of-the-hook"
PLACE = "/api/v1/webhooks/github"


@pytest.fixture
def house(ground: Ground, server: Server) -> Iterator[Supervised]:  # noqa: F811 - the fixtures
    access = {"owner": "acme", "repo": "shop", "token": server.hub.token, "api_url": server.api}
    forge = {"plugin": "github", "config": {**access, "webhook_secret": SECRET, "pace": 100}}
    configure(
        ground,
        project(ground, repo=server.git, scm_config=forge, agent_config={"passthrough": told(20)}),
        poll={**QUICK, "forge": "10m"},
    )
    house = Supervised(ground)
    house.start()
    yield house
    close(house)


def deliver(
    house: Supervised,
    event: str,
    payload: Any,
    *,
    secret: str = SECRET,
    delivery: str | None = None,
) -> tuple[int, str]:
    """Post what GitHub would; the status and what was answered."""
    raw = (
        payload
        if isinstance(payload, bytes)
        else json.dumps({"repository": {"full_name": "acme/shop"}, **payload}).encode()
    )
    signature = f"sha256={hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()}"
    names = {
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery or str(uuid.uuid4()),
        "X-Hub-Signature-256": signature,
    }
    connection = http.client.HTTPConnection(house.client.url.removeprefix("http://"), timeout=30)
    try:
        connection.request(
            "POST",
            PLACE,
            raw,
            {"Content-Type": "application/json", "Host": "hooks.example.org", **names},
        )
        response = connection.getresponse()
        document = json.loads(response.read())
        return response.status, str(document.get("data") or document.get("error"))
    finally:
        connection.close()


def about(pull: Pull) -> dict[str, Any]:
    return {
        "action": "submitted",
        "pull_request": {"number": pull.number, "head": {"ref": pull.branch}},
    }


def proposed(house: Supervised, hub: Hub) -> tuple[str, Pull]:
    """A session whose agent has pushed and rests; a delivery made Ennio open its pull request."""
    session = house.spawn(GREET)
    branch = eventually(
        lambda: next((name for name in hub.heads() if name != "main"), None),
        40,
        "the agent has pushed",
    )
    eventually(
        lambda: house.session(session)["activity"] in ("ready", "idle"), 30, "the agent rests"
    )
    deliver(house, "push", {"ref": f"refs/heads/{branch}"})
    eventually(lambda: house.session(session)["pr_number"], 30, "its pull request is known")
    return session, next(iter(hub.pulls.values()))


def looks(hub: Hub) -> int:
    return hub.asked(path="/graphql")


def test_incident_24_a_delivery_makes_a_session_see_its_review_at_once_and_only_once(
    house: Supervised,
    server: Server,  # noqa: F811
) -> None:
    hub = server.hub
    session, pull = proposed(house, hub)
    settled = eventually(lambda: _quiet(house, hub), 30, "nothing is pressing any more")

    with server.lock:
        hub.review(
            pull.number, "ada", "CHANGES_REQUESTED", "Please mention the greeting in CHANGES.md"
        )
    status, words = deliver(
        house, "pull_request_review", about(pull), secret="somebody-else's", delivery="d-1"
    )
    assert (status, "signature" in words) == (401, True)
    status, _ = deliver(house, "pull_request_review", b"x" * (1024 * 1024 + 1), delivery="d-1")
    assert status == 413
    assert looks(hub) == settled, "neither of them makes it look"

    assert deliver(house, "pull_request_review", about(pull), delivery="d-1") == (200, "looking")
    house.becomes(session, "changes_requested", within=30)
    eventually(
        lambda: _told(house, session, "Please mention the greeting"), 30, "the agent is told"
    )
    after = looks(hub)
    assert deliver(house, "pull_request_review", about(pull), delivery="d-1") == (
        200,
        "known already",
    )
    assert deliver(house, "star", {"action": "created"}) == (200, "nothing to do")
    house.client.get("/status")
    assert looks(hub) == after


def test_incident_29_an_agent_answers_by_the_command_it_was_given_and_is_not_told_of_it(
    house: Supervised,
    server: Server,  # noqa: F811
) -> None:
    hub, ground = server.hub, house.ground  # noqa: F811
    session, pull = proposed(house, hub)
    with server.lock:
        thread = hub.thread(pull.number, "ada", "Why so short?", "greeting.txt", 1)
    deliver(house, "pull_request_review_comment", about(pull))
    message = str(
        eventually(lambda: _told(house, session, "Why so short?"), 30, "the agent is told")
    )
    reply, settle = (
        line for line in message.splitlines() if " pr reply " in line or " pr resolve " in line
    )

    # as the agent's shell would: in its working copy, without Ennio on the PATH
    place = house.session(session)["workspace_path"]
    for line in (reply.replace('"..."', '"Because it is one."'), settle):
        done = subprocess.run(
            ["sh", "-c", line],
            cwd=place,
            env=ground.env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert [said["author"]["login"] for said in thread.comments] == ["ada", hub.login]
    assert thread.comments[-1]["body"].startswith("Because it is one.")
    assert thread.resolved

    with server.lock:
        thread.resolved = False
        hub.answer(thread, hub.login, "And again, by gh.")
        hub.remark(pull.number, hub.login, "All done, by gh.")
        hub.remark(pull.number, "ada", "Fine, then.")
    deliver(house, "issue_comment", {"issue": {"number": pull.number, "pull_request": {}}})
    eventually(lambda: _told(house, session, "Fine, then."), 30, "what ada says next is told")
    everything = "\n".join(ground.taken(session))
    assert "Because it is one." not in everything
    assert "by gh" not in everything
    assert everything.count("Why so short?") == 1
    assert "own words, not told to the agent" in ground.ennio("pr", "show", session).out


def _told(house: Supervised, session: str, words: str) -> str | None:
    return next((text for text in house.ground.taken(session) if words in text), None)


def _quiet(house: Supervised, hub: Hub) -> int | None:
    """How often it has looked, once it stands still: two answers of the supervisor apart, and the
    forge was not asked between them.
    """
    before, looked = looks(hub), house.client.get("/status")["sources"]["forge:score"]["looks"]
    again = house.client.get("/status")["sources"]["forge:score"]["looks"]
    return before if before == looks(hub) and looked == again else None
