"""Agents' terminals: watched over a WebSocket, seen as text, and typed into by whoever has
control.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import falcon

from ennio.actors.orchestrator import ControlView
from ennio.http.envelope import answer
from ennio.http.openapi.schemas import TEXT
from ennio.http.operation import Operation, Resource, described, operation
from ennio.http.requests import read_body
from ennio.http.styled_runs import runs_of
from ennio.http.terminal_messages import SUBPROTOCOL
from ennio.http.terminal_viewer import TerminalViewer
from ennio.http.websocket import FAILED, WebSocket
from ennio.model.errors import Invalid
from ennio.model.name_field import NameField
from ennio.model.request_fields import ChoiceField, NumberField, TextField

log = logging.getLogger(__name__)
MOST_HISTORY = 2000


class ControlAction(StrEnum):
    """What is wanted with control."""

    TAKE = "take"
    RETURN = "return"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class ControlBody:
    """Take control (as ``by``); give it back, or keep it from whoever asked, by the ``control``
    that was answered when it was taken.
    """

    action: Annotated[ControlAction, ChoiceField(ControlAction)] = ControlAction.TAKE
    by: Annotated[str, NameField(longest=60)] = "a person"
    control: Annotated[str | None, TextField(longest=100)] = None


@dataclass(frozen=True, slots=True)
class ScreenQuery:
    """How many lines above the screen."""

    history: Annotated[int, NumberField(0, MOST_HISTORY)] = 0


@dataclass(frozen=True, slots=True)
class ScreenView:
    """A screen as text: ``lines`` are runs of letters that look alike, the first ``above`` of them
    have scrolled off. ``cursor`` is its column and row where it is shown.
    """

    columns: int
    rows: int
    above: int
    cursor: tuple[int, int] | None
    lines: tuple[tuple[dict[str, Any], ...], ...]


class TerminalResource(Resource):
    """The terminal of a session."""

    @described(
        Operation(
            "Watch its terminal: a WebSocket of the subprotocol `ennio.terminal.v1` "
            "(docs/terminal.md); 426 for a plain request.",
            TEXT,
            media="text/plain",
        )
    )
    def on_get(self, req: falcon.Request, _resp: falcon.Response, session_id: str) -> None:
        """Hand the connection over to one who watches, until they leave."""
        session_id = self._known(session_id)
        rooms = self._context.rooms
        rooms.insist_on_room(session_id)
        _end_looking(req)
        socket = WebSocket.accept(req.env, SUBPROTOCOL)
        rooms.sockets.connections.add(socket)
        try:
            TerminalViewer(
                self._orchestrator, rooms, socket, session_id, self._as_long_as(req)
            ).run()
        except Exception:
            # an answer would be written into what the client takes for frames
            log.exception("a terminal's viewer failed", extra={"session": session_id})
            socket.close(FAILED, "Ennio itself failed; `ennio logs` shows how")
        finally:
            socket.drain()
            rooms.sockets.connections.discard(socket)

    def _as_long_as(self, req: falcon.Request) -> Callable[[], bool]:
        """Whether who was let in would still be: a cookie grows too old."""
        cookies, by_token = dict(req.cookies), req.auth is not None
        return lambda: by_token or self._context.browsers.knows(cookies)

    @operation("Its screen as styled text, with what scrolled off.", ScreenView, query=ScreenQuery)
    def on_get_screen(self, session_id: str, query: ScreenQuery) -> ScreenView:
        """Its screen as it is."""
        shot = self._orchestrator.terminals.shot(self._known(session_id), query.history)
        lines = tuple(tuple(runs) for runs in runs_of(shot.lines))
        cursor = (shot.column, shot.row) if shot.cursor else None
        return ScreenView(shot.columns, shot.rows, shot.above, cursor, lines)

    @described(
        Operation(
            "Take control of its terminal, give it back, or keep it from whoever asked.",
            ControlView | None,
            body=ControlBody,
        )
    )
    def on_post_control(self, req: falcon.Request, resp: falcon.Response, session_id: str) -> None:
        """Take control or give it back; both are events."""
        session_id, body = self._known(session_id), read_body(req, ControlBody)
        terminals = self._orchestrator.terminals
        if body.action is ControlAction.TAKE:
            answer(resp, terminals.take(session_id, body.by, str(req.remote_addr)))
            return
        if body.control is None:
            raise Invalid("control: the answer to `take` said it, and it is wanted here")
        if body.action is ControlAction.RETURN:
            terminals.give_back(session_id, body.control)
        else:
            terminals.keep(session_id, body.control)
        answer(resp, terminals.control(session_id))


def _end_looking(req: falcon.Request) -> None:
    """What is watched for hours is no look that may be answered by what was last known."""
    looking = getattr(req.context, "looking", None)
    if looking is not None:
        looking.__exit__(None, None, None)
        req.context.looking = None
