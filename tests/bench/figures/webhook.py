"""From a signed delivery of GitHub's, which tells of a review comment, to the comment taken
in the agent's terminal.

A stand-in for GitHub answers what Ennio asks then. The bare counterpart pastes the
words and presses Enter.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from ennio.model.clock import SystemClock
from ennio.plugins.forge.github.interval import GAP
from tests.bench import bare
from tests.bench.bare.typing import agent
from tests.bench.figure import Figure, Group, Run
from tests.bench.stand import POLL, MeasuredHouse, come, house_at
from tests.e2e.house import configure, project, story, turn
from tests.e2e.test_webhooks import SECRET, about, deliver, proposed
from tests.github.standin.hub import Hub, Pull
from tests.github.standin.server import Server

FILE = "notes.txt"
WORK = [{"edit": {"file": FILE, "content": "What I know.\n"}}, {"commit": "Work"}, "push"]
STORY = story(turn("prompt", WORK), turn("any", [{"say": "Noted."}]))


def measure(run: Run) -> Iterator[Figure]:
    """One agent of each kind is told something again and again, by turns."""
    run.say("webhooks ...")
    ours, theirs = [], []
    with _server(run.root / "github") as server, house_at(run.root / "house", STORY) as house:
        _settle(house, server)
        house.start()
        socket = f"{house.ground.socket}-bare"
        try:
            by_hand = agent(run.root / "bare", socket, "bare")
            come(lambda: by_hand.wrote("ready"), 20, "the bare agent is ready")
            name, pull = come(lambda: proposed(house, server.hub), 90, "there is a pull request")
            for number in range(run.times(2, 15)):
                ours.append(_ours(house, server, name, pull, f"Mind the gap {number}"))
                theirs.append(by_hand.seconds(f"Mind the gap {number}"))
            yield Figure(
                "webhook.to_terminal", statistics.median(ours), "s", statistics.median(theirs)
            )
        finally:
            bare.close(socket)


@contextmanager
def _server(place: Path) -> Iterator[Server]:
    server = Server(Hub(place, SystemClock()))
    try:
        yield server
    finally:
        server.close()


def _settle(house: MeasuredHouse, server: Server) -> None:
    """The house's repository lies on the stand-in, which is looked at when it calls; as many
    comments as there are may be told.
    """
    ground = house.ground
    ground.git("remote", "set-url", "origin", server.git)
    ground.git("push", "--quiet", "--force", "origin", "HEAD:main")
    ground.git("fetch", "--quiet", "origin")
    access = {"owner": "acme", "repo": "shop", "token": server.hub.token, "api_url": server.api}
    forge = {"plugin": "github", "config": {**access, "webhook_secret": SECRET, "pace": 100}}
    configure(
        ground,
        project(ground, repo=server.git, scm_config=forge, agent_config=STORY),
        poll=POLL,
        reactions={"changes-requested": {"retries": 100, "escalate_after": "1h"}},
    )


def _ours(house: MeasuredHouse, server: Server, name: str, pull: Pull, text: str) -> float:
    """The agent rests, and the forge was not asked for a while; a comment is
    made, and its delivery sent.
    """
    come(lambda: house.session(name)["activity"] in ("ready", "idle"), 30, f"{name} rests")
    come(lambda: _long_ago(server.hub), 60, "GitHub is left in peace")
    with server.lock:
        server.hub.thread(pull.number, "ada", text, FILE, 1)
    begun = time.time()
    deliver(house, "pull_request_review_comment", about(pull))
    return float(come(lambda: _taken(house, name, text), 60, "it has the comment") - begun)


def _long_ago(hub: Hub) -> bool:
    """Whether the last request is so old that a delivery leads to another one at once."""
    return hub.clock.now() - hub.requests[-1][0] > timedelta(seconds=GAP)


def _taken(house: MeasuredHouse, name: str, text: str) -> float | None:
    """When the agent took what has these words in it (seconds since 1970)."""
    return next(
        (
            entry["t"]
            for entry in house.ground.transcript(name)
            if entry["type"] == "prompt" and text in entry["text"]
        ),
        None,
    )


GROUP = Group(("webhook.to_terminal",), measure)
