"""The conflict radar: says which living branches will not merge with each other, before anybody
merges one.

It looks beside its mailbox, one look at a time: soon after something was told of a session, and
seldom as a second witness. At rest a look reads a few small files, starts nothing and writes
nothing. What is not committed is not seen.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, assert_never

import pykka

from ennio.actors.actor import Actor
from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import EffectResult, EventsWritten, GetHealth, GetRadarState, Ping, Wake
from ennio.actors.poller import Pace, SourceHealth
from ennio.actors.project_radar import ProjectRadar
from ennio.actors.timers import NextWake
from ennio.model.errors import EnnioError
from ennio.model.events import Event, EventType
from ennio.model.failpoints import failpoint, seconds
from ennio.model.session import Session

log = logging.getLogger(__name__)

EVERY = seconds(30.0, shortened=3.0)
"""Seconds between two looks when nothing is told."""
FOLD = seconds(2.0, shortened=0.3)
"""Seconds after which what was told is looked at: many events make one look."""
MORE = 0.5
"""Seconds between two looks while there is more to do."""
LONGEST = 600.0
"""Seconds between two looks while none goes well."""
_TELLING = frozenset(
    kind.value
    for kind in (
        EventType.SESSION_WORKING,
        EventType.SESSION_EXITED,
        EventType.SESSION_KILLED,
        EventType.STATUS_CHANGED,
        EventType.ACTIVITY_CHANGED,
        EventType.PR_CREATED,
        EventType.PR_UPDATED,
        EventType.PR_MERGED,
    )
)


@dataclass(frozen=True, slots=True)
class RadarLook:
    """One look at all branches; ``begun`` is the monotonic time."""

    begun: float


@dataclass(frozen=True, slots=True)
class RadarState:
    """How far it has come: pairs that wait to be tried, those there was no room for, and why some
    cannot be tried, by project.
    """

    waiting: int = 0
    left_out: int = 0
    problems: Mapping[str, str] = field(default_factory=dict)


class ConflictRadar(Actor):
    """See the module."""

    def __init__(self, deps: Dependencies, name: str, watcher: pykka.ActorRef[Any] | None) -> None:
        super().__init__(name, watcher)
        self._deps = deps
        self._projects: dict[tuple[str, str], ProjectRadar] = {}
        self._looking = False
        self._hurry = False
        self._pace = Pace(EVERY, longest=LONGEST)
        self._next = NextWake(self)
        self._unlisten: Any = None
        self.health = SourceHealth()

    def on_start(self) -> None:
        """The first look comes when all others have begun."""
        self._unlisten = self._deps.store.listen(self._heard)
        self._next.set(FOLD)

    def on_stop(self) -> None:
        """No more looks."""
        if self._unlisten is not None:
            self._unlisten()
        self._next.cancel()

    def on_receive(self, message: Any) -> Any:
        """It is time to look, something was told, or a look has ended."""
        match message:
            case Wake():
                self._begin()
            case EventsWritten():
                self._told()
            case EffectResult(RadarLook() as look, more, error):
                self._looked(look, error, more=bool(more))
            case GetRadarState():
                return self._state
            case GetHealth():
                return self.health
            case Ping():
                return True
            case _:
                assert_never(message)
        return None

    def _heard(self, events: Sequence[Event]) -> None:
        """Runs where the events were written."""
        if any(one.event_type in _TELLING for one in events) and not self.actor_stopped.is_set():
            self.actor_ref.tell(EventsWritten())

    def _told(self) -> None:
        if self._looking:
            self._hurry = True
        elif time.monotonic() + FOLD < self._next.due:
            self._next.set(FOLD)

    def _begin(self) -> None:
        if not self._looking:
            self._looking, self._hurry = True, False
            self.perform(RadarLook(time.monotonic()), self._look)

    @failpoint(
        "conflicts.look", because="it reads and tries; what is lost is found by the next look"
    )
    def _look(self) -> bool:
        """Look at every project; whether there is more to do. Raises the first error
        once all had their turn.
        """
        more, errors = False, list[EnnioError]()
        for key, living in self._living().items():
            try:
                more |= self._project(*key).look(living)
            except EnnioError as error:
                log.warning("branches not compared", extra={"project": key[0], "error": str(error)})
                errors.append(error)
        if errors:
            raise errors[0]
        return more

    def _living(self) -> Mapping[tuple[str, str], Mapping[str, Session]]:
        """The sessions that have a branch somebody may still merge, by project and host."""
        found: dict[tuple[str, str], dict[str, Session]] = {key: {} for key in self._projects}
        for session in self._deps.store.sessions.list():
            key = session.project_id, session.host
            watched = self._deps.config.project(key[0]) and self._deps.host_of_name(key[1])
            if watched and session.workspace_path and not session.status.terminal:
                found.setdefault(key, {})[session.id] = session
        known = {(row.project_id, "") for row in self._deps.store.conflicts.list()} - found.keys()
        return found | {key: {} for key in known if self._deps.config.project(key[0])}

    def _project(self, project_id: str, host_name: str) -> ProjectRadar:
        key = project_id, host_name
        if key not in self._projects:
            host = self._deps.host_of_name(host_name)
            if host is None:
                raise AssertionError(f"nobody looks at host {host_name}")
            self._projects[key] = ProjectRadar(self._deps, self._deps.project(project_id), host)
        return self._projects[key]

    def _looked(self, look: RadarLook, error: EnnioError | None, *, more: bool) -> None:
        self._looking = False
        health, state = self.health, self._state
        trouble = "; ".join(f"{name}: {why}" for name, why in state.problems.items())
        trouble = str(error or trouble)
        health.looked(self._deps.clock.now(), trouble, time.monotonic() - look.begun)
        health.watched = len(self._projects)
        self._pace.failures = 0 if error is None else self._pace.failures + 1
        if error is None and (more or self._hurry):
            self._next.set(MORE if more else FOLD)
        else:
            self._next.set(self._pace.wait())

    @property
    def _state(self) -> RadarState:
        known = self._projects.values()
        return RadarState(
            sum(one.waiting for one in known),
            sum(one.left_out for one in known),
            {one.project.id: one.problem for one in known if one.problem},
        )
