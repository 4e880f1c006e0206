"""The supervisor as a process of this machine: its command, whether a pid is really
one, how it starts and ends.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ennio.http.logfile import LARGEST, LOG, predecessor

if TYPE_CHECKING:
    import psutil

ENTRY = "ennio.supervise"
_PAUSE = 0.05


def command(config: Path) -> list[str]:
    """The command that becomes the supervisor of this configuration file."""
    # -I when we run so ourselves: neither the current folder nor PYTHONPATH may shadow a module
    isolated = ["-I"] if sys.flags.isolated else []
    return [sys.executable, *isolated, "-m", ENTRY, "--config", str(config)]


def is_supervisor(pid: int) -> bool:
    """Whether this pid is a living supervisor, not another program that got the number since."""
    import psutil

    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and any(
            ENTRY in word or "ennio-supervisor" in word for word in process.cmdline()
        )
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return False  # another user's process cannot be ours


def holders(lock: Path) -> list[psutil.Process]:
    """The supervisor's processes that hold this file, the one above its worker first."""
    import psutil

    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if is_supervisor(process.pid) and any(
                opened.path == str(lock) for opened in process.open_files()
            ):
                found.append(process)
    return sorted(found, key=lambda process: process.create_time())


def wake(pid: int) -> bool:
    """Let a supervisor that was stopped (Ctrl-Z, SIGSTOP) run on, with its workers, so that it
    hears what it is told; whether it was.
    """
    import psutil

    woken = False
    with suppress(psutil.Error):
        above = psutil.Process(pid)
        for process in (*above.children(), above):
            if is_supervisor(process.pid) and process.status() == psutil.STATUS_STOPPED:
                process.resume()
                woken = True
    return woken


@dataclass(frozen=True, slots=True)
class Detached:
    """A supervisor in the background; its own words begin at byte ``begin`` of the log."""

    process: subprocess.Popen[bytes]
    log: Path
    begin: int


def detach(config: Path, run_directory: Path) -> Detached:
    """Start the supervisor in a session of its own, its output in the log; returns at once."""
    from ennio.machine.home import private

    log = private(run_directory) / LOG
    if log.exists() and log.stat().st_size > LARGEST:
        log.replace(predecessor(log))
    with log.open("ab") as stream:
        log.chmod(0o600)
        begin = stream.tell()
        process = subprocess.Popen(
            command(config),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
            cwd=config.parent,
        )
    return Detached(process, log, begin)


def become(config: Path) -> None:
    """Turn this very process into the supervisor; its pid stays. Does not return."""
    sys.stdout.flush()
    argv = command(config)
    os.execv(argv[0], argv)  # noqa: S606 - no shell is what is wanted


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    """Whether the condition came true in that time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE)
    return True
