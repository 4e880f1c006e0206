"""When a process began: the only thing that tells a pid from the next process with the same pid."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from ennio.model.session import RuntimeHandle

_PROC = Path("/proc")


def start_of(pid: int) -> str:
    """The kernel's start time of a living process as text, empty when it is gone or a zombie.

    Clock ticks since boot where there is ``/proc``, else what ``ps`` calls ``lstart``;
    only good for comparing.
    """
    if not (_PROC / "self/stat").exists():
        return _start_by_ps(pid)
    try:
        # the name of the program stands in brackets and may hold anything, so
        # count from the last one
        fields = (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if fields[0] in {"Z", "X"} else fields[19]


def _start_by_ps(pid: int) -> str:
    done = subprocess.run(
        ["ps", "-o", "state=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        timeout=5,
        check=False,
    )
    state, _, born = done.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else born.strip()


def is_alive(pid: int | None, born: str) -> bool:
    """Whether this very process still runs; without a known start nothing is claimed."""
    return pid is not None and bool(born) and start_of(pid) == born


def pid_exists(pid: int) -> bool:
    """Whether there is a process of that number, be it a zombie that nobody has waited for yet."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def process_of(handle: RuntimeHandle) -> tuple[int | None, str]:
    """The pid and start that a handle remembers."""
    pid = handle.data.get("pid", "")
    return (int(pid) if pid.isdigit() else None), handle.data.get("started", "")
