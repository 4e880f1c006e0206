"""Forks supervisors: ``python -m tests.supervisor_server MODULE ADDRESS`` has loaded one (what
``python -m MODULE`` would), and becomes it for each order; see ``tests/forked_supervisor.py``.

It is patched as a supervisor is, before anything else is loaded, so it may use nothing that gevent
replaces: there is no event loop, no thread and no lock to take along when it forks. It ends with
its standard input.
"""

# The order is the point: what is imported before the patch keeps the blocking versions for good.
import importlib
import sys

if __name__ == "__main__":
    _module = importlib.import_module(sys.argv[1])

import _socket
import gc
import marshal
import os
import select
from contextlib import suppress
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from gevent import monkey
from gevent._hub_local import get_hub_if_exists

from tests.fork_server import LARGEST, REAL, fits, take
from tests.shown_start import show

OF_WORKERS = (
    *("ennio.boot", "ennio.http.app", "ennio.http.worker"),
    *("ennio.plugins.runtime.process", "ennio.plugins.runtime.tmux"),
    *("ennio.plugins.workspace.clone", "ennio.plugins.workspace.worktree"),
    *(
        f"ennio.plugins.agent.{agent}"
        for agent in ("aider", "claude_code", "codex", "command", "opencode", "scripted.agent")
    ),
)
"""What workers load before they answer; the process above them would not."""
NOT_TO_FORK = ("grpc",)
"""Who loaded these has begun what no fork takes along."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a supervisor is begun with."""

    words: list[str]
    folder: str
    environment: dict[bytes, bytes]
    streams: list[int]

    def carry_out(self, module: ModuleType) -> int:
        """Be that supervisor, in a session of its own; the exit code."""
        os.setsid()
        for number, stream in enumerate(self.streams):
            os.dup2(stream, number)
        os.closerange(3, 1 << 16)
        os.chdir(self.folder)
        take(self.environment)
        show((sys.executable, "-m", module.__name__, *self.words), self.environment)
        assert module.__file__ is not None
        sys.argv[:] = [module.__file__, *self.words]
        sys.path[0] = self.folder
        return int(module.main())


class SupervisorServer:
    """Forks for each order, and tells who sent it the pid and, in the end, the exit code."""

    def __init__(self, address: str) -> None:
        self._orders = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        self._orders.bind(address)
        self._orders.listen(128)
        self._poll = monkey.get_original("select", "poll")()
        for number in (0, self._orders.fileno()):
            self._poll.register(number, select.POLLIN)
        self._running: dict[int, tuple[int, int]] = {}

    def serve(self) -> Order | None:
        """Until standard input is closed: None. In a process that was forked: what it is to be."""
        while True:
            for number, _ in self._poll.poll():
                if number == 0:
                    return None
                if number != self._orders.fileno():
                    self._ended(number)
                elif (order := self._begin()) is not None:
                    return order

    def _begin(self) -> Order | None:
        caller = _socket.socket(fileno=self._orders._accept()[0])  # type: ignore[attr-defined]
        raw, streams = _received(caller)
        if not raw:
            return None
        words, folder, environment = marshal.loads(raw)  # noqa: S302 - nobody else can open the folder
        if not fits(environment):
            caller.send(REAL)
        else:
            _insist_on_nothing_begun()
            if (pid := monkey.get_original("os", "fork")()) == 0:
                for of_the_server in (caller, self._orders):
                    of_the_server.detach()  # closed by its number, which may be another's by then
                return Order(words, folder, environment, streams)
            end = os.pidfd_open(pid)
            passed = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, end.to_bytes(4, sys.byteorder))
            caller.sendmsg([str(pid).encode()], [passed])
            self._running[end] = (pid, caller.detach())
            self._poll.register(end, select.POLLIN)
        for stream in streams:
            os.close(stream)
        return None

    def _ended(self, end: int) -> None:
        pid, caller = self._running.pop(end)
        code = os.waitstatus_to_exitcode(monkey.get_original("os", "waitpid")(pid, 0)[1])
        self._poll.unregister(end)
        os.close(end)
        with suppress(OSError):  # nobody waits for it
            os.write(caller, str(code).encode())
        os.close(caller)


def _received(caller: Any) -> tuple[bytes, list[int]]:
    """The order, and the three streams that came with it."""
    raw, passed, _, _ = caller.recvmsg(LARGEST, _socket.CMSG_SPACE(3 * 4))
    numbers = b"".join(data for _, _, data in passed)
    return raw, [
        int.from_bytes(numbers[at : at + 4], sys.byteorder) for at in range(0, len(numbers), 4)
    ]


def _insist_on_nothing_begun() -> None:
    assert get_hub_if_exists() is None, "an event loop cannot be forked"
    assert len(os.listdir("/proc/self/task")) == 1, "threads cannot be forked"


def main(module: ModuleType, address: str) -> int:
    """Serve until standard input is closed; in a process that was forked, be the supervisor."""
    for name in OF_WORKERS:
        importlib.import_module(name)
    # urllib3 tries a socket while it is loaded, and falcon makes a queue that no request comes by:
    # neither waits for anything, but there is an event loop then
    if (hub := get_hub_if_exists()) is not None:
        hub.destroy(destroy_loop=True)
    assert not [name for name in NOT_TO_FORK if name in sys.modules]
    _insist_on_nothing_begun()
    gc.freeze()  # what never changes is not copied by those that are forked
    server = SupervisorServer(address)
    shown = show((sys.executable, *sys.orig_argv[1:]), os.environb)
    print("ready" if shown else "there is no way to show how it was begun", flush=True)
    order = server.serve()
    return 0 if order is None else order.carry_out(module)


if __name__ == "__main__":
    sys.exit(main(_module, sys.argv[2]))
