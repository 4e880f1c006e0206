"""Supervisors that take any free port: what agents' hooks are told leads
to the one they belong to.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from ennio.hosts.session_files import HOOKS
from tests.conftest import eventually
from tests.e2e.house import Ground, Supervised, free_port, project, story, supervised, turn

pytestmark = pytest.mark.e2e

HANG = story(turn("prompt", [{"say": "..."}, "hang"]))


def hangs(ground: Ground) -> dict[str, Any]:
    """A project whose agent is there until it is ended."""
    return project(ground, agent_config=HANG)


def told(house: Supervised, session_id: str) -> dict[str, Any]:
    """What the hooks of a session know."""
    found: dict[str, Any] = json.loads(
        (house.ground.home / "sessions" / session_id / HOOKS).read_text()
    )
    return found


def rings(hook: dict[str, Any], port: int) -> bool:
    """Whether a supervisor takes what this hook says."""
    with closing(http.client.HTTPConnection(hook["host"], port, timeout=10)) as connection:
        connection.request(
            "POST", hook["path"], headers={"Authorization": f"Bearer {hook['token']}"}
        )
        return connection.getresponse().status == 200


def launched(house: Supervised) -> str:
    session_id = house.spawn()
    eventually(
        (house.ground.home / "sessions" / session_id / HOOKS).exists, 30, "the agent is launched"
    )
    return session_id


def test_hooks_of_two_supervisors_that_took_any_port_ring_at_their_own_one(tmp_path: Path) -> None:
    with (
        supervised(tmp_path / "a", hangs, port=0) as one,
        supervised(tmp_path / "b", hangs, port=0) as two,
    ):
        first, second = told(one, launched(one)), told(two, launched(two))
        assert one.client.url.endswith(f":{first['port']}")
        assert two.client.url.endswith(f":{second['port']}")
        assert rings(first, first["port"])
        assert rings(second, second["port"])
        assert not rings(first, second["port"])


def test_hooks_ring_where_the_supervisor_is_after_its_file_names_another_port(
    tmp_path: Path,
) -> None:
    with supervised(tmp_path / "a", hangs) as house:
        session_id = launched(house)
        settings = yaml.safe_load(house.ground.config.read_text())
        house.ground.config.write_text(yaml.safe_dump({**settings, "port": free_port()}))
        before = house.workers()
        os.kill(house.arbiter(), signal.SIGHUP)
        eventually(
            lambda: house.workers() and not set(house.workers()) & set(before),
            30,
            "another worker stands",
        )
        house.answers()
        hook = told(house, session_id)
        assert hook["port"] == settings["port"]
        assert rings(hook, hook["port"])
