"""An issue of Linear from spawn to merge: read for the prompt, moved along its
board, and its key in no log.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ennio.model.clock import ManualClock
from tests.conftest import eventually
from tests.e2e.house import Ground, project, supervised
from tests.linear.standin import KEY, Linear, Server

pytestmark = pytest.mark.e2e

STATES = {"spawned": "In Progress", "pull_opened": "In Review", "merged": "Done"}


@pytest.fixture
def linear() -> Iterator[Linear]:
    found = Linear(ManualClock())
    server = Server(found)
    yield found
    server.close()
    assert found.invalid == []


def _on(linear: Linear, ground: Ground) -> dict[str, Any]:
    settings = {
        "api_key": KEY,
        "api_url": linear.url,
        "team": "ENG",
        "states": STATES,
        "comment": ["pull_opened"],
    }
    return project(ground, tracker_config={"plugin": "linear", "config": settings})


def test_an_issue_of_linear_goes_from_spawn_to_merge(tmp_path: Path, linear: Linear) -> None:
    row = linear.add("ENG-7", "Write down what you know", "All of it.", labels=("docs",))
    linear.say(row, "And be brief")
    with supervised(tmp_path, lambda ground: _on(linear, ground)) as house:
        done = house.ground.ennio("spawn", "score", "--issue", "7", "--json")
        assert done.code == 0, done.err
        name = done.document["id"]
        eventually(
            lambda: row.state in ("In Progress", "In Review"), 30, "the issue is in progress"
        )
        number = eventually(
            lambda: house.session(name)["pr_number"], 40, "its pull request is there"
        )
        eventually(lambda: row.state == "In Review", 30, "the issue is in review")
        assert house.session(name)["branch"] == "ada/eng-7-write-down-what-you-know"
        prompt = "\n".join(house.ground.taken(name))
        for words in (
            "# Issue ENG-7: Write down what you know",
            "Labels: docs",
            "ada: And be brief",
        ):
            assert words in prompt
        merged = house.ground.ennio("pr", "merge", "score", str(number))
        assert merged.code == 0, merged.err
        eventually(lambda: row.state == "Done", 30, "the issue is done")
        assert len(row.bodies) == 2
        assert f"pull request #{number}" in row.bodies[1]
        assert house.session(name)["metrics"]["time_to_merge_secs"] is not None
        assert "merged after" in house.ground.ennio("session", "info", name).out
        assert KEY not in house.log.read_text()
        sources = house.client.get("/status")["sources"]
        assert sources["tracker:score"]["ok"], sources
