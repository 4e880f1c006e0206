"""A desktop of its own: a D-Bus session, a screen that nobody sees, and a
real notification daemon.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from operator import itemgetter
from pathlib import Path
from typing import Any

from tests.conftest import eventually, need

_CONFIG = "[global]\n    history_length = 1000\n    monitor = 0\n"


class Desktop:
    """A dunst on a bus of its own; ``env`` is what a program needs to find it."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._looked = 0
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder),
            "XDG_CONFIG_HOME": str(folder),
        }
        for name in ("dbus-daemon", "Xvfb", "dunst", "notify-send", "gdbus", "dunstctl"):
            need(name)
        (folder / "dunst").mkdir()
        (folder / "dunst" / "dunstrc").write_text(_CONFIG)
        self.env["DBUS_SESSION_BUS_ADDRESS"] = self._bus()
        self.env["DISPLAY"] = self._screen()
        self.daemon = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        """Start the daemon, and wait until it answers; a new one remembers nothing."""
        self._looked = 0
        self.daemon = self._begun(["dunst"])
        eventually(lambda: self.ctl("count") is not None, why="dunst answers")
        return self.daemon

    def stop(self) -> None:
        """End the daemon."""
        _end(self.daemon)

    def ctl(self, *words: str) -> str | None:
        """What dunstctl says, or None where nobody answers it."""
        done = subprocess.run(
            ["dunstctl", *words],
            env=self.env,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        return done.stdout if done.returncode == 0 else None

    def displayed(self) -> int:
        """How many are shown or wait for a place."""
        found = self.ctl("count") or ""
        counts = dict(line.split(":") for line in found.replace(" ", "").split() if ":" in line)
        return int(counts.get("Currentlydisplayed", 0)) + int(counts.get("Waiting", 0))

    def closed(self) -> list[dict[str, Any]]:
        """Everything it has shown and closed, oldest first."""
        history = json.loads(self.ctl("history") or "{}")["data"][0]
        found = [{key: part["data"] for key, part in one.items()} for one in history]
        return sorted(found, key=itemgetter("timestamp"))

    def seen(self) -> list[dict[str, Any]]:
        """What it was told since the last look, oldest first; what is still shown is closed."""
        eventually(lambda: self.ctl("close-all") is not None)
        eventually(lambda: self.displayed() == 0)
        found = self.closed()[self._looked :]
        self._looked += len(found)
        return found

    def _bus(self) -> str:
        told, said = os.pipe()
        try:
            self._begun(
                ["dbus-daemon", "--session", "--nofork", f"--print-address={said}"],
                pass_fds=(said,),
            )
            os.close(said)
            with os.fdopen(told) as address:
                return address.readline().strip()
        except BaseException:
            with suppress(OSError):
                os.close(told)
            raise

    def _screen(self) -> str:
        told, said = os.pipe()
        self._begun(
            ["Xvfb", "-displayfd", str(said), "-screen", "0", "640x480x24", "-nolisten", "tcp"],
            pass_fds=(said,),
        )
        os.close(said)
        with os.fdopen(told) as number:
            return f":{number.readline().strip()}"

    def _begun(
        self, argv: Sequence[str], pass_fds: tuple[int, ...] = ()
    ) -> subprocess.Popen[bytes]:
        log = (self._folder / f"{argv[0]}.log").open("ab")
        process = subprocess.Popen(
            argv, env=self.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            pass_fds=pass_fds, start_new_session=True,
        )  # fmt: skip
        log.close()
        self._stack.callback(_end, process)
        return process


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def desktop() -> Iterator[Desktop]:
    """One that ends with the block; its folder has a short name, for the sake of its sockets."""
    folder = Path(tempfile.mkdtemp(prefix="ennio-desk-"))
    try:
        with ExitStack() as stack:
            yield Desktop(folder, stack)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
