"""The server of the database goes away under a running supervisor: people see, open and stop what
runs, and nothing is lost.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ennio.model.errors import EnnioError
from tests.conftest import eventually
from tests.e2e.house import Ground, Supervised, project, story, supervised, turn
from tests.postgres import Server, server

pytestmark = pytest.mark.e2e


def patient(ground: Ground) -> dict[str, Any]:
    """Agents that begin, and then do what they are told, one thing after the other."""
    ready = turn("prompt", [{"say": "ready"}], "own")
    told = turn("message", [{"say": "heard"}], "told")
    return project(ground, agent_config=story(ready, told))


@pytest.fixture
def alone() -> Iterator[Server]:
    with server() as started:
        yield started


def _is_back(house: Supervised) -> bool:
    with suppress(EnnioError):
        return house.client.get("/status")["database_problem"] is None
    return False


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["ended", "crashed"])
def test_while_the_server_is_away_people_see_open_and_stop_what_runs_and_it_comes_back_whole(
    tmp_path: Path, alone: Server, how: signal.Signals
) -> None:
    with supervised(tmp_path, patient, database=alone.made()) as house:
        names = [house.spawn(f"Session {number}") for number in range(2)]
        for name in names:
            house.becomes(name, "working")
            eventually(lambda name=name: house.ground.taken(name), why=f"{name} took its prompt")
        stays, ends = names
        before = house.events()
        worker = house.workers()
        alone.stop(how)

        told = eventually(lambda: _told_of_it(house), why="status says that the database is away")
        assert stays in str(told)
        assert ends in str(told)
        assert "tmux" in house.client.get(f"/sessions/{stays}/attach")
        refused = house.ground.ennio("spawn", "score", "-p", "another")
        assert refused.code == 1
        assert "nothing is written until it does" in refused.err
        stopped = house.ground.ennio("session", "kill", ends)
        assert stopped.code == 0, stopped.err
        eventually(lambda: ends not in house.ground.agents(), why="its agent has ended")
        assert stays in house.ground.agents()

        alone.start()
        eventually(lambda: _is_back(house), within=60, why="the supervisor writes again")
        house.becomes(ends, "killed", within=60)
        house.becomes(stays, "working", within=60)
        eventually(
            lambda: not house.client.get("/status")["actors"]["troubled"],
            within=60,
            why="everybody is back",
        )
        house.client.post(f"/sessions/{stays}/send", {"message": "still there?"})
        eventually(
            lambda: any("still there?" in text for text in house.ground.taken(stays)),
            within=60,
            why="a message arrives",
        )
        assert house.workers() == worker, "the same worker went on"
        after = house.events()
        assert after[: len(before)] == before
        assert [event["seq"] for event in after] == list(range(1, len(after) + 1))


def _told_of_it(house: Supervised) -> str:
    told = house.ground.ennio("status")
    return told.out if told.code == 0 and "does not answer" in told.out else ""
