"""A process that is frozen."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.conftest import eventually


def freeze(pid: int) -> None:
    """Stop a process, and return once each of its threads stands.

    The signal is taken by one thread; on a busy machine the others run on until that one has had
    its turn, and may give the very answer that was to stay away.
    """
    os.kill(pid, signal.SIGSTOP)
    eventually(lambda: _stands(pid), 30, "every thread of it stands")


def _stands(pid: int) -> bool:
    tasks = Path(f"/proc/{pid}/task")
    return all(_state(task) in "TtZX" for task in tasks.iterdir()) if tasks.exists() else True


def _state(task: Path) -> str:
    try:
        return task.joinpath("stat").read_text().rpartition(")")[2].split()[0]
    except OSError:  # it has ended since it was listed
        return "X"
