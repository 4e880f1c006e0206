"""More than a hundred sessions of one project side by side: each its own, the supervisor calm, and
nothing left at the end.
"""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import pytest

from ennio.actors.host_poller import SECOND_WITNESS
from tests.conftest import eventually
from tests.e2e.house import Ground, Supervised, project, story, supervised, turn

pytestmark = pytest.mark.e2e

FEW = 10
LOOKS = 2
WATCHED = ("tmux", "git")
WORK = story(
    turn(
        "prompt",
        [{"edit": {"file": "{session}.txt", "content": "{prompt}\n"}}, {"commit": "Work"}, "push"],
    )
)
PULLED = ("pr_open", "ci_passing", "review_pending")
POLL = {"runtime": "500ms", "agent": "500ms", "forge": "500ms"}


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder for the front of PATH in which tmux and git write down
    every call before they do it.
    """
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in WATCHED:
        script = (
            f'#!/bin/sh\nprintf "%s\\n" "{name} $*" >> {folder}/calls\nexec {shutil.which(name)} '
            '"$@"\n'
        )
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
    (folder / "calls").touch()
    return folder


def _project(ground: Ground, runtime: str) -> dict[str, Any]:
    return project(ground, runtime=runtime, agent_config=WORK)


def _together(house: Supervised, names: list[str], within: float) -> None:
    """Wait until all of them have handed in their work."""

    def through() -> bool:
        counted = Counter(house.sessions()[name]["status"] for name in names)
        assert sum(counted[status] for status in PULLED) == len(names), dict(counted)
        return True

    eventually(through, within, f"{len(names)} sessions have a pull request")


def _looks(house: Supervised) -> dict[str, int]:
    return {name: pulse["looks"] for name, pulse in house.client.get("/status")["sources"].items()}


def _calls_a_look(house: Supervised, tools: Path, runtime: str) -> float:
    """Subprocesses for each look at the runtime while nothing happens, over several looks.

    Whoever is waited for is looked at as by a second witness only.
    """
    name = f"runtime:{runtime}"
    last: list[int] = []

    def quiet() -> bool:
        last.append(house.client.get("/status")["last_seq"])
        return len(last) > 12 and len(set(last[-12:])) == 1

    eventually(quiet, 60, "nothing happens any more")
    before, counted = _looks(house)[name], len((tools / "calls").read_text().splitlines())
    eventually(
        lambda: _looks(house)[name] >= before + LOOKS,
        60 + LOOKS * SECOND_WITNESS,
        "it looks again and again",
    )
    looks, calls = (
        _looks(house)[name] - before,
        (tools / "calls").read_text().splitlines()[counted:],
    )
    print(
        f"{len(calls)} calls in {looks} looks: "
        f"{Counter(' '.join(call.split()[:6]) for call in calls).most_common(6)}"
    )
    return len(calls) / looks


def _own(house: Supervised, names: list[str], runtime: str) -> None:
    """Each session has a worktree, a branch, a terminal and a process of its own,
    and its work is its own.
    """
    ground, sessions = house.ground, house.sessions()
    assert ground.worktrees() == sorted(names)
    assert len({sessions[name]["branch"] for name in names}) == len(names)
    assert len({sessions[name]["pr_number"] for name in names}) == len(names)
    agents = ground.agents()
    assert sorted(agents) == sorted(names)
    if runtime == "tmux":
        assert sorted(ground.terminals()) == sorted(names)
    for number, name in enumerate(names):
        text = (ground.home / "worktrees" / "score" / name / f"{name}.txt").read_text()
        assert f"Task {number}." in text


def _memory(pids: list[int]) -> float:
    """MiB that these processes have for themselves (what they share counts by halves)."""
    return sum(psutil.Process(pid).memory_full_info().pss for pid in pids) / 2**20


@pytest.mark.parametrize(("runtime", "many"), [("tmux", 101), ("process", 24)])
def test_many_sessions_of_one_project_run_side_by_side(
    tmp_path: Path, tools: Path, runtime: str, many: int
) -> None:
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    with supervised(
        tmp_path / "house", lambda g: _project(g, runtime), path=path, poll=POLL, cleaned=FEW
    ) as house:
        begun = time.monotonic()
        names = [house.spawn(f"Task {number}.") for number in range(FEW)]
        _together(house, names, 120)
        few = _calls_a_look(house, tools, runtime)
        names += [house.spawn(f"Task {number}.") for number in range(FEW, many)]
        _together(house, names, 600)
        print(
            f"{many} in {runtime}: all have a pull request after {time.monotonic() - begun:.1f} s"
        )
        _own(house, names, runtime)
        all_of_them = _calls_a_look(house, tools, runtime)
        assert all_of_them <= few * 1.5 + 1, (
            f"{all_of_them} subprocesses a look for {many}, {few} for {FEW}"
        )
        worker = house.workers()[0]
        used = (
            psutil.Process(worker).memory_info().rss / 2**20,
            _memory([pids[0] for pids in house.ground.agents().values()]) / many,
        )
        print(f"worker {used[0]:.0f} MiB, each agent {used[1]:.1f} MiB")
        assert used[0] < 400
        assert used[1] < 20
        listed = house.ground.ennio("status")
        assert all(name in listed.out for name in names)
        house.kill_agents()
        eventually(lambda: not house.ground.agents(), 60, "every agent was ended")
        print(f"all ended after {time.monotonic() - begun:.1f} s")
