"""Reads what agents tell, for all sessions that are wanted at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, TypeGuard

from ennio.config.money import BillingChoice
from ennio.hosts.brief import Brief
from ennio.hosts.metering import HostMeter
from ennio.hosts.news import HostNews
from ennio.hosts.observation import Observation, Wanted
from ennio.hosts.read_cache import ReadCache, read_cache
from ennio.hosts.resolved import ResolvedBrief
from ennio.machine.interface import Command, FileSpan, Machine
from ennio.machine.questions import Questions
from ennio.model.clock import Clock
from ennio.model.errors import Unreachable
from ennio.model.facts import Place, Presence, ProcessSeen
from ennio.model.session import RuntimeHandle
from ennio.model.usage import Billing, MeterNews
from ennio.plugins.agent.interface import Agent, FileBacked, Reading
from ennio.plugins.runtime.interface import ForeseeableRuntime, Pane, Runtime
from ennio.plugins.workspace.interface import Glance, Glanceable, Workspace

_SETTLES = timedelta(seconds=2)
"""Runtimes tell of output by the second: within the second of the last one
there may have been more.
"""


@dataclass(frozen=True, slots=True)
class TakenScreen:
    """A screen, when it was taken, and the terminal as it was listed then."""

    pane: Pane | None
    at: datetime
    text: str

    def is_current(self, pane: Pane) -> bool:
        """Whether it is the same launch that puts this out, and nothing was put out since."""
        before = self.pane
        if (
            before is None
            or before.output_at is None
            or (before.number, before.pid) != (pane.number, pane.pid)
        ):
            return False
        return pane.output_at == before.output_at and self.at - before.output_at > _SETTLES


_NEVER = TakenScreen(None, datetime.min.replace(tzinfo=UTC), "")


class Shown(NamedTuple):
    """What a terminal shows, and whether there will be news once it shows something else."""

    text: str
    awaited: bool


Apart = Callable[[Callable[[], None]], None]
"""Runs what only reads files where it keeps nobody waiting, and returns once it is done."""


def at_once(work: Callable[[], None]) -> None:
    """Where every caller has a thread of its own, nobody else waits."""
    work()


class Reader:
    """Remembers what each reading rested on, so that nothing is read again that would say the same.

    What a reading is to rest on is waited for from before it is read, so that
    nothing is missed in between.
    """

    def __init__(
        self,
        resolve: Callable[[Brief], ResolvedBrief],
        clock: Clock,
        news: HostNews,
        apart: Apart = at_once,
        meter: HostMeter | None = None,
    ) -> None:
        self._resolve = resolve
        self._news = news
        self._apart = apart
        self._meter = meter
        self._clock = clock
        self._caches: dict[str, ReadCache] = {}
        self._processes: dict[str, tuple[float, ProcessSeen]] = {}
        self._lock = threading.Lock()
        self._last_words: set[str] = set()
        self._screens_taken: dict[str, TakenScreen] = {}
        self._astray: set[str] = set()
        """Whose working copies nobody waits for."""
        self._under_way: set[str] = set()
        """Whose proxy had a request under way when it was read last."""
        self._surveys = 0
        self._forgotten: set[str] = set()
        """While somebody surveys: who is not to come back by what that tells."""

    @contextmanager
    def surveying(self) -> Iterator[None]:
        """Around a survey and what is told of it here."""
        with self._lock:
            self._surveys += 1
        try:
            yield
        finally:
            with self._lock:
                self._surveys -= 1
                if not self._surveys:
                    self._forgotten.clear()

    def surveyed(self, processes: Mapping[str, ProcessSeen], begun: float) -> None:
        """What became of these processes: who lives is read, and who has ended once more.

        Of two looks at one the later counts; ``begun`` (monotonic seconds) tells which that is.
        """
        with self._lock:
            for session_id, seen in processes.items():
                if session_id in self._forgotten:
                    continue
                if begun < self._processes.get(session_id, (begun, seen))[0]:
                    continue
                self._processes[session_id] = begun, seen
                if seen.presence is Presence.ALIVE:
                    self._last_words.discard(session_id)

    def started(self, session_id: str, handle: RuntimeHandle) -> None:
        """Nobody has seen the process yet that was just started: what was surveyed
        before says nothing of it.
        """
        unseen = ProcessSeen.unseen(handle, self._clock.now(), "start", "it was just started")
        with self._lock:
            self._forgotten.discard(session_id)
        self.surveyed({session_id: unseen}, time.monotonic())

    def observe(self, wanted: Sequence[Wanted]) -> Mapping[str, Observation]:
        """See ``Host.observe``."""
        contexts = {each.brief.session_id: self._resolve(each.brief) for each in wanted}
        shown = [
            contexts[each.brief.session_id]
            for each in wanted
            if each.screen and each.brief.handle is not None
        ]
        read: dict[str, Observation] = {}
        if not wanted:
            return read
        machine = contexts[wanted[0].brief.session_id].files.machine
        asked = self._rests_on(wanted, contexts)

        def files() -> None:
            with machine.foreseen(asked):
                for each in wanted:
                    at = contexts[each.brief.session_id]
                    read[each.brief.session_id] = self._read(each, at, screens.get(at.handle.id))

        # the files first: what changes while the terminals are listed is read the next time
        with machine.foreseen(replace(asked, commands=_surveys(machine, shown))):
            screens = self._screens(shown)
            self._apart(files)
        return read

    def _rests_on(
        self, wanted: Sequence[Wanted], contexts: Mapping[str, ResolvedBrief]
    ) -> Questions:
        """The files that tell whether anything has to be read at all; and of whom something has to
        be, what its agent's plugin may know.
        """
        paths, real = list[Path](), list[Path]()
        files, folders = list[FileSpan](), list[Path]()
        for each in wanted:
            session_id, at = each.brief.session_id, contexts[each.brief.session_id]
            cache = None if each.afresh else self._caches.get(session_id)
            paths += cache.files if cache is not None else ()
            if cache is None:
                asked = at.files.rests_on(at.path)
                real += asked.real
                files += asked.files
            if each.place and _is_glanceable(at.workspace):
                asked = at.workspace.foreseen(at.path, each.brief.branch, at.source)
                paths += asked.states
                real += asked.real
                files += asked.files
                folders += asked.folders
        return Questions(states=paths, real=real, files=files, folders=folders)

    def forget(self, session_id: str) -> None:
        """Nobody will want it any more."""
        with self._lock:
            self._caches.pop(session_id, None)
            self._processes.pop(session_id, None)
            self._screens_taken.pop(session_id, None)
            self._astray.discard(session_id)
            self._last_words.discard(session_id)
            self._under_way.discard(session_id)
            if self._surveys:
                self._forgotten.add(session_id)
        self._news.forget(session_id)

    def _screens(self, contexts: Sequence[ResolvedBrief]) -> Mapping[str, Shown]:
        """The screens of these, by one request to each runtime; one that
        was not seen says nothing.
        """
        by_runtime: dict[str, tuple[Runtime, list[str]]] = {}
        for at in contexts:
            by_runtime.setdefault(at.runtime.name, (at.runtime, []))[1].append(at.handle.id)
        screens: dict[str, Shown] = {}
        for runtime, names in by_runtime.values():
            with suppress(Unreachable):
                screens.update(self._shown_in(runtime, names))
        return screens

    def _shown_in(self, runtime: Runtime, names: Sequence[str]) -> Mapping[str, Shown]:
        """Only a terminal that has put something out since its screen was
        taken is asked for another.
        """
        panes, now = runtime.survey(), self._clock.now()
        there = [name for name in names if name in panes]
        awaited = {name for name in there if self._news.prints(name, panes[name])}
        taken = {name: self._screens_taken.get(name, _NEVER) for name in there}
        stale = [name for name in there if not taken[name].is_current(panes[name])]
        shown = runtime.screens(stale) if stale else {}
        for name in stale:
            del taken[name]
            self._screens_taken.pop(name, None)
            if name in shown:
                taken[name] = self._screens_taken[name] = TakenScreen(panes[name], now, shown[name])
        return {name: Shown(screen.text, name in awaited) for name, screen in taken.items()}

    def _read(self, wanted: Wanted, at: ResolvedBrief, shown: Shown | None) -> Observation:
        session_id = wanted.brief.session_id
        place = self._glance(wanted, at) if wanted.place else None
        process = self._readable(wanted)
        if process is None:
            ended = self._has_ended(session_id) and session_id not in self._astray
            return Observation(None, wanted.cursor, place, ended)
        read = self._ask(wanted, at, process, shown.text if shown is not None else None)
        if process.presence is Presence.GONE:
            self._news.has_ended(session_id)
            with self._lock:
                if session_id not in self._under_way:
                    self._last_words.add(session_id)
        heard = not wanted.screen or (shown is not None and shown.awaited)
        awaited = read.awaited and heard and session_id not in self._astray
        return replace(read, place=place, awaited=awaited)

    def _has_ended(self, session_id: str) -> bool:
        """Whether there is nobody any more who could say something."""
        known = self._processes.get(session_id)
        return known is not None and known[1].presence is Presence.GONE

    def _readable(self, wanted: Wanted) -> ProcessSeen | None:
        session_id = wanted.brief.session_id
        known = self._processes.get(session_id)
        if known is None or known[1].presence is Presence.UNKNOWN:
            return None
        process = known[1]
        unread = wanted.afresh or session_id not in self._last_words
        return process if process.presence is Presence.ALIVE or unread else None

    def _ask(
        self, wanted: Wanted, at: ResolvedBrief, process: ProcessSeen, screen: str | None
    ) -> Observation:
        """What the agent says; ``awaited``: there will be news once its
        files say something else.
        """
        now, session_id = self._clock.now(), wanted.brief.session_id
        cache = None if wanted.afresh else self._caches.get(session_id)
        if cache is not None:
            awaited = self._news.rests_on(session_id, cache.files) and cache.until is None
            if cache.is_fresh(wanted.cursor, process, screen, now):
                return Observation(None, wanted.cursor, awaited=awaited)
        # a look beside a removal brings no folder back
        context = at.context_without_folder
        meter = self._meter.of(at.files) if self._meter is not None else None
        files = at.agent.files(context, wanted.cursor) if _is_file_backed(at.agent) else None
        if files is not None and meter is not None:
            files = (*files, *meter.files(wanted.cursor))
        awaited = files is not None and self._news.rests_on(session_id, files, anew=True)
        # taken first: what is written meanwhile is read the next time
        found = (
            read_cache(context.machine, wanted.cursor, process, screen, files)
            if files is not None
            else None
        )
        reading = at.agent.observe(context, wanted.cursor, process, screen, now)
        reading = _billed(reading, wanted.brief)
        told: tuple[MeterNews, ...] = ()
        if meter is not None:
            reading, told = meter.read(reading, wanted.cursor, now)
            busy = reading.seen.requesting
            (self._under_way.add if busy else self._under_way.discard)(session_id)
        self._caches.pop(session_id, None)
        # a look that brought something may have left something; the one that brings
        # nothing more is what stands
        stands = found is not None and dict(reading.cursor) == dict(wanted.cursor)
        if found is not None and stands:
            self._caches[session_id] = replace(found, until=reading.until)
        return Observation(
            reading.seen,
            reading.cursor,
            awaited=awaited and stands and reading.until is None,
            requests=reading.requests,
            metered=meter is not None and meter.is_on,
            told=told,
        )

    def _glance(self, wanted: Wanted, at: ResolvedBrief) -> Glance | None:
        if not _is_glanceable(at.workspace):
            return None
        branch, session_id = wanted.brief.branch, wanted.brief.session_id
        place = at.workspace.glance(at.path, branch, at.source)
        stands = place is not None and place.place is Place.STANDING
        rests_on = at.workspace.stands_on(at.path, branch) if stands else ()
        awaited = self._news.stands_on(session_id, rests_on)
        (self._astray.discard if awaited else self._astray.add)(session_id)
        return place


def _surveys(machine: Machine, shown: Sequence[ResolvedBrief]) -> Sequence[Command]:
    """What lists the terminals, where it is dear to ask a machine one after the other."""
    if not machine.name:
        return ()
    runtimes = {at.runtime.name: at.runtime for at in shown}
    return [
        command
        for runtime in runtimes.values()
        if isinstance(runtime, ForeseeableRuntime)
        for command in runtime.foreseen_survey().commands
    ]


def _billed(reading: Reading, brief: Brief) -> Reading:
    """The same, paid for as the configuration says where it does not
    leave that to the login.
    """
    choice = brief.agent_config.billing
    if choice is BillingChoice.LOGIN:
        return reading
    billing, requests = Billing(choice.value), reading.requests
    if requests is not None:
        requests = tuple(replace(request, billing=billing) for request in requests)
    return replace(reading, billing=billing, requests=requests)


_OFFERS: dict[tuple[type, type], bool] = {}
"""Asking a protocol takes longer than a whole look at a working copy, and the answer
is one for all of a class.
"""


def _is_file_backed(agent: Agent) -> TypeGuard[FileBacked]:
    return _offers(FileBacked, agent)


def _is_glanceable(workspace: Workspace) -> TypeGuard[Glanceable]:
    return _offers(Glanceable, workspace)


def _offers(protocol: type, plugin: object) -> bool:
    key = (protocol, type(plugin))
    if key not in _OFFERS:
        _OFFERS[key] = isinstance(plugin, protocol)
    return _OFFERS[key]
