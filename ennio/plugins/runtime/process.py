"""Agents in terminals without tmux: one ptyd daemon per directory owns them.

The daemon outlives the supervisor, however that ends. Should the daemon itself be killed, its
terminals close and the agents in them are hung up; exit codes known by then are still found.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from ennio.machine.interface import Command, Machine
from ennio.model.errors import Conflict, NotFound, TimedOut, Unreachable
from ennio.model.session import RuntimeHandle
from ennio.model.terminal_view import TerminalShot
from ennio.plugins import orphans
from ennio.plugins.runtime import launch as launching
from ennio.plugins.runtime.interface import Key, LaunchSpec, Pane, View
from ennio.plugins.runtime.liveness import process_of
from ennio.plugins.runtime.ptyd import protocol, records
from ennio.plugins.runtime.ptyd.state_file import TerminalState
from ennio.plugins.runtime.ptyd_stream import PtydStream
from ennio.plugins.runtime.screen import Screen, render
from ennio.plugins.runtime.text import named, pasteable

_ARROWS = {Key.UP: b"\x1b[A", Key.DOWN: b"\x1b[B", Key.RIGHT: b"\x1b[C", Key.LEFT: b"\x1b[D"}
_KEYS = {
    Key.ENTER: b"\r",
    Key.ESCAPE: b"\x1b",
    Key.INTERRUPT: b"\x03",
    Key.ERASE: b"\x7f",
    Key.CLEAR: b"\x15",
    Key.KILL: b"\x0b",
    **_ARROWS,
}
_PTYD = str(Path(protocol.__file__).absolute().parent)
_BYTES_A_LINE = 400  # of colours and letters, generously
_MOST_OUTPUT = 512 << 10
_MOST_SHOT = 64 << 10
_NOT_RUNNING = (FileNotFoundError, ConnectionRefusedError, ConnectionResetError, BrokenPipeError)
_BETWEEN = 3.0
"""Seconds a daemon may hold its lock without taking requests: it begins, ends, or has yet to notice
that its socket is gone.
"""

T = TypeVar("T")


@dataclass(slots=True)
class _View:
    number: int
    screen: Screen
    offset: int


class ProcessRuntime:
    """Runs agents under the daemon of one directory (0700), which is started
    when it is first needed.

    ``grace`` is how long an agent may take to end once told to, ``idle`` how long a daemon without
    living agents waits before it ends (both seconds).
    """

    name = "process"

    def __init__(
        self,
        machine: Machine,
        directory: Path,
        *,
        grace: float = 5.0,
        timeout: float = 10.0,
        idle: float = 60.0,
    ) -> None:
        self._machine = machine
        self._directory = directory.absolute()
        self._grace = grace
        self._timeout = timeout
        self._idle = idle
        self._views: dict[str, _View] = {}
        self._looking = threading.Lock()  # a screen takes each byte once

    def start(self, launch: LaunchSpec) -> RuntimeHandle:
        """Start the agent under the daemon, or find it."""
        order = {
            "op": "start",
            "name": named(launch.name),
            "number": launch.number,
            "columns": launch.columns,
            "rows": launch.rows,
        }
        # The launch file is written only when it will be read: it holds secrets.
        answer, _ = self._ask_or_start({**order, "command": None})
        if "error" not in answer and answer["pane"] is None:
            answer, _ = self._ask_or_start(
                {**order, "command": launching.write(self._machine, launch)}
            )
        elif "error" not in answer:
            launching.tidy(
                self._machine, launch, None if answer["pane"]["dead"] else answer["pane"]["pid"]
            )
        if answer.get("error") == "failed":
            raise Unreachable(
                f"the terminal daemon in {self._directory} could not start session {launch.name}: "
                f"{answer['text']}"
            )
        if "error" in answer:
            state = "ended" if answer["dead"] else "still runs"
            raise Conflict(
                f"session {launch.name}: launch {answer['number']} {state}; stop it before launch "
                f"{launch.number} begins"
            )
        pane = answer["pane"]
        born = "" if pane["dead"] else str(pane["started"])
        return RuntimeHandle(
            launch.name,
            self.name,
            {"pid": str(pane["pid"]), "started": born, "number": str(pane["number"])},
        )

    def survey(self) -> Mapping[str, Pane]:
        """Every terminal, by one request to the daemon; without a daemon, what it left written."""
        answer = self._ask({"op": "list"})
        panes = (
            answer[0]["panes"]
            if answer
            else [
                entry.as_json() for entry in records.read(self._machine, self._directory).values()
            ]
        )
        seen = {pane["name"]: _pane(self._directory, pane) for pane in panes}
        with self._looking:
            self._views = {name: view for name, view in self._views.items() if name in seen}
        return seen

    def screens(self, names: Sequence[str], lines: int = 50) -> Mapping[str, str]:
        """What these terminals show, by one request for what is new since the last look."""
        return self._looked(names, lambda screen: screen.shown(lines))

    def views(self, names: Sequence[str]) -> Mapping[str, View]:
        """The whole screens with their cursors, by the same one request."""
        return self._looked(names, Screen.view)

    def _looked(self, names: Sequence[str], look: Callable[[Screen], T]) -> dict[str, T]:
        with self._looking:
            views = dict(self._views)
            since = {name: views[name].offset if name in views else 0 for name in names}
            answer = self._ask({"op": "read", "since": since})
            return (
                {name: look(screen) for name, screen in self._show(*answer)}
                if answer is not None
                else {}
            )

    def output(self, handle: RuntimeHandle, lines: int) -> str:
        """The last lines of the recorded output, as a terminal would have shown them."""
        kept = records.one(self._machine, self._directory, named(handle.id))
        data = records.tail(
            self._machine,
            self._directory,
            handle.id,
            min(_MOST_OUTPUT, max(1 << 14, lines * _BYTES_A_LINE)),
        )
        if kept is None or data is None:
            raise NotFound(_no_terminal(handle))
        return render(data, kept.columns, kept.rows, lines)

    def paste(self, handle: RuntimeHandle, text: str) -> None:
        """Queue the text for the program; the daemon writes it as fast as the program reads."""
        self._type(handle, pasteable(text), paste=True)

    def press(self, handle: RuntimeHandle, key: Key) -> None:
        """Press one key."""
        self._type(handle, _KEYS[key], paste=False)

    def stop(self, handle: RuntimeHandle) -> None:
        """Hang up, then end whatever of the agent outlives that; its record is removed."""
        name = named(handle.id)
        known = orphans.family(self._machine, *process_of(handle))
        answer = self._ask({"op": "list"})
        for pane in answer[0]["panes"] if answer else ():
            if pane["name"] == name and not pane["dead"]:
                known += orphans.family(self._machine, pane["pid"], pane["started"])
        if self._ask({"op": "stop", "name": name}) is None:
            records.forget(self._machine, self._directory, name)
        self._views.pop(name, None)
        orphans.end(self._machine, name, self._grace, known)

    def attach_command(self, handle: RuntimeHandle) -> tuple[str, ...]:
        """Our own small terminal client; Ctrl-] detaches."""
        return (
            self._machine.python,
            "-I",
            "-S",
            _PTYD,
            "attach",
            str(self._directory),
            named(handle.id),
        )

    # --- seen as it changes -----------------------------------------------------------------------

    def open_stream(self, handle: RuntimeHandle) -> PtydStream:
        """See ``WatchableRuntime``: what the daemon remembers, then what comes."""
        kept = self._recorded(handle)
        return PtydStream(self._followed, kept.name, (kept.columns, kept.rows))

    def shot(self, handle: RuntimeHandle, history: int) -> TerminalShot:
        """See ``WatchableRuntime``, from the newest of the recorded output."""
        kept = self._recorded(handle)
        size = max(_MOST_SHOT, min(_MOST_OUTPUT, history * _BYTES_A_LINE))
        data = records.tail(self._machine, self._directory, kept.name, size) or b""
        screen = Screen(kept.columns, kept.rows, scrollback=history)
        screen.feed(data)
        return screen.shot(history)

    def type(self, handle: RuntimeHandle, data: bytes, *, paste: bool) -> None:
        """See ``WatchableRuntime``."""
        if paste:
            self.paste(handle, data.decode(errors="replace"))
        else:
            self._type(handle, data, paste=False)

    def resize(self, handle: RuntimeHandle, columns: int, rows: int) -> None:
        """See ``WatchableRuntime``; it keeps that size when a person who is attached leaves."""
        size = {"columns": columns, "rows": rows, "keep": True}
        answer = self._ask({"op": "resize", "name": named(handle.id), **size})
        if answer is None or "error" in answer[0]:
            raise NotFound(_no_terminal(handle))

    def _recorded(self, handle: RuntimeHandle) -> TerminalState:
        """Its terminal as the daemon keeps it, of one that has ended too."""
        answer = self._ask({"op": "list"})
        for pane in answer[0]["panes"] if answer else ():
            if pane["name"] == handle.id:
                return TerminalState(**pane)
        kept = records.one(self._machine, self._directory, named(handle.id))
        if kept is None:
            raise NotFound(_no_terminal(handle))
        return kept

    def _followed(self, request: Mapping[str, Any], timeout: float) -> tuple[dict[str, Any], bytes]:
        """What the daemon answers in this time. Raises TimeoutError, Unreachable."""
        try:
            with self._machine.connect(
                self._directory / protocol.SOCKET, self._timeout
            ) as connection:
                connection.settimeout(timeout)
                return protocol.ask(connection, request)
        except TimeoutError:
            raise
        except _NOT_RUNNING:
            return {"error": "gone"}, b""
        except OSError as error:
            raise Unreachable(
                f"the terminal daemon in {self._directory} could not be asked: {error}"
            ) from error

    def version(self) -> str | None:
        """The version of the Python that keeps the terminals."""
        return ".".join(map(str, sys.version_info[:3]))

    def _type(self, handle: RuntimeHandle, data: bytes, *, paste: bool) -> None:
        answer = self._ask({"op": "input", "name": named(handle.id), "paste": paste}, data)
        if answer is None or "error" in answer[0]:
            raise NotFound(f"{_no_terminal(handle)}, or its agent has ended; nothing reads there")

    def _show(self, head: Mapping[str, Any], data: bytes) -> Iterator[tuple[str, Screen]]:
        start = 0
        for entry in head["shown"]:
            chunk = data[start : start + entry["length"]]
            start += entry["length"]
            yield entry["name"], self._look(entry, chunk)

    def _look(self, entry: Mapping[str, Any], chunk: bytes) -> Screen:
        view = self._views.get(entry["name"])
        if view is None or view.number != entry["number"] or view.offset != entry["first"]:
            view = self._views[entry["name"]] = _View(
                entry["number"], Screen(entry["columns"], entry["rows"]), 0
            )
        view.screen.resize(entry["columns"], entry["rows"])
        view.screen.feed(chunk)
        view.offset = entry["first"] + entry["length"]
        return view.screen

    def _ask_or_start(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Ask, and start the daemon when there is none (or it ended just then)."""
        for _ in range(3):
            answer = self._ask(request)
            if answer is not None:
                return answer
            self._start_daemon()
        raise Unreachable(
            f"the terminal daemon in {self._directory} ends as soon as it starts; see "
            f"{self._directory / 'keeper.log'}"
        )

    def _ask(
        self, request: Mapping[str, Any], payload: bytes = b""
    ) -> tuple[dict[str, Any], bytes] | None:
        """The daemon's answer, or None when it is proven that none lives.
        Raises Unreachable otherwise.
        """
        deadline = time.monotonic() + _BETWEEN
        while True:
            try:
                return self._once(request, payload)
            except _NOT_RUNNING as error:
                if not self._machine.is_locked(self._directory / protocol.LOCK):
                    return None
                if time.monotonic() > deadline:
                    raise Unreachable(
                        f"the terminal daemon in {self._directory} lives but does not take "
                        f"requests: {error}"
                    ) from error
                time.sleep(0.02)

    def _once(self, request: Mapping[str, Any], payload: bytes) -> tuple[dict[str, Any], bytes]:
        try:
            with self._machine.connect(
                self._directory / protocol.SOCKET, self._timeout
            ) as connection:
                return protocol.ask(connection, request, payload)
        except _NOT_RUNNING:
            raise
        except TimeoutError as error:
            raise TimedOut(
                f"the terminal daemon in {self._directory} did not answer within "
                f"{self._timeout:g} s"
            ) from error
        except OSError as error:
            raise Unreachable(
                f"the terminal daemon in {self._directory} could not be asked: {error}"
            ) from error

    def _start_daemon(self) -> None:
        self._machine.make_folder(self._directory, private=True)
        log = self._directory / "keeper.log"
        words = (
            self._machine.python,
            "-I",
            "-S",
            _PTYD,
            "keep",
            str(self._directory),
            str(self._idle),
        )
        env = {
            "PATH": self._machine.environ.get("PATH", "/bin:/usr/bin")
        }  # no secrets, no marks of ours
        # no pipe: what the daemon inherits of it would keep it open
        done = self._machine.run(Command(words, env=env, timeout=self._timeout, leaves_server=True))
        if done.stdout or done.stderr:
            self._machine.append(log, done.stdout + done.stderr)
        if done.overdue is not None:
            raise TimedOut(
                f"the terminal daemon in {self._directory} did not start within {self._timeout:g} "
                f"s; see {log}"
            )
        if done.code != 0:
            raise Unreachable(f"the terminal daemon in {self._directory} did not start; see {log}")


def _pane(directory: Path, entry: Mapping[str, Any]) -> Pane:
    output_at = (
        None if entry["output_at"] is None else datetime.fromtimestamp(entry["output_at"], UTC)
    )
    return Pane(
        entry["name"],
        entry["number"],
        entry["pid"],
        entry["dead"],
        entry["exit_code"],
        entry["signal"],
        output_at,
        entry["title"],
        str(records.log(directory, entry["name"])),
    )


def _no_terminal(handle: RuntimeHandle) -> str:
    return f"session {handle.id} has no terminal of the process runtime"
