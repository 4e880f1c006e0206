"""Who is who: actors by name. Telling is always possible; what nobody hears
is asked for again later.
"""

from __future__ import annotations

import time
from typing import Any

import pykka

from ennio.actors.reply import Reply
from ennio.model.errors import Away, NotFound, TimedOut, Unreachable

ROOT = "root"
REACTIONS = "reactions"
MERGES = "merges"
NOTICES = "notices"
QUEUE = "queue"
RETENTION = "retention"
AGENTS = "agents"
NEWS = "news"
ADOPTERS = "adopter"
RELAY = "nats"
METER = "meter"
NODE = "node"
CONFLICTS = "conflicts"
REVIEWS = "reviews"
ASK_TIMEOUT = 10.0


def session_name(session_id: str) -> str:
    """The name of a session's actor."""
    return f"session:{session_id}"


def runtime_name(runtime: str, host: str = "") -> str:
    """The name of the poller of a runtime on a host; an empty one is this machine."""
    return f"runtime:{host}:{runtime}" if host else f"runtime:{runtime}"


def agents_name(host: str = "") -> str:
    """The name of the poller of all agents on a host."""
    return f"{AGENTS}:{host}" if host else AGENTS


def news_name(host: str = "") -> str:
    """The name of whoever waits for a host's news."""
    return f"{NEWS}:{host}" if host else NEWS


def meter_name(host: str = "") -> str:
    """The name of whoever keeps a host's metering proxy."""
    return f"{METER}:{host}" if host else METER


def adopter_name(host: str) -> str:
    """The name of whoever takes in agents there that the database does not know."""
    return f"{ADOPTERS}:{host}"


def node_name(host: str) -> str:
    """The name of whoever keeps the way to another machine."""
    return f"{NODE}:{host}"


def looks_at(source: str, host: str) -> bool:
    """Whether an actor of this name looks at this host; at this machine those do that have
    no host in their name.
    """
    if host:
        own = (agents_name(host), news_name(host), meter_name(host), adopter_name(host))
        return source.startswith(f"runtime:{host}:") or source in own
    kind, _, rest = source.partition(":")
    return source in (AGENTS, NEWS) or (kind == "runtime" and ":" not in rest)


def forge_name(project_id: str) -> str:
    """The name of the poller of a project's forge."""
    return f"forge:{project_id}"


def tracker_name(project_id: str) -> str:
    """The name of the actor that tells a project's issues."""
    return f"tracker:{project_id}"


class ActorRegistry:
    """The actors that are alive, by name; kept by the root supervisor alone."""

    def __init__(self) -> None:
        self._refs: dict[str, pykka.ActorRef[Any]] = {}

    def enter(self, name: str, ref: pykka.ActorRef[Any]) -> None:
        """From now on this name is that actor."""
        self._refs[name] = ref

    def leave(self, name: str, urn: str) -> bool:
        """Forget the actor; False when the name is another one's by now."""
        ref = self._refs.get(name)
        if ref is None or ref.actor_urn != urn:
            return False
        del self._refs[name]
        return True

    def names(self) -> tuple[str, ...]:
        """Everybody who is alive."""
        return tuple(self._refs)

    def ref(self, name: str) -> pykka.ActorRef[Any] | None:
        """The actor, if it is alive."""
        return self._refs.get(name)

    def tell(self, name: str, message: Any) -> bool:
        """Tell, if somebody is there to hear. What matters is in the store
        and is found there again.
        """
        ref = self._refs.get(name)
        if ref is None or not ref.is_alive():
            return False
        ref.tell(message)
        return True

    def ask(self, name: str, message: Any, timeout: float = ASK_TIMEOUT) -> Any:
        """Ask and wait. Raises NotFound when there is no such actor, TimedOut,
        or the actor's own error.
        """
        ref = self._refs.get(name)
        if ref is None and not self._refs:
            raise Away(
                "no actor has begun yet: the supervisor is starting, or waits for its database; "
                "try again"
            )
        if ref is None:
            raise NotFound(f"no actor {name} is running")
        until = time.monotonic() + timeout
        try:
            answer: Any = ref.ask(message, timeout=timeout)
            owed = isinstance(answer, Reply)
            return answer.get(max(0.0, until - time.monotonic())) if owed else answer
        except pykka.Timeout as late:
            raise TimedOut(f"{name} did not answer within {timeout:g} s; try again") from late
        except pykka.ActorDeadError as dead:
            raise Unreachable(f"{name} is being restarted; try again") from dead
