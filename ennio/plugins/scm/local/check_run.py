"""One run of one check: a clean check-out of one head, the command in it, and nothing left behind."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import psutil

from ennio.config.quantity import shown_seconds
from ennio.inherited import inherited
from ennio.plugins.git import HEAVY, NETWORK, Git
from ennio.plugins.scm.local.check_log import LARGEST
from ennio.plugins.scm.local.settings import CheckCommand

MARK = "ENNIO_CHECKOUT"
_GLANCE = 1.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run happens: the repository, the folder for the check-out, the log."""

    repository: Path
    checkout: Path
    log: Path


class Run:
    """A check being run; ``stop`` may be called from anywhere at any time.

    ``env`` is added to the cleared environment and names what is checked.
    """

    def __init__(self, command: CheckCommand, head: str, place: Place, env: Mapping[str, str]) -> None:
        self._command = command
        self._head = head
        self._place = place
        self._env = env
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

        Raises Refused or Unreachable when the head cannot be checked out, OSError when it cannot be started.
        """
        self._place.log.parent.mkdir(parents=True, exist_ok=True)
        try:
            check_out(self._place.repository, self._head, self._place.checkout)
            with self._place.log.open("wb") as log:
                log.write(f"$ {self._command.run}\n".encode(errors="replace"))
                log.flush()
                return self._attended(log)
        finally:
            end_marked(self._place.checkout)
            shutil.rmtree(self._place.checkout, ignore_errors=True)

    def _attended(self, log: BinaryIO) -> int | None:
        process = self._started(log)
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

    def _started(self, log: BinaryIO) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self.stopped:
                return None
            self._process = subprocess.Popen(
                ["sh", "-c", self._command.run],
                cwd=self._place.checkout,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            return self._process

    def _wait(self, process: subprocess.Popen[bytes]) -> str | None:
        """Wait for the end; the reason it had to be ended, or None."""
        deadline = time.monotonic() + self._command.timeout
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return f"ended {self._command.name}: it took longer than its limit of {shown_seconds(self._command.timeout)}"
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(min(left, _GLANCE))
                return _ending(process.returncode)
            if self._place.log.stat().st_size > LARGEST:
                return f"ended {self._command.name}: it printed more than {LARGEST // 2**20} MiB"

    def _environment(self) -> dict[str, str]:
        kept = inherited(os.environ)
        return {"PATH": os.defpath, **kept, "CI": "true", MARK: str(self._place.checkout), **self._env}


def _ending(code: int) -> str | None:
    return f"it was ended by signal {-code}" if code < 0 else None


def check_out(repository: Path, head: str, target: Path) -> None:
    """Put exactly this commit into a new folder, detached; objects are shared with the repository, not copied."""
    target.parent.mkdir(parents=True, exist_ok=True)
    clone = ("clone", "--quiet", "--shared", "--no-checkout", "--template=", "--", str(repository.resolve()), str(target))
    Git(target.parent).run(*clone, timeout=NETWORK)
    Git(target).run("checkout", "--quiet", "--detach", head, timeout=HEAVY)


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def end_marked(checkout: Path) -> None:
    """Kill what left its process group but still carries the mark of a check-out at or below this folder."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            marked = process.environ().get(MARK)
            if marked is not None and (marked == str(checkout) or marked.startswith(f"{checkout}/")):
                process.kill()
