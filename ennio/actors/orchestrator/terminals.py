"""Agents' terminals, as people watch them and type into them from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ennio.actors import awaited_host
from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import MessageQueued
from ennio.actors.registry import session_name
from ennio.actors.session_context import context
from ennio.actors.terminal_control import TerminalControl
from ennio.model.errors import Conflict, NotFound, Refused
from ennio.model.events import Draft, EventType
from ennio.model.failpoints import failpoint
from ennio.model.session import Activity, Session
from ennio.model.terminal_view import COLUMNS, ROWS, TerminalOutput, TerminalShot

_ANSWERS = re.compile(rb"[0-9ynYN\r]")
"""What answers a question that a terminal shows."""


@dataclass(frozen=True, slots=True)
class ControlView:
    """Who has control of a terminal. ``control`` is the secret by which it is used: only whoever
    took it is told.
    """

    session_id: str
    holder: str
    since: datetime
    until: datetime
    asked_by: str | None = None
    control: str | None = None


@dataclass(frozen=True, slots=True)
class TerminalApi:
    """What is seen of them, and who may type. Raises NotFound where there is no terminal, Refused
    where it may not be, or cannot be watched.
    """

    deps: Dependencies

    @property
    def read_only(self) -> bool:
        """Whether the configuration lets nobody type."""
        return self.deps.config.terminal.read_only

    def watch(
        self, session_id: str, stream: str | None, offset: int, timeout: float
    ) -> TerminalOutput:
        """What a terminal put out after an offset of a stream; see ``Host.watch``."""
        at = context(self.deps, self._with_terminal(session_id))
        return at.host.watch(at.brief, stream, offset, timeout)

    def shot(self, session_id: str, history: int) -> TerminalShot:
        """Its screen, with so many lines above it."""
        at = context(self.deps, self._with_terminal(session_id))
        return at.host.shot(at.brief, history)

    # --- control ----------------------------------------------------------------------------------

    def control(self, session_id: str) -> ControlView | None:
        """Who has control."""
        held = self.deps.terminal_controls.of(session_id)
        return None if held is None else _view(session_id, held)

    def holds(self, session_id: str, control: str) -> bool:
        """Whether this is the secret of whoever has control."""
        held = self.deps.terminal_controls.of(session_id)
        return held is not None and held.is_theirs(control)

    def listen(self, listener: Callable[[str], None]) -> None:
        """Have it told the id of every session whose control changed."""
        self.deps.terminal_controls.listeners.append(listener)

    @failpoint("order.take_control", because="kept in memory alone; the event is of no use to it")
    def take(self, session_id: str, who: str, place: str) -> ControlView:
        """Take control of a terminal. Raises Conflict where another has it, or nobody is there."""
        session = self._with_terminal(session_id)
        if self.read_only:
            raise Refused(
                "terminals are read only here; `terminal: {read_only: false}` in the "
                "configuration changes that"
            )
        if session.activity is Activity.EXITED or session.status.terminal:
            raise Conflict(f"session {session_id} is {session.status}; nobody reads its terminal")
        taken = self.deps.terminal_controls.take(session, who, place)
        return _view(session_id, taken, taken.id)

    @failpoint("order.return_control", because="kept in memory alone, and no more is owed")
    def give_back(self, session_id: str, control: str, why: str = "given back") -> None:
        """Give control back; what waits for that is delivered then."""
        session = self.deps.store.sessions.need(session_id)
        if self.deps.terminal_controls.give_back(session, control, why):
            self.deps.actors.tell(session_name(session_id), MessageQueued())

    def keep(self, session_id: str, control: str) -> None:
        """Answer whoever asked for control: not now."""
        self.deps.terminal_controls.keep(session_id, control)

    @failpoint("order.type", because="what a person types; nothing is written, none repeats it")
    def type(self, session_id: str, control: str, data: bytes, *, paste: bool = False) -> None:
        """Type into a terminal. Raises Conflict for whoever has no control."""
        self.deps.terminal_controls.insist(session_id, control)
        session = self._with_terminal(session_id)
        at = context(self.deps, session)
        at.host.type_keys(at.brief, data, paste=paste)
        if session.activity is Activity.WAITING_INPUT and not paste and _ANSWERS.search(data):
            self._note_answer(session)

    @failpoint("order.resize", because="a person's order; the next one says it again")
    def resize(self, session_id: str, control: str, columns: int, rows: int) -> None:
        """Give a terminal another size, the nearest there may be."""
        self.deps.terminal_controls.insist(session_id, control)
        at = context(self.deps, self._with_terminal(session_id))
        at.host.resize(at.brief, _within(columns, COLUMNS), _within(rows, ROWS))

    def _note_answer(self, session: Session) -> None:
        """A person answers the question on the screen by its own keys."""
        held = self.deps.terminal_controls.of(session.id)
        words = f"{held.holder if held else 'a person'} answered its question in the terminal"
        draft = Draft(EventType.SESSION_STEP, words, data={"step": "answered", "in": "terminal"})
        with self.deps.store.transaction() as tx:
            tx.emit(session.id, session.project_id, draft)

    def _with_terminal(self, session_id: str) -> Session:
        session = self.deps.store.sessions.need(session_id)
        if session.runtime_handle is None:
            raise NotFound(f"session {session_id} has no terminal (status {session.status})")
        awaited_host.hurry(self.deps, session)
        return session


def _view(session_id: str, held: TerminalControl, control: str | None = None) -> ControlView:
    return ControlView(session_id, held.holder, held.since, held.idle_at, held.asked_by, control)


def _within(wanted: int, possible: range) -> int:
    return min(max(wanted, possible.start), possible.stop - 1)
