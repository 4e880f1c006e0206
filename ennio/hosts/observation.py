"""What is asked of a host's agents at a look, and what it saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ennio.hosts.brief import Brief
from ennio.model.facts import AgentSeen, ProcessSeen
from ennio.model.usage import MeterNews, RequestUsage
from ennio.plugins.workspace.interface import Glance


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be read of one session: go on from ``cursor``; with the screen, and the working
    copy at a glance, if asked.

    ``afresh``: also what it would only say again.
    """

    brief: Brief
    cursor: Mapping[str, str]
    screen: bool = False
    place: bool = False
    afresh: bool = False


@dataclass(frozen=True, slots=True)
class Observation:
    """What one look brought; ``agent`` None: it would say again what it said last, or there
    is none to say anything.

    ``awaited``: it says the same until there is ``News`` of the session, for as long as
    somebody waits for that.
    ``requests``: see ``Reading``; where a proxy counts, those that it counted. ``metered``: the
    present launch goes past one, and what the agent says of its sum is no usage of its own.
    ``told`` are events that follow from what was counted.
    """

    agent: AgentSeen | None
    cursor: Mapping[str, str]
    place: Glance | None = None
    awaited: bool = False
    requests: tuple[RequestUsage, ...] | None = None
    metered: bool = False
    told: tuple[MeterNews, ...] = ()


@dataclass(frozen=True, slots=True)
class Survey:
    """What became of agents' processes; of those that are ``awaited`` there is ``News``
    when more becomes of them.
    """

    processes: Mapping[str, ProcessSeen]
    awaited: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class News:
    """Look again at these sessions. ``cursor``: up to where it is told; ``everybody``: what came
    before that is not known.

    ``trouble``: why some cannot be waited for, and what helps; empty when there is
    nothing to be done about it.
    ``notified``: of these a hook told so, on a machine where nothing else is waited for; they are
    among ``sessions``.
    """

    cursor: str
    sessions: tuple[str, ...] = ()
    everybody: bool = False
    trouble: str = ""
    notified: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MeterState:
    """The metering proxy of a host: where it listens (None: it does not run), of which version it
    is, and whose requests may pass it.

    ``detail`` says what is not well with it; empty when nothing is.
    """

    address: str | None
    version: str = ""
    sessions: tuple[str, ...] = ()
    detail: str = ""
