"""One run of one check: a clean check-out of one head, the command in it,
and nothing left behind.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ennio.config.quantity import shown_seconds
from ennio.machine import single
from ennio.machine.files import write_atomically
from ennio.machine.inherited import inherited
from ennio.machine.interface import ProcessId
from ennio.machine.local import LocalMachine
from ennio.model.errors import Unreachable
from ennio.plugins import orphans
from ennio.plugins.forge.local.check_log import LARGEST
from ennio.plugins.forge.local.check_walls import CheckWalls
from ennio.plugins.forge.local.settings import CheckCommand
from ennio.plugins.git import HEAVY, NETWORK, Git

MARK = "ENNIO_CHECKOUT"
TRACE = ".process"
HERE = LocalMachine()
"""Checks of the local forge run beside the supervisor, wherever agents do."""
_POLL = 1.0


@dataclass(frozen=True, slots=True)
class CheckPaths:
    """Where a run happens: the repository, the folder for the check-out, the log."""

    repository: Path
    checkout: Path
    log: Path


class CheckRun:
    """A check being run; ``stop`` may be called from anywhere at any time.

    ``env`` is added to the cleared environment and names what is checked.
    """

    def __init__(
        self,
        command: CheckCommand,
        head: str,
        paths: CheckPaths,
        env: Mapping[str, str],
        walls: CheckWalls | None = None,
    ) -> None:
        self._command = command
        self._head = head
        self._paths = paths
        self._env = env
        self._walls = walls
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self.stopped = False

    def stop(self) -> None:
        """End it with all its processes; it will not start when it has not yet."""
        with self._lock:
            self.stopped = True
            if self._process is not None:
                _kill_group(self._process.pid)

    def execute(self) -> int | None:
        """Run it to its end and return the exit code; None when it was ended (the log says why).

        Raises Refused or Unreachable when the head cannot be checked out, OSError
        when it cannot be started.
        """
        self._paths.log.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.rmtree(
                self._paths.checkout, ignore_errors=True
            )  # of a try that the machine broke off
            check_out(self._paths.repository, self._head, self._paths.checkout)
            with self._paths.log.open("wb") as log:
                log.write(f"$ {self._command.run}\n".encode(errors="replace"))
                log.flush()
                return self._run_to_end(log)
        finally:
            with contextlib.suppress(
                Unreachable
            ):  # what outlives even KILL is no reason to lose what the check came to
                end_all(self._paths.checkout)
            shutil.rmtree(self._paths.checkout, ignore_errors=True)
            if self._walls is not None:
                self._walls.clear(self._paths.checkout)

    def _run_to_end(self, log: BinaryIO) -> int | None:
        process = self._start(log)
        if process is None:
            return None
        try:
            reason = self._wait(process)
        finally:
            _kill_group(process.pid)
            process.wait()
        if reason:
            log.write(f"\nennio: {reason}\n".encode())
        return None if reason else process.returncode

    def _start(self, log: BinaryIO) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self.stopped:
                return None
            words: tuple[str, ...] = ("sh", "-c", self._command.run)
            if self._walls is not None:
                words = self._walls.words(words, self._paths.checkout)
            self._process = subprocess.Popen(
                words,
                cwd=self._paths.checkout,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                _write_trace(self._paths.checkout, self._process.pid)
            except OSError:
                _kill_group(self._process.pid)  # nobody would find it again
                self._process.wait()
                raise
            return self._process

    def _wait(self, process: subprocess.Popen[bytes]) -> str | None:
        """Wait for the end; the reason it had to be ended, or None."""
        deadline = time.monotonic() + self._command.timeout
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return (
                    f"ended {self._command.name}: it took longer than its limit of "
                    f"{shown_seconds(self._command.timeout)}"
                )
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(min(left, _POLL))
                return _ending(process.returncode)
            if self._paths.log.stat().st_size > LARGEST:
                return f"ended {self._command.name}: it printed more than {LARGEST // 2**20} MiB"

    def _environment(self) -> dict[str, str]:
        kept = inherited(os.environ)
        return {
            "PATH": os.defpath,
            **kept,
            "CI": "true",
            MARK: str(self._paths.checkout),
            **self._env,
        }


def _ending(code: int) -> str | None:
    return f"it was ended by signal {-code}" if code < 0 else None


def check_out(repository: Path, head: str, target: Path) -> None:
    """Put exactly this commit into a new folder, detached; objects are shared with
    the repository, not copied.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    clone = (
        "clone",
        "--quiet",
        "--shared",
        "--no-checkout",
        "--template=",
        "--",
        str(repository.resolve()),
        str(target),
    )
    Git(HERE, target.parent).run(*clone, timeout=NETWORK)
    Git(HERE, target).run("checkout", "--quiet", "--detach", head, timeout=HEAVY)


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _write_trace(checkout: Path, pid: int) -> None:
    """Whose process it is, so that it is found again after a crash even where
    its mark was cleared away.
    """
    write_atomically(_trace(checkout), json.dumps([pid, single.start_of(HERE, pid)]))


def _trace(checkout: Path) -> Path:
    return checkout.with_name(f"{checkout.name}{TRACE}")


def end_all(checkout: Path) -> None:
    """End what left its process group but still carries the mark of this check-out, and whose
    process was written down for it.

    Raises Unreachable when some of it outlives being killed.
    """
    _end(checkout, str(checkout).__eq__, [_trace(checkout)])


def end_abandoned(folder: Path) -> None:
    """End the same of all check-outs in a folder that nobody holds any more."""
    inside = f"{folder}/"
    _end(folder, lambda place: place.startswith(inside), list(folder.glob(f"*{TRACE}")))


def _end(place: Path, accepts: Callable[[str], bool], traces: Sequence[Path]) -> None:
    known = [process for trace in traces for process in _traced(trace)]
    orphans.end_carrying(HERE, MARK, accepts, known, 0.0, f"the check in {place}")
    for trace in traces:
        trace.unlink(missing_ok=True)


def _traced(trace: Path) -> list[ProcessId]:
    try:
        pid, born = json.loads(trace.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return []
    return orphans.family(HERE, pid, born)
