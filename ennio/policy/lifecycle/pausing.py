"""A budget holds a session back: it keeps its place, its agent is interrupted, nothing is said to
it, until there is more. Pure.

All of it is level-triggered: what budgets say is asked at each step, and what was done about it is
remembered before it is done. An agent that was interrupted in the middle of its turn is told to go
on once, by a message that is written in the transaction that ends the pause.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ennio.model.errors import Conflict
from ennio.model.events import Draft, EventType
from ennio.model.facts import Facts, Presence
from ennio.model.session import Activity
from ennio.policy.lifecycle import orders
from ennio.policy.lifecycle.effects import (
    DeliverMessage,
    Effect,
    InterruptAgent,
    LaunchAgent,
)
from ennio.policy.lifecycle.state import (
    Desired,
    Inputs,
    LifecycleState,
    Pause,
    Phase,
    Stop,
    TurnGrant,
)
from ennio.policy.lifecycle.waiting import Wait

PRESS_AGAIN = timedelta(seconds=15)
PRESSES = 3
"""How often an agent is interrupted that works on all the same."""
BEGINS_WITHIN = timedelta(seconds=10)
"""How soon an agent that took words is seen to work on them."""


@dataclass(frozen=True, slots=True)
class Paused:
    """A state after what budgets say was taken in, with what is to be told of it."""

    state: LifecycleState
    events: tuple[Draft, ...] = ()
    goes_on: bool = False


def hold(inputs: Inputs, state: LifecycleState, now: datetime) -> Paused:
    """Take in what budgets say now."""
    stop = inputs.stop
    if stop is None or not _concerns(state):
        return _released(state, now)
    if stop.ends:
        return _ended(inputs, state, stop, now)
    if state.pause is None:
        return _paused(state, stop, now)
    pause = replace(state.pause, why=stop.why, until=stop.until, budget=stop.budget)
    return Paused(replace(state, pause=_turn_over(pause, state, now)))


def _concerns(state: LifecycleState) -> bool:
    """Whether it is at work, or would be: one that waits in the queue waits there."""
    return not state.status.terminal and state.desired in (Desired.RUN, Desired.WATCH)


def _released(state: LifecycleState, now: datetime) -> Paused:
    pause = state.pause
    if pause is None:
        return Paused(state)
    if not _concerns(state):
        return Paused(replace(state, pause=None))
    told = Draft(
        EventType.SESSION_RESUMED,
        f"budget {pause.budget} lets it go on",
        data={"budget": pause.budget, "told_to_go_on": pause.cut},
    )
    return Paused(replace(state, pause=None, released_at=now), (told,), goes_on=pause.cut)


def _paused(state: LifecycleState, stop: Stop, now: datetime) -> Paused:
    told = Draft(EventType.SESSION_PAUSED, stop.why, data={"budget": stop.budget})
    pause = Pause(now, stop.budget, stop.why, stop.until)
    return Paused(replace(state, pause=pause), (told,))


def _ended(inputs: Inputs, state: LifecycleState, stop: Stop, now: datetime) -> Paused:
    """A budget that ends sessions ends those that run; one that has no agent just now is held."""
    if state.killed_by is not None:
        return Paused(replace(state, pause=None))
    if not _alive(inputs.facts, state):
        return _paused(state, stop, now) if state.pause is None else Paused(state)
    words = f"ended by budget {stop.budget}; its work is in its workspace"
    told = Draft(EventType.SESSION_STEP, words, data={"step": "over-budget"})
    killed = orders.kill(state, f"budget {stop.budget}")
    return Paused(replace(killed, pause=None), (told,))


def _alive(facts: Facts, state: LifecycleState) -> bool:
    process = facts.process
    return (
        state.phase is Phase.LAUNCHED and process is not None and process.presence is Presence.ALIVE
    )


# --- what is held back, and what is not -----------------------------------------------------------


def held(state: LifecycleState) -> bool:
    """Whether nothing may be said to its agent, and no agent started."""
    return state.pause is not None and state.pause.grant is TurnGrant.NONE


def waits(state: LifecycleState) -> Wait | None:
    """What its messages wait for."""
    pause = state.pause
    if pause is None or pause.grant is TurnGrant.MESSAGE:
        return None
    return Wait(f"waits for budget {pause.budget}, which is used up")


def instead(
    inputs: Inputs,
    before: LifecycleState,
    chosen: tuple[LifecycleState, Effect | None],
    now: datetime,
) -> tuple[LifecycleState, Effect | None]:
    """What is done while a budget holds it: no start, no words, and an interrupt of who works."""
    after, effect = chosen
    if not held(before):
        return chosen
    if isinstance(effect, LaunchAgent | DeliverMessage):
        return before, None
    if _to_interrupt(inputs, before, now) and before.pause is not None:
        pressed = replace(before.pause, cut=True, pressed=before.pause.pressed + 1, pressed_at=now)
        return replace(before, pause=pressed), InterruptAgent()
    return after, effect


def _to_interrupt(inputs: Inputs, state: LifecycleState, now: datetime) -> bool:
    pause = state.pause
    if pause is None or state.desired is not Desired.WATCH or not _alive(inputs.facts, state):
        return False
    if state.activity is not Activity.ACTIVE or pause.pressed >= PRESSES:
        return False
    return pause.pressed_at is None or now >= pause.pressed_at + PRESS_AGAIN


def turns_at(inputs: Inputs, state: LifecycleState) -> tuple[datetime | None, ...]:
    """The moments at which time alone changes something of a pause."""
    stop, pause = inputs.stop, state.pause
    until = stop.until if stop is not None else None
    if pause is None:
        return (until,)
    again = pause.pressed_at + PRESS_AGAIN if pause.pressed_at is not None else None
    ends = pause.granted_at + BEGINS_WITHIN if pause.granted_at is not None else None
    return until, again, ends


# --- a person lets it end its turn ----------------------------------------------------------------


def let_go_on(state: LifecycleState, *, waits: bool, now: datetime) -> tuple[LifecycleState, bool]:
    """A person lets it go on until its turn ends; ``waits``: a message is there that it would take.

    Tells whether it must be told to go on. Raises Conflict where there is nothing to go on with.
    """
    pause = state.pause
    if pause is None:
        raise Conflict("it is not paused; there is nothing that keeps it from going on")
    if pause.grant is not TurnGrant.NONE:
        return state, False  # it was let already
    if in_turn(state):
        # the turn it is in is all that it is let: one that asks goes on by the answer, and words
        # that wait for it would be another turn
        running = replace(pause, grant=TurnGrant.TURN, granted_at=now, cut=False)
        return replace(state, pause=running), False
    if not (pause.cut or waits):
        raise Conflict(
            "its agent rests and no message waits for it, so there is no turn to go on with; more "
            f"is given by: ennio budget raise {pause.budget} --by USD   (or --tokens NUMBER)"
        )
    # of what was written before, the oldest is what it takes now
    speaks = pause.cut and not waits
    granted = replace(pause, grant=TurnGrant.MESSAGE, granted_at=None, cut=pause.cut and not speaks)
    return replace(state, pause=granted), speaks


def in_turn(state: LifecycleState) -> bool:
    """Whether there is a turn that its agent has begun and not ended."""
    return state.activity is not None and state.activity.in_turn


def taken(state: LifecycleState, now: datetime) -> LifecycleState:
    """Its agent took a message: where one was let through, it was that."""
    pause = state.pause
    if pause is None or pause.grant is not TurnGrant.MESSAGE:
        return state
    return replace(state, pause=replace(pause, grant=TurnGrant.TURN, granted_at=now))


def _turn_over(pause: Pause, state: LifecycleState, now: datetime) -> Pause:
    """A turn that was let go on is over once its agent rests again."""
    if pause.grant is not TurnGrant.TURN or pause.granted_at is None:
        return pause
    resting = state.activity in (Activity.READY, Activity.IDLE, Activity.EXITED)
    began = state.activity_since is not None and state.activity_since > pause.granted_at
    if resting and (began or now >= pause.granted_at + BEGINS_WITHIN):
        return replace(pause, grant=TurnGrant.NONE, granted_at=None, pressed=0, pressed_at=None)
    return pause
