"""The database is deleted under a running supervisor: it says so, agents go on, and the
next start finds them again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import eventually
from tests.e2e.house import Ground, Supervised, project, story, supervised, turn

pytestmark = pytest.mark.e2e


def waiting(ground: Ground, **settings: Any) -> dict[str, Any]:
    """A project whose agents write a line they do not commit, and stay."""
    unsaved = [{"edit": {"file": "mine.txt", "content": "not committed\n"}}, {"say": "..."}, "hang"]
    return project(ground, agent_config=story(turn("prompt", unsaved)), **settings)


def cleaned(house: Supervised) -> Path:
    """What ``git clean -fdx`` leaves of the database: nothing."""
    database = house.ground.clone / "ennio.db"
    for path in database.parent.glob("ennio.db*"):
        path.unlink()
    return database


def test_a_database_that_is_deleted_is_said_and_saved_and_the_saved_one_brings_all_back(
    tmp_path: Path,
) -> None:
    with supervised(tmp_path, waiting) as house:
        name = house.spawn("Write a line")
        house.becomes(name, "working")
        database = cleaned(house)
        told = house.ground.ennio("status")
        assert "was removed while Ennio ran" in told.out
        refused = house.ground.ennio("spawn", "score", "-p", "another")
        assert refused.code == 1
        assert "nothing is written any more" in refused.err
        (copy,) = database.parent.glob("ennio.db.saved-*")
        house.stop()
        copy.rename(database)
        house.start()
        eventually(
            lambda: (
                house.session(name)["status"] == "working"
                and not house.session(name)["no_signal_since"]
            )
        )
        assert house.session(name)["prompt"] == "Write a line"


def test_a_start_without_a_database_takes_in_the_agents_that_live(tmp_path: Path) -> None:
    with supervised(tmp_path, waiting) as house:
        name = house.spawn("Write a line")
        before = house.becomes(name, "working")
        house.stop()
        cleaned(house)
        house.start()
        assert house.client.get("/status")["adopted"] == [name]
        after = house.becomes(name, "working")
        for what in ("branch", "workspace_path", "prompt", "agent_name", "tmux_name"):
            assert after[what] == before[what]
        house.client.post(f"/sessions/{name}/send", {"message": "still there?"})
        house.client.delete(f"/sessions/{name}")
        assert house.session(name)["status"] == "killed"
        house.stop()
        house.start()
        assert house.client.get("/status")["adopted"] == [], "once is enough"
