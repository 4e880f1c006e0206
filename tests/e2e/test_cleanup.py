"""What a person is told of the room that working copies take before any of them is removed."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import eventually
from tests.e2e.house import Ground, Supervised, project, story, supervised, turn

pytestmark = pytest.mark.e2e

LINES = "one line of many\n" * 10_000
COMMITS = story(
    turn(
        "prompt",
        [{"edit": {"file": "long.txt", "content": LINES}}, {"commit": "Long"}, "hang"],
    )
)


def committing(ground: Ground) -> dict[str, Any]:
    return project(ground, agent_config=COMMITS)


def foreseen(house: Supervised, name: str) -> dict[str, Any]:
    """What a dry run says of one session."""
    told = house.ground.ennio("cleanup", "--dry-run", "--json").document
    (found,) = [one for one in told if one["session_id"] == name]
    return dict(found)


def test_a_dry_run_says_what_is_freed_also_of_files_that_are_committed_and_of_what_is_kept(
    tmp_path: Path,
) -> None:
    with supervised(tmp_path, committing) as house:
        name = house.spawn("Write many lines")
        copy = Path(house.becomes(name, "working")["workspace_path"])
        log = ("log", "--format=%s", "-1")
        eventually(lambda: house.ground.git(*log, cwd=copy) == "Long", 60, "it has committed")
        assert (foreseen(house, name)["action"], foreseen(house, name)["size"]) == ("kept", 0)
        for pid in house.ground.agents()[name]:
            os.kill(pid, signal.SIGKILL)
        house.becomes(name, "exited", within=60)
        kept = foreseen(house, name)
        assert (kept["action"], "--force" in kept["reason"]) == ("kept", True)
        assert kept["size"] > len(LINES)
        assert "KiB more with --force" in house.ground.ennio("cleanup", "--dry-run").out
        house.client.delete(f"/sessions/{name}")
        house.becomes(name, "killed")
        gone = foreseen(house, name)
        assert (gone["action"], gone["size"]) == ("would remove", kept["size"])
