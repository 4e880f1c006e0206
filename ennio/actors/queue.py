"""Admits waiting sessions when there is room, in the order of the queue; the
queue itself is in the store.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, assert_never

import pykka

from ennio.actors import budgets
from ennio.actors.actor import Actor
from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import Admit, EffectResult, NodeWanted, Ping, QueueChanged, Wake
from ennio.actors.registry import node_name, session_name
from ennio.actors.timers import NextWake
from ennio.config.host_name import limits_of_hosts
from ennio.machine.ssh.errors import needs_a_person
from ennio.model.errors import EnnioError
from ennio.model.events import Draft, EventType
from ennio.model.session import SessionStatus
from ennio.policy import admission
from ennio.policy.admission import Candidate, Limits, Room
from ennio.store import Waiting

LOOK_EVERY = 5.0
_FRESH = 1.0  # seconds for which it holds what another host told of itself


@dataclass(frozen=True, slots=True)
class HostRoom:
    """What another host told of itself: its free memory, or why it could not, and when; and whether
    a person has to mend that.
    """

    free_memory: int | None
    closed: str
    at: float
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class AskRoom:
    """A host is asked what room it has, beside the mailbox: it may be far away, or silent."""

    host: str


class QueueActor(Actor):
    """Looks at the queue whenever somebody comes, goes or ends, and now and then for memory."""

    def __init__(self, deps: Dependencies, name: str, watcher: pykka.ActorRef[Any] | None) -> None:
        super().__init__(name, watcher)
        self._deps = deps
        self._next = NextWake(self)
        self._elsewhere: dict[str, HostRoom] = {}
        self._asking: set[str] = set()

    def on_start(self) -> None:
        """Look at once."""
        self._look()

    def on_stop(self) -> None:
        """No more looks."""
        self._next.cancel()

    def on_receive(self, message: Any) -> Any:
        """Look."""
        match message:
            case QueueChanged() | Wake():
                self._look()
            case EffectResult(AskRoom(host), free, error):
                self._told(host, free, error)
            case Ping():
                return True
            case _:
                assert_never(message)
        return None

    def _look(self) -> None:
        queue = {
            waiting.session_id: waiting
            for waiting in self._deps.store.queue.list()
            # who waits of a project that left the file goes on waiting: nobody could start it
            if self._deps.config.project(waiting.project_id) is not None
        }
        if not queue:
            return
        candidates = self._candidates(queue.values())
        room = replace(self._room(candidates), over_budget=self._over_budget(candidates))
        decided = admission.decide(candidates, self._limits(), room)
        for one in candidates:
            if one.session_id in decided.admitted:
                self._admit(one.session_id, one.project_id)
            elif decided.reasons[one.session_id] != queue[one.session_id].reason:
                self._leave_waiting(queue[one.session_id], one, decided.reasons[one.session_id])
        if decided.reasons:
            self._next.set(LOOK_EVERY)

    def _over_budget(self, candidates: Iterable[Candidate]) -> Mapping[str, str]:
        return budgets.obstacles(
            self._deps, {each.session_id: each.project_id for each in candidates}
        )

    def _candidates(self, queue: Iterable[Waiting]) -> list[Candidate]:
        """Those of whom it can be decided now: who waits for a host that has yet to tell what room
        it has is decided of when it has told.
        """
        hosts = self._deps.store.sessions.waiting_elsewhere()
        self._ask({host for host in hosts.values() if self._deps.host_of_name(host) is not None})
        candidates = [
            Candidate(each.session_id, each.project_id, each.held, hosts.get(each.session_id, ""))
            for each in queue
        ]
        return [each for each in candidates if each.host not in self._asking]

    def _ask(self, hosts: set[str]) -> None:
        now = time.monotonic()
        for name in hosts - self._asking:
            host, known = self._deps.host_of_name(name), self._elsewhere.get(name)
            if host is not None and (known is None or now - known.at >= _FRESH):
                self._asking.add(name)
                self._deps.actors.tell(node_name(name), NodeWanted())
                self.perform(AskRoom(name), host.free_memory)

    def _told(self, name: str, free: int | None, error: EnnioError | None) -> None:
        closed = f"host {name} cannot be asked what room it has: {error}" if error else ""
        self._asking.discard(name)
        self._elsewhere[name] = HostRoom(free, closed, time.monotonic(), needs_a_person(error))
        self._look()

    def _leave_waiting(self, waiting: Waiting, one: Candidate, reason: str) -> None:
        """What it waits for is told once, and once more when that becomes a person's to mend; what
        comes of it later, such as another count, is in its place.
        """
        room = self._elsewhere.get(one.host)
        blocked = room is not None and room.blocked and room.closed == reason
        since = (waiting.blocked_at or self._deps.clock.now()) if blocked else None
        with self._deps.store.transaction() as tx:
            changed = replace(waiting, reason=reason, blocked_at=since)
            waits = self._deps.store.queue.change(changed)
            if waits and (not waiting.reason or (blocked and waiting.blocked_at is None)):
                data = {"step": "queued", "blocked": blocked}
                step = Draft(EventType.SESSION_STEP, f"queued: {reason}", data=data)
                tx.emit(waiting.session_id, waiting.project_id, step)

    def _admit(self, session_id: str, project_id: str) -> None:
        """Leaving the queue is the admission: a session that waits without
        standing in it starts by itself.
        """
        with self._deps.store.transaction() as tx:
            if not self._deps.store.queue.remove(session_id):
                return  # ended, or admitted, since it was looked at
            tx.emit(
                session_id,
                project_id,
                Draft(EventType.SESSION_STEP, "admitted", data={"step": "admitted"}),
            )
        self._deps.actors.tell(session_name(session_id), Admit())

    def _limits(self) -> Limits:
        config = self._deps.config
        return Limits(
            config.max_sessions,
            {project.id: project.max_sessions for project in config.projects},
            config.min_free_memory,
            *limits_of_hosts(config),
        )

    def _room(self, candidates: Iterable[Candidate]) -> Room:
        """Counted by the database: whoever asks for a session waits for
        this, however many there are.
        """
        live: Counter[str] = Counter()
        there: Counter[str] = Counter()
        starting: Counter[str] = Counter()  # who has not taken its memory yet
        for (project_id, host, status), many in self._deps.store.sessions.admitted().items():
            live[project_id] += many
            there[host] += many
            starting[host] += many if status is SessionStatus.SPAWNING else 0
        told = {"": HostRoom(self._deps.this_machine.free_memory(), "", 0.0)}
        for name in {each.host for each in candidates} - {""}:
            told[name] = self._elsewhere[name] if self._is_known(name) else _unknown(name)
        memory = {
            name: None
            if room.free_memory is None
            else room.free_memory - starting[name] * admission.MEMORY_PER_SESSION
            for name, room in told.items()
        }
        closed = {name: room.closed for name, room in told.items() if room.closed}
        return Room(live, memory, closed, live_on=there)

    def _is_known(self, host: str) -> bool:
        return self._deps.host_of_name(host) is not None


def _unknown(host: str) -> HostRoom:
    why = f"it is to run on host {host}, which this supervisor does not know"
    return HostRoom(None, why, 0.0)
