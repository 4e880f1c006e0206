"""The daemon's loop: one selector over its socket, its clients and the terminals of its agents.

It belongs to nobody: started on demand, it detaches from whoever started it and ends by itself
when it has had no living agent for a while. Should it be killed, the kernel hangs up the terminals
and its agents end with it, as they would with a tmux server.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ennio import __version__
from ennio.machine.process_table import is_alive
from ennio.plugins.runtime.ptyd import following, state_file
from ennio.plugins.runtime.ptyd.protocol import PROTOCOL, decode, encode
from ennio.plugins.runtime.ptyd.pty_process import PtyProcess, spawn
from ennio.plugins.runtime.ptyd.server_socket import ServerSocket, acquire_lock

IDLE = 60.0
_READ_LIMIT = 64 << 10
_BEHIND = 4 << 20  # a viewer this far behind is let go

Answer = tuple[dict[str, Any], bytes]


class ClientConnection:
    """One client: what it has sent, what it has still to receive, and what it looks at."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.received = bytearray()
        self.pending = bytearray()
        self.watched: PtyProcess | None = None
        self.closing = False

    def queue(self, data: bytes) -> None:
        """Queue bytes for the client."""
        self.pending += data
        self.closing = self.closing or len(self.pending) > _BEHIND


class PtyDaemon:
    """Owns every terminal of one directory."""

    def __init__(
        self, directory: Path, socket_: ServerSocket, umask: int, idle: float = IDLE
    ) -> None:
        self._directory = directory
        self._socket = socket_
        self._umask = umask
        self._idle = idle
        self._processes: dict[str, PtyProcess] = {}
        self._hung_up: list[PtyProcess] = []
        self._past = state_file.read(directory)
        self._clients: set[ClientConnection] = set()
        self._selector = selectors.DefaultSelector()

    def run(self) -> None:
        """Serve until there has been nothing to keep for a while."""
        self._listen()
        self._wake_on_death()
        busy_at = time.monotonic()
        while time.monotonic() - busy_at < self._idle:
            for key, mask in self._selector.select(min(1.0, self._idle)):
                key.data(mask)
            self._reap()
            self._pump()
            self._check_socket()
            if (
                self._clients
                or self._hung_up
                or any(not process.record.dead for process in self._processes.values())
            ):
                busy_at = time.monotonic()

    def _listen(self) -> None:
        self._selector.register(
            self._socket.listener, selectors.EVENT_READ, lambda _: self._accept()
        )

    def _check_socket(self) -> None:
        """Whoever cleans the folder must not shut the agents in."""
        before = self._socket.listener
        if not self._socket.is_intact() and self._socket.reopen():
            self._selector.unregister(before)
            before.close()
            self._listen()
            with contextlib.suppress(OSError):
                state_file.folder(self._directory).mkdir(mode=0o700, exist_ok=True)
            print(
                json.dumps(
                    {"at": time.time(), "pid": os.getpid(), "message": "socket was gone, made anew"}
                ),
                flush=True,
            )

    def _wake_on_death(self) -> None:
        reader, writer = socket.socketpair()
        reader.setblocking(False)
        writer.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        self._wakeup = (reader, writer)
        self._selector.register(reader, selectors.EVENT_READ, lambda _: reader.recv(4096))

    def _reap(self) -> None:
        for process in [*self._processes.values(), *self._hung_up]:
            if process.record.dead:
                continue
            pid, status = os.waitpid(process.record.pid, os.WNOHANG)
            if pid:
                self._exited(process, status)

    def _exited(self, process: PtyProcess, status: int) -> None:
        if process in self._hung_up:
            self._hung_up.remove(process)
            return
        process.record_exit(status)
        process.tell_followers()
        if process.at_eof:
            process.close()
        self._release_viewers(process)

    def _release_viewers(self, process: PtyProcess) -> None:
        for client in self._clients:
            if client.watched is process:
                client.closing = True

    def _pump(self) -> None:
        for process in self._processes.values():
            if process.master is not None and not process.at_eof:
                process.flush()
                self._watch(
                    process.master, bool(process.pending_input), self._output_reader(process)
                )
        for client in tuple(self._clients):
            self._send(client)

    def _output_reader(self, process: PtyProcess) -> Callable[[int], None]:
        return lambda mask: self._read_output(process, mask)

    def _watch(self, descriptor: int, writing: bool, serve: Callable[[int], None]) -> None:
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if writing else 0)
        key = self._selector.get_map().get(descriptor)
        if key is None:
            self._selector.register(descriptor, events, serve)
        elif key.events != events:
            self._selector.modify(descriptor, events, key.data)

    def _read_output(self, process: PtyProcess, mask: int) -> None:
        if mask & selectors.EVENT_READ and not process.read():
            # To close it now would hang up an agent that merely let go of its terminal.
            process.at_eof = True
            self._unwatch(process)
            if process.record.dead:
                process.close()

    def _unwatch(self, process: PtyProcess) -> None:
        if process.master is not None:
            with contextlib.suppress(KeyError):
                self._selector.unregister(process.master)

    def _accept(self) -> None:
        try:
            connection, _ = self._socket.listener.accept()
        except OSError:
            return  # it has gone again
        connection.setblocking(False)
        client = ClientConnection(connection)
        self._clients.add(client)
        self._selector.register(
            connection, selectors.EVENT_READ, lambda mask: self._receive(client, mask)
        )

    def _receive(self, client: ClientConnection, mask: int) -> None:
        if not mask & selectors.EVENT_READ:
            return
        try:
            data = client.socket.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._disconnect(client)
        elif client.watched is not None:
            client.watched.queue_input(data, paste=False)
        else:
            client.received += data
            self._serve(client)

    def _serve(self, client: ClientConnection) -> None:
        try:
            request = decode(client.received)
        except (ValueError, KeyError, TypeError):
            self._disconnect(client)
            return
        if request is None or self._waits(client, *request):
            return
        try:
            answer, payload = self._answer(client, *request)
        except (OSError, LookupError, TypeError, ValueError, AttributeError) as error:
            # One bad request or a full disk must not take every agent down with it.
            answer, payload = {"error": "failed", "text": f"{type(error).__name__}: {error}"}, b""
        client.queue(encode(answer, payload))
        if client.watched is not None:
            client.queue(bytes(client.watched.ring))
            client.closing = client.watched.record.dead

    def _waits(self, client: ClientConnection, request: dict[str, Any], payload: bytes) -> bool:
        """Whether a client that follows a terminal is answered once that puts something out."""
        process = self._processes.get(str(request.get("name")))
        if process is None or not following.must_wait(process, request):
            return False
        client.received += encode(request, payload)  # asked again then
        process.follow(lambda: self._serve(client) if client in self._clients else None)
        return True

    def _send(self, client: ClientConnection) -> None:
        try:
            if client.pending:
                del client.pending[: client.socket.send(client.pending)]
        except BlockingIOError:
            pass
        except OSError:
            self._disconnect(client)
            return
        if client.closing and (not client.pending or len(client.pending) > _BEHIND):
            self._disconnect(client)
            return
        key = self._selector.get_key(client.socket)
        self._watch(client.socket.fileno(), bool(client.pending), key.data)

    def _disconnect(self, client: ClientConnection) -> None:
        if client not in self._clients:
            return
        self._clients.discard(client)
        self._selector.unregister(client.socket)
        client.socket.close()
        if client.watched is not None:
            client.watched.viewers.remove(client.queue)
            if not client.watched.viewers:
                client.watched.restore_size()

    def _answer(self, client: ClientConnection, request: dict[str, Any], payload: bytes) -> Answer:
        operation = request.get("op")
        match operation:
            case "list":
                return self._list(), b""
            case "read":
                return self._read(request)
            case "start":
                return self._start(request), b""
            case "stop":
                return self._stop(str(request["name"])), b""
        return self._one(client, request, payload)

    def _one(self, client: ClientConnection, request: dict[str, Any], payload: bytes) -> Answer:
        process = self._processes.get(str(request.get("name")))
        if process is None or (request.get("op") == "input" and process.record.dead):
            return {"error": "not_found"}, b""
        if request.get("op") == "follow":
            return following.answer(process, request)
        return self._with(process, client, request, payload), b""

    def _with(
        self, process: PtyProcess, client: ClientConnection, request: dict[str, Any], payload: bytes
    ) -> dict[str, Any]:
        match request["op"]:
            case "input":
                process.queue_input(payload, paste=bool(request["paste"]))
            case "resize":
                size = int(request["columns"]), int(request["rows"])
                process.resize(*size)
                if request.get("keep"):
                    process.keep_size(*size)
            case "attach":
                process.viewers.append(client.queue)
                client.watched = process
            case unknown:
                return {"error": "unknown", "text": f"unknown request {unknown!r}"}
        return {}

    def _list(self) -> dict[str, Any]:
        seen = {
            **self._past,
            **{name: process.snapshot() for name, process in self._processes.items()},
        }
        told = {"protocol": PROTOCOL, "version": __version__}
        return {"panes": [entry.as_json() for entry in seen.values()], **told}

    def _read(self, request: dict[str, Any]) -> Answer:
        shown, data = [], b""
        for name, offset in request["since"].items():
            process = self._processes.get(name)
            if process is None:
                continue
            first, chunk = process.since(int(offset), _READ_LIMIT)
            entry = {
                "name": name,
                "number": process.record.number,
                "first": first,
                "length": len(chunk),
            }
            shown.append({**entry, "columns": process.record.columns, "rows": process.record.rows})
            data += chunk
        return {"shown": shown}, data

    def _start(self, request: dict[str, Any]) -> dict[str, Any]:
        name, number = str(request["name"]), int(request["number"])
        process = self._processes.get(name)
        found = process.snapshot() if process is not None else self._past.get(name)
        if found is not None and found.number == number:
            return {"pane": found.as_json()}
        if found is not None and (
            found.number > number or not found.dead or is_alive(found.pid, found.started)
        ):
            return {
                "error": "conflict",
                "number": found.number,
                "dead": found.dead and not is_alive(found.pid, found.started),
            }
        if request["command"] is None:
            return {"pane": None}
        if process is not None:
            self._unwatch(process)
            process.close()
        self._past.pop(name, None)
        size = int(request["columns"]), int(request["rows"])
        born = spawn(
            self._directory, name, number, request["command"], size=size, umask=self._umask
        )
        self._processes[name] = born
        return {"pane": born.snapshot().as_json()}

    def _stop(self, name: str) -> dict[str, Any]:
        process = self._processes.pop(name, None)
        self._past.pop(name, None)
        if process is not None:
            self._release_viewers(process)
            self._unwatch(process)
            if not process.record.dead:
                self._hung_up.append(process)
            process.hang_up()
        state_file.forget(self._directory, name)
        return {}


def main(directory: str, idle: str = str(IDLE)) -> int:
    """Leave a daemon behind in the directory and return 0, also when one is there already; 1
    when it could not begin.
    """
    home = Path(directory)
    state_file.folder(home).mkdir(mode=0o700, parents=True, exist_ok=True)
    reader, writer = os.pipe()
    if os.fork():
        os.close(writer)
        return 0 if os.read(reader, 1) else 1
    os.setsid()
    if os.fork():
        os._exit(0)
    os.close(reader)
    _run_daemon(home, writer, float(idle))
    return 0


def _run_daemon(home: Path, ready: int, idle: float) -> None:
    lock = acquire_lock(home)
    if lock is None:
        os.write(ready, b"1")
        return
    _detach(home)
    umask = os.umask(0o077)
    server = ServerSocket(home, lock)
    os.write(ready, b"1")
    os.close(ready)
    print(
        json.dumps({"at": time.time(), "pid": os.getpid(), "message": "daemon started"}), flush=True
    )
    PtyDaemon(home, server, umask, idle).run()
    server.close()


def _detach(home: Path) -> None:
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(home / "keeper.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(nothing, sys.stdin.fileno())
    os.dup2(log, sys.stdout.fileno())
    os.dup2(log, sys.stderr.fileno())
