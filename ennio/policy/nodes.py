"""How a machine is, and what follows from what is heard of it: decided on values alone.

Not reached is not gone: a machine that does not answer is asked again, more and more seldom, for as
long as a session is there. What a person has to change is tried again more seldom still. A daemon
that no session needs is left to end by itself, and nothing is asked then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, assert_never

from ennio.model.events import Draft, EventType
from ennio.model.node import DEPLOYS, NodeHealth, NodeState, NodeStep, StepName
from ennio.model.session import Priority

LOOK_EVERY = 15.0
"""Seconds between two looks at a machine on which sessions are."""
_FIRST, _LONGEST, _LONGEST_AWAY = 1.0, 60.0, 10.0
_FIRST_REFUSED, _LONGEST_REFUSED = 30.0, 600.0


@dataclass(frozen=True, slots=True)
class Node:
    """What is known of one machine. ``told`` is the trouble that was told last; ``daemon``: an
    ennio-node is kept there; ``away``: nothing answered there at all when it was tried last.
    """

    host: str
    daemon: bool
    state: NodeState = NodeState.UNKNOWN
    since: datetime | None = None
    failures: int = 0
    detail: str = ""
    told: str = ""
    health: NodeHealth | None = None
    steps: tuple[NodeStep, ...] = ()
    away: bool = False

    @property
    def under_way(self) -> bool:
        """Whether somebody is just connecting to it."""
        return self.state in (NodeState.CONNECTING, NodeState.DEPLOYING)

    @property
    def left_alone(self) -> bool:
        """Whether a person disconnected it, or nobody needs it: late answers change nothing."""
        return self.state in (NodeState.DISCONNECTED, NodeState.IDLE)


# --- what is heard --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ContactWanted:
    """It is to be asked: a session needs it, or a person does."""

    by_person: bool = False


@dataclass(frozen=True, slots=True)
class Stepped:
    """One step on the way to its daemon has ended."""

    step: NodeStep


@dataclass(frozen=True, slots=True)
class Answered:
    """It answered."""

    health: NodeHealth


@dataclass(frozen=True, slots=True)
class Failed:
    """It did not; ``refused``: time alone will not mend that; ``away``: nothing answered there, and
    to try again costs nobody anything.
    """

    why: str
    refused: bool
    away: bool = False


@dataclass(frozen=True, slots=True)
class Parted:
    """A person had its daemon shut down, while so many sessions were there."""

    sessions: int


@dataclass(frozen=True, slots=True)
class Rested:
    """Nobody needs it any more."""


Heard = ContactWanted | Stepped | Answered | Failed | Parted | Rested


@dataclass(frozen=True, slots=True)
class Moved:
    """What it is now, and what is told of that."""

    node: Node
    events: tuple[Draft, ...] = ()


def move(node: Node, heard: Heard, now: datetime) -> Moved:
    """What follows from what was heard."""
    match heard:
        case ContactWanted(by_person):
            return _wanted(node, by_person, now)
        case Stepped(step):
            return _stepped(node, step, now)
        case Answered(health):
            return _answered(node, health, now)
        case Failed():
            return _failed(node, heard, now)
        case Parted(sessions):
            return _parted(node, sessions, now)
        case Rested():
            return _rested(node, now)
        case _:
            assert_never(heard)


def pause(node: Node, *, needed: bool) -> float | None:
    """Seconds until it is asked again; None: not before somebody wants it."""
    if not needed or node.under_way or node.left_alone:
        return None
    if node.state is NodeState.CONNECTED:
        return LOOK_EVERY
    doubled: float = 2.0 ** max(0, min(node.failures - 1, 6))
    if node.state is NodeState.REFUSED:
        return min(_FIRST_REFUSED * doubled, _LONGEST_REFUSED)
    return min(_FIRST * doubled, _LONGEST_AWAY if node.away else _LONGEST)


# --- what follows ---------------------------------------------------------------------------------


def _to(node: Node, state: NodeState, now: datetime, **changes: Any) -> Node:
    since = node.since if node.state is state else now
    return replace(node, state=state, since=since, **changes)


def _wanted(node: Node, by_person: bool, now: datetime) -> Moved:
    stays = node.under_way or node.state is NodeState.CONNECTED
    if stays or (node.state is NodeState.DISCONNECTED and not by_person):
        return Moved(node)
    failures = 0 if by_person else node.failures
    return Moved(_to(node, NodeState.CONNECTING, now, steps=(), failures=failures))


def _stepped(node: Node, step: NodeStep, now: datetime) -> Moved:
    if not node.under_way:
        return Moved(node)
    deploys = node.state is NodeState.DEPLOYING or step.name in DEPLOYS
    state = NodeState.DEPLOYING if deploys else NodeState.CONNECTING
    moved = _to(node, state, now, steps=(*node.steps, step))
    return Moved(moved, () if _is_routine(step) else (_told_step(node.host, step),))


def _is_routine(step: NodeStep) -> bool:
    """What every connection begins with is shown, and told only where it fails."""
    return step.ok and step.name not in DEPLOYS


def _told_step(host: str, step: NodeStep) -> Draft:
    launched = step.ok and step.name is StepName.START
    kind = EventType.NODE_LAUNCHED if launched else EventType.NODE_STEP
    words = f"{host}: {step.name}: {step.detail}"
    data = {"step": step.name.value, "ok": step.ok, "output": step.output}
    return _told(kind, host, words, data, Priority.INFO if step.ok else Priority.ACTION)


def _answered(node: Node, health: NodeHealth, now: datetime) -> Moved:
    if node.left_alone:
        return Moved(node)
    moved = _to(
        node,
        NodeState.CONNECTED,
        now,
        health=health,
        failures=0,
        detail="",
        told="",
        steps=node.steps,
    )
    if node.state is NodeState.CONNECTED:
        return Moved(moved)
    words = f"connected to {node.host}: it answers within {health.round_trip * 1000:.0f} ms"
    data = {"round_trip": round(health.round_trip, 4), "version": health.version}
    return Moved(moved, (_told(EventType.NODE_CONNECTED, node.host, words, data),))


def _failed(node: Node, heard: Failed, now: datetime) -> Moved:
    if node.left_alone:
        return Moved(node)
    why, refused, failures = heard.why, heard.refused, node.failures + 1
    state = NodeState.REFUSED if refused else NodeState.UNREACHABLE
    moved = _to(node, state, now, detail=why, told=why, failures=failures, away=heard.away)
    data = {"ok": False, "reason": why}
    if node.state is NodeState.CONNECTED:
        words = f"lost {node.host}: {why}"
        return Moved(moved, (_told(EventType.NODE_DISCONNECTED, node.host, words, data),))
    if node.told == why:
        return Moved(moved)
    words = f"{node.host} cannot be asked: {why}"
    priority = Priority.ACTION if refused else Priority.INFO
    return Moved(moved, (_told(EventType.NODE_HEALTH_CHECK, node.host, words, data, priority),))


def _parted(node: Node, sessions: int, now: datetime) -> Moved:
    if node.state is NodeState.DISCONNECTED:
        return Moved(node)
    goes_on = f"; {sessions} of its sessions go on there, unseen" if sessions else ""
    words = f"disconnected from {node.host} by a person{goes_on}"
    told = _told(EventType.NODE_DISCONNECTED, node.host, words, {"sessions": sessions})
    detail = f"a person disconnected it; `ennio node connect {node.host}` connects again"
    moved = _to(node, NodeState.DISCONNECTED, now, detail=detail, told="", failures=0)
    return Moved(moved, (told,))


def _rested(node: Node, now: datetime) -> Moved:
    if not node.daemon or node.left_alone:
        return Moved(node)
    detail = "no session needs it; the next one connects"
    return Moved(_to(node, NodeState.IDLE, now, detail=detail, told="", failures=0))


def _told(
    kind: EventType,
    host: str,
    words: str,
    data: Mapping[str, Any],
    priority: Priority = Priority.INFO,
) -> Draft:
    return Draft(kind, words, priority, {"host": host, **data})
