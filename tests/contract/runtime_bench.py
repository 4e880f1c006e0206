"""The worlds the runtime contract is held in: the stub, ptyd, a tmux server of its own."""

from __future__ import annotations

import atexit
import os
import signal as signals
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import psutil

from ennio.machine.local import LocalMachine
from ennio.machine.ssh.machine import SshMachine
from ennio.model.session import RuntimeHandle
from ennio.plugins.runtime.interface import LaunchSpec, Pane, Runtime
from ennio.plugins.runtime.process import ProcessRuntime
from ennio.plugins.runtime.stub import StubRuntime
from ennio.plugins.runtime.tmux import TmuxRuntime
from tests.conftest import eventually, need
from tests.contract.machine_bench import own_over_ssh

RECORDER = Path(__file__).with_name("runtime_recorder.py")


@dataclass
class Bench:
    """One runtime with a place of its own; ``again`` makes the object a
    restarted supervisor would have.
    """

    root: Path
    again: Callable[[], Runtime]
    construct: str
    real: bool = True
    far: SshMachine | None = None
    name: str = field(default_factory=lambda: f"fix-{uuid.uuid4().hex[:8]}")

    def __post_init__(self) -> None:
        self.runtime = self.again()

    def launch(
        self, *argv: str, name: str | None = None, number: int = 1, **env: str
    ) -> LaunchSpec:
        name = name or self.name
        words = argv or (sys.executable, "-I", "-S", str(RECORDER), str(self.file(name)))
        whole = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root),
            "ENNIO_SESSION_ID": name,
            **env,
        }
        return LaunchSpec(name, words, self.root, whole, self.root / "sessions" / name, number)

    def file(self, name: str) -> Path:
        return self.root / f"{name}.received"

    def start(self, number: int = 1) -> RuntimeHandle:
        """Start the recorder and wait until it takes input."""
        handle = self.runtime.start(self.launch(number=number))
        if self.real:
            eventually(lambda: "READY" in self.runtime.output(handle, 50))
        return handle

    def received(self, wanted: bytes) -> bytes:
        """What the recorder was given, as soon as it ends as wanted."""
        if isinstance(self.runtime, StubRuntime):
            return b"".join(
                b"\x1b[200~" + text.encode() + b"\x1b[201~" for _, text in self.runtime.pastes
            )
        eventually(
            lambda: self.file(self.name).read_bytes().endswith(wanted),
            why=f"the program received {wanted[-40:]!r}",
        )
        return self.file(self.name).read_bytes()

    def end(
        self, handle: RuntimeHandle, *, exit_code: int | None = None, signal: int | None = None
    ) -> Pane:
        """Let the recorder end (with code 3 or by a signal) and return what a survey then says."""
        if isinstance(self.runtime, StubRuntime):
            self.runtime.finish(handle.id, exit_code=exit_code, signal=signal)
        else:
            os.kill(int(handle.data["pid"]), signal or signals.SIGUSR1)
        eventually(lambda: self.pane().dead)
        return self.pane()

    def pane(self) -> Pane:
        return self.runtime.survey()[self.name]


_MACHINE = "from ennio.machine.local import LocalMachine as L; "


def stub_bench(root: Path) -> Iterator[Bench]:
    runtime = StubRuntime()
    yield Bench(root, lambda: runtime, "", real=False)


def process_bench(root: Path) -> Iterator[Bench]:
    directory = root / "ptyd"
    bench = Bench(
        root,
        lambda: ProcessRuntime(LocalMachine(), directory, grace=2.0, idle=1.0),
        f"{_MACHINE}from ennio.plugins.runtime.process import ProcessRuntime as R; runtime = "
        f"R(L(), Path({str(directory)!r}), idle=1.0)",
    )
    yield bench
    for name in bench.runtime.survey():
        bench.runtime.stop(RuntimeHandle(name, "process"))


def tmux_bench(root: Path, far: SshMachine | None = None) -> Iterator[Bench]:
    need("tmux")
    socket = f"ennio-test-{uuid.uuid4().hex[:8]}"
    yield Bench(
        root,
        lambda: TmuxRuntime(far or LocalMachine(), socket, grace=2.0),
        f"{_MACHINE}from ennio.plugins.runtime.tmux import TmuxRuntime as R; runtime = R(L(), "
        f"{socket!r})",
        far=far,
    )
    subprocess.run(
        ["tmux", "-L", socket, "kill-server"], capture_output=True, check=False, timeout=10
    )
    folder = Path(os.environ.get("TMUX_TMPDIR") or "/tmp") / f"tmux-{os.geteuid()}"
    if (
        folder / socket
        # a test put it in the socket's way, and the server that was there cannot be asked to end
    ).is_dir():
        (folder / socket).rmdir()
    end_servers(socket)
    (folder / socket).unlink(missing_ok=True)  # tmux leaves it behind


def end_servers(socket: str) -> None:
    """End every tmux server of this socket name, heard or not."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.name().startswith("tmux") and socket in process.cmdline():
                process.kill()


def far_tmux_bench(root: Path) -> Iterator[Bench]:
    """Our own user, with another home, behind an sshd that all tests of this process share."""
    yield from tmux_bench(root, _far())


@cache
def _far() -> SshMachine:
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(own_over_ssh())


BENCHES = {
    "stub": stub_bench,
    "process": process_bench,
    "tmux": tmux_bench,
    "tmux over ssh": far_tmux_bench,
}
