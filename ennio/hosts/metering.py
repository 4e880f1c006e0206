"""The metering proxy of a host: which launches go past it, and what it counted of them.

Whether a launch goes past it is written down beside the session before it begins, with the time:
what an agent tells of requests of such a launch was counted by the proxy, and what it tells of
others was not, whenever it is read and whatever the configuration says by then.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import ennio
from ennio.hosts.observation import MeterState
from ennio.hosts.session_files import SessionFiles
from ennio.hosts.tally import Tally
from ennio.model.errors import Refused
from ennio.model.facts import AgentSeen
from ennio.model.failpoints import failpoint
from ennio.model.usage import Counted, MeterNews, RequestUsage
from ennio.plugins.agent.interface import Agent, AgentContext, CommandLine, Reading
from ennio.plugins.agent.metering import Meterable
from ennio.policy.budgets.headroom import Headroom
from ennio.proxy import grants, journal, process, stops
from ennio.proxy.directory import ProxyDirectory
from ennio.proxy.headroom import write as write_headroom
from ennio.proxy.upstreams import OWN

FILE = "metering.json"
KEY = "metering"
"""Under this name in the cursor of a session: its tally."""
_WAYS_OUT = ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")
_NO_BUDGET = "a file beside the proxy: what a budget holds is told to it again at each start"
_DELAY = timedelta(seconds=10)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LaunchCounted:
    """A launch: its number, when it began (epoch seconds), and whether it went past the proxy."""

    number: int
    begun: float
    metered: bool


Launches = tuple[LaunchCounted, ...]


def counted_at(launches: Launches, at: datetime) -> LaunchCounted | None:
    """The launch of that moment; None before the first that is known."""
    moment = at.timestamp()
    return next((one for one in reversed(launches) if one.begun <= moment), None)


class HostMeter:
    """The proxy of this machine, as its host knows it. Safe under real threads."""

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        self.directory = ProxyDirectory(root / "proxy")
        self._environ = environ
        self._launches: dict[str, Launches] = {}
        self._limited: Headroom | None = None
        self._limiting = threading.Lock()
        self._starting = threading.Lock()

    # --- the process ------------------------------------------------------------------------------

    def state(self) -> MeterState:
        """How it is; starts nothing."""
        return self._state(process.address(self.directory))

    @failpoint("meter.keep")
    def keep(self) -> MeterState:
        """The same, started where it is gone; one of another version is replaced where no session
        needs it. Raises Unreachable.
        """
        if self._is_replaceable():
            process.end(self.directory)
        return self._state(self._ensured())

    def _ensured(self) -> str:
        with self._starting:  # one is enough
            return process.ensure(self.directory, dict(self._environ))

    def _is_replaceable(self) -> bool:
        other = process.version(self.directory) not in ("", ennio.__version__)
        return other and not grants.sessions(self.directory)

    def leave(self) -> MeterState:
        """End it where no session may pass."""
        if not grants.sessions(self.directory):
            process.tell_to_end(self.directory)
        return self.state()

    def _state(self, address: str | None) -> MeterState:
        version = process.version(self.directory) if address is not None else ""
        passing = tuple(sorted(grants.sessions(self.directory)))
        return MeterState(address, version, passing, _trouble(version))

    @failpoint("meter.stop", because=_NO_BUDGET)
    def stop(self, session_id: str, reason: str) -> None:
        """Let no further request of a session pass."""
        stops.stop(self.directory, session_id, reason)

    @failpoint("meter.allow", because=_NO_BUDGET)
    def allow(self, session_id: str) -> None:
        """Let its requests pass again."""
        stops.release(self.directory, session_id)

    @failpoint("meter.limit", because=_NO_BUDGET)
    def limit(self, headroom: Headroom) -> None:
        """Let no more than this pass, by the proxy's own count."""
        with self._limiting:
            if headroom != self._limited:
                self._limited = None  # where it cannot be written, none is
                write_headroom(self.directory, headroom)
                self._limited = headroom

    # --- a launch ---------------------------------------------------------------------------------

    @failpoint("meter.lead")
    def lead(
        self,
        agent: Agent,
        context: AgentContext,
        command: CommandLine,
        env: Mapping[str, str],
        number: int,
    ) -> CommandLine:
        """The command that asks its model past the proxy, which is started if need be. Raises
        Refused, Unreachable.
        """
        if not isinstance(agent, Meterable):
            raise Refused(unmeterable(agent.name))
        wanted = agent.upstreams(context, env)
        upstreams = {name: url or OWN[name] for name, url in wanted.items()}
        address = self._ensured()
        tokens = grants.grant(self.directory, context.session_id, number, upstreams)
        led = agent.led(command, {name: f"{address}/{token}" for name, token in tokens.items()})
        return replace(led, env={**led.env, **_direct(env)})

    @failpoint("meter.begin")
    def begins(self, files: SessionFiles, number: int, at: datetime, *, metered: bool) -> bool:
        """Write down that a launch begins; whether it goes past the proxy. Asked again of the same
        it stands as it was: its agent may run already.
        """
        known = self.launches(files)
        before = next((one.metered for one in known if one.number == number), None)
        if before is not None or not (known or metered):
            return before or False
        if not metered:
            grants.forget(self.directory, files.session_id)
        launches = (*known, LaunchCounted(number, at.timestamp(), metered))
        files.write(FILE, json.dumps([[one.number, one.begun, one.metered] for one in launches]))
        self._launches[files.session_id] = launches
        return metered

    def of(self, files: SessionFiles) -> SessionMeter | None:
        """What it counts of a session; None where no launch ever went past it."""
        launches = self.launches(files)
        return SessionMeter(self.directory, files.session_id, launches) if launches else None

    def launches(self, files: SessionFiles) -> Launches:
        """The launches of a session since the first that went past the proxy."""
        if files.session_id not in self._launches:
            self._launches[files.session_id] = _parsed(files.read(FILE))
        return self._launches[files.session_id]

    @failpoint("meter.end")
    def ended(self, session_id: str) -> None:
        """Its agent has ended: nobody passes under its name any more."""
        grants.forget(self.directory, session_id)

    def forget(self, session_id: str) -> None:
        """Nobody will ask for it any more."""
        grants.forget(self.directory, session_id)
        stops.release(self.directory, session_id)
        journal.forget(self.directory, session_id)
        self._launches.pop(session_id, None)


@dataclass(frozen=True, slots=True)
class SessionMeter:
    """What the proxy counts of one session."""

    directory: ProxyDirectory
    session_id: str
    launches: Launches

    @property
    def is_on(self) -> bool:
        """Whether the present launch goes past it."""
        return self.launches[-1].metered

    def files(self, cursor: Mapping[str, str]) -> tuple[Path, ...]:
        """What a reading rests on; while a request is under way also whoever passes it on."""
        written = journal.path_of(self.directory, self.session_id)
        return (written, self.directory.lock) if Tally.of(cursor.get(KEY)).is_busy else (written,)

    def read(
        self, reading: Reading, cursor: Mapping[str, str], now: datetime
    ) -> tuple[Reading, tuple[MeterNews, ...]]:
        """What the agent told, with what passed in place of what it told of requests that passed;
        and what of that a person should hear of.
        """
        tally, seen, billing = Tally.of(cursor.get(KEY)), reading.seen, reading.billing
        told: tuple[MeterNews, ...] = ()
        try:
            passed, tally.at = journal.read(self.directory, self.session_id, tally.at)
        except OSError as error:
            passed = ()
            seen = replace(seen, detail=f"what its proxy counted cannot be read: {error.strerror}")
        requests = tally.take(passed, billing)
        if tally.is_busy:
            lost = tally.cut_off(process.pid(self.directory), billing)
            requests += lost
            told = (MeterNews.CUT_OFF,) * bool(lost)
        requests += self._uncounted(reading, tally)
        settles = _settles(tally.counted)
        if settles is not None and settles <= now and not tally.said:
            tally.said = True
            told = (*told, MeterNews.DIFFERS)
        elif settles is not None and not tally.said:
            reading = replace(reading, until=min(filter(None, (reading.until, settles))))
        kept = None if reading.requests is None and not requests else tuple(requests)
        on = {**reading.cursor, KEY: tally.as_text()}
        return replace(reading, seen=_with(seen, tally.counted), cursor=on, requests=kept), told

    def _uncounted(self, reading: Reading, tally: Tally) -> list[RequestUsage]:
        """What the agent told of launches that did not go past it; the rest is compared."""
        found = []
        for request in reading.requests or ():
            launch = counted_at(self.launches, request.at)
            if launch is None or not launch.metered:
                found.append(request)
            else:
                tally.compare(request, launch.number)
        tally.tells = tally.tells or reading.requests is not None
        return found


def _direct(env: Mapping[str, str]) -> Mapping[str, str]:
    """What keeps an agent from asking for this machine through the proxy that leads out of it."""
    if not any(env.get(name) for name in _WAYS_OUT):
        return {}
    known = env.get("no_proxy") or env.get("NO_PROXY") or ""
    told = ",".join(filter(None, (known, process.HOST)))
    return {"no_proxy": told, "NO_PROXY": told}


def _settles(counted: Counted) -> datetime | None:
    """When a difference is no mere delay any more: an agent writes down a moment after its model
    has answered. None while both agree, or may yet.
    """
    if not counted.differs or counted.busy or counted.quiet_since is None:
        return None
    return counted.quiet_since + _DELAY


def _with(seen: AgentSeen, counted: Counted) -> AgentSeen:
    """What was seen, with what was counted: whoever asks its model is not silent."""
    silent = seen.silent_since
    if silent is not None and counted.quiet_since is not None:
        silent = max(silent, counted.quiet_since)
    return replace(seen, counted=counted, silent_since=None if counted.busy else silent)


def _trouble(version: str) -> str:
    if not version or version == ennio.__version__:
        return ""
    return (
        f"it is of version {version}, this is {ennio.__version__}: it counts on, and is replaced "
        "once no agent needs it"
    )


def unmeterable(agent: str) -> str:
    """Why an agent cannot go past a proxy, and what to do."""
    return (
        f"agent_config.metering: nobody knows how to lead the agent {agent} past a proxy; "
        "`metering: agent` lets it count by itself"
    )


def _parsed(text: str | None) -> Launches:
    try:
        return tuple(
            LaunchCounted(int(number), float(begun), bool(metered))
            for number, begun, metered in json.loads(text or "[]")
        )
    except (ValueError, TypeError):
        log.warning("what was written of launches past the proxy cannot be read")
        return ()
