"""Has all agents read at once by their host, and tells each session what its own said.

Who is in a hurry (an agent that is just starting) is looked at between two
rounds, without the others.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pykka

from ennio.actors.dependencies import Dependencies
from ennio.actors.host_poller import HostPoller
from ennio.actors.messages import AgentObserved, WatchAgent
from ennio.hosts.interface import Host, Observation, Wanted
from ennio.model.errors import EnnioError
from ennio.plugins.workspace.interface import Glance


@dataclass(frozen=True, slots=True)
class LookSchedule:
    """When everybody is next, and when those are for whom nobody waits (monotonic seconds); who is
    in too much of a hurry for that.
    """

    due: float = 0.0
    soon: float = 0.0
    expedited: frozenset[str] = frozenset()

    def expedite(self, session_id: str | None) -> LookSchedule:
        """The same with this session in a hurry; with everybody, when it is None."""
        return (
            replace(self, due=0.0)
            if session_id is None
            else replace(self, expedited=self.expedited | {session_id})
        )

    def take(
        self,
        watched: Iterable[str],
        unawaited: Collection[str],
        now: float,
        wait: float,
        seldom: float,
    ) -> tuple[tuple[str, ...], LookSchedule]:
        """Whose turn it is now, and the turns after that.

        The next look at those for whom nobody waits is ``wait`` seconds after this one, that
        at everybody ``seldom``.
        """
        if now >= self.due:
            return tuple(watched), LookSchedule(now + seldom, now + wait)
        wanted = self.expedited | set(unawaited) if now >= self.soon else self.expedited
        turn = tuple(session_id for session_id in watched if session_id in wanted)
        return turn, LookSchedule(self.due, now + wait if now >= self.soon else self.soon)


class AgentPoller(HostPoller):
    """Reads what agents tell, off every session's mailbox, and tells each what is its own."""

    def __init__(
        self, deps: Dependencies, name: str, watcher: pykka.ActorRef[Any] | None, host: Host
    ) -> None:
        super().__init__(deps, name, watcher, deps.config.poll.agent, host)
        self._looks = LookSchedule()
        self._turn: tuple[str, ...] = ()
        self._asked: frozenset[str] = frozenset()
        self._round = True
        self._places_due = 0.0

    def _watch(self, message: Any) -> None:
        """How far a session has read is no reason to look again at once."""
        before = self._watched.get(message.session_id)
        if before is not None and replace(before, cursor=message.cursor) == message:
            self._watched[message.session_id] = message
        else:
            super()._watch(message)

    def _look_now(self, session_id: str | None) -> None:
        self._looks = self._looks.expedite(session_id)
        super()._look_now(session_id)

    def next_look(self) -> float:
        """When the next round is due, however many looks there were since the last."""
        return min(self._looks.soon, self._looks.due) if self._unawaited else self._looks.due

    def turn(self, now: float) -> Mapping[str, Any]:
        """Everybody, or those for whom nobody waits, when a round is
        due, else who is in a hurry.
        """
        self._begins(now)
        self._asked, self._round = self._looks.expedited, now >= self._looks.soon
        self._turn, self._looks = self._looks.take(
            self._watched, self._unawaited, now, self._pace.wait(), self._seldom
        )
        return {session_id: self._watched[session_id] for session_id in self._turn}

    def look(self, watched: Mapping[str, Any]) -> Mapping[str, Observation]:
        """One observation of all whose turn it is; working copies no more often
        than a runtime is looked at.
        """
        places = time.monotonic() >= self._places_due and self._round
        if places:
            self._places_due = time.monotonic() + self._deps.config.poll.runtime
        return self._host.observe([_wanted(watch, places) for watch in watched.values()])

    def tell(self, begun: float, result: Any, error: EnnioError | None) -> None:
        """Whoever asked, or wants to hear of every look, is told also that there was nothing."""
        readings = {} if error is not None else result
        eager = {
            session_id
            for session_id in self._turn
            if session_id in self._watched and self._watched[session_id].eager
        }
        self._awaits(
            self._turn,
            {session_id for session_id, reading in readings.items() if reading.awaited} - eager,
        )
        for session_id in self._turn:
            watch, reading = self._watched.get(session_id), readings.get(session_id)
            if watch is None:
                continue
            news = reading is not None and (
                reading.agent is not None or self._is_new_place(session_id, reading.place)
            )
            if news or watch.eager or session_id in self._asked:
                self._tell_session(session_id, AgentObserved(reading, begun))

    def _is_new_place(self, session_id: str, place: Glance | None) -> bool:
        """Whether a working copy is not as it was told of last;
        remembers that it is told of now.
        """
        if place is None or self._told.get(session_id) == place:
            return False
        self._told[session_id] = place
        return True


def _wanted(watch: WatchAgent, places: bool) -> Wanted:
    return Wanted(watch.brief, watch.cursor, watch.screen, places and watch.place, watch.afresh)
