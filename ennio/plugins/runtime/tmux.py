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
from ennio.machine.interface import Machine, ProcessId
from ennio.machine.questions import NOTHING_ASKED, Questions
from ennio.model.errors import NotFound
from ennio.model.session import RuntimeHandle
from ennio.model.terminal_view import TerminalShot
from ennio.plugins import orphans
from ennio.plugins.runtime import launch as launching
from ennio.plugins.runtime.interface import Key, LaunchSpec, Pane, TerminalStream, View
from ennio.plugins.runtime.liveness import process_of
from ennio.plugins.runtime.polled_stream import PolledStream
from ennio.plugins.runtime.text import last_lines, named, pasteable
from ennio.plugins.runtime.tmux_client import BETWEEN, TmuxClient, complaint
from ennio.plugins.runtime.tmux_control import NoControl, TmuxControl
from ennio.plugins.runtime.tmux_keys import GONE, KEYS, keys, where_it_lives
from ennio.plugins.runtime.tmux_listing import PROCESS, PaneRow, rows_of
from ennio.plugins.runtime.tmux_server import server_of
from ennio.plugins.runtime.tmux_shot import (
    CURSOR,
    PANE_CURSOR,
    SIZE,
    VIEW,
    capturing,
    painted,
    sections_of,
    shot_of,
    view_of,
)
from ennio.plugins.runtime.tmux_start import ServerEnded, begun, in_the_way, listed, words_of
from ennio.plugins.runtime.tmux_stream import TmuxStream
from ennio.plugins.runtime.tmux_survey import TmuxSurvey

HISTORY, POLLED_HISTORY = 2000, 200
"""Lines above its screen that a terminal is shown with; where each change brings them all again."""
_TAKEN = "duplicate session"
_SCRIPT = ("source-file", "-")


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
        self._panes: dict[str, str] = {}
        self._marks: dict[str, str] = {}
        """Of looks that were foreseen; each mark is good for one."""
        self._client = TmuxClient(machine, socket, timeout)
        self._server, self._guard = self._client.server, self._client.guard
        self._control = NoControl() if machine.name else TmuxControl(socket, timeout, self._guard)
        self._survey = TmuxSurvey(self._client, self._control)

    def insist(self) -> None:
        """See ``DemandingRuntime``."""
        self._client.check_installed()

    def start(self, launch: LaunchSpec) -> RuntimeHandle:
        """Start the agent in a session of its own, or in the dead pane of an
        earlier launch, or find it.
        """
        self._client.check_installed()
        name = named(launch.name)
        row = self._begun_or_found(launch, name)
        self._panes[launch.name] = row.pane_id
        return self._handle(row.pane)

    def _begun_or_found(self, launch: LaunchSpec, name: str) -> PaneRow:
        """Once more where the server ended with its last session as it was asked: it has begun
        nothing then, or it is found.
        """
        for pause in BETWEEN:
            try:
                return self._at_once(launch) or self._found_or_begun(launch, self._find(name))
            except ServerEnded:
                time.sleep(pause)
        return self._found_or_begun(launch, self._find(name))

    def survey(self) -> Mapping[str, Pane]:
        """Every terminal, by one ``list-panes -a``; a server whose socket was taken away is
        asked for another first.
        """
        listing = self._survey.listing(next(iter(self._panes), None))
        rows = rows_of(self._machine, listing or "")
        self._panes = {row.pane.name: row.pane_id for row in rows}
        return {row.pane.name: row.pane for row in rows}

    def screens(self, names: Sequence[str], lines: int = 50) -> Mapping[str, str]:
        """The visible lines of these terminals, by one tmux command once a survey has seen them."""
        shown = self._captured(names, "#{session_name}", "capture-pane -p")
        return {name: last_lines(rows, lines) for name, (_, rows) in shown.items()}

    def views(self, names: Sequence[str]) -> Mapping[str, View]:
        """The whole screens with their cursors, by one tmux command once a survey has seen them."""
        shown = self._captured(names, PANE_CURSOR, VIEW)
        return {name: view_of(told, rows) for name, (told, rows) in shown.items()}

    def foreseen(self, name: str) -> Questions:
        """See ``ForeseeableRuntime``."""
        pane = self._panes.get(name)
        if pane is None or not self._machine.name:
            return NOTHING_ASKED
        mark = self._marks[name] = secrets.token_hex(16)
        script = capturing([pane], mark, PANE_CURSOR, VIEW)
        return Questions(commands=[self._client.command(_SCRIPT, script, only_reads=True)])

    def foreseen_survey(self) -> Questions:
        """See ``ForeseeableRuntime``."""
        return Questions(commands=[self._survey.command]) if self._machine.name else NOTHING_ASKED

    def _captured(
        self, names: Sequence[str], telling: str, capture: str
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
        ahead = self._marks.pop(names[0], None) if len(names) == 1 else None
        mark = ahead or secrets.token_hex(16)
        script = capturing(wanted.values(), mark, telling, capture)
        done = self._client.run(_SCRIPT, script, only_reads=True)
        if done.code != 0:
            self._client.insist_absent(done)
        shown = sections_of(done.stdout.decode(errors="replace"), mark)
        return {name: shown[name] for name in wanted if name in shown}

    def output(self, handle: RuntimeHandle, lines: int) -> str:
        """The last lines with what scrolled away, wrapped lines joined."""
        pane = self._pane(handle)
        text = self._client.ask(["capture-pane", "-p", "-J", "-S", f"-{lines}", "-t", pane])
        if text is None:
            raise NotFound(_no_terminal(handle))
        return last_lines(text.split("\n"), lines)

    def paste(self, handle: RuntimeHandle, text: str) -> None:
        """Paste through a tmux buffer: no length, quote or final semicolon is
        lost, and no shell sees it.
        """
        words = pasteable(text)
        buffer = f"ennio-{secrets.token_hex(6)}"
        load = ("load-buffer", "-b", buffer, "-", ";")
        put = f"paste-buffer -d -p -r -b {buffer} -t %s"
        try:
            self._treat(handle, f"copy-mode -q -t %s ; {put}", load, words)
        except NotFound:
            self._client.run(["delete-buffer", "-b", buffer])  # where it came to be loaded
            raise

    def press(self, handle: RuntimeHandle, key: Key) -> None:
        """Press one key, out of copy mode first: a person who scrolled back must not swallow it."""
        self._treat(handle, f"copy-mode -q -t %s ; send-keys -t %s {KEYS[key]}")

    def _treat(
        self, handle: RuntimeHandle, act: str, before: Sequence[str] = (), stdin: bytes = b""
    ) -> None:
        """Do something with the pane (``%s``) of an agent that lives: in one request where it is
        the one that was seen last, which tmux is asked for in the same. Raises NotFound.
        """
        name, seen = named(handle.id), self._panes.get(handle.id)
        for pane in dict.fromkeys((seen, None)):
            words = where_it_lives(name, pane or self._living(handle), act)
            told = self._client.ask([*before, *words], stdin)
            if told is not None and told.strip() != GONE:
                return
        raise NotFound(_no_terminal(handle))

    def stop(self, handle: RuntimeHandle) -> None:
        """Close the session, then end whatever of the agent outlives that; where tmux cannot be
        asked, end the agent all the same.
        """
        pid, born = process_of(handle)
        with self._machine.foreseen(Questions(processes=True)):
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
        self._client.ask(["kill-session", "-t", f"={handle.id}"])
        return held

    def attach_command(self, handle: RuntimeHandle) -> tuple[str, ...]:
        """``tmux attach-session`` on our socket; works inside another tmux too, and wherever the
        person's own tmux keeps its sockets.
        """
        return self._client.attach_words(named(handle.id))

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
            {**self._client.environment(), "TERM": "xterm"},
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
        size = ("-x", str(columns), "-y", str(rows))
        if self._client.ask(["resize-window", "-t", self._pane(handle), *size]) is None:
            raise NotFound(_no_terminal(handle))

    def _send(self, handle: RuntimeHandle, command: str) -> None:
        """Have a command done that answers nothing."""
        told = self._control.ask(named(handle.id), command, self._client.environment())
        if told is not None and told.ok:
            return
        if self._client.ask(command.split(" ")) is None:
            raise NotFound(_no_terminal(handle))

    def _size(self, name: str, pane: str) -> tuple[int, int] | None:
        """The window's; None where it is not there."""
        asked = f"display-message -p -t {pane} '{SIZE}'"
        told = self._control.ask(name, asked, self._client.environment())
        text = (
            told.text
            if told is not None and told.ok
            else self._client.ask(["display-message", "-p", "-t", pane, SIZE])
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
        done = self._client.run(words)
        text = done.stdout.decode(errors="replace")
        if not text.startswith(mark):
            self._client.insist_absent(done)
            raise NotFound(_no_terminal(handle))
        return shot_of(text[len(mark) :])

    def version(self) -> str | None:
        """What ``tmux -V`` says (``3.3a``), or None when it is not installed."""
        return self._client.version() if self._machine.which("tmux") is not None else None

    def _at_once(self, launch: LaunchSpec) -> PaneRow | None:
        """A first launch, begun without a look whether it stands: tmux has no two sessions of one
        name. None where one has to look.
        """
        if launch.number != 1:
            return None
        try:
            with self._machine.gathered():
                command = launching.write_new(self._machine, launch)
                done = self._client.run(words_of(launch, None, command), then=PROCESS)
        except FileExistsError:
            return None
        if done.code != 0 and complaint(done).startswith(_TAKEN):
            launching.withdraw(self._machine, launch)
            return None
        return begun(self._machine, launch, done)

    def _found_or_begun(self, launch: LaunchSpec, row: PaneRow | None) -> PaneRow:
        """The launch if it stands, else begun: in the dead pane of an earlier one, or
        in a session of its own.
        """
        if row is not None and row.pane.number == launch.number:
            launching.tidy(self._machine, launch, None if row.pane.dead else row.pane.pid)
            return row
        if row is not None and (not row.pane.dead or row.pane.number > launch.number):
            raise in_the_way(launch, row)
        command = launching.write(self._machine, launch)
        pane = row.pane_id if row is not None else None
        return begun(self._machine, launch, self._client.run(words_of(launch, pane, command)))

    def _handle(self, pane: Pane) -> RuntimeHandle:
        born = "" if pane.dead or pane.pid is None else single.start_of(self._machine, pane.pid)
        return RuntimeHandle(
            pane.name,
            self.name,
            {"pid": str(pane.pid or ""), "started": born, "number": str(pane.number)},
        )

    def _find(self, name: str) -> PaneRow | None:
        listing = self._client.ask(listed(name), only_reads=True)
        return next(iter(rows_of(self._machine, listing or "")), None)

    def _pane(self, handle: RuntimeHandle) -> str:
        return self._row(handle).pane_id

    def _row(self, handle: RuntimeHandle) -> PaneRow:
        row = self._find(named(handle.id))
        if row is None:
            raise NotFound(_no_terminal(handle))
        return row

    def _living(self, handle: RuntimeHandle) -> str:
        row = self._row(handle)
        if row.pane.dead:
            raise NotFound(
                f"the agent of session {handle.id} has ended; nothing reads its terminal"
            )
        return row.pane_id

    def shutdown(self) -> None:
        """End the kept client; agents and their server go on."""
        self._control.close()


def _no_terminal(handle: RuntimeHandle) -> str:
    return f"session {handle.id} has no terminal in tmux"
