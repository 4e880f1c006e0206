"""SIGHUP, SIGTERM and two at once: the supervisor's own signals, with agents at work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import eventually
from tests.e2e import account
from tests.e2e.house import (
    Ground,
    Supervised,
    configure,
    ground_at,
    project,
    repository,
    story,
    supervised,
    turn,
)
from tests.faults import points
from tests.faults.drawing import missed, plans
from tests.faults.on_reload import play

pytestmark = pytest.mark.e2e

WAITS = story(turn("prompt", [{"say": "..."}, "hang"]))


def waiting(ground: Ground) -> dict[str, Any]:
    """A project whose agent begins and is never heard of again."""
    return project(ground, agent_config=WAITS)


def rewrite(house: Supervised, **changes: Any) -> None:
    """Change the configuration's file."""
    document = yaml.safe_load(house.ground.config.read_text())
    house.ground.config.write_text(yaml.safe_dump(document | changes, sort_keys=False))


def reload(house: Supervised) -> None:
    """SIGHUP, and wait for another worker that answers."""
    before = house.client.get("/status")["pid"]
    os.kill(house.arbiter(), signal.SIGHUP)
    eventually(
        lambda: house._answers() and house.client.get("/status")["pid"] != before,
        40,
        "another worker answers",
    )


def told(house: Supervised, kind: str) -> list[str]:
    """The messages of the events of one type."""
    return [event["message"] for event in house.events() if event["event_type"] == kind]


def test_hup_takes_the_new_configuration_and_loses_no_session(tmp_path: Path) -> None:
    with supervised(tmp_path, waiting) as house:
        name = house.spawn()
        house.becomes(name, "working")
        rewrite(house, max_sessions=1)
        reload(house)
        assert house.client.get("/config")["max_sessions"] == 1
        house.becomes(name, "working")
        assert [*account.lives(house.ground, {name: 1}), *account.statuses(house.ground)] == []
        second = house.spawn("Another")
        eventually(lambda: house.session(second).get("queued"), 30, "the new limit holds")
        assert told(house, "config_refused") == []


@pytest.mark.parametrize("wrong", ["syntax", "plugin-setting", "gone"])
def test_hup_with_an_invalid_file_keeps_the_last_good_one_and_says_so(
    tmp_path: Path, wrong: str
) -> None:
    with supervised(tmp_path, waiting) as house:
        name = house.spawn()
        house.becomes(name, "working")
        good = house.ground.config.read_text()
        rewrite(
            house,
            projects=[
                waiting(house.ground)
                | {"scm_config": {"plugin": "local", "config": {"nonsense": 1}}}
            ],
        )
        if wrong == "syntax":
            house.ground.config.write_text("projects: [")
        elif wrong == "gone":
            house.ground.config.unlink()
        reload(house)
        problem = house.client.get("/status")["config_problem"]
        assert {"syntax": "YAML", "plugin-setting": "nonsense", "gone": "cannot be read"}[
            wrong
        ] in problem
        assert len(told(house, "config_refused")) == 1
        house.becomes(name, "working")
        assert "the last good one holds" in house.ground.ennio("status").out or wrong == "gone"
        house.kill_worker()
        eventually(
            lambda: house._answers() and house.workers(),
            40,
            "it comes back with the file still wrong",
        )
        assert house.client.get("/status")["config_problem"] == problem
        assert len(told(house, "config_refused")) == 1, "told once"
        house.ground.config.write_text(good)
        reload(house)
        assert house.client.get("/status")["config_problem"] is None
        assert len(told(house, "config_accepted")) == 1
        assert [*account.lives(house.ground, {name: 1}), *account.statuses(house.ground)] == []


def test_a_supervisor_that_begins_with_an_invalid_file_is_refused_whatever_was_good_before(
    tmp_path: Path,
) -> None:
    with supervised(tmp_path, waiting) as house:
        good = house.ground.config.read_text()
        house.stop()
        house.ground.config.write_text("projects: [")
        house.begin()
        assert house.process is not None
        assert house.process.wait(30) == 1
        assert "YAML" in house.words()
        house.ground.config.write_text(good)
        house.start()


def test_ten_hups_at_once_leave_one_worker_and_every_session(tmp_path: Path) -> None:
    with supervised(tmp_path, waiting) as house:
        name = house.spawn()
        house.becomes(name, "working")
        for _ in range(10):
            os.kill(house.arbiter(), signal.SIGHUP)
        reload(house)
        eventually(lambda: len(house.workers()) == 1, 30, "one worker is left")
        house.becomes(name, "working")
        assert [*account.lives(house.ground, {name: 1}), *account.statuses(house.ground)] == []


def test_term_in_the_middle_of_everything_ends_it_well_and_the_next_goes_on(tmp_path: Path) -> None:
    """Eight spawns under way: some wait, some are cloned, some just start."""
    with supervised(tmp_path, waiting) as house:
        names = [house.spawn(f"Number {number}") for number in range(8)]
        eventually(house.ground.worktrees, 30, "it is in the middle of it")
        house.stop()
        assert house.process is not None
        assert house.process.returncode == 0, house.words()
        assert "Traceback" not in house.words()
        house.start()
        for name in names:
            house.becomes(name, "working", within=60)
        assert [
            *account.lives(house.ground, dict.fromkeys(names, 1)),
            *account.statuses(house.ground),
        ] == []


def test_of_two_supervisors_started_at_the_same_instant_one_runs_and_one_says_who(
    tmp_path: Path,
) -> None:
    with ground_at(tmp_path) as ground:
        repository(ground)
        configure(ground, waiting(ground))
        words = (sys.executable, "-m", "ennio.supervise", "--config", str(ground.config))
        logs = [(tmp_path / f"log{number}").open("wb+") for number in range(2)]
        both = [
            subprocess.Popen(words, env=ground.env, cwd="/", stdout=log, stderr=log) for log in logs
        ]
        try:
            eventually(
                lambda: [one for one in both if one.poll() is not None], 40, "one of them gives way"
            )
            lost = next(number for number, one in enumerate(both) if one.poll() is not None)
            assert both[lost].returncode == 1
            logs[lost].seek(0)
            assert str(both[1 - lost].pid) in logs[lost].read().decode()
            house = Supervised(ground, both[1 - lost])
            house.answers()
            name = house.spawn()
            house.becomes(name, "working")
            assert len(house.workers()) == 1
            house.kill_agents()
            house.stop()
        finally:
            for one in both:
                if one.poll() is None:
                    one.kill()
                one.wait(30)
            for log in logs:
                log.close()


PLANS = plans(points.OF_RELOAD)


@pytest.mark.parametrize("name", list(PLANS))
def test_a_person_is_told_of_a_wrong_file_until_it_is_mended_whatever_goes_wrong(
    name: str, tmp_path: Path
) -> None:
    left = missed(PLANS[name], play(tmp_path / "together", PLANS[name]))
    orders = [order for order in PLANS[name] if str(order) in left]
    alone = [play(tmp_path / f"alone-{at}", (order,)) for at, order in enumerate(orders)]
    assert not left - {order for told in alone for order in told}, "the story did not come by there"
