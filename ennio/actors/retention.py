"""Lets go what is no longer kept, and warns before the disk is full.

It works beside its mailbox, a few rows in each transaction and a pause after each, so that nobody
waits for it; what a crash breaks off goes on at the next round. The log goes only as far as all
have come who follow it, but where the database would take more than it may: then who is away loses
its place, and that is an event, which it reads when it is back.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, assert_never

import gevent
import pykka

from ennio.actors import system_notices
from ennio.actors.actor import Actor
from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import EffectResult, GetHealth, ListChildren, Ping, Wake
from ennio.actors.poller import SourceHealth
from ennio.actors.registry import ROOT, tracker_name
from ennio.actors.timers import NextWake
from ennio.config.system_notices import DISK_LOW, PLACE_LOST
from ennio.model.clock import parse_time, rfc3339
from ennio.model.delivery import DeliveryKind
from ennio.model.errors import EnnioError
from ennio.model.events import Draft, EventType
from ennio.model.failpoints import failpoint, seconds
from ennio.model.session import Priority, SessionStatus
from ennio.policy import degradation
from ennio.policy.retention import LogSize, LogStep, is_old, step
from ennio.store.retention import STEP

log = logging.getLogger(__name__)

EVERY = seconds(60.0, shortened=0.3)
"""Seconds between two looks at the free disk."""
ROUND = timedelta(seconds=seconds(600.0, shortened=1.0))
PAUSE = 0.05
FOLDERS = 200
"""Sessions of whose logs a host is asked in one round, by one question."""
Past = tuple[str, datetime]
"""A session that has ended, and when its agent last did something: one that is restored and ends
again is another.
"""
_TOLD_OF_DISK = "disk_low"
"""Under this name in the store: that it was told that the disk will be full."""
_LOST = "place_lost:"


@dataclass(frozen=True, slots=True)
class RetentionRound:
    """All that is over now goes."""


class RetentionActor(Actor):
    """Wakes once a minute; every ten minutes it lets go what is over."""

    def __init__(self, deps: Dependencies, name: str, watcher: pykka.ActorRef[Any] | None) -> None:
        super().__init__(name, watcher)
        self._deps = deps
        self._busy = False
        self._due: datetime | None = None
        self._next = NextWake(self)
        self._bare: set[Past] = set()
        self.health = SourceHealth()

    def on_start(self) -> None:
        """The first look comes when all others have begun."""
        self._next.set(EVERY)

    def on_stop(self) -> None:
        """No more looks."""
        self._next.cancel()

    def on_receive(self, message: Any) -> Any:
        """It is time to look, or a round has ended."""
        match message:
            case Wake():
                self._wake()
            case EffectResult(RetentionRound(), _, error):
                self._ended(error)
            case GetHealth():
                return self.health
            case Ping():
                return True
            case _:
                assert_never(message)
        return None

    def _wake(self) -> None:
        now = self._deps.clock.now()
        self._look_at_disk()
        if not self._busy and (self._due is None or now >= self._due):
            self._busy, self._due = True, now + ROUND
            self.perform(RetentionRound(), lambda: forget(self._deps, self._bare))
        self._next.set(EVERY)

    def _ended(self, error: EnnioError | None) -> None:
        self._busy = False
        self.health.looked(self._deps.clock.now(), str(error or ""))

    def _look_at_disk(self) -> None:
        try:
            warn_of_disk(self._deps, self._deps.this_machine.free_disk())
        except (EnnioError, OSError) as error:
            log.warning("disk not looked at", extra={"error": str(error)})


def warn_of_disk(deps: Dependencies, free: int) -> None:
    """Say once that the disk will be full, and once that there is room again."""
    told = deps.store.meta.get(_TOLD_OF_DISK) is not None
    if degradation.is_disk_low(free, told=told) == told:
        return
    words = f"{free / degradation.GIB:.1f} GiB are free where Ennio keeps its files"
    kind, priority = EventType.DISK_FREED, Priority.INFO
    if not told:
        kind, priority = EventType.DISK_LOW, Priority.URGENT
        words = f"only {words}: `ennio status --disk` shows what takes it"
    draft, now = Draft(kind, words, priority, {"free": free}), deps.clock.now()
    with deps.store.transaction() as tx:
        tx.emit("", "", draft)
        if told:
            deps.store.meta.forget(_TOLD_OF_DISK)
            system_notices.end(deps, DISK_LOW, now)
        else:
            deps.store.meta.set(_TOLD_OF_DISK, "1")
            system_notices.begin(deps, DISK_LOW, draft, episode=rfc3339(now))
    system_notices.announce(deps)


# --- one round ------------------------------------------------------------------------------------


@failpoint("retention.round")
def forget(deps: Dependencies, bare: set[Past] | None = None) -> None:
    """All that is over now goes, in small steps. Safe to repeat, and to break off anywhere.
    ``bare`` are those whose logs are gone already: they are noted there, and not asked for again.
    """
    places = followed(deps)
    _found_again(deps, places)
    while forget_of_log(deps, places):
        gevent.sleep(PAUSE)
    system_notices.announce(deps)
    while forget_of_facts(deps):
        gevent.sleep(PAUSE)
    while forget_of_sessions(deps, places):
        gevent.sleep(PAUSE)
    while deps.store.retention.forget_forecasts() == STEP:
        gevent.sleep(PAUSE)
    forget_of_files(deps, set() if bare is None else bare)


def followed(deps: Dependencies) -> Mapping[str, int]:
    """How far each has come who follows the log; where nobody does any more, nobody waits."""
    children = deps.actors.ask(ROOT, ListChildren())
    places = {each.name: each.seq for each in deps.store.cursors.list() if each.name in children}
    return held_back(deps, places)


def held_back(deps: Dependencies, places: Mapping[str, int]) -> Mapping[str, int]:
    """The places before what an issue has still to be told: the event is read again for that."""
    before = dict(places)
    for delivery in deps.store.deliveries.open(DeliveryKind.MILESTONE):
        event, name = deps.store.events.get(delivery.subject), tracker_name(delivery.lane)
        if event is not None and name in before:
            before[name] = min(before[name], event.seq - 1)
    return before


def forget_of_log(deps: Dependencies, places: Mapping[str, int]) -> bool:
    """The oldest events; whether there may be more to go."""
    store, policy, now = deps.store, deps.config.retention, deps.clock.now()
    oldest = store.events.after(0, limit=STEP)
    size = LogSize(store.events.last_seq(), places, full=is_full(deps))
    decided = step(oldest, policy, size, now)
    if decided.until is None:
        return False
    with store.transaction():
        _tell_lost(deps, places, decided)
        return store.retention.forget_events(decided.until) == STEP


def is_full(deps: Dependencies) -> bool:
    """Whether the database takes as much as it may."""
    most, used = deps.config.retention.disk, deps.store.size().used
    return most is not None and used is not None and used > most


def _tell_lost(deps: Dependencies, places: Mapping[str, int], decided: LogStep) -> None:
    """Once for each absence; again where that event itself goes."""
    for name in decided.lost:
        if _told_of(deps, name) > (decided.until or 0):
            continue
        words = (
            f"{name} loses its place: it has come to event {places[name]}, and the database takes "
            "all it may (retention.disk); what follows up to the oldest event that is kept is lost"
        )
        data = {"follower": name, "seq": places[name], "until": decided.until}
        draft = Draft(EventType.PLACE_LOST, words, Priority.URGENT, data)
        with deps.store.transaction() as tx:
            event = tx.emit("", "", draft)
            deps.store.meta.set(_LOST + name, f"{event.seq} {places[name]}")
            # its place does not move while it is away: one absence, one notice
            system_notices.begin(deps, PLACE_LOST, draft, episode=f"{name}:{places[name]}")


def _told_of(deps: Dependencies, name: str) -> int:
    """The number of the event that says of somebody that their place is lost; 0: there is none."""
    seq, _, _place = (deps.store.meta.get(_LOST + name) or "0").partition(" ")
    return int(seq)


def _found_again(deps: Dependencies, places: Mapping[str, int]) -> None:
    """Who has read that it lost its place is where it was: another loss is another event."""
    for name, seq in places.items():
        told = _told_of(deps, name)
        if told and seq >= told:
            _seq, _, place = (deps.store.meta.get(_LOST + name) or "").partition(" ")
            with deps.store.transaction():
                deps.store.meta.forget(_LOST + name)
                system_notices.end(deps, PLACE_LOST, deps.clock.now(), episode=f"{name}:{place}")


def forget_of_facts(deps: Dependencies) -> bool:
    """Why sessions had earlier statuses, and what reactions did; whether there may be more."""
    after = deps.config.retention.facts_after
    if after is None:
        return False
    return deps.store.retention.forget_facts(_before(deps, after)) >= STEP


def forget_of_sessions(deps: Dependencies, places: Mapping[str, int]) -> bool:
    """A part of one session that was cleaned up long ago; whether there may be more."""
    store, policy, now = deps.store, deps.config.retention, deps.clock.now()
    if policy.sessions_after is None and policy.sessions_most is None:
        return False
    many = store.retention.count_past()
    too_many = policy.sessions_most is not None and many > policy.sessions_most
    for past in store.retention.past_sessions():
        is_over = is_old(parse_time(past.archived_at), policy.sessions_after, now)
        if (too_many or is_over) and past.last_seq <= min(places.values(), default=past.last_seq):
            store.retention.forget_session(past.id)
            return True
    return False


def forget_of_files(deps: Dependencies, bare: set[Past]) -> None:
    """The logs of sessions that ended long ago, on every host. One that is away keeps nobody
    else's, and is asked again at the next round.
    """
    after = deps.config.retention.logs_after
    if after is None:
        return
    before = _before(deps, after)
    of_host = _of_hosts(deps, before)
    bare.intersection_update(past for those in of_host.values() for past in those)
    for name, those in of_host.items():
        asked = [past for past in those if past not in bare][:FOLDERS]
        host = deps.host_of_name(name)
        if host is None or not asked:
            continue
        try:
            host.forget_logs([session_id for session_id, _ in asked], before)
        except EnnioError as error:
            log.info("old logs are kept for now", extra={"host": name, "error": str(error)})
        else:
            bare.update(asked)


def _of_hosts(deps: Dependencies, before: datetime) -> Mapping[str, Sequence[Past]]:
    ended = [status for status in SessionStatus if status.terminal]
    of_host: dict[str, list[Past]] = {}
    for session in deps.store.sessions.list(archived=True, statuses=ended):
        if session.last_activity_at < before:
            past = (session.id, session.last_activity_at)
            of_host.setdefault(session.host, []).append(past)
    return of_host


def _before(deps: Dependencies, after: float) -> datetime:
    return deps.clock.now() - timedelta(seconds=after)
