"""A machine on which agents work, as the supervisor sees it from outside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class NodeState(StrEnum):
    """Whether a machine can be asked."""

    HERE = "here"  # the machine that the supervisor runs on
    UNKNOWN = "unknown"  # nobody has asked it yet, or nobody can
    IDLE = "idle"  # no session needs its daemon, which may have ended
    CONNECTING = "connecting"
    DEPLOYING = "deploying"  # the daemon is put there and started
    CONNECTED = "connected"
    UNREACHABLE = "unreachable"  # it did not answer; it is asked again
    REFUSED = "refused"  # a person must change something
    DISCONNECTED = "disconnected"  # a person said so


class NodeKind(StrEnum):
    """How it is asked."""

    HERE = "here"
    SSH = "ssh"  # by commands over ssh alone
    DAEMON = "daemon"  # by the ennio-node that runs there
    STRANGER = "stranger"  # sessions name it, and the configuration does not


class StepName(StrEnum):
    """What is done on the way to a daemon, in this order; what is not needed is left out."""

    LOG_IN = "log in"
    LOOK = "look"
    PACK = "pack"
    COPY = "copy"
    INSTALL = "install"
    STOP = "stop"  # one of another version
    START = "start"
    TUNNEL = "tunnel"
    VERIFY = "verify"


DEPLOYS = frozenset({StepName.PACK, StepName.COPY, StepName.INSTALL, StepName.STOP, StepName.START})


@dataclass(frozen=True, slots=True)
class NodeStep:
    """One of them: what came of it, and for one that failed what the program over there said."""

    name: StepName
    at: datetime
    ok: bool
    detail: str
    output: str = ""


@dataclass(frozen=True, slots=True)
class NodeHealth:
    """What an answer told: how long it took (seconds), and what room there is (bytes). ``version``
    and ``started_at`` are the daemon's, where there is one.
    """

    at: datetime
    round_trip: float
    free_memory: int | None = None
    free_disk: int | None = None
    version: str | None = None
    started_at: datetime | None = None
