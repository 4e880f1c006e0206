"""A person moves from a file to a server: everything goes on where it was."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import eventually
from tests.e2e.house import Ground, project, story, supervised, turn
from tests.postgres import server

pytestmark = pytest.mark.e2e


def patient(ground: Ground) -> dict[str, Any]:
    """Agents that begin, and then do what they are told, one thing after the other."""
    told = turn("message", [{"say": "heard"}], "told")
    return project(ground, agent_config=story(turn("prompt", [{"say": "ready"}], "own"), told))


def test_a_database_that_was_copied_to_a_server_goes_on_there_with_its_agents(
    tmp_path: Path,
) -> None:
    with server() as alone, supervised(tmp_path, patient) as house:
        url, name = alone.made(), house.spawn("Write")
        house.becomes(name, "working")
        eventually(lambda: house.ground.taken(name), why=f"{name} took its prompt")
        early = house.ground.ennio("database", "copy", "--to", url)
        assert early.code == 1
        assert "ennio stop" in early.err
        secret = house.ground.ennio("database", "copy", "--to", "postgresql://a:secret@b/c")
        assert secret.code == 2
        assert "~/.pgpass" in secret.err
        house.stop()
        before = len(house.ground.rows("SELECT seq FROM event_log"))
        done = house.ground.ennio("database", "copy", "--to", url, "--json")
        assert done.code == 0, done.err
        assert json.loads(done.out)["copied"]["sessions"] == 1
        assert f"events: {before} of {before}" in done.err
        again = house.ground.ennio("database", "copy", "--to", url)
        assert again.code == 5
        assert "is not empty" in again.err

        house.ground = replace(house.ground, database=url)
        house.start()
        house.becomes(name, "working")
        house.client.post(f"/sessions/{name}/send", {"message": "still there?"})
        eventually(lambda: len(house.ground.taken(name)) == 2, within=60, why="a message arrives")
        after = house.events()
        assert len(after) > before
        assert [event["seq"] for event in after] == list(range(1, len(after) + 1))
        assert house.client.get("/status")["adopted"] == [], "it is known, and no stranger"
