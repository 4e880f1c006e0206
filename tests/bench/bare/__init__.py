"""The bare counterparts: the least that any program would have to do for the same."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.bench.stand import come
from tests.bench.wire import Wire
from tests.e2e.house import ROOT, free_port

Process = subprocess.Popen[bytes]


@dataclass(frozen=True, slots=True)
class Server:
    """A Falcon application under the same server as Ennio's, that has
    nothing to do but to answer.
    """

    port: int
    arbiter: int

    @property
    def worker(self) -> int:
        """The pid of the process that answers."""
        return int(psutil.Process(self.arbiter).children()[0].pid)


@contextmanager
def server(answer: bytes = b"{}") -> Iterator[Server]:
    """Serve this answer at ``/answer``, and ``/stream`` to whoever listens,
    until the end of the block.
    """
    port = free_port()
    process = begin(port, answer)
    try:
        come(lambda: answers(port), 30, "the bare server answers")
        yield Server(port, process.pid)
    finally:
        end(process)


@dataclass(frozen=True, slots=True)
class Service:
    """Something of these that listens on a port."""

    port: int

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def service(module: str, *words: str) -> Iterator[Service]:
    """Run one of the modules beside this one, which takes its port first, until the block ends."""
    made = Service(free_port())
    argv = (sys.executable, "-m", f"{__name__}.{module}", str(made.port), *words)
    # in a session of its own, as ours are: Linux shares the processor out by session
    process = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        come(lambda: _listens(made.port), 30, f"the bare {module} listens")
        yield made
    finally:
        end(process)


def _listens(port: int) -> bool:
    try:
        Wire(port).socket.close()
    except OSError:
        return False
    return True


def begin(port: int, answer: bytes = b"{}") -> Process:
    """Start the server's process."""
    words = (sys.executable, "-m", "tests.bench.bare.server", str(port), answer.decode())
    return subprocess.Popen(words, cwd=ROOT, stdin=subprocess.DEVNULL, start_new_session=True)


def end(process: Process) -> None:
    """End it and wait for that."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(10)
    if process.poll() is None:
        process.kill()


def answers(port: int) -> bool:
    """Whether it answers by now."""
    try:
        with Wire(port) as wire:
            return wire.ask("GET", "/answer")[0] == 200
    except OSError:
        return False


def server_memory() -> float:
    """Bytes of the server and its worker together; what they share counts once."""
    with server() as bare:
        return float(
            sum(psutil.Process(pid).memory_full_info().pss for pid in (bare.arbiter, bare.worker))
        )


def actor_memory() -> float:
    """KiB for each actor that has nothing to do."""
    words = (sys.executable, "-m", "tests.bench.bare.actors")
    return float(
        subprocess.run(
            words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
        ).stdout
    )


def worktree_and_terminal(
    clone: Path, place: Path, socket: str, name: str, *command: str, env: dict[str, str]
) -> None:
    """What starting an agent comes to by hand."""
    add = ("git", "worktree", "add", "--quiet", "-b", name, str(place / name), "origin/main")
    subprocess.run(add, cwd=clone, env=env, check=True, timeout=60, stdin=subprocess.DEVNULL)
    subprocess.run(
        (*new_terminal(socket, name, place / name), *command),
        env=env,
        check=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


def new_terminal(socket: str, name: str, place: Path) -> tuple[str, ...]:
    """The words before those of a command that is to run in a terminal of its own."""
    return (
        "tmux",
        "-L",
        socket,
        "-f",
        "/dev/null",
        "new-session",
        "-d",
        "-s",
        name,
        "-x",
        "200",
        "-y",
        "50",
        "-c",
        str(place),
        "--",
    )


def close(socket: str) -> None:
    """End the terminals of a socket."""
    subprocess.run(
        ("tmux", "-L", socket, "kill-server"), capture_output=True, timeout=20, check=False
    )
