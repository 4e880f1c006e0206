"""The keeper's loop: one selector over its socket, its clients and the terminals of its agents.

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

from ennio.plugins.birth import lives
from ennio.plugins.runtime.keeper import record as records
from ennio.plugins.runtime.keeper.child import Child, spawn
from ennio.plugins.runtime.keeper.door import Door, lock_of
from ennio.plugins.runtime.keeper.line import decode, encode

IDLE = 60.0
_READ_LIMIT = 64 << 10
_BEHIND = 4 << 20  # a viewer this far behind is let go

Answer = tuple[dict[str, Any], bytes]


class Talk:
    """One client: what it has sent so far, what it has still to receive, and what it looks at."""

    def __init__(self, line: socket.socket) -> None:
        self.line = line
        self.received = bytearray()
        self.pending = bytearray()
        self.views: Child | None = None
        self.closing = False

    def tell(self, data: bytes) -> None:
        """Queue bytes for the client."""
        self.pending += data
        self.closing = self.closing or len(self.pending) > _BEHIND


class Keeper:
    """Owns every terminal of one directory."""

    def __init__(self, directory: Path, door: Door, umask: int, idle: float = IDLE) -> None:
        self._directory = directory
        self._door = door
        self._umask = umask
        self._idle = idle
        self._children: dict[str, Child] = {}
        self._hung_up: list[Child] = []
        self._past = records.read(directory)
        self._talks: set[Talk] = set()
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
            self._mind_the_door()
            if self._talks or self._hung_up or any(not child.record.dead for child in self._children.values()):
                busy_at = time.monotonic()

    def _listen(self) -> None:
        self._selector.register(self._door.listener, selectors.EVENT_READ, lambda _: self._accept())

    def _mind_the_door(self) -> None:
        """Whoever cleans the folder must not shut the agents in."""
        before = self._door.listener
        if not self._door.stands() and self._door.mend():
            self._selector.unregister(before)
            before.close()
            self._listen()
            with contextlib.suppress(OSError):
                records.folder(self._directory).mkdir(mode=0o700, exist_ok=True)
            print(json.dumps({"at": time.time(), "pid": os.getpid(), "message": "socket was gone, made anew"}), flush=True)

    def _wake_on_death(self) -> None:
        reader, writer = socket.socketpair()
        reader.setblocking(False)
        writer.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        self._bell = (reader, writer)
        self._selector.register(reader, selectors.EVENT_READ, lambda _: reader.recv(4096))

    def _reap(self) -> None:
        for child in [*self._children.values(), *self._hung_up]:
            if child.record.dead:
                continue
            pid, status = os.waitpid(child.record.pid, os.WNOHANG)
            if pid:
                self._ended(child, status)

    def _ended(self, child: Child, status: int) -> None:
        if child in self._hung_up:
            self._hung_up.remove(child)
            return
        child.ended(status)
        if child.deaf:
            child.close()
        self._release_viewers(child)

    def _release_viewers(self, child: Child) -> None:
        for talk in self._talks:
            if talk.views is child:
                talk.closing = True

    def _pump(self) -> None:
        for child in self._children.values():
            if child.master is not None and not child.deaf:
                child.flush()
                self._watch(child.master, bool(child.typed), self._hearer(child))
        for talk in tuple(self._talks):
            self._send(talk)

    def _hearer(self, child: Child) -> Callable[[int], None]:
        return lambda mask: self._hear(child, mask)

    def _watch(self, descriptor: int, writing: bool, serve: Callable[[int], None]) -> None:
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if writing else 0)
        key = self._selector.get_map().get(descriptor)
        if key is None:
            self._selector.register(descriptor, events, serve)
        elif key.events != events:
            self._selector.modify(descriptor, events, key.data)

    def _hear(self, child: Child, mask: int) -> None:
        if mask & selectors.EVENT_READ and not child.hear():
            # To close it now would hang up an agent that merely let go of its terminal.
            child.deaf = True
            self._unwatch(child)
            if child.record.dead:
                child.close()

    def _unwatch(self, child: Child) -> None:
        if child.master is not None:
            with contextlib.suppress(KeyError):
                self._selector.unregister(child.master)

    def _accept(self) -> None:
        try:
            line, _ = self._door.listener.accept()
        except OSError:
            return  # it has gone again
        line.setblocking(False)
        talk = Talk(line)
        self._talks.add(talk)
        self._selector.register(line, selectors.EVENT_READ, lambda mask: self._receive(talk, mask))

    def _receive(self, talk: Talk, mask: int) -> None:
        if not mask & selectors.EVENT_READ:
            return
        try:
            data = talk.line.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._leave(talk)
        elif talk.views is not None:
            talk.views.type(data, paste=False)
        else:
            talk.received += data
            self._serve(talk)

    def _serve(self, talk: Talk) -> None:
        try:
            request = decode(talk.received)
        except (ValueError, KeyError, TypeError):
            self._leave(talk)
            return
        if request is None:
            return
        try:
            answer, payload = self._answer(talk, *request)
        except (OSError, LookupError, TypeError, ValueError, AttributeError) as error:
            # One bad request or a full disk must not take every agent down with it.
            answer, payload = {"error": "failed", "text": f"{type(error).__name__}: {error}"}, b""
        talk.tell(encode(answer, payload))
        if talk.views is not None:
            talk.tell(bytes(talk.views.ring))
            talk.closing = talk.views.record.dead

    def _send(self, talk: Talk) -> None:
        try:
            if talk.pending:
                del talk.pending[: talk.line.send(talk.pending)]
        except BlockingIOError:
            pass
        except OSError:
            self._leave(talk)
            return
        if talk.closing and (not talk.pending or len(talk.pending) > _BEHIND):
            self._leave(talk)
            return
        key = self._selector.get_key(talk.line)
        self._watch(talk.line.fileno(), bool(talk.pending), key.data)

    def _leave(self, talk: Talk) -> None:
        if talk not in self._talks:
            return
        self._talks.discard(talk)
        self._selector.unregister(talk.line)
        talk.line.close()
        if talk.views is not None:
            talk.views.viewers.remove(talk.tell)
            if not talk.views.viewers:
                talk.views.restore_size()

    def _answer(self, talk: Talk, request: dict[str, Any], payload: bytes) -> Answer:
        operation = request.get("op")
        if operation == "list":
            return self._list(), b""
        if operation == "read":
            return self._read(request)
        if operation == "start":
            return self._start(request), b""
        if operation == "stop":
            return self._stop(str(request["name"])), b""
        child = self._children.get(str(request.get("name")))
        if child is None or (operation == "input" and child.record.dead):
            return {"error": "not_found"}, b""
        return self._with(child, talk, request, payload), b""

    def _with(self, child: Child, talk: Talk, request: dict[str, Any], payload: bytes) -> dict[str, Any]:
        match request["op"]:
            case "input":
                child.type(payload, paste=bool(request["paste"]))
            case "resize":
                child.resize(int(request["columns"]), int(request["rows"]))
            case "attach":
                child.viewers.append(talk.tell)
                talk.views = child
            case unknown:
                return {"error": "unknown", "text": f"unknown request {unknown!r}"}
        return {}

    def _list(self) -> dict[str, Any]:
        seen = {**self._past, **{name: child.seen() for name, child in self._children.items()}}
        return {"panes": [entry.as_json() for entry in seen.values()]}

    def _read(self, request: dict[str, Any]) -> Answer:
        shown, data = [], b""
        for name, offset in request["since"].items():
            child = self._children.get(name)
            if child is None:
                continue
            first, chunk = child.since(int(offset), _READ_LIMIT)
            entry = {"name": name, "number": child.record.number, "first": first, "length": len(chunk)}
            shown.append({**entry, "columns": child.record.columns, "rows": child.record.rows})
            data += chunk
        return {"shown": shown}, data

    def _start(self, request: dict[str, Any]) -> dict[str, Any]:
        name, number = str(request["name"]), int(request["number"])
        child = self._children.get(name)
        found = child.seen() if child is not None else self._past.get(name)
        if found is not None and found.number == number:
            return {"pane": found.as_json()}
        if found is not None and (found.number > number or not found.dead or lives(found.pid, found.started)):
            return {"error": "conflict", "number": found.number, "dead": found.dead and not lives(found.pid, found.started)}
        if request["command"] is None:
            return {"pane": None}
        if child is not None:
            self._unwatch(child)
            child.close()
        self._past.pop(name, None)
        size = int(request["columns"]), int(request["rows"])
        born = spawn(self._directory, name, number, request["command"], size=size, umask=self._umask)
        self._children[name] = born
        return {"pane": born.seen().as_json()}

    def _stop(self, name: str) -> dict[str, Any]:
        child = self._children.pop(name, None)
        self._past.pop(name, None)
        if child is not None:
            self._release_viewers(child)
            self._unwatch(child)
            if not child.record.dead:
                self._hung_up.append(child)
            child.hang_up()
        records.forget(self._directory, name)
        return {}


def main(directory: str, idle: str = str(IDLE)) -> int:
    """Leave a keeper behind in the directory and return 0, also when one is there already; 1 when it could not begin."""
    home = Path(directory)
    records.folder(home).mkdir(mode=0o700, parents=True, exist_ok=True)
    reader, writer = os.pipe()
    if os.fork():
        os.close(writer)
        return 0 if os.read(reader, 1) else 1
    os.setsid()
    if os.fork():
        os._exit(0)
    os.close(reader)
    _keep(home, writer, float(idle))
    return 0


def _keep(home: Path, ready: int, idle: float) -> None:
    lock = lock_of(home)
    if lock is None:
        os.write(ready, b"1")
        return
    _detach(home)
    umask = os.umask(0o077)
    door = Door(home, lock)
    os.write(ready, b"1")
    os.close(ready)
    print(json.dumps({"at": time.time(), "pid": os.getpid(), "message": "keeper started"}), flush=True)
    Keeper(home, door, umask, idle).run()
    door.shut()


def _detach(home: Path) -> None:
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(home / "keeper.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(nothing, sys.stdin.fileno())
    os.dup2(log, sys.stdout.fileno())
    os.dup2(log, sys.stderr.fileno())
