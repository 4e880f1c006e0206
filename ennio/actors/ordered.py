"""Orders over NATS: let in by their signature, carried out once, answered as the API answers."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from ennio.actors.dependencies import Dependencies
from ennio.actors.orchestrator.sessions import SessionApi
from ennio.actors.spawning import SpawnRequest
from ennio.model.codec import shown
from ennio.model.errors import Conflict, EnnioError, NotFound, Unauthorized
from ennio.model.request_body import read_object
from ennio.model.request_fields import BODY_LIMIT, IdField, TextField
from ennio.model.signed_command import FRESH, SignedCommand, authentic, understood

log = logging.getLogger(__name__)
NONCES = "nats_nonces"
"""Under this name in the store: the nonces of the last minutes, each with when it is forgotten."""
BY = "a person, over NATS"
_WARN_EVERY = 60.0


@dataclass(frozen=True, slots=True)
class NoArguments:
    """What an order carries that needs nothing."""


@dataclass(frozen=True, slots=True)
class OfSession:
    """Which session an order is for."""

    session_id: Annotated[str, IdField()]


@dataclass(frozen=True, slots=True)
class SendOrder:
    """What a session is told."""

    session_id: Annotated[str, IdField()]
    message: Annotated[str, TextField(longest=BODY_LIMIT)]


@dataclass(slots=True)
class CommandDoor:
    """Lets orders in and carries them out. ``stop`` ends the supervisor."""

    deps: Dependencies
    sessions: SessionApi
    token: str = field(repr=False)
    stop: Callable[[], None] = field(repr=False)
    _warned: float = float("-inf")

    def let_in(self, command: str, raw: bytes) -> str | None:
        """The text that was signed; None for what nobody signed, of which nothing is answered:
        it may be for another supervisor.
        """
        try:
            return authentic(self.token, raw)
        except Unauthorized as error:
            self._warn(command, error)
            return None

    def carry_out(self, command: str, body: str) -> dict[str, Any]:
        """Do what was ordered, and give the answer; what is wrong is one too."""
        try:
            order = understood(body, command, self.deps.clock.now())
            self._once(order)
            return {"data": self._do(order)}
        except EnnioError as error:
            return {"error": str(error), "code": error.http_status}

    def _once(self, order: SignedCommand) -> None:
        """Write its nonce down before anything is done. Raises Conflict for one that was used."""
        now, meta = self.deps.clock.now(), self.deps.store.meta
        with self.deps.store.transaction():
            known = _known(meta.get(NONCES), now)
            if order.nonce in known:
                raise Conflict("nonce: this order was taken already; sign a new one")
            until = (order.at + 2 * FRESH).timestamp()
            meta.set(NONCES, json.dumps(known | {order.nonce: until}))

    def _do(self, order: SignedCommand) -> Any:
        match order.command:
            case "shutdown":
                read_object(NoArguments, order.arguments)
                return "stopping"  # done once that is answered
            case "spawn":
                made = self.sessions.spawn(read_object(SpawnRequest, order.arguments))
                return shown(self.sessions.detail(made.id))
            case "send":
                wish = read_object(SendOrder, order.arguments)
                return shown(self.sessions.send(wish.session_id, wish.message))
            case "kill":
                self.sessions.kill(read_object(OfSession, order.arguments).session_id, by=BY)
                return "killed"
            case "restore":
                made = self.sessions.restore(read_object(OfSession, order.arguments).session_id)
                return shown(self.sessions.detail(made.id))
        raise NotFound(
            f"there is no command {order.command!r}; "
            "there are: shutdown, spawn, send, kill, restore"
        )

    def _warn(self, command: str, error: Unauthorized) -> None:
        now = self.deps.clock.running()
        if now - self._warned >= _WARN_EVERY:
            self._warned = now
            log.warning("passed over a command", extra={"command": command[:40], "why": str(error)})


def _known(text: str | None, now: datetime) -> dict[str, float]:
    found: dict[str, float] = json.loads(text) if text else {}
    return {nonce: until for nonce, until in found.items() if until > now.timestamp()}
