"""What a message waits for while nobody may even look for a place to type; what the delivery finds
there is its own to tell.
"""

from __future__ import annotations

from dataclasses import dataclass

from ennio.model.facts import Presence
from ennio.model.message import PERSON, MessageState
from ennio.model.session import Activity, SessionStatus
from ennio.policy.lifecycle.state import (
    Inputs,
    LifecycleState,
    PendingMessage,
    Phase,
    Spec,
)

MOVES = "waits until its terminal rests: the agent is at work, or a person types there"


@dataclass(frozen=True, slots=True)
class Wait:
    """What a message waits for, in words; ``by_person``: for a person who types."""

    why: str
    by_person: bool = False


def reason(spec: Spec, inputs: Inputs, state: LifecycleState) -> Wait | None:
    """What the next message waits for now; None where that is the delivery's to
    say, or nothing keeps it.
    """
    if (
        inputs.pending is None
        or inputs.pending.state is not MessageState.QUEUED
        or state.status.terminal
    ):
        return None
    place = inputs.facts.place
    if place is not None and not place.place.usable:
        return Wait(place.detail)
    why = _not_running(inputs, state)
    if why is not None:
        return Wait(why)
    return _busy(spec, state, inputs.pending) if state.ready_at is not None else None


def begins(spec: Spec, pending: PendingMessage) -> bool:
    """Whether nothing was said yet to an agent that is judged by its terminal alone: what moved
    there was its start, and its place to type says whether that is over.
    """
    return pending.first and not spec.tells


def _not_running(inputs: Inputs, state: LifecycleState) -> str | None:
    """Why there is no agent yet, or none any more, that could take it."""
    process = inputs.facts.process
    if state.status is SessionStatus.EXITED:
        return "waits for a restart: the agent has exited"
    if state.phase is not Phase.LAUNCHED:
        return "waits until the agent is started"
    if process is None or process.presence is Presence.UNKNOWN:
        return "waits until the agent can be seen again"
    if state.ready_at is not None or process.presence is Presence.GONE:
        return None
    agent = inputs.facts.agent
    why = f": {agent.detail}" if agent is not None and agent.detail else ""
    return f"waits until the agent is ready{why}"


def _busy(spec: Spec, state: LifecycleState, pending: PendingMessage) -> Wait | None:
    """An agent that tells is at work; of another only the terminal moves, and a person
    who types on moves it too.
    """
    if state.activity not in (Activity.ACTIVE, None) or begins(spec, pending):
        return None
    if spec.tells:
        return Wait("waits until the agent has done its turn")
    return Wait(PERSON, by_person=True) if pending.by_person else Wait(MOVES)
