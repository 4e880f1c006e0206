"""Passes the event log on to NATS: in its order, nothing left out, whatever becomes of the server.

One connection, opened beside the mailbox and opened again after a pause when it is lost.
Somebody attends to it all the time; batches are published through it, and the cursor moves once
the server has taken one. After a crash, or where no answer came, a batch is published again: its
events have the ``id`` they had.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pykka

from ennio.actors.dependencies import Dependencies
from ennio.actors.follower import FollowerActor
from ennio.actors.live_rows import LiveRows
from ennio.actors.messages import (
    EffectResult,
    GetHealth,
    GetRelayState,
    PublishRows,
    SessionWritten,
)
from ennio.actors.ordered import CommandDoor
from ennio.actors.poller import SourceHealth
from ennio.actors.relay_state import RelayState, behind_by
from ennio.actors.timers import Alarm
from ennio.model import subjects
from ennio.model.errors import EnnioError, Unreachable
from ennio.model.events import EncodedEvent
from ennio.model.failpoints import failpoint, seconds
from ennio.model.plural import number_of
from ennio.nats import jetstream
from ennio.nats.connecting import connected
from ennio.nats.fitting import answer_payload, event_payload
from ennio.nats.jetstream import EventStream
from ennio.nats.protocol import MOST_BYTES, Incoming, Outgoing, overhead, publication
from ennio.nats.settings import NatsSettings

if TYPE_CHECKING:
    from ennio.nats.connection import NatsConnection


@dataclass(frozen=True, slots=True)
class OpenLink:
    """A connection is being made."""


@dataclass(frozen=True, slots=True)
class CarryOutCommand:
    """An order that was signed; ``reply`` is where its answer is wanted."""

    command: str
    body: str
    reply: str


@dataclass(frozen=True, slots=True)
class AttendLink:
    """Somebody hears what the server says."""

    link: NatsConnection


class RelayActor(FollowerActor[EncodedEvent]):
    """See above."""

    batch = 1000  # each is waited for once, and moves the cursor once
    first_pause = seconds(1.0, shortened=0.2)
    longest_pause = 30.0

    def __init__(
        self,
        deps: Dependencies,
        name: str,
        watcher: pykka.ActorRef[Any] | None,
        settings: NatsSettings,
        door: CommandDoor | None = None,
    ) -> None:
        super().__init__(deps, name, watcher)
        self._settings = settings
        self._door = door
        self._link: NatsConnection | None = None
        self._stream = EventStream()
        self._opening = False
        self._rows = LiveRows(deps, settings.instance)
        self._row_alarm = Alarm(self, deps.clock, PublishRows())

    def on_stop(self) -> None:
        """Say goodbye; what was not published is at the next start."""
        self._row_alarm.cancel()
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
            case SessionWritten(session):
                self._rows.written(session)
                self._row_alarm.set(self._rows.due)
            case PublishRows():
                self._publish_rows()
            case EffectResult(PublishRows()):
                pass
            case CarryOutCommand():
                self.perform(message, lambda: self._carry_out(message))
            case EffectResult(CarryOutCommand("shutdown"), {"data": _}, _) if self._door:
                self._door.stop()
            case EffectResult(CarryOutCommand()):
                pass
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

    def read(self, after: int) -> Sequence[EncodedEvent]:
        """The next of all events."""
        return self._deps.store.events.encoded_after(after, self.batch)

    @failpoint("relay.publish")
    def handle(self, events: Sequence[EncodedEvent]) -> None:
        """Publish them."""
        link = self._link
        if link is None:
            raise Unreachable(self.health.detail)
        most = min(link.most_bytes, self._stream.most_bytes or link.most_bytes)
        made = (self._outgoing(event, most, headers=link.headers) for event in events)
        if self._stream.name:
            link.publish_kept(made)
        else:
            link.publish_all(made)

    def _outgoing(self, event: EncodedEvent, most: int, *, headers: bool) -> Outgoing:
        message_id = event.id if headers else ""
        return Outgoing(
            subjects.subject(event, self._settings.instance),
            event_payload(event.payload, most - overhead(message_id)),
            message_id,
        )

    def _open(self) -> tuple[NatsConnection, EventStream]:
        link = connected(self._settings)
        try:
            if self._door is not None:
                link.listen(subjects.commands(self._settings.instance), self._heard_command)
            return link, jetstream.stream(link, self._settings)
        except BaseException:
            link.close()
            raise

    def _publish_rows(self) -> None:
        """Publish what sessions have become; while nobody is there to hear it, it is let go."""
        link = self._link
        rows = self._rows.taken(MOST_BYTES if link is None else link.most_bytes)
        if link is not None and rows:
            self.perform(PublishRows(), lambda: link.send(b"".join(map(publication, rows))))

    def _heard_command(self, message: Incoming) -> None:
        """Runs where it is read: what nobody signed goes no further."""
        command = message.subject.rpartition(".")[2]
        body = None if self._door is None else self._door.let_in(command, message.payload)
        if body is not None and not self.actor_stopped.is_set():
            self.actor_ref.tell(CarryOutCommand(command, body, message.reply))

    def _carry_out(self, order: CarryOutCommand) -> dict[str, Any]:
        """Do it and answer it; a lost answer undoes nothing."""
        if self._door is None:
            raise Unreachable("nobody takes orders here")
        answer = self._door.carry_out(order.command, order.body)
        link = self._link
        if order.reply and link is not None:
            words = answer_payload(answer, link.most_bytes)
            with suppress(EnnioError):
                link.send(publication(Outgoing(order.reply, words)))
        return answer

    def _opened(
        self, made: tuple[NatsConnection, EventStream] | None, error: EnnioError | None
    ) -> None:
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
        behind = behind_by(self._deps)
        if self._link is None or not self.health.ok:
            return RelayState("down", behind, self.health.detail or "not connected yet")
        return RelayState("lagging" if behind else "connected", behind, "", self._stream.name)

    def _as_source(self) -> SourceHealth:
        state = self._state()
        down = state.state == "down"
        events = "events" if state.behind is None else number_of(state.behind, "event")
        detail = f"{events} not on the server yet: {state.detail}" if down else ""
        return replace(self.health, ok=not down, detail=detail)
