"""The server of the database goes away under a running supervisor: people see, open and stop what
runs, and nothing is lost.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from ennio.http import address
from ennio.machine.home import Home
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
        _shows_what_was_last_known(house, stays, before)
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


def _shows_what_was_last_known(house: Supervised, name: str, before: list[dict[str, Any]]) -> None:
    """Events, messages and reasons, marked as old."""
    assert house.events()[: len(before)] == before
    for verb in (
        ["events", "--session", name],
        ["messages", name],
        ["session", "why", name],
        ["session", "info", name],
    ):
        told = house.ground.ennio(*verb)
        assert told.code == 0, told.err
        assert "as last known: the database is away since" in told.err, verb
    assert "Session 0" in house.ground.ennio("messages", name).out


def _told_of_it(house: Supervised) -> str:
    told = house.ground.ennio("status")
    return told.out if told.code == 0 and "does not answer" in told.out else ""


def _away(house: Supervised) -> str:
    """What the supervisor says of its database while that is away."""
    problem = house.client.get("/status")["database_problem"]
    assert problem is not None
    assert "is away since" in problem
    assert "waiting" in problem
    return str(problem)


def _goes_on(house: Supervised, stays: str, ends: str, before: list[dict[str, Any]]) -> None:
    """With the database back nothing is lost, and what was ordered meanwhile is done."""
    eventually(lambda: _is_back(house), within=60, why="the supervisor writes")
    house.becomes(ends, "killed", within=60)
    house.becomes(stays, "working", within=60)
    eventually(
        lambda: not house.client.get("/status")["actors"]["troubled"],
        within=60,
        why="everybody is there",
    )
    house.client.post(f"/sessions/{stays}/send", {"message": "still there?"})
    eventually(
        lambda: any("still there?" in text for text in house.ground.taken(stays)),
        within=60,
        why="a message arrives",
    )
    assert len(house.ground.taken(stays)) == 2, "and nothing was typed twice"
    after = house.events()
    assert after[: len(before)] == before
    assert [event["seq"] for event in after] == list(range(1, len(after) + 1))


@pytest.mark.parametrize("death", ["whole", "worker"])
def test_a_supervisor_begun_while_the_server_is_away_comes_up_shows_and_stops_what_runs_and_goes_on_when_it_is_back(
    tmp_path: Path, alone: Server, death: str
) -> None:
    with supervised(tmp_path, patient, database=alone.made()) as house:
        stays, ends = (house.spawn(f"Session {number}") for number in range(2))
        for name in (stays, ends):
            house.becomes(name, "working")
            eventually(lambda name=name: house.ground.taken(name), why=f"{name} took its prompt")
        before = house.events()
        if death == "whole":
            house.stop()
            alone.stop()
            house.start()
        else:
            alone.stop()
            old = house.workers()
            house.kill_worker()
            eventually(lambda: set(house.workers()) - set(old), why="another worker")
            house.answers()

        _away(house)
        told = house.ground.ennio("status")
        assert told.code == 0, told.err
        assert "is away since" in told.out
        assert stays in told.out
        assert ends in told.out
        assert "tmux" in house.client.get(f"/sessions/{stays}/attach")
        doctor = house.ground.ennio("doctor")
        assert "is away since" in doctor.out + doctor.err
        _is_refused(house, "POST", "/sessions", {"project_id": "score", "prompt": "another"})
        _is_refused(house, "POST", f"/sessions/{stays}/send", {"message": "lost?"})
        _is_refused(house, "POST", f"/sessions/{stays}/answer", {"answer": "1"})
        _is_refused(house, "DELETE", "/sessions/sco-nobody", None)
        for unknown in ("/sessions/sco-nobody", "/projects/score/pulls/7", "/metrics"):
            _is_refused(house, "GET", unknown, None)
        stopped = house.ground.ennio("session", "kill", ends)
        assert stopped.code == 0, stopped.err
        eventually(lambda: ends not in house.ground.agents(), why="its agent has ended")
        assert stays in house.ground.agents()
        workers = house.workers()

        alone.start()
        _goes_on(house, stays, ends, before)
        assert house.workers() == workers, "the same worker went on"


def _is_refused(house: Supervised, method: str, path: str, body: dict[str, Any] | None) -> None:
    """With 503, the reason, and when to come again."""
    token = address.known_token(Home(house.ground.home).run(house.ground.config))
    connection = HTTPConnection(house.client.url.removeprefix("http://"), timeout=30)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.request(
        method, f"/api/v1{path}", None if body is None else json.dumps(body), headers
    )
    answer = connection.getresponse()
    words = answer.read().decode()
    connection.close()
    assert answer.status == 503, (path, words)
    assert int(answer.headers["Retry-After"]) > 0
    assert "is away since" in words, (path, words)


def test_a_start_in_the_background_says_that_the_database_is_away(
    tmp_path: Path, alone: Server
) -> None:
    with supervised(tmp_path, patient, database=alone.made()) as house:
        house.stop()
        alone.stop()
        begun = house.ground.ennio("start", "--detach")
        assert begun.code == 0, begun.err
        assert "the database is away since" in begun.out
        assert "goes on by itself" in begun.out
        ended = house.ground.ennio("stop")
        assert ended.code == 0, ended.err
        alone.start()
        house.start()


def test_a_wait_for_what_comes_back_and_will_never_do_ends_the_supervisor_with_the_reason(
    tmp_path: Path, alone: Server
) -> None:
    with supervised(tmp_path, patient, database=alone.made()) as house:
        house.stop()
        alone.stop()
        house.start()
        _away(house)
        alone.start()
        alone.sql("ALTER SCHEMA s1 RENAME TO moved")
        assert house.process is not None
        assert house.process.wait(60) != 0
        assert "make it with CREATE SCHEMA" in house.words()
        alone.sql("ALTER SCHEMA moved RENAME TO s1")
        house.start()


@pytest.mark.parametrize(
    ("part", "wrong", "words"),
    [
        ("/postgres?", "/no_such_database?", "make it with createdb"),
        ("ennio@", "nobody_known@", "refuses the user"),
    ],
    ids=["database", "user"],
)
def test_what_no_time_can_mend_is_a_clear_error_at_the_start(
    tmp_path: Path, alone: Server, part: str, wrong: str, words: str
) -> None:
    with supervised(tmp_path, patient, database=alone.made()) as house:
        house.stop()
        right = house.ground
        house.ground = replace(right, database=right.database.replace(part, wrong))
        house.begin()
        assert house.process is not None
        assert house.process.wait(60) != 0
        assert words in house.words()
        house.ground = right
        house.start()
