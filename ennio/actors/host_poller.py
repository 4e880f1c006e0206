"""Who looks at a host: at the processes in its runtimes, and at what its agents tell. While
somebody waits for its news, those that are waited for are looked at seldom.

A look is the second witness then: what was not told of, it finds. Whoever has news is looked at at
once, and then no more often than without it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

import pykka

from ennio.actors.dependencies import Dependencies
from ennio.actors.look_schedule import LookSchedule
from ennio.actors.messages import (
    AgentObserved,
    NewsTold,
    NodeDoubted,
    NodeSeen,
    RuntimeObserved,
    WatchAgent,
)
from ennio.actors.poller import Look, PollerActor
from ennio.actors.registry import node_name
from ennio.hosts.interface import Host
from ennio.hosts.observation import Observation, Survey, Wanted
from ennio.model.errors import EnnioError
from ennio.model.facts import ProcessSeen
from ennio.plugins.workspace.interface import Glance

SECOND_WITNESS = 15.0  # seconds between two looks at those that are waited for
NEWS_WITHIN = 30.0  # seconds after which a host is asked anew whether there is news
_AWAY = 5.0
"""Seconds at most between two looks at another machine that is away: when it connects again is its
own to know, and a look meanwhile costs nothing.
"""
_DEAF = 2.5 * NEWS_WITHIN  # seconds without a word, not even that there is none


class HostPoller(PollerActor):
    """A poller of something on a host."""

    def __init__(
        self,
        deps: Dependencies,
        name: str,
        watcher: pykka.ActorRef[Any] | None,
        period: float,
        host: Host,
    ) -> None:
        super().__init__(deps, name, watcher, period)
        if host.name:
            self._pace.longest = _AWAY
        self._host = host
        self._awaited: set[str] = set()
        self._told_of: set[str] = set()
        self._heard_until = 0.0
        self._begun = -math.inf

    def on_receive(self, message: Any) -> Any:
        """News beside all that pollers are told."""
        if not isinstance(message, NewsTold):
            return super().on_receive(message)
        self._heard_until = time.monotonic() + _DEAF if message.waits else 0.0
        news = (
            set(self._watched)
            if message.everybody or not message.waits
            else self._watched.keys() & set(message.sessions)
        )
        self._told_of |= news
        self._awaited -= news
        if news and not self._state.looking and self.next_look() < self._next.due:
            self._next.set(self.next_look() - time.monotonic())
        return None

    def _looked(self, look: Look, result: Any, error: EnnioError | None) -> None:
        super()._looked(look, result, error)
        if error is not None:
            self._deps.actors.tell(node_name(self._host.name), NodeDoubted())

    def pause(self) -> float:
        """Seconds until the next look, when nobody is in a hurry."""
        return max(self._pace.least, self.next_look() - time.monotonic())

    def next_look(self) -> float:
        """When the next look is due (monotonic seconds), which may have been long ago."""
        return self._begun + (self._pace.wait() if self._unawaited else self._seldom)

    def _watch(self, message: Any) -> None:
        self._awaited.discard(message.session_id)
        super()._watch(message)

    def _begins(self, now: float) -> None:
        """A look begins: what is told from now on may be later than what it sees."""
        self._begun = now
        self._told_of.clear()

    def _awaits(self, looked_at: Iterable[str], awaited: Iterable[str]) -> None:
        """A look found that of those it looked at these are waited for."""
        self._awaited -= set(looked_at)
        self._awaited |= set(awaited) - self._told_of

    @property
    def _unawaited(self) -> frozenset[str]:
        """Whom to look at as if there were no news."""
        deaf = time.monotonic() >= self._heard_until
        return frozenset(self._watched if deaf else self._watched.keys() - self._awaited)

    @property
    def _seldom(self) -> float:
        """Seconds between two looks at those that are waited for."""
        return max(self._pace.wait(), SECOND_WITNESS)


class RuntimePoller(HostPoller):
    """One survey of a runtime a tick, for all the sessions in it. Tells each session what became of
    its agent's process; who was seen to be as
    before is not told again.
    """

    def __init__(
        self,
        deps: Dependencies,
        name: str,
        watcher: pykka.ActorRef[Any] | None,
        runtime: str,
        host: Host,
    ) -> None:
        super().__init__(deps, name, watcher, deps.config.poll.runtime, host)
        self._runtime = runtime
        self._looked_at = deps.clock.now()

    def turn(self, now: float) -> Mapping[str, Any]:
        """Everybody: a survey is one request however many there are."""
        self._begins(now)
        self._looked_at = self._deps.clock.now()
        return super().turn(now)

    def look(self, watched: Mapping[str, Any]) -> Survey:
        """One survey."""
        return self._host.survey(
            self._runtime, {session_id: watch.handle for session_id, watch in watched.items()}
        )

    def tell(self, begun: float, result: Any, error: EnnioError | None) -> None:
        """Who came while the survey was under way is told of by the next; a survey that
        failed makes all unknown.
        """
        self._awaits(self._watched, result.awaited if error is None else ())
        if error is None:  # a survey asks its machine every time, as not every look at agents does
            self._deps.actors.tell(node_name(self._host.name), NodeSeen())
        for session_id, watch in tuple(self._watched.items()):
            if error is None:
                seen = result.processes.get(session_id)
            else:
                seen = ProcessSeen.unseen(
                    watch.handle, self._deps.clock.now(), f"{self._runtime} survey", str(error)
                )
            if seen is None or self._told.get(session_id) == seen:
                continue
            if error is None:  # by our clock, and no later than what it saw
                seen = replace(seen, at=self._looked_at)
            self._told[session_id] = seen
            self._tell_session(session_id, RuntimeObserved(seen, begun))


class AgentPoller(HostPoller):
    """Has all agents read at once by their host, off every session's mailbox, and tells each
    session what its own said. Who is in a hurry (an agent that is just starting) is looked at
    between two rounds, without the others.
    """

    def __init__(
        self, deps: Dependencies, name: str, watcher: pykka.ActorRef[Any] | None, host: Host
    ) -> None:
        super().__init__(deps, name, watcher, deps.config.poll.agent, host)
        self._looks = LookSchedule()
        self._turn: tuple[str, ...] = ()
        self._asked: frozenset[str] = frozenset()
        self._places: frozenset[str] = frozenset()
        self._placed_at: dict[str, float] = {}
        """When each working copy was looked at last: one clock for all of them would run for
        whoever is looked at most, and leave none of its looks for the others.
        """

    def _watch(self, message: Any) -> None:
        """How far a session has read is no reason to look again at once."""
        before = self._watched.get(message.session_id)
        if before is not None and replace(before, cursor=message.cursor) == message:
            self._watched[message.session_id] = message
        else:
            self._placed_at.pop(message.session_id, None)
            super()._watch(message)

    def _look_now(self, session_id: str | None) -> None:
        self._looks = self._looks.expedite(session_id)
        super()._look_now(session_id)

    def next_look(self) -> float:
        """When the next round is due, however many looks there were since the last."""
        return min(self._looks.soon, self._looks.due) if self._unawaited else self._looks.due

    def turn(self, now: float) -> Mapping[str, Any]:
        """Everybody, or those for whom nobody waits, when a round is
        due, else who is in a hurry. The working copy of none more often than a runtime is looked
        at.
        """
        self._begins(now)
        self._asked = self._looks.expedited
        self._turn, self._looks = self._looks.take(
            self._watched, self._unawaited, now, self._pace.wait(), self._seldom
        )
        since = now - self._deps.config.poll.runtime
        self._placed_at = {one: at for one, at in self._placed_at.items() if one in self._watched}
        self._places = frozenset(
            session_id
            for session_id in self._turn
            if self._watched[session_id].place and self._placed_at.get(session_id, since) <= since
        )
        return {session_id: self._watched[session_id] for session_id in self._turn}

    def look(self, watched: Mapping[str, Any]) -> Mapping[str, Observation]:
        """One observation of all whose turn it is."""
        places = self._places
        return self._host.observe([_wanted(one, places) for one in watched.values()])

    def tell(self, begun: float, result: Any, error: EnnioError | None) -> None:
        """Whoever asked, or wants to hear of every look, is told also that there was nothing."""
        readings = {} if error is not None else result
        if error is None:
            self._placed_at |= dict.fromkeys(self._places, begun)
        eager = {
            session_id
            for session_id in self._turn
            if session_id in self._watched and self._watched[session_id].eager
        }
        awaited = {name for name, one in readings.items() if one.awaited and self._is_whole(name)}
        self._awaits(self._turn, awaited - eager)
        for session_id in self._turn:
            watch, reading = self._watched.get(session_id), readings.get(session_id)
            if watch is None:
                continue
            news = reading is not None and (
                reading.agent is not None or self._is_new_place(session_id, reading.place)
            )
            if news or watch.eager or session_id in self._asked:
                self._tell_session(session_id, AgentObserved(reading, begun))

    def _is_whole(self, session_id: str) -> bool:
        """Whether a look left nothing of a session unseen: who had news is waited for again once
        its working copy was looked at too, for that may have been what was told of.
        """
        watch = self._watched.get(session_id)
        unseen = watch is not None and watch.place and session_id not in self._places
        return not unseen or session_id in self._awaited

    def _is_new_place(self, session_id: str, place: Glance | None) -> bool:
        """Whether a working copy is not as it was told of last;
        remembers that it is told of now.
        """
        if place is None or self._told.get(session_id) == place:
            return False
        self._told[session_id] = place
        return True


def _wanted(watch: WatchAgent, places: Collection[str]) -> Wanted:
    place = watch.session_id in places
    return Wanted(watch.brief, watch.cursor, watch.screen, place, watch.afresh)
