"""Most houses have a supervisor whose process is forked (``tests/forked_supervisor.py``): it must be
what one is that a person starts.
"""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.conftest import eventually
from tests.e2e.house import Ground, Supervised, configure, ground_at, nothing_is_left, repository
from tests.forked_supervisor import ForkedSupervisor

pytestmark = pytest.mark.e2e

if not hasattr(os, "pidfd_open"):
    pytest.skip("nothing is forked on this system", allow_module_level=True)


class BegunByInterpreter(Supervised):
    """One that loads itself."""

    forked = False


class Elsewhere(Supervised):
    """One whose modules may come from elsewhere."""

    @property
    def env(self) -> dict[str, str]:
        path = os.pathsep.join((self.ground.env["PYTHONPATH"], str(self.ground.root / "modules")))
        return self.ground.env | {"PYTHONPATH": path}


def _shown(pid: int) -> dict[str, Any]:
    """What the system and others see of a process."""
    process = psutil.Process(pid)
    with process.oneshot():
        return {
            "words": process.cmdline(),
            "environment": process.environ(),
            "folder": process.cwd(),
            "leads its session": os.getsid(pid) == pid,
            "streams": [os.readlink(f"/proc/{pid}/fd/{number}") for number in range(3)],
            "opened": sorted(Path(opened.path).name for opened in process.open_files()),
            "ports": sum(
                one.status == psutil.CONN_LISTEN for one in process.net_connections("inet")
            ),
            "threads": process.num_threads(),
            "ignored": [
                line
                for line in Path(f"/proc/{pid}/status").read_text().splitlines()
                if line.startswith(("SigIgn", "SigBlk"))
            ],
        }


def _seen(kind: type[Supervised], ground: Ground) -> list[dict[str, Any]]:
    """What is seen of the supervisor, of its worker and of that which comes after it."""
    house = kind(ground)
    house.start()
    first = house.workers()
    seen = [_shown(house.arbiter()), *map(_shown, first)]
    house.kill_worker()
    eventually(lambda: len(house.workers()) == 1 and house.workers() != first, why="another worker")
    house.answers()
    seen += map(_shown, house.workers())
    house.stop()
    assert house.process is not None
    assert house.process.poll() == 0
    nothing_is_left(ground)
    return seen


def test_a_forked_supervisor_and_its_workers_are_shown_as_those_that_load_themselves(
    tmp_path: Path,
) -> None:
    with ground_at(tmp_path) as ground:
        repository(ground)
        configure(ground)
        for _ in range(3):  # what a worker does just then may differ once, and never thrice
            forked, begun = _seen(Supervised, ground), _seen(BegunByInterpreter, ground)
            assert len(forked) == 3
            if forked == begun:
                break
        assert forked == begun


@pytest.mark.parametrize("kind", [Supervised, BegunByInterpreter])
def test_its_end_is_told_as_that_of_any_process(tmp_path: Path, kind: type[Supervised]) -> None:
    with ground_at(tmp_path) as ground:
        repository(ground)
        configure(ground, colour="blue")
        house = kind(ground)
        house.begin()
        assert house.process is not None
        assert isinstance(house.process, ForkedSupervisor) == kind.forked
        assert house.process.wait(30) == house.process.poll() == house.process.returncode == 1
        assert "colour" in house.words()
        configure(ground)
        house.start()
        with pytest.raises(subprocess.TimeoutExpired):
            house.process.wait(0.01)
        assert house.process.poll() is None
        os.killpg(house.process.pid, signal.SIGKILL)  # nobody else is of its group
        assert house.process.wait(30) == -signal.SIGKILL
        house.process.terminate()  # nobody is hit who has its number by now


def test_where_an_interpreter_would_begin_otherwise_one_begins(tmp_path: Path) -> None:
    with ground_at(tmp_path) as ground:
        repository(ground)
        configure(ground)
        house = Elsewhere(ground)
        house.start()
        assert isinstance(house.process, subprocess.Popen)
        assert psutil.Process(house.process.pid).ppid() == os.getpid()
        house.stop()
