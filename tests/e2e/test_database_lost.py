"""The database is deleted or overwritten under a running supervisor, or an older one is put in its
place: it says so, agents go on, and the next start finds them again.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from contextlib import closing, suppress
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


def listening(ground: Ground, **settings: Any) -> dict[str, Any]:
    """A project whose agents take what they are told."""
    turns = turn("prompt", [{"say": "..."}]), turn("message", [{"say": "yes"}])
    return project(ground, agent_config=story(*turns), **settings)


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


def test_of_the_agents_that_are_taken_in_only_those_are_counted_that_run(tmp_path: Path) -> None:
    with supervised(tmp_path, waiting) as house:
        ended, runs = house.spawn("Write a line"), house.spawn("Write another line")
        for name in (ended, runs):
            house.becomes(name, "working")
        house.stop()
        for pid in house.ground.agents()[ended]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        eventually(lambda: ended not in house.ground.agents())
        cleaned(house)
        house.start()
        assert house.client.get("/status")["adopted"] == [runs]
        house.becomes(ended, "exited")  # it is taken in all the same


def backed_up(house: Supervised) -> Path:
    """A backup as it is made while Ennio runs."""
    copy = house.ground.root / "backup.db"
    with (
        closing(sqlite3.connect(house.ground.clone / "ennio.db")) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
    return copy


def logs(house: Supervised) -> list[Path]:
    """What lies beside the database."""
    return sorted(house.ground.clone.glob("ennio.db-*"))


def test_a_backup_copied_over_the_database_while_ennio_runs_is_said_and_nothing_is_mixed(
    tmp_path: Path,
) -> None:
    with supervised(tmp_path, waiting) as house:
        first = house.spawn("Write a line")
        house.becomes(first, "working")
        copy, database = backed_up(house), house.ground.clone / "ennio.db"
        house.stop()
        house.start()
        second = house.spawn("Write another")
        house.becomes(second, "working")
        with closing(sqlite3.connect(database)) as person:
            person.execute("PRAGMA wal_checkpoint(PASSIVE)")
        house.client.post(f"/sessions/{second}/send", {"message": "after the log came into it"})
        shutil.copyfile(copy, database)
        told = house.ground.ennio("status")
        assert "was overwritten while Ennio ran" in told.out
        refused = house.ground.ennio("spawn", "score", "-p", "another")
        assert refused.code == 1
        assert "two histories are not mixed" in refused.err
        assert set(house.ground.agents()) == {first, second}
        house.stop()
        assert database.read_bytes() == copy.read_bytes(), "what was put there stays as it is"
        again = house.ground.ennio("start", "--detach")
        assert again.code != 0
        assert "would mix two histories" in again.out + again.err
        for path in logs(house):
            path.unlink()
        house.start()
        assert house.client.get("/status")["adopted"] == [second]
        for name in (first, second):
            house.becomes(name, "working")


def test_a_start_with_an_older_database_goes_on_with_it_and_takes_in_who_came_later(
    tmp_path: Path,
) -> None:
    with supervised(tmp_path, listening) as house:
        first, ended = house.spawn("Write a line"), house.spawn("Write one more")
        for name in (first, ended):
            house.becomes(name, "working")
        copy = backed_up(house)
        later = house.spawn("Write another")
        house.becomes(later, "working")
        house.client.delete(f"/sessions/{ended}")
        house.becomes(ended, "killed")
        house.client.post(f"/sessions/{first}/send", {"message": "only once"})
        eventually(lambda: "only once" in "".join(house.ground.taken(first)), 30, "it was told")
        last = house.events()[-1]["seq"]
        house.stop()
        for path in logs(house):
            path.unlink()
        shutil.copyfile(copy, house.ground.clone / "ennio.db")
        house.start()
        assert house.client.get("/status")["adopted"] == [later]
        house.becomes(first, "working")
        house.becomes(later, "working")
        house.becomes(ended, "exited")
        assert house.events()[-1]["seq"] < last, "the log is the older one"
        house.client.post(f"/sessions/{first}/send", {"message": "and then this"})
        eventually(lambda: "and then this" in "".join(house.ground.taken(first)), 30, "it is told")
        assert "".join(house.ground.taken(first)).count("only once") == 1
        assert house.becomes(later, "working")["prompt"] == "Write another"
