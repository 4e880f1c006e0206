"""Whether a session is parked until a window of its agent's plan begins anew, and whether it goes
on by itself. Pure.

It goes on once, and only where the configuration or a person says so; what is held meanwhile is in
``holding.py``. That it goes on is written down with the words for it, before they are typed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ennio.model.events import Draft, EventType
from ennio.model.facts import AgentSeen, Presence
from ennio.model.message import Origin
from ennio.model.plan_window import PlanWindow, decisive
from ennio.policy.lifecycle.parked import Parked, ResumeWhen, hour
from ennio.policy.lifecycle.state import Desired, Inputs, LifecycleState, Phase, Spec
from ennio.policy.lifecycle.waiting import Wait

NEAR = timedelta(minutes=2)
"""Within this, two hours of reset are one: one is told to the second, the other to the minute."""


@dataclass(frozen=True, slots=True)
class ParkingPlan:
    """What a step makes of it. ``says``: words are wanted, for none are waiting, and are known by
    this name: the window until this reset.
    """

    state: LifecycleState
    events: tuple[Draft, ...] = ()
    says: str | None = None


def step(spec: Spec, inputs: Inputs, state: LifecycleState, now: datetime) -> ParkingPlan:
    """Park it, let it go on, or leave it."""
    state, events = _parked(inputs, state, now)
    if state.parked is None or not _goes_on(spec, inputs, state.parked, now):
        return ParkingPlan(state, events)
    parked = state.parked
    told = replace(state, parked=replace(parked, told_at=now), went_on_for=parked.resets_at)
    words = f"goes on: {_why(spec, inputs, parked)}"
    said = None if inputs.waiting else parked.name
    return ParkingPlan(told, (*events, _note("resumed", words)), said)


def _parked(
    inputs: Inputs, state: LifecycleState, now: datetime
) -> tuple[LifecycleState, tuple[Draft, ...]]:
    if state.status.terminal or state.desired is Desired.END:
        return replace(state, parked=None), ()
    agent = _seen(inputs, state)
    if agent is None:
        return state, ()
    window, before = decisive(agent.windows), state.parked
    if window is None or window.refused_at is None:
        over = (_note("unparked", "its agent works again"),) if before is not None else ()
        return replace(state, parked=None), over
    if before is not None and _is_same(before, window):
        return state, ()
    said = before.said if before is not None and _is_near(before, window) else None
    parked = Parked(
        window.name,
        window.account,
        window.resets_at,
        now,
        window.refused_at,
        _unsaid(before, said),
        again=_went_on(state, window.resets_at),
    )
    return replace(state, parked=parked), (_note("parked", parked.words),)


def _unsaid(before: Parked | None, said: ResumeWhen | None) -> ResumeWhen | None:
    """What was said is used up by going on once."""
    return None if before is not None and before.told_at is not None else said


def _seen(inputs: Inputs, state: LifecycleState) -> AgentSeen | None:
    """What the present launch of the agent tells, where it can be seen."""
    process = inputs.facts.process
    if state.phase is not Phase.LAUNCHED or process is None:
        return None
    return inputs.facts.agent if process.presence is Presence.ALIVE else None


def _is_same(parked: Parked, window: PlanWindow) -> bool:
    """Whether it is parked for this already; refused anew after it went on, it is not."""
    again = parked.told_at is not None and (window.refused_at or parked.since) > parked.told_at
    return _is_near(parked, window) and not again


def _is_near(parked: Parked, window: PlanWindow) -> bool:
    if (parked.window, parked.account) != (window.name, window.account):
        return False
    if parked.resets_at is None or window.resets_at is None:
        return parked.resets_at is window.resets_at
    return abs(parked.resets_at - window.resets_at) < NEAR


def _goes_on(spec: Spec, inputs: Inputs, parked: Parked, now: datetime) -> bool:
    if parked.told_at is not None or inputs.busy:
        return False
    if parked.said is ResumeWhen.NOW:
        return True
    if parked.resets_at is None or now < parked.resets_at:
        return False
    by_person = parked.said is ResumeWhen.AT_RESET or Origin.PERSON in inputs.waiting
    return by_person or (spec.resume_at_reset and not parked.again)


def _went_on(state: LifecycleState, resets_at: datetime | None) -> bool:
    """Whether it went on for this reset before, and was refused all the same."""
    if state.went_on_for is None or resets_at is None:
        return False
    return resets_at - state.went_on_for < NEAR


def _why(spec: Spec, inputs: Inputs, parked: Parked) -> str:
    if parked.said is ResumeWhen.NOW:
        return "a person said so"
    by_person = parked.said is ResumeWhen.AT_RESET or Origin.PERSON in inputs.waiting
    who = "as a person said" if by_person or not spec.resume_at_reset else "by itself"
    return f"the plan window {parked.window} has begun anew, and it goes on {who}"


def is_held(state: LifecycleState) -> bool:
    """Whether it is parked, and nobody has let it go on yet."""
    return state.parked is not None and state.parked.told_at is None


def waits(state: LifecycleState) -> Wait | None:
    """What its messages wait for."""
    if state.parked is None or not is_held(state):
        return None
    return Wait(f"waits for the plan: {state.parked.words}")


def note(state: LifecycleState, now: datetime) -> str:
    """What is said of it beside the rule of its status; empty while it is not held."""
    parked = state.parked
    if parked is None or not is_held(state):
        return ""
    if parked.resets_at is None or now < parked.resets_at:
        return parked.words
    reset = hour(parked.resets_at, now)
    asked = "waits for a person's word to go on"
    again = ", and the agent was refused once more" if parked.again else ""
    return f"plan window {parked.window} was used up and has reset at {reset}{again}: it {asked}"


def turns_at(state: LifecycleState) -> tuple[datetime, ...]:
    """When time alone changes something."""
    held = state.parked is not None and is_held(state)
    at = state.parked.resets_at if state.parked is not None and held else None
    return () if at is None else (at,)


def _note(step: str, words: str) -> Draft:
    return Draft(EventType.SESSION_STEP, words, data={"step": step})
