"""Trouble with the disk: full, locked, read-only, corrupt. What cannot be written is not done, and
a damaged file is not touched.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ennio.store.migrations import NEWEST
from tests.conftest import eventually, lacking
from tests.e2e import account
from tests.e2e.house import Ground, Supervised, configure, ground_at, project, repository
from tests.faults import points
from tests.faults.account import settle
from tests.faults.plan import Fault, Order, When, happened
from tests.faults.story import told
from tests.faults.teller import Wired
from tests.faults.test_reload import waiting
from tests.store.conftest import V01, V01_ROWS

pytestmark = pytest.mark.e2e

ROOM = 24 * 2**20  # the write-ahead log alone may take four


@contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """A file system of a few megabytes of its own."""
    place.mkdir(parents=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(place)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lacking(
            f"no tmpfs could be mounted, so a FULL DISK WAS NOT TESTED: {done.stderr.strip()} (it "
            "takes root)"
        )
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(place: Path) -> Path:
    """Take all the room there is."""
    ballast = place / "ballast"
    with ballast.open("ab", buffering=0) as file:
        for size in (65536, 4096, 512, 1):
            while True:
                try:
                    if not file.write(b"x" * size):
                        break
                except OSError:
                    break
    return ballast


def _events(house: Supervised) -> int:
    return int(house.ground.rows("select coalesce(max(seq), 0) as last from event_log")[0]["last"])


def test_a_disk_that_is_full_for_a_while_loses_nothing(tmp_path: Path) -> None:
    """The database's own disk; three times in the story, until the log tells of it or for some
    seconds: a person may be told instead.
    """
    with (
        small_disk(tmp_path / "disk") as disk,
        told(tmp_path / "house", database=disk / "ennio.db") as (house, follower, teller),
    ):
        for reached in (10, 30, 55):  # events, of some ninety
            eventually(
                lambda: teller._step() or (teller.ids and _events(house) >= reached),  # noqa: B023
                60,
                "the story goes on",
            )
            said, full = len(house.log.read_text()), time.monotonic()
            ballast = fill(disk)
            # what is in the database's log already may be enough for a while
            eventually(
                lambda: (
                    teller._step()
                    or "no space left" in house.log.read_text()[said:]  # noqa: B023
                    or time.monotonic() > full + 8  # noqa: B023
                )
            )
            ballast.unlink()
        teller.play()
        settle(house, teller, follower)


def test_a_home_that_is_full_at_a_spawn_is_said_and_the_session_begins_once_there_is_room(
    tmp_path: Path,
) -> None:
    """Prompt, launch file, working copy: each of them is written there."""
    with small_disk(tmp_path / "home") as disk, ground_at(tmp_path) as ground:
        repository(ground)
        configure(ground, waiting(ground))
        house = Supervised(ground)
        house.start()
        ballast = fill(disk)
        name = house.spawn("Find some room")
        eventually(
            lambda: "no space left" in (house.session(name)["reason"] or "").lower(),
            40,
            "it says what is lacking",
        )
        assert house.session(name)["status"] == "spawning"
        assert house.client.get("/status")["actors"]["troubled"] == {}, "nobody crashed of it"
        ballast.unlink()
        house.becomes(name, "working", within=90)
        house.stop()


@contextmanager
def stopped_house(tmp_path: Path) -> Iterator[tuple[Ground, Supervised, Path]]:
    """A house that has run and does not just now, and its database."""
    with ground_at(tmp_path) as ground:
        repository(ground)
        configure(ground, waiting(ground))
        house = Supervised(ground)
        house.start()
        name = house.spawn()
        house.becomes(name, "working")
        house.stop()
        try:
            yield ground, house, ground.clone / "ennio.db"
        finally:
            if house.process is not None and house.process.poll() is None:
                house.kill_everything()


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def refused(house: Supervised, *words: str) -> None:
    """It does not start, and the log says why in one line."""
    said = len(house.log.read_text())
    house.begin()
    assert house.process is not None
    assert house.process.wait(40) == 1
    told_now = house.log.read_text()[said:]
    for word in words:
        assert word in told_now, told_now
    assert "Traceback" not in told_now


@pytest.mark.parametrize("where", [0, 100, 4096 * 2])
def test_a_corrupt_database_is_refused_and_stays_as_it_is(tmp_path: Path, where: int) -> None:
    with stopped_house(tmp_path) as (_, house, database):
        with database.open("r+b") as file:
            file.seek(where)
            file.write(os.urandom(200))
        before = digest(database)
        refused(house, str(database), "SQLite" if where == 0 else "damaged")
        assert digest(database) == before


def test_a_read_only_database_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    with stopped_house(tmp_path) as (_, house, database):
        before = digest(database)
        done = (
            subprocess.run(["chattr", "+i", str(database)], capture_output=True, check=False)
            if os.geteuid() == 0
            else None
        )
        if done is None:
            database.chmod(0o400)
        elif done.returncode:
            lacking(
                "no file can be made immutable here, and root may write to any other: a READ-ONLY "
                "DATABASE WAS NOT TESTED"
            )
        try:
            refused(house, str(database), "permission")
            assert digest(database) == before
        finally:
            if done is not None:
                subprocess.run(["chattr", "-i", str(database)], check=True)
            database.chmod(0o600)
        house.start()
        assert len(house.sessions()) == 1
        house.kill_agents()


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """As a backup program would hold it."""
    connection = sqlite3.connect(database, isolation_level=None, timeout=30)
    connection.execute("begin immediate")
    try:
        yield
    finally:
        connection.rollback()
        connection.close()


def test_a_database_another_process_holds_refuses_a_start_and_stays_as_it_is(
    tmp_path: Path,
) -> None:
    with stopped_house(tmp_path) as (_, house, database):
        before = digest(database)
        with locked(database):
            refused(house, "locked by another process")
        assert digest(database) == before
        house.start()
        house.kill_agents()


def test_a_supervisor_that_runs_outlasts_a_locked_database_also_when_its_worker_dies(
    tmp_path: Path,
) -> None:
    with told(tmp_path) as (house, follower, teller):
        eventually(lambda: teller._step() or len(teller.ids) == 3, 40, "all sessions are asked for")
        with locked(house.ground.clone / "ennio.db"):
            house.kill_worker()
            eventually(
                lambda: "locked by another process" in house.log.read_text(), 40, "it cannot start"
            )
        teller.play()
        assert teller.starts == 1, "the arbiter went on trying"
        settle(house, teller, follower)


def test_a_migration_killed_on_both_sides_of_every_step_leaves_the_old_rows_and_is_finished_at_last(
    tmp_path: Path,
) -> None:
    with ground_at(tmp_path) as ground:
        repository(ground)
        configure(ground, project(ground))
        with sqlite3.connect(ground.clone / "ennio.db") as database:
            database.executescript(V01 + V01_ROWS)
        database.close()
        moments = "select id, project_id, strftime('%s', created_at) from sessions order by id"
        old = ("select session_id, total_tokens_in from session_metrics", moments)
        before = [ground.rows(query) for query in old]
        orders = tuple(
            Order(point, when, Fault.KILL) for point in points.migrations() for when in When
        )
        house = Wired(ground, orders=orders)
        try:
            house.begin()
            eventually(house._answers, 120, "it has migrated at last")
            assert happened(ground.home) == [str(order) for order in orders]
            assert [ground.rows(query) for query in old] == before
            assert ground.rows("select max(version) as newest from schema_migrations") == [
                {"newest": NEWEST}
            ]
            assert [*account.sound(ground)] == []
        finally:
            house.kill_everything()
