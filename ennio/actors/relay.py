"""Passes the event log on to NATS: in its order, nothing left out, whatever becomes of the server.

One connection, opened beside the mailbox and opened again after a pause when it is lost.
Somebody attends to it all the time; batches are published through it, and the cursor moves once
the server has taken one. After a crash, or where no answer came, a batch is published again: its
events have the ``id`` they had.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pykka

from ennio.actors.dependencies import Dependencies
from ennio.actors.follower import FollowerActor
from ennio.actors.messages import EffectResult, GetHealth, GetRelayState
from ennio.actors.poller import SourceHealth
from ennio.actors.registry import RELAY
from ennio.model import subjects
from ennio.model.errors import EnnioError, Unreachable
from ennio.model.events import Event
from ennio.model.failpoints import seconds
from ennio.nats import jetstream
from ennio.nats.connecting import connected
from ennio.nats.settings import NatsSettings

if TYPE_CHECKING:
    from ennio.nats.connection import NatsConnection

_FRAME = 1024  # what an event may take beside its message and data


@dataclass(frozen=True, slots=True)
class RelayState:
    """How it is doing: ``connected``, ``lagging`` or ``down``, by how many
    events it is behind, and why.
    """

    state: str
    behind: int
    detail: str = ""
    stream: str = ""


@dataclass(frozen=True, slots=True)
class OpenLink:
    """A connection is being made."""


@dataclass(frozen=True, slots=True)
class AttendLink:
    """Somebody hears what the server says."""

    link: NatsConnection


class RelayActor(FollowerActor):
    """See above."""

    batch = 500
    first_pause = seconds(1.0, shortened=0.2)
    longest_pause = 30.0

    def __init__(
        self,
        deps: Dependencies,
        name: str,
        watcher: pykka.ActorRef[Any] | None,
        settings: NatsSettings,
    ) -> None:
        super().__init__(deps, name, watcher)
        self._settings = settings
        self._link: NatsConnection | None = None
        self._stream = ""
        self._opening = False

    def on_stop(self) -> None:
        """Say goodbye; what was not published is at the next start."""
        if self._link is not None:
            self._link.close()
        super().on_stop()

    def on_receive(self, message: Any) -> Any:
        """The connection stands or is lost, or what a follower hears."""
        match message:
            case EffectResult(OpenLink(), made, error):
                self._opened(made, error)
            case EffectResult(AttendLink(link), _, error):
                self._lost(link, error)
            case GetRelayState():
                return self._state()
            case GetHealth():
                return self._as_source()
            case _:
                return super().on_receive(message)
        return None

    def ready(self) -> bool:
        """Whether there is a connection; where there is none, one is made."""
        if self._link is None and not self._opening:
            self._opening = True
            self.perform(OpenLink(), self._open)
        return self._link is not None

    def handle(self, events: Sequence[Event]) -> None:
        """Publish them."""
        from ennio.nats.connection import Outgoing  # noqa: PLC0415 - an extra; here it is there

        link = self._link
        if link is None:
            raise Unreachable(self.health.detail)
        instance, most, kept = self._settings.instance, link.most_bytes, bool(self._stream)
        link.publish_all(
            [
                Outgoing(
                    subjects.subject(event, instance),
                    payload(event, most),
                    event.id if link.headers else "",
                )
                for event in events
            ],
            kept=kept,
        )

    def _open(self) -> tuple[NatsConnection, str]:
        link = connected(self._settings)
        try:
            return link, jetstream.stream(link, self._settings)
        except BaseException:
            link.close()
            raise

    def _opened(self, made: tuple[NatsConnection, str] | None, error: EnnioError | None) -> None:
        self._opening = False
        if made is None:
            self._troubled(error)
            return
        self._link, self._stream = link, _ = made
        self.health.ok, self.health.detail = True, ""
        self._failures, self._pause = 0, None
        self.perform(AttendLink(link), link.attend)
        self._next()

    def _lost(self, link: NatsConnection, error: EnnioError | None) -> None:
        if link is self._link:
            self._link = None
            self._troubled(error)

    def _troubled(self, error: EnnioError | None) -> None:
        now = self._deps.clock.now()
        self.health.ok, self.health.detail, self.health.at = False, str(error or "ended"), now
        self._wait(now)

    def _state(self) -> RelayState:
        behind = _behind(self._deps)
        if self._link is None or not self.health.ok:
            return RelayState("down", behind, self.health.detail or "not connected yet")
        return RelayState("lagging" if behind else "connected", behind, "", self._stream)

    def _as_source(self) -> SourceHealth:
        state = self._state()
        down = state.state == "down"
        detail = f"{state.behind} events wait for the server: {state.detail}" if down else ""
        return replace(self.health, ok=not down, detail=detail)


def relay_down(deps: Dependencies, why: str) -> RelayState:
    """The state of one that cannot be asked."""
    return RelayState("down", _behind(deps), why)


def _behind(deps: Dependencies) -> int:
    last = deps.store.events.last_seq()
    cursor = deps.store.cursors.get(RELAY)
    return 0 if cursor is None else max(0, last - cursor)


def payload(event: Event, most: int) -> bytes:
    """The JSON of an event; of one that is larger than the server takes,
    without what makes it so.
    """
    whole = event.encode()
    if len(whole) <= most:
        return whole
    words = event.message.encode()[: max(0, most - _FRAME) // 6].decode(errors="ignore")
    short = event.as_json() | {"message": words, "data": {"left_out_bytes": len(whole)}}
    return json.dumps(short, separators=(",", ":")).encode()
