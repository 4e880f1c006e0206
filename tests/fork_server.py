"""Commands of Ennio in processes that need not load it: a server has loaded it, and forks.

Each is a real process with words, folder, environment and standard streams of its own; it runs what
``python -m ennio.cli`` runs and ends as that ends. Only the loading is saved, which is nine tenths
of what most commands cost, and the tests call thousands. What is about the beginning itself (closed
streams, Ctrl-C while it loads, warnings, modules from elsewhere, a terminal) calls ``python -m
ennio.cli``; what differs from the server in what an interpreter reads as it starts is sent there
(``fits``).

``python -m tests.fork_server ADDRESS`` is the server; it ends with its standard input.
"""

from __future__ import annotations

import gc
import importlib
import io
import marshal
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
COMMAND = "ennio.cli.__main__"
REAL = b"real"
"""The answer to an order that does not fit: begin an interpreter."""
LARGEST = 1 << 20
_AS_STARTED = ("GEVENT", "LANG", "LC_", "LD_", "PYTHON")
_NOT_TO_FORK = ("gevent", "grpc")
"""Who loaded these has changed the interpreter, or begun what no fork takes along."""


# --- who calls ------------------------------------------------------------------------------------


def forked(*words: str) -> list[str]:
    """The command line of ``ennio`` with these words, its process being forked; where that cannot
    be, one that begins an interpreter.
    """
    if not hasattr(os, "pidfd_open"):
        return [sys.executable, "-m", "ennio.cli", *words]
    script = str(Path(__file__).with_name("forked_command.py"))
    return [sys.executable, "-I", "-S", script, _server(), *words]


@cache
def _server() -> str:
    """The address of the server of this process, which is started by who asks first."""
    address, said = begun_server("tests.fork_server", apart=False)
    assert said, "the fork server came up"
    return address


def begun_server(module: str, *words: str, apart: bool) -> tuple[str, bytes]:
    """The address of a server, which is its last word and ends with this process, and the first
    line that it says. ``apart``: in a session of its own.
    """
    import atexit
    import subprocess

    folder = tempfile.mkdtemp(prefix="ennio-fork-")  # nobody else may open it
    address = str(Path(folder) / "server")
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    process = subprocess.Popen(
        (sys.executable, "-m", module, *words, address),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**kept, "PYTHONPATH": str(ROOT)},
        cwd="/",
        start_new_session=apart,
    )
    stdin, stdout = process.stdin, process.stdout
    assert stdin is not None
    assert stdout is not None

    def end() -> None:
        stdin.close()
        stdout.close()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    return address, stdout.readline()


# --- the server -----------------------------------------------------------------------------------


class ForkServer:
    """Forks a command for each order, and tells how it ended to who sent it."""

    def __init__(self, address: str) -> None:
        self._orders = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._orders.bind(address)
        self._orders.listen(128)
        self._learned, self._told = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._told.setblocking(False)
        self._poll = select.poll()
        for number in (0, self._orders.fileno(), self._learned.fileno()):
            self._poll.register(number, select.POLLIN)
        self._running: dict[int, tuple[int, socket.socket]] = {}
        self._callers: dict[int, int] = {}

    def serve(self) -> None:
        """Until standard input is closed."""
        while True:
            for number, _ in self._poll.poll():
                if number == 0:
                    return
                if number == self._orders.fileno():
                    self._begin(self._orders.accept()[0])
                elif number == self._learned.fileno():
                    _load(*marshal.loads(self._learned.recv(LARGEST)))  # noqa: S302 - our own words
                elif number in self._running:
                    self._ended(number)
                elif number in self._callers:
                    self._abandoned(number)

    def _begin(self, caller: socket.socket) -> None:
        raw, streams, _, _ = socket.recv_fds(caller, LARGEST, 3)
        if not raw:
            caller.close()
            return
        words, folder, environment = marshal.loads(raw)  # noqa: S302 - nobody else can open the folder
        if not fits(environment):
            caller.send(REAL)
        elif (pid := os.fork()) == 0:
            caller.close()
            self._orders.close()
            self._become(words, folder, environment, streams)
        else:
            end = os.pidfd_open(pid)
            self._running[end] = (pid, caller)
            self._callers[caller.fileno()] = pid
            self._poll.register(end, select.POLLIN)
            self._poll.register(caller.fileno(), select.POLLHUP)
        for stream in streams:
            os.close(stream)

    def _ended(self, end: int) -> None:
        pid, caller = self._running.pop(end)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        self._poll.unregister(end)
        os.close(end)
        if self._callers.pop(caller.fileno(), None) is not None:
            self._poll.unregister(caller.fileno())
        with suppress(OSError):
            caller.send(str(code).encode())
        caller.close()

    def _abandoned(self, caller: int) -> None:
        """Whoever ends the caller means the command."""
        os.kill(self._callers.pop(caller), signal.SIGKILL)
        self._poll.unregister(caller)

    def _become(
        self, words: list[str], folder: str, environment: dict[bytes, bytes], streams: list[int]
    ) -> NoReturn:
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        os.chdir(folder)
        take(environment)
        module = sys.modules[COMMAND]
        assert module.__file__ is not None
        sys.argv[:] = [module.__file__, *words]
        sys.path[0] = folder
        before = set(sys.modules)
        try:
            sys.exit(module.main())
        finally:
            loaded = _of_everybody(set(sys.modules) - before)
            if loaded and not any(name in sys.modules for name in _NOT_TO_FORK):
                with suppress(OSError):
                    self._told.send(marshal.dumps(loaded))


def fits(environment: Mapping[bytes, bytes]) -> bool:
    """Whether an interpreter that begins in this environment would read its streams, its warnings
    and its modules as this one does.
    """
    return all(
        environment.get(name) == os.environb.get(name)
        for name in {*environment, *os.environb}
        if name.startswith(tuple(map(str.encode, _AS_STARTED))) and name != b"LC_CTYPE"
    ) and environment.get(b"LC_CTYPE", os.environb.get(b"LC_CTYPE")) == os.environb.get(b"LC_CTYPE")


def take(environment: dict[bytes, bytes]) -> None:
    """The environment of the order, and streams over the new numbers that are as the first were."""
    coerced = os.environb.get(b"LC_CTYPE")  # of a locale that is none (PEP 538)
    os.environb.clear()
    os.environb.update(environment)
    if coerced is not None:
        os.environb[b"LC_CTYPE"] = coerced
    time.tzset()
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        first = getattr(sys, name)
        stream = io.TextIOWrapper(
            open(number, "wb" if number else "rb", closefd=False),  # noqa: SIM115 - lasts as long as the process
            encoding=first.encoding,
            errors=first.errors,
            newline="\n" if number else None,
            line_buffering=number == 2 or os.isatty(number),
        )
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _of_everybody(names: set[str]) -> list[str]:
    """Those that any command would load from where this one did: ours, and what is installed."""
    places = (str(ROOT / "ennio"), sys.prefix, sys.base_prefix)
    found = []
    for name in sorted(names):
        origin = getattr(getattr(sys.modules.get(name), "__spec__", None), "origin", None)
        if origin and (origin.startswith(places) or origin in ("built-in", "frozen")):
            found.append(name)
    return found


def _load(*names: str) -> None:
    """Load what a command needed, for those that come after it."""
    for name in names:
        with suppress(Exception):  # the command that needs it says so itself
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # what never changes is neither looked through nor copied by those that are forked


def main(address: str) -> int:
    _load(COMMAND, "ennio.cli.main")
    server = ForkServer(address)
    print("ready", flush=True)
    server.serve()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
