"""Who watches which agent's terminal: bounds their number, and tells all who watch one what they
have in common: how many they are, who has control, that it is over.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import falcon
import gevent

from ennio.actors.orchestrator import Orchestrator
from ennio.http.websocket import WebSocketConnections
from ennio.model.terminal_view import TerminalShot

MOST_VIEWERS = 8
_LISTENED = 15.0


class Viewer(Protocol):
    """One who watches. Both are called in passing, and do not block."""

    session_id: str

    def changed(self) -> None:
        """What all have in common is another."""
        ...

    def finished(self) -> None:
        """The session may be over."""
        ...

    def has_control(self, control: str) -> bool:
        """Whether it types with this."""
        ...


class TerminalRooms:
    """All who watch, by session."""

    def __init__(self, orchestrator: Orchestrator, sockets: WebSocketConnections) -> None:
        self.sockets = sockets
        self._orchestrator = orchestrator
        self._rooms: dict[str, list[Viewer]] = {}
        self._shots: dict[str, tuple[tuple[str, int], TerminalShot]] = {}
        self._listening: Any = None
        orchestrator.terminals.listen(self._tell)

    def insist_on_room(self, session_id: str) -> None:
        """Raise, and say why, where no further one can be taken."""
        if self.sockets.full:
            text = f"{self.sockets.open} terminals are watched already, or the server is stopping"
        elif self.viewers(session_id) >= MOST_VIEWERS:
            text = f"{MOST_VIEWERS} watch the terminal of session {session_id} already"
        else:
            return
        raise falcon.HTTPServiceUnavailable(description=f"{text}; try again later", retry_after=5)

    def viewers(self, session_id: str) -> int:
        """How many watch a session."""
        return len(self._rooms.get(session_id, ()))

    def has_bound(self, session_id: str, control: str) -> bool:
        """Whether somebody who watches types with this."""
        return any(viewer.has_control(control) for viewer in self._of(session_id))

    def enter(self, viewer: Viewer) -> None:
        """One more."""
        self._rooms.setdefault(viewer.session_id, []).append(viewer)
        if self._listening is None or self._listening.dead:
            self._listening = gevent.spawn(self._listen)
        self._tell(viewer.session_id)

    def leave(self, viewer: Viewer) -> None:
        """One less."""
        room = self._rooms.get(viewer.session_id, [])
        if viewer in room:
            room.remove(viewer)
        if not room:
            self._rooms.pop(viewer.session_id, None)
            self._shots.pop(viewer.session_id, None)
        self._tell(viewer.session_id)

    def shot(self, session_id: str, at: tuple[str, int]) -> TerminalShot:
        """The screen as it was there in its stream, taken once for all who show it so."""
        kept = self._shots.get(session_id)
        if kept is not None and kept[0] == at:
            return kept[1]
        shot = self._orchestrator.terminals.shot(session_id, 0)
        self._shots[session_id] = at, shot
        return shot

    def _tell(self, session_id: str) -> None:
        for viewer in self._of(session_id):
            viewer.changed()

    def _of(self, session_id: str) -> Iterable[Viewer]:
        return tuple(self._rooms.get(session_id, ()))

    def _listen(self) -> None:
        """Hear of sessions that end, for as long as anybody watches one."""
        log = self._orchestrator.events
        seq = log.last_seq()
        while self._rooms and not self.sockets.closing:
            for event in log.wait(seq, _LISTENED):
                seq = event.seq
                for viewer in self._of(event.session_id):
                    viewer.finished()
