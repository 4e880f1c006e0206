"""What the facts bring that was not known before: remembered, and told as events."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from ennio.model.events import Draft, EventType
from ennio.model.facts import Presence
from ennio.model.session import Priority
from ennio.policy.lifecycle import pull_request
from ennio.policy.lifecycle.activity import seen_until
from ennio.policy.lifecycle.state import Applied, Desired, Inputs, LifecycleState, Phase, Spec


def apply(spec: Spec, inputs: Inputs, state: LifecycleState, now: datetime) -> Applied:
    """Take in everything new, in the order in which it must have happened."""
    events: list[Draft] = []
    for part in (
        _adoption,
        _readiness,
        _signal,
        _forge_signal,
        *pull_request.NEWS,
        _place,
    ):
        applied = part(spec, inputs, state, now)
        state = applied.state
        events.extend(applied.events)
    return Applied(state, tuple(events))


def _adoption(_spec: Spec, inputs: Inputs, state: LifecycleState, now: datetime) -> Applied:
    """A launch that was given up, or overtaken by a kill, and yet stands:
    it happened all the same.
    """
    process = inputs.facts.process
    if state.phase is not Phase.LAUNCHING or state.desired is Desired.RUN or inputs.busy:
        return Applied(state)
    if (
        process is None
        or process.presence is not Presence.ALIVE
        or process.number != state.launches
    ):
        return Applied(state)
    return Applied(replace(state, phase=Phase.LAUNCHED, launched_at=now, failure=None))


def _readiness(spec: Spec, inputs: Inputs, state: LifecycleState, now: datetime) -> Applied:
    process = inputs.facts.process
    if state.phase is not Phase.LAUNCHED or state.ready_at is not None:
        return Applied(state)
    if (
        process is None
        or process.presence is not Presence.ALIVE
        or not _is_ready(spec, inputs, state, seen_until(process, now))
    ):
        return Applied(state)
    word = Draft(
        EventType.SESSION_WORKING,
        "the agent is ready and has begun",
        data={"launch": state.launches},
    )
    return Applied(replace(state, ready_at=now), (word,))


def _is_ready(spec: Spec, inputs: Inputs, state: LifecycleState, until: datetime) -> bool:
    agent = inputs.facts.agent
    if agent is not None and agent.ready:
        return True
    since = state.launched_at or until
    return not spec.tells and until - since >= timedelta(seconds=spec.ready_threshold)


def _signal(spec: Spec, inputs: Inputs, state: LifecycleState, now: datetime) -> Applied:
    process = inputs.facts.process
    if state.phase is not Phase.LAUNCHED or process is None or state.launches <= state.stopped:
        return Applied(state)  # nothing is started that could be seen
    unknown = process.presence is Presence.UNKNOWN
    if (
        unknown
        and not state.signal_lost
        and now - process.at >= timedelta(seconds=spec.signal_grace)
    ):
        word = Draft(
            EventType.SIGNAL_LOST,
            f"no signal: {process.detail}",
            Priority.ACTION,
            {"source": process.source},
        )
        return Applied(replace(state, signal_lost=True), (word,))
    if not unknown and state.signal_lost:
        return Applied(
            replace(state, signal_lost=False),
            (Draft(EventType.SIGNAL_REGAINED, "the session can be seen again"),),
        )
    return Applied(state)


def _forge_signal(spec: Spec, inputs: Inputs, state: LifecycleState, now: datetime) -> Applied:
    """A forge that cannot be seen is told like a process that cannot be: what
    hangs on it is frozen too.
    """
    forge = inputs.facts.forge
    if not spec.forge or forge is None or state.status.terminal:
        return Applied(state)
    unknown = forge.presence is Presence.UNKNOWN
    if unknown and not state.forge_lost and now - forge.at >= timedelta(seconds=spec.signal_grace):
        word = Draft(
            EventType.SIGNAL_LOST,
            f"no signal of the forge: {forge.detail}",
            Priority.ACTION,
            {"source": forge.source},
        )
        return Applied(replace(state, forge_lost=True), (word,))
    if not unknown and state.forge_lost:
        return Applied(
            replace(state, forge_lost=False),
            (Draft(EventType.SIGNAL_REGAINED, "the forge can be seen again"),),
        )
    return Applied(state)


def _place(_spec: Spec, inputs: Inputs, state: LifecycleState, _now: datetime) -> Applied:
    """What a person or an agent did to the workspace is told once, and once
    more when it is right again.
    """
    place = inputs.facts.place
    if place is None or place.detail == state.place or state.phase is not Phase.LAUNCHED:
        return Applied(state)
    words = place.detail or "its working copy is as it should be again"
    priority = Priority.ACTION if place.place.takes_person else Priority.INFO
    data = {"step": "place", "place": place.place.value}
    return Applied(
        replace(state, place=place.detail), (Draft(EventType.SESSION_STEP, words, priority, data),)
    )
