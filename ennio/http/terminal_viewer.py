"""One who watches an agent's terminal over a WebSocket: what it shows goes out as fast as it is
taken, what is typed comes in from whoever has control.

At most ``CREDIT`` bytes are on their way that were not acknowledged. Who takes nothing for two
seconds is given a new picture instead of what was missed; who does not take that either is let go.
So nobody makes us remember more, and nobody waits for another.
"""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Callable
from typing import Any, assert_never

import gevent
from gevent.event import Event

from ennio.actors.orchestrator import Orchestrator
from ennio.http.send_window import SendWindow, TokenBucket
from ennio.http.styled_runs import Run, runs_of
from ennio.http.terminal_messages import (
    Ack,
    ControlWord,
    Hello,
    Hold,
    TerminalMode,
    Typed,
    WantedSize,
    parse,
)
from ennio.http.terminal_rooms import TerminalRooms
from ennio.http.websocket import GOING_AWAY, POLICY, UNAUTHORIZED, WebSocket, WebSocketClosed
from ennio.model.errors import EnnioError, Invalid, NotFound
from ennio.model.session import Session, SessionStatus
from ennio.model.terminal_view import TerminalOutput

BEHIND = 2.0
"""Seconds without credit after which one begins anew."""
PATIENCE = 30.0
"""Seconds in which a new picture must have been taken."""
PING = 20.0
GRACE = 15.0
"""Seconds for which control stays with somebody whose connection was cut."""
_WAIT = 20.0
_FRAME = 0.1  # seconds between two screens
_LAST = 0.5  # seconds in which what a terminal put out last has come
_SIZES = 0.5  # seconds between two changes of size
_MESSAGES = 1000
"""Messages a second that a client may go on sending; twice as many at once."""
_OFFSET = struct.Struct(">Q")


class TerminalViewer:
    """See the module; ``run`` serves it to its end."""

    def __init__(
        self,
        orchestrator: Orchestrator,
        rooms: TerminalRooms,
        socket: WebSocket,
        session_id: str,
        is_let_in: Callable[[], bool],
    ) -> None:
        self._is_let_in = is_let_in
        self.session_id = session_id
        self._terminals = orchestrator.terminals
        self._sessions = orchestrator.sessions
        self._rooms = rooms
        self._socket = socket
        self._window = SendWindow()
        self._control: str | None = None
        self._size = (0, 0)
        self._resized_at = 0.0
        self._resizing: Any = None
        self._stream, self._offset = "", 0
        self._flowing = Event()
        self._flowing.set()
        self._dirty = Event()
        self._over = False

    def run(self) -> None:
        """Serve until one of both leaves."""
        code = GOING_AWAY
        writers: list[Any] = []
        try:
            hello = self._hello()
            self._rooms.enter(self)
            shows = self._show_bytes if hello.mode is TerminalMode.BYTES else self._show_screen
            writers = [gevent.spawn(self._guarded, shows, hello), gevent.spawn(self._tell_state)]
            self._listen()
        except WebSocketClosed as closed:
            code = closed.code
        except Invalid as error:
            self._socket.close(POLICY, str(error))
        finally:
            gevent.killall(writers)
            self._rooms.leave(self)
            self._let_go(code)

    # --- what comes in ----------------------------------------------------------------------------

    def _hello(self) -> Hello:
        first = self._socket.receive(PING)
        told = None if first is None else parse(first)
        if not isinstance(told, Hello):
            raise Invalid("the first message is a hello")
        if told.control is not None:
            self._bind(told.control)
        return told

    def _listen(self) -> None:
        bucket = TokenBucket(_MESSAGES, 2 * _MESSAGES, time.monotonic())
        looked_at = time.monotonic()
        while True:
            if time.monotonic() - looked_at >= PING:
                looked_at = time.monotonic()
                if not self._is_let_in():
                    self._socket.close(UNAUTHORIZED, "log in again: the cookie is too old")
                    return
            message = self._socket.receive(PING)
            if message is not None:
                if not bucket.take(time.monotonic()):
                    raise Invalid(f"more than {_MESSAGES} messages a second")
                self._take(message)
            elif self._socket.heard_within(3 * PING):
                self._socket.ping()
            else:
                raise WebSocketClosed(1006)

    def _take(self, message: str | bytes) -> None:
        match parse(message):
            case Hello():
                raise Invalid("a hello is said once")
            case Ack(offset):
                self._window.ack(offset)
            case WantedSize(cols, rows):
                self._resize(cols, rows)
            case Typed() as typed:
                self._type(typed)
            case ControlWord() as word:
                self._heed(word)
            case Hold(on):
                self._flowing.clear() if on else self._flowing.set()
            case unknown:
                assert_never(unknown)

    def _type(self, typed: Typed) -> None:
        told = {} if typed.id is None else {"id": typed.id}
        try:
            self._terminals.type(
                self.session_id, self._control or "", typed.data, paste=typed.paste
            )
        except EnnioError as error:
            self._say("refused", **told, error=str(error))
            return
        if told:
            self._say("typed", **told)

    def _resize(self, cols: int, rows: int) -> None:
        """At most twice a second, the last one wins."""
        if self._resizing is not None:
            self._resizing.kill()
        pause = max(0.0, self._resized_at + _SIZES - time.monotonic())
        self._resizing = gevent.spawn_later(pause, self._resize_now, cols, rows)

    def _resize_now(self, cols: int, rows: int) -> None:
        self._resized_at = time.monotonic()
        try:
            self._terminals.resize(self.session_id, self._control or "", cols, rows)
        except EnnioError as error:
            self._say("refused", error=str(error))

    def _heed(self, word: ControlWord) -> None:
        try:
            if word.control is not None:
                self._bind(word.control)
            elif word.give and self._control is not None:
                self._terminals.give_back(self.session_id, self._control)
            elif word.keep:
                self._terminals.keep(self.session_id, self._control or "")
        except EnnioError as error:
            self._say("refused", error=str(error))

    def _bind(self, control: str) -> None:
        """This connection is that of whoever took control."""
        self._control = control
        self.changed()

    def _let_go(self, code: int) -> None:
        """Whoever leaves gives control back; who was cut off may come again."""
        control = self._control
        if control is None:
            return
        why = "the page was left"
        if code in (1000, GOING_AWAY):
            self._terminals.give_back(self.session_id, control, why)
        else:
            gevent.spawn_later(GRACE, self._give_back_unless_bound, control)

    def _give_back_unless_bound(self, control: str) -> None:
        if not self._rooms.has_bound(self.session_id, control):
            self._terminals.give_back(self.session_id, control, "the connection was cut")

    def has_control(self, control: str) -> bool:
        """Whether this connection types with it."""
        return self._control == control

    # --- what goes out ----------------------------------------------------------------------------

    def changed(self) -> None:
        """See ``Viewer``."""
        self._dirty.set()

    def finished(self) -> None:
        """See ``Viewer``."""
        self._dirty.set()

    def _guarded(self, show: Any, hello: Hello) -> None:
        """What ends the showing is said, and the connection is over."""
        try:
            show(hello)
        except NotFound as error:
            self._end(str(error))
        except EnnioError as error:
            self._socket.close(POLICY, str(error))
        except WebSocketClosed:
            pass  # whoever reads from it hears of that too

    def _show_bytes(self, hello: Hello) -> None:
        stream, offset = hello.stream, hello.offset
        self._window.begin(offset, 0)
        while True:
            self._flowing.wait()
            if not self._window.wait(PATIENCE if self._window.picture else BEHIND):
                if self._window.picture:
                    self._socket.close(POLICY, f"nothing was taken for {PATIENCE:g} s")
                    return
                out = self._terminals.watch(self.session_id, None, 0, 0)
                skipped = out.offset - self._window.sent if out.stream == stream else 0
                self._say("skip", bytes=max(skipped, 0))
            else:
                out = self._terminals.watch(self.session_id, stream, offset, _WAIT)
                if out.skipped:
                    self._say("skip", bytes=out.skipped)
            self._send(out)
            stream, offset = out.stream, out.following
            if out.ended or self._is_done(out):
                self._end("its terminal is closed" if out.ended else "")
                return

    def _send(self, out: TerminalOutput) -> None:
        size = (out.columns, out.rows)
        self._stream = out.stream
        if out.whole:
            self._window.begin(out.offset, len(out.data))
        self._offset = self._window.sent = out.following
        if size != self._size:
            self._size = size
            self._say_state()
        if out.whole:
            self._say("picture", stream=out.stream, offset=out.offset, cols=size[0], rows=size[1])
        if out.data or out.whole:
            self._socket.send(_OFFSET.pack(out.offset) + out.data)

    def _show_screen(self, _hello: Hello) -> None:
        stream: str | None = None
        offset, shown = 0, list[list[Run]]()
        out = self._terminals.watch(self.session_id, None, 0, 0)
        while True:
            self._flowing.wait()
            stream, offset = out.stream, out.following
            shown = self._send_screen((stream, offset), shown)
            if out.ended or self._is_done(out):
                self._end("its terminal is closed" if out.ended else "")
                return
            begun = time.monotonic()
            out = self._terminals.watch(self.session_id, stream, offset, _WAIT)
            gevent.sleep(max(0.0, begun + _FRAME - time.monotonic()))
            while out.data and not out.whole and not out.ended:
                more = self._terminals.watch(self.session_id, out.stream, out.following, 0)
                if not more.data:
                    break
                out = more

    def _send_screen(self, at: tuple[str, int], before: list[list[Run]]) -> list[list[Run]]:
        shot = self._rooms.shot(self.session_id, at)
        lines = runs_of(shot.lines)
        size = (shot.columns, shot.rows)
        self._stream, self._offset = at
        if size != self._size:
            self._size, before = size, []
            self._say_state()
        changed = {
            str(row): line
            for row, line in enumerate(lines)
            if row >= len(before) or before[row] != line
        }
        cursor = [shot.column, shot.row] if shot.cursor else None
        self._say("screen", cursor=cursor, lines=changed)
        return lines

    def _tell_state(self) -> None:
        """Say what all have in common whenever it is another."""
        while True:
            self._dirty.wait()
            self._dirty.clear()
            try:
                self._tell_once()
            except WebSocketClosed:
                return

    def _tell_once(self) -> None:
        if self._size == (0, 0):
            return  # the first thing that is shown says it
        session = self._session()
        if session is None or _is_over(session):
            gevent.sleep(_LAST)
            self._end()
        else:
            self._say_state()

    def _say_state(self) -> None:
        cols, rows = self._size
        held = self._terminals.control(self.session_id)
        mine = self._control is not None and self._terminals.holds(self.session_id, self._control)
        control = held and {
            "holder": held.holder,
            "mine": mine,
            "since": held.since.isoformat(),
            "asked_by": held.asked_by,
        }
        session = self._session()
        self._say(
            "state",
            cols=cols,
            rows=rows,
            stream=self._stream,
            offset=self._offset,
            control=control,
            viewers=self._rooms.viewers(self.session_id),
            alive=session is not None and not _is_over(session),
            read_only=self._terminals.read_only,
        )

    def _session(self) -> Session | None:
        try:
            return self._sessions.need(self.session_id)
        except EnnioError:
            return None

    def _is_done(self, out: TerminalOutput) -> bool:
        """Whether there is nothing more to come from a session that is over."""
        if out.data and not out.whole:
            return False
        session = self._session()
        return session is None or _is_over(session)

    def _end(self, reason: str = "") -> None:
        session = self._session()
        status = None if session is None else session.status.value
        reason = reason or _last_words(session)
        self._say("end", reason=reason, status=status)
        self._socket.close(1000, reason)

    def _say(self, kind: str, **told: Any) -> None:
        self._socket.send(json.dumps({"type": kind, **told}, separators=(",", ":")))


def _last_words(session: Session | None) -> str:
    """Why nothing more comes; an agent that has ended may be started again."""
    if session is None:
        return "the session is gone"
    if session.status is SessionStatus.EXITED:
        return "its agent has ended"
    return f"the session is over: it is {session.status}"


def _is_over(session: Session) -> bool:
    return session.status.terminal or session.status is SessionStatus.EXITED
