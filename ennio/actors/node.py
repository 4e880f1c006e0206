"""Keeps the way to another machine: connects when a session needs it, looks how it is while one is
there, and tells what becomes of it.

A machine is asked beside the mailbox. Without sessions nobody asks but a person, or who looks at
the list of machines.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, assert_never

import pykka

from ennio.actors.actor import Actor
from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import (
    ConnectNode,
    EffectResult,
    GetHealth,
    GetNode,
    LookNow,
    NodeAwaited,
    NodeDoubted,
    NodeSeen,
    NodeStepped,
    NodeWanted,
    PartNode,
    Ping,
    QueueChanged,
    Wake,
)
from ennio.actors.poller import SourceHealth
from ennio.actors.registry import AGENTS, QUEUE, adopter_name, news_name
from ennio.actors.timers import NextWake
from ennio.hosts.elsewhere import HostOverSsh
from ennio.hosts.interface import Host
from ennio.hosts.node_link import NodeLink
from ennio.machine.ssh.errors import NotReached, needs_a_person
from ennio.model.errors import EnnioError
from ennio.model.node import NodeHealth, NodeState
from ennio.policy import nodes
from ennio.policy.nodes import Answered, ContactWanted, Failed, Heard, Node, Parted, Rested, Stepped

_STALE = 5.0
"""Seconds after which who looks at a machine has it asked again."""
_SETTLED = 1.0
_AWAITED = 6.0
"""Seconds for which a person waits: what is away is tried again and again as long."""
_WAKE, _CONNECT, _LOOK = "wake", "connect", "look"


class NodeActor(Actor):
    """One machine. What it is follows from what is heard, see ``policy/nodes.py``."""

    def __init__(
        self, deps: Dependencies, name: str, watcher: pykka.ActorRef[Any] | None, host: Host
    ) -> None:
        super().__init__(name, watcher)
        self._deps = deps
        self._host = host
        self._link: NodeLink | None = deps.node_links.get(host.name)
        self._node = Node(host.name, self._link is not None)
        self._next = NextWake(self)
        self._effect: Any = None
        self._tried = self._awaited_until = -math.inf
        self._was_seen = False
        """Whether somebody saw it since the effect under way began."""

    def on_start(self) -> None:
        """Connect, if a session is there and no person forbade it."""
        if self._deps.store.meta.get(self._parted) is not None:
            detail = f"a person disconnected it; `ennio node connect {self._host.name}` connects"
            self._node = Node(
                self._host.name, True, NodeState.DISCONNECTED, self._deps.clock.now(), detail=detail
            )
        elif self._needed():
            self._want()
        else:
            self._hear(Rested())

    def on_stop(self) -> None:
        """Our end of the way is closed; what runs there goes on."""
        self._next.cancel()
        if self._link is not None:
            self._link.release()

    def on_receive(self, message: Any) -> Any:
        """Somebody wants it, or something was heard of it."""
        match message:
            case NodeWanted():
                self._want()
            case NodeAwaited():
                self._is_awaited()
            case NodeDoubted():
                self._doubt()
            case NodeSeen():
                self._seen()
            case ConnectNode():
                self._deps.store.meta.forget(self._parted)
                self._want(by_person=True)
                return self._node
            case PartNode():
                return self._part()
            case GetNode(look):
                if look:
                    self._look_soon()
                return self._node
            case GetHealth():
                return self._health()
            case NodeStepped(step):
                self._hear(Stepped(step))
            case EffectResult(what, health, error):
                self._ended_effect(what, health, error)
            case Wake():
                self._again()
            case Ping():
                return True
            case _:
                assert_never(message)
        return None

    def _health(self) -> SourceHealth:
        """What is wrong with it, for who looks at everything; that a person parted from it is no
        trouble where no session is there.
        """
        node, sessions = self._node, self._sessions()
        parted = node.state is NodeState.DISCONNECTED and sessions > 0
        trouble = parted or node.state in (NodeState.UNREACHABLE, NodeState.REFUSED)
        health = node.health
        return SourceHealth(
            at=health.at if health else None,
            took=health.round_trip if health else 0.0,
            ok=not trouble,
            detail=node.detail if trouble else "",
            watched=sessions,
        )

    # --- asking -----------------------------------------------------------------------------------

    def _want(self, *, by_person: bool = False) -> None:
        if not by_person and self._next.pending:
            return  # it is tried again in its time
        self._hear(ContactWanted(by_person))
        if self._node.state is NodeState.CONNECTING:
            self._perform(_WAKE if by_person else _CONNECT)
        elif self._node.state is NodeState.CONNECTED:
            self._perform(_LOOK)

    def _look_soon(self) -> None:
        """Whoever watches hurries what is away, and nobody else who is tried in his time; and
        starts no daemon.
        """
        if time.monotonic() - self._tried < _STALE:
            return
        if self._is_away:
            self._is_awaited()
        elif self._link is None or self._node.state is NodeState.CONNECTED:
            self._perform(_LOOK)

    @property
    def _is_away(self) -> bool:
        """Whether nothing answers there. No daemon is started for nobody."""
        unreached = self._node.state is NodeState.UNREACHABLE and self._node.away
        return unreached and (self._link is None or self._needed())

    def _is_awaited(self) -> None:
        """A person waits: what is away is tried now. What refused us is not tried more often."""
        self._awaited_until = time.monotonic() + _AWAITED
        if not self._is_away or self._under_way:
            return
        left = _SETTLED - (time.monotonic() - self._tried)
        if left > 0:
            self._next.set(left)
        else:
            self._again()

    def _doubt(self) -> None:
        """Many doubt at once when a way is lost, and one look settles it."""
        settled = time.monotonic() - self._tried < _SETTLED
        if self._node.state is NodeState.CONNECTED and not settled:
            self._perform(_LOOK)

    def _seen(self) -> None:
        """Whoever it answers knows more than its trouble of before: it is asked at once, and not
        when it was to be tried again. What a person must change about a daemon is not changed by
        an answer of the one that runs.
        """
        self._was_seen = True
        mended = (NodeState.UNREACHABLE, *((NodeState.REFUSED,) if self._link is None else ()))
        if self._node.state in mended:
            self._again()

    def _again(self) -> None:
        if self._is_away and isinstance(self._host, HostOverSsh):
            self._host.hurry()  # it is on us when it is tried again
        connected = self._node.state is NodeState.CONNECTED
        if self._link is None or connected:
            self._perform(_LOOK)
        elif not self._node.left_alone:
            self._hear(ContactWanted())
            self._perform(_CONNECT)

    def _perform(self, what: str) -> None:
        if self._under_way:
            return
        self._next.cancel()
        self._tried, self._was_seen = time.monotonic(), False
        ways: dict[str, Callable[[], NodeHealth]] = {
            _WAKE: self._wake,
            _CONNECT: self._connect,
            _LOOK: self._look,
        }
        self._effect = self.perform(what, ways[what])

    @property
    def _under_way(self) -> bool:
        return self._effect is not None and not self._effect.dead

    def _wake(self) -> NodeHealth:
        """Runs beside the mailbox, as all of these do. A person may hurry what failed before."""
        if isinstance(self._host, HostOverSsh):
            self._host.wake()
        return self._connect()

    def _connect(self) -> NodeHealth:
        if self._link is not None:
            self._link.connect(lambda step: self._tell_self(NodeStepped(step)))
        return self._look()

    def _look(self) -> NodeHealth:
        begun = time.monotonic()
        if self._link is None:
            memory = self._host.free_memory()
            took = time.monotonic() - begun
            return NodeHealth(self._deps.clock.now(), took, memory, self._host.free_disk())
        told = self._link.heartbeat()
        return NodeHealth(
            self._deps.clock.now(),
            told.round_trip,
            self._host.free_memory(),
            self._host.free_disk(),
            told.version,
            told.started_at,
        )

    # --- what came of it --------------------------------------------------------------------------

    def _ended_effect(self, what: str, health: NodeHealth | None, error: EnnioError | None) -> None:
        self._effect = None
        was = self._node.state
        if error is None and health is not None:
            self._hear(Answered(health))
        elif what == _LOOK and self._link is not None and not self._needed():
            self._hear(Rested())  # it may have ended by itself, and nobody misses it
        else:
            away = isinstance(error, NotReached)
            self._hear(Failed(str(error), refused=needs_a_person(error), away=away))
            if self._was_seen:  # later than what has failed now began
                self._seen()
        if self._node.state is NodeState.CONNECTED is not was:
            self._tell_those_who_wait()
        elif was is NodeState.CONNECTED is not self._node.state:
            self._tell_those_who_look()

    def _hear(self, heard: Heard) -> None:
        moved = nodes.move(self._node, heard, self._deps.clock.now())
        if moved.events:
            with self._deps.store.transaction() as tx:
                for draft in moved.events:
                    tx.emit("", "", draft)
        self._node = moved.node
        self._schedule()

    def _schedule(self) -> None:
        wait = nodes.pause(self._node, needed=self._needed())
        if wait is not None and self._is_away and time.monotonic() < self._awaited_until:
            wait = min(wait, _SETTLED)
        self._next.cancel()
        if wait is not None:
            self._next.set(wait)

    def _part(self) -> int:
        """Written before it is done: whoever looks at it meanwhile does not connect again."""
        sessions = self._sessions()
        moved = nodes.move(self._node, Parted(sessions), self._deps.clock.now())
        with self._deps.store.transaction() as tx:
            self._deps.store.meta.set(self._parted, self._deps.clock.now().isoformat())
            for draft in moved.events:
                tx.emit("", "", draft)
        if self._effect is not None:
            self._effect.kill(block=False)
            self._effect = None
        self._node = moved.node
        self._schedule()
        return sessions

    def _tell_those_who_look(self) -> None:
        """What is shown of its sessions is looked up at once, found or not: no news from a machine
        that is lost is no silence.
        """
        mine = (f"{AGENTS}:{self._host.name}", f"runtime:{self._host.name}:")
        for name in self._deps.actors.names():
            if name.startswith(mine):
                self._deps.actors.tell(name, LookNow())

    def _tell_those_who_wait(self) -> None:
        """What waited, the longer the more seldom it was tried, looks at once."""
        self._tell_those_who_look()
        for name in (news_name(self._host.name), adopter_name(self._host.name)):
            self._deps.actors.tell(name, Wake())
        self._deps.actors.tell(QUEUE, QueueChanged())

    # --- who is there -----------------------------------------------------------------------------

    @property
    def _parted(self) -> str:
        """Under this name it is kept that a person disconnected it."""
        return f"node:{self._host.name}:disconnected"

    def _needed(self) -> bool:
        return self._sessions() > 0

    def _sessions(self) -> int:
        """Those that have an agent there, or wait for one."""
        own, sessions = self._host.name, self._deps.store.sessions
        waiting = sum(1 for host in sessions.waiting_elsewhere().values() if host == own)
        return waiting + sum(
            many for (_, host, _), many in sessions.admitted().items() if host == own
        )
