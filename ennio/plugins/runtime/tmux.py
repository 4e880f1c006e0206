"""Agents in tmux sessions, on a tmux server of Ennio's own.

The server outlives the supervisor. Every session is one agent, named by its Ennio session and
marked with two options that are set in the same command that makes it: ``@ennio_number`` (which
launch it is) and ``@ennio_pane`` (which pane is the agent's, should a person split the window).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence

from ennio.machine import single
from ennio.machine.inherited import inherited
from ennio.machine.interface import Command, CompletedCommand, Machine, ProcessId
from ennio.model.errors import Conflict, NotFound, Refused, TimedOut, Unreachable
from ennio.model.session import RuntimeHandle
from ennio.model.terminal_view import TerminalShot
from ennio.plugins import orphans
from ennio.plugins.runtime import launch as launching
from ennio.plugins.runtime.interface import Key, LaunchSpec, Pane, TerminalStream, View
from ennio.plugins.runtime.liveness import process_of
from ennio.plugins.runtime.polled_stream import PolledStream
from ennio.plugins.runtime.text import last_lines, named, pasteable
from ennio.plugins.runtime.text_style import strong
from ennio.plugins.runtime.tmux_attach_guard import AttachGuard
from ennio.plugins.runtime.tmux_control import NoControl, TmuxControl
from ennio.plugins.runtime.tmux_keys import keys
from ennio.plugins.runtime.tmux_listing import FORMAT, PaneRow, rows_of, server_pid
from ennio.plugins.runtime.tmux_server import TmuxServer, server_of
from ennio.plugins.runtime.tmux_shot import CURSOR, SIZE, painted, shot_of
from ennio.plugins.runtime.tmux_stream import TmuxStream

_ARROWS = {Key.UP: "Up", Key.DOWN: "Down", Key.LEFT: "Left", Key.RIGHT: "Right"}
_KEYS = {
    Key.ENTER: "Enter",
    Key.ESCAPE: "Escape",
    Key.INTERRUPT: "C-c",
    Key.CLEAR: "C-u",
    Key.KILL: "C-k",
    **_ARROWS,
}
_ALL = ("list-panes", "-a", "-F", FORMAT)
_ALL_LINE = f"list-panes -a -F '{FORMAT}'"
_CURSOR = (
    "#{session_name} #{cursor_x} #{cursor_y} #{pane_width} #{pane_height} #{cursor_flag} "
    "#{pane_in_mode}"
)
_SERVER = (
    "set-option -g remain-on-exit on ;"
    "set-option -g remain-on-exit-format '' ;"  # tmux's own words are no output of the agent
    "set-option -g history-limit 50000 ;"
    "set-option -g default-terminal screen-256color ;"
    "set-option -wg automatic-rename off ;"  # a name that nobody reads; see ``AttachGuard``
    "set-option -g status off ;"
    # whoever is not a person's own terminal is drawn outside of the alternate screen
    "set-option -sa terminal-overrides ',xterm:smcup@:rmcup@' ;"
    "set-hook -g client-detached \"if-shell -F '#{==:#{hook_client},#{@ennio_person}}' "
    "'set-option -w window-size manual'\""
)
# Setting an option makes tmux go through all its sessions, so that is only done where it has to be.
_PRELUDE = (
    "start-server",
    ";",
    "if-shell",
    "-F",
    "#{!=:#{remain-on-exit}|#{history-limit}|#{status}|#{automatic-rename},on|50000|off|0}",
    _SERVER,
    ";",
)
HISTORY, POLLED_HISTORY = 2000, 200
"""Lines above its screen that a terminal is shown with; where each change brings them all again."""
_TAKEN = "duplicate session"
_ABSENT = ("can't find", "no such", "no current")
_NO_SERVER = ("no server running", "error connecting")
_ENDED = ("server exited", "lost server")
_BETWEEN = (0.05, 0.2)
"""Seconds until a server is asked again that ended, or began, as it was asked."""


class ServerEnded(Unreachable):
    """The server ended as it was asked for a terminal."""


class TmuxRuntime:
    """Runs agents on the tmux server of one socket name (``tmux -L <socket>``). Blocks for
    milliseconds; limited by ``timeout``.

    ``grace`` is how long an agent may take to end once told to (seconds).
    """

    name = "tmux"

    def __init__(
        self, machine: Machine, socket: str, *, grace: float = 5.0, timeout: float = 10.0
    ) -> None:
        self._machine = machine
        self._socket = socket
        self._grace = grace
        self._timeout = timeout
        self._panes: dict[str, str] = {}
        self._server = TmuxServer(machine, socket)
        self._guard = AttachGuard()
        self._control = NoControl() if machine.name else TmuxControl(socket, timeout, self._guard)

    def start(self, launch: LaunchSpec) -> RuntimeHandle:
        """Start the agent in a session of its own, or in the dead pane of an
        earlier launch, or find it.
        """
        if self._machine.which("tmux") is None:
            raise Refused(
                "tmux is not installed; install it, or set `runtime: process` for this project"
            )
        name = named(launch.name)
        row = self._begun_or_found(launch, name)
        self._panes[launch.name] = row.pane_id
        return self._handle(row.pane)

    def _begun_or_found(self, launch: LaunchSpec, name: str) -> PaneRow:
        """Once more where the server ended with its last session as it was asked: it has begun
        nothing then, or it is found.
        """
        for pause in _BETWEEN:
            try:
                return self._at_once(launch) or self._found_or_begun(launch, self._find(name))
            except ServerEnded:
                time.sleep(pause)
        return self._found_or_begun(launch, self._find(name))

    def survey(self) -> Mapping[str, Pane]:
        """Every terminal, by one ``list-panes -a``; a server whose socket was taken away is
        asked for another first.
        """
        told, last = self._listed_by_control(), self._server.last
        listing = self._ask(_ALL) if told is None else told
        if told is not None and not self._server.has_socket:
            # the kept client needs it no more, everybody else does
            self._server.restore_socket(last)
        # one that ended with its last terminal may have a successor by now, begun by another thread
        if listing is None and (
            self._server.restore_socket(last) or not self._server.is_refusing()
        ):
            listing = self._ask(_ALL)
        if listing is None and self._server.is_alive(last):
            raise Unreachable(
                f"the tmux server (pid {last.pid}) has lost its socket {self._server.place}, so "
                "nobody can ask it"
            )
        rows = rows_of(self._machine, listing or "")
        if listing:
            self._server.heard(server_pid(listing))
        self._panes = {row.pane.name: row.pane_id for row in rows}
        return {row.pane.name: row.pane for row in rows}

    def screens(self, names: Sequence[str], lines: int = 50) -> Mapping[str, str]:
        """The visible lines of these terminals, by one tmux command once a survey has seen them."""
        shown = self._captured(names, "#{session_name}", "capture-pane -p")
        return {name: last_lines(rows, lines) for name, (_, rows) in shown.items()}

    def views(self, names: Sequence[str]) -> Mapping[str, View]:
        """The whole screens with their cursors, by one tmux command once a survey has seen them."""
        return {
            name: _view(told, rows)
            for name, (told, rows) in self._captured(names, _CURSOR, "capture-pane -p -e").items()
        }

    def _captured(
        self,
        names: Sequence[str],
        format: str,  # noqa: A002
        capture: str,
    ) -> dict[str, tuple[list[str], list[str]]]:
        """What tmux tells of each terminal (its name first), and its rows; names
        that are gone are left out.
        """
        if any(name not in self._panes for name in names):
            self.survey()
        panes = self._panes  # a survey beside this one puts another in its place
        wanted = {name: panes[name] for name in names if name in panes}
        if not wanted:
            return {}
        mark = secrets.token_hex(16)
        # Every line on standard input stands alone: a pane that is gone does not spoil the others.
        naming = f"'{mark} {format}'"
        script = "".join(
            f"display-message -p -t {pane} {naming}\n{capture} -t {pane}\n"
            for pane in wanted.values()
        )
        done = self._run(["source-file", "-"], script.encode())
        if done.code != 0:
            self._absent(done)
        shown = _sections(done.stdout.decode(errors="replace"), mark)
        return {name: shown[name] for name in wanted if name in shown}

    def output(self, handle: RuntimeHandle, lines: int) -> str:
        """The last lines with what scrolled away, wrapped lines joined."""
        pane = self._pane(handle)
        text = self._ask(["capture-pane", "-p", "-J", "-S", f"-{lines}", "-t", pane])
        if text is None:
            raise NotFound(_no_terminal(handle))
        return last_lines(text.split("\n"), lines)

    def paste(self, handle: RuntimeHandle, text: str) -> None:
        """Paste through a tmux buffer: no length, quote or final semicolon is
        lost, and no shell sees it.
        """
        words = pasteable(text)
        pane = self._living(handle)
        buffer = f"ennio-{secrets.token_hex(6)}"
        put = ["paste-buffer", "-d", "-p", "-r", "-b", buffer, "-t", pane]
        if (
            self._ask(
                ["load-buffer", "-b", buffer, "-", ";", "copy-mode", "-q", "-t", pane, ";", *put],
                words,
            )
            is None
        ):
            self._ask(["delete-buffer", "-b", buffer])
            raise NotFound(_no_terminal(handle))

    def press(self, handle: RuntimeHandle, key: Key) -> None:
        """Press one key, out of copy mode first: a person who scrolled back must not swallow it."""
        pane = self._living(handle)
        if (
            self._ask(["copy-mode", "-q", "-t", pane, ";", "send-keys", "-t", pane, _KEYS[key]])
            is None
        ):
            raise NotFound(_no_terminal(handle))

    def stop(self, handle: RuntimeHandle) -> None:
        """Close the session, then end whatever of the agent outlives that; where tmux cannot be
        asked, end the agent all the same.
        """
        pid, born = process_of(handle)
        known = orphans.family(self._machine, pid, born)
        try:
            known += self._closed(handle, server_of(self._machine, pid if known else None))
        finally:
            orphans.end(self._machine, handle.id, self._grace, known)

    def _closed(self, handle: RuntimeHandle, server: ProcessId) -> list[ProcessId]:
        """Close the session; whom it held. ``server`` is whose child the agent is: a server that
        may have lost its socket.
        """
        row = self._find(named(handle.id))
        if row is None and self._server.restore_socket(server):
            row = self._find(handle.id)
        held = (
            orphans.family(self._machine, *process_of(self._handle(row.pane)))
            if row is not None
            else []
        )
        self._ask(["kill-session", "-t", f"={handle.id}"])
        return held

    def attach_command(self, handle: RuntimeHandle) -> tuple[str, ...]:
        """``tmux attach-session`` on our socket; works inside another tmux too, and wherever the
        person's own tmux keeps its sockets.
        """
        folder = self._machine.environ.get("TMUX_TMPDIR")
        place = (f"TMUX_TMPDIR={folder}",) if folder else ("-u", "TMUX_TMPDIR")
        session = f"={named(handle.id)}"
        return (
            "env",
            "-u",
            "TMUX",
            *place,
            "tmux",
            "-u",
            "-L",
            self._socket,
            "attach-session",
            "-t",
            session,
            # the window is as large as the terminal of the person who came last, until they leave
            *(";", "set-option", "-w", "-t", f"{session}:", "window-size", "latest"),
            *(";", "set-option", "-F", "-t", f"{session}:", "@ennio_person", "#{client_name}"),
        )

    # --- seen as it changes -----------------------------------------------------------------------

    def open_stream(self, handle: RuntimeHandle) -> TerminalStream:
        """See ``WatchableRuntime``: a client that is attached and only reads; elsewhere, where
        there can be none, pictures.
        """
        name, pane = named(handle.id), self._pane(handle)
        if self._machine.name:
            return PolledStream(lambda: self._shot(handle, pane, POLLED_HISTORY, None))
        size = self._size(name, pane)
        if size is None:
            raise NotFound(_no_terminal(handle))
        client = ("tmux", "-u", "-N", "-L", self._socket, "-f", "/dev/null", "-T", "256,RGB")
        argv = (*client, "attach-session", "-f", "read-only,ignore-size", "-t", f"={name}")
        return TmuxStream(
            argv,
            {**self._environment(), "TERM": "xterm"},
            lambda: self._size(name, pane),
            lambda place: painted(self._shot(handle, pane, HISTORY, place)),
            size,
            self._guard,
        )

    def shot(self, handle: RuntimeHandle, history: int) -> TerminalShot:
        """See ``WatchableRuntime``."""
        return self._shot(handle, self._pane(handle), history, None)

    def type(self, handle: RuntimeHandle, data: bytes, *, paste: bool) -> None:
        """See ``WatchableRuntime``; by the kept client, which starts no process for a key."""
        if paste:
            self.paste(handle, data.decode(errors="replace"))
            return
        pane = self._panes.get(handle.id) or self._living(handle)
        for words in keys(data):
            self._send(handle, f"send-keys -t {pane} {words}")

    def resize(self, handle: RuntimeHandle, columns: int, rows: int) -> None:
        """See ``WatchableRuntime``."""
        pane = self._pane(handle)
        if self._ask(["resize-window", "-t", pane, "-x", str(columns), "-y", str(rows)]) is None:
            raise NotFound(_no_terminal(handle))

    def _send(self, handle: RuntimeHandle, command: str) -> None:
        """Have a command done that answers nothing."""
        told = self._control.ask(named(handle.id), command, self._environment())
        if told is not None and told.ok:
            return
        if self._ask(command.split(" ")) is None:
            raise NotFound(_no_terminal(handle))

    def _size(self, name: str, pane: str) -> tuple[int, int] | None:
        """The window's; None where it is not there."""
        asked = f"display-message -p -t {pane} '{SIZE}'"
        told = self._control.ask(name, asked, self._environment())
        text = (
            told.text
            if told is not None and told.ok
            else self._ask(["display-message", "-p", "-t", pane, SIZE])
        )
        numbers = (text or "").split()
        return (int(numbers[0]), int(numbers[1])) if len(numbers) == 2 else None

    def _shot(
        self, handle: RuntimeHandle, pane: str, history: int, client: str | None
    ) -> TerminalShot:
        """What a pane shows; the client on this terminal is drawn anew after that."""
        mark = secrets.token_hex(16)
        words = ["display-message", "-p", "-t", pane, f"{mark} {CURSOR}", ";"]
        words += ["capture-pane", "-p", "-e", "-S", f"-{history}" if history else "0", "-t", pane]
        if client is not None:
            words += [";", "refresh-client", "-t", client]
        done = self._run(words)
        text = done.stdout.decode(errors="replace")
        if not text.startswith(mark):
            self._absent(done)
            raise NotFound(_no_terminal(handle))
        return shot_of(text[len(mark) :])

    def version(self) -> str | None:
        """What ``tmux -V`` says (``3.3a``), or None when it is not installed."""
        if self._machine.which("tmux") is None:
            return None
        done = self._machine.run(
            Command(("tmux", "-V"), env=self._environment(), timeout=self._timeout)
        )
        return done.stdout.decode(errors="replace").strip().removeprefix("tmux ") or None

    def _at_once(self, launch: LaunchSpec) -> PaneRow | None:
        """A first launch, begun without a look whether it stands: tmux has no two sessions of one
        name. None where one has to look.
        """
        command = launching.write_new(self._machine, launch) if launch.number == 1 else None
        if command is None:
            return None
        done = self._run(_words(launch, None, command))
        if done.code != 0 and _complaint(done).startswith(_TAKEN):
            launching.withdraw(self._machine, launch)
            return None
        return self._begun(launch, done)

    def _found_or_begun(self, launch: LaunchSpec, row: PaneRow | None) -> PaneRow:
        """The launch if it stands, else begun: in the dead pane of an earlier one, or
        in a session of its own.
        """
        if row is not None and row.pane.number == launch.number:
            launching.tidy(self._machine, launch, None if row.pane.dead else row.pane.pid)
            return row
        if row is not None and (not row.pane.dead or row.pane.number > launch.number):
            state = "ended" if row.pane.dead else "still runs"
            raise Conflict(
                f"session {launch.name}: launch {row.pane.number} {state}; stop it before launch "
                f"{launch.number} begins"
            )
        command = launching.write(self._machine, launch)
        return self._begun(
            launch, self._run(_words(launch, row.pane_id if row is not None else None, command))
        )

    def _handle(self, pane: Pane) -> RuntimeHandle:
        born = "" if pane.dead or pane.pid is None else single.start_of(self._machine, pane.pid)
        return RuntimeHandle(
            pane.name,
            self.name,
            {"pid": str(pane.pid or ""), "started": born, "number": str(pane.number)},
        )

    def _find(self, name: str) -> PaneRow | None:
        listing = self._ask(_listed(name))
        return next(iter(rows_of(self._machine, listing or "")), None)

    def _pane(self, handle: RuntimeHandle) -> str:
        row = self._find(named(handle.id))
        if row is None:
            raise NotFound(_no_terminal(handle))
        return row.pane_id

    def _living(self, handle: RuntimeHandle) -> str:
        row = self._find(named(handle.id))
        if row is None:
            raise NotFound(_no_terminal(handle))
        if row.pane.dead:
            raise NotFound(
                f"the agent of session {handle.id} has ended; nothing reads its terminal"
            )
        return row.pane_id

    def _ask(self, arguments: Sequence[str], stdin: bytes | None = None) -> str | None:
        """What tmux printed; None when it proves that the thing asked for is not there.
        Raises Unreachable otherwise.
        """
        for pause in (*_BETWEEN, None):
            done = self._run(arguments, stdin)
            if done.code == 0:
                return done.stdout.decode(errors="replace")
            # one look a try: between two of them another server may have begun
            if self._is_absent(done):
                return None
            if pause is None or not _complaint(done).startswith((*_ENDED, *_NO_SERVER)):
                break
            time.sleep(pause)
        raise self._no_answer(done)

    def _is_absent(self, done: CompletedCommand) -> bool:
        """Whether tmux proves that the thing asked for is not there."""
        words = _complaint(done)
        return words.startswith(_ABSENT) or (
            words.startswith(_NO_SERVER) and self._server.is_refusing()
        )

    def _absent(self, done: CompletedCommand) -> None:
        if not self._is_absent(done):
            raise self._no_answer(done)

    def _no_answer(self, done: CompletedCommand) -> Unreachable:
        return Unreachable(f"tmux on socket {self._socket} did not answer: {_complaint(done)}")

    def _listed_by_control(self) -> str | None:
        """The listing by the kept client; None where a process has to ask, as when
        nothing was seen to run yet.

        Nothing else is asked this way: a screen may show what looks like the end of an answer.
        """
        session = next(iter(self._panes), None)
        answer = (
            self._control.ask(session, _ALL_LINE, self._environment())
            if session is not None
            else None
        )
        return answer.text if answer is not None and answer.ok else None

    def shutdown(self) -> None:
        """End the kept client; agents and their server go on."""
        self._control.close()

    def _run(self, arguments: Sequence[str], stdin: bytes | None = None) -> CompletedCommand:
        words = ("tmux", "-u", "-L", self._socket, "-f", "/dev/null", *arguments)
        # the client hands its ends to the server, and a hung server would keep
        # a pipe from ever ending
        command = Command(
            words,
            env=self._environment(),
            stdin=stdin or b"",
            timeout=self._timeout,
            leaves_server=True,
            grace=0,
        )
        try:
            with self._guard.command():
                done = self._machine.run(command)
        except FileNotFoundError as error:
            raise Unreachable(
                "tmux is not installed, so nobody can say what runs in it; install it"
            ) from error
        except OSError as error:
            raise Unreachable(f"tmux could not be run: {error}") from error
        if done.overdue is not None:
            raise TimedOut(
                f"tmux on socket {self._socket} did not answer within {self._timeout:g} s"
            )
        return done

    def _environment(self) -> dict[str, str]:
        """What a client is given: the server takes its environment from the one that starts it, so
        no secrets and no marks of ours.
        """
        own = self._machine.environ
        return inherited(own) | {name: own[name] for name in ("TMUX_TMPDIR",) if name in own}

    def _begun(self, launch: LaunchSpec, done: CompletedCommand) -> PaneRow:
        """What tmux tells of a launch in the request that begins it."""
        if done.code != 0 and _complaint(done).startswith((*_ENDED, *_NO_SERVER)):
            raise ServerEnded(
                f"tmux ended while it was to start session {launch.name}: {_complaint(done)}"
            )
        if done.code != 0:
            raise Conflict(f"tmux did not start session {launch.name}: {_complaint(done)}")
        row = next(iter(rows_of(self._machine, done.stdout.decode(errors="replace"))), None)
        if row is None:
            raise Unreachable(f"tmux session {launch.name} was closed while it started")
        return row


def _words(launch: LaunchSpec, pane: str | None, command: Sequence[str]) -> list[str]:
    """The words that start a launch in a session of its own or in a dead pane,
    mark it, and tell of it.
    """
    place = ["-c", _literal(str(launch.cwd)), "--", *command]
    session = f"={launch.name}:"
    marks = [";", "set-option", "-t", session, "@ennio_number", str(launch.number)]
    seen = [";", *_listed(launch.name)]
    if pane is not None:
        # Without -k tmux itself refuses to replace a pane that lives.
        return ["respawn-pane", "-t", pane, *place, *marks, *seen]
    size = ["-x", str(launch.columns), "-y", str(launch.rows)]
    marks += [";", "set-option", "-F", "-t", session, "@ennio_pane", "#{pane_id}"]
    # never as a global option: tmux 3.3 dies of it at its next session
    marks += [";", "set-option", "-w", "-t", session, "window-size", "manual"]
    return [*_PRELUDE, "new-session", "-d", "-s", launch.name, *size, *place, *marks, *seen]


def _listed(name: str) -> list[str]:
    """The words that tell of one session's panes."""
    return ["list-panes", "-s", "-t", f"={name}:", "-F", FORMAT]


def _sections(text: str, mark: str) -> dict[str, tuple[list[str], list[str]]]:
    sections: dict[str, tuple[list[str], list[str]]] = {}
    current: list[str] = []
    for line in text.split("\n"):
        if line.startswith(mark):
            name, *told = line[len(mark) + 1 :].split(" ")
            current = sections.setdefault(name, (told, []))[1]
        else:
            current.append(line)
    return sections


def _view(told: Sequence[str], rows: Sequence[str]) -> View:
    column, row, width, height, cursor, mode = (int(number or 0) for number in told)
    shown, left = strong(rows[:height])
    return View(
        shown, left, min(column, width - 1), row, width, cursor=cursor == 1, scrolled=mode > 0
    )


def _literal(word: str) -> str:
    """A word that tmux takes as it stands: neither expanded as a format nor, by a
    final semicolon, cut off.
    """
    word = word.replace("#", "##")
    return f"{word[:-1]}\\;" if word.endswith(";") else word


def _complaint(done: CompletedCommand) -> str:
    return done.stderr.decode(errors="replace").strip() or f"exit code {done.code}"


def _no_terminal(handle: RuntimeHandle) -> str:
    return f"session {handle.id} has no terminal in tmux"
