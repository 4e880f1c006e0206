"""What the agent's process is doing: its own word first, its terminal second,
never a guess on no signal.

That time alone makes of one activity another holds up to the last look that saw the agent's
process, and no further: what nobody has looked at may have gone on.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ennio.model.facts import AgentSeen, Presence, ProcessSeen
from ennio.model.session import Activity
from ennio.policy.lifecycle.parking import is_held
from ennio.policy.lifecycle.state import Inputs, LifecycleState, Phase, Spec


def derive(spec: Spec, inputs: Inputs, state: LifecycleState, now: datetime) -> Activity | None:
    """The activity the facts amount to; where nothing can be seen it stays what it was."""
    process, agent = inputs.facts.process, inputs.facts.agent
    if state.phase is not Phase.LAUNCHED:
        return None if state.launches == 0 else state.activity
    if process is None or process.presence is not Presence.ALIVE:
        return Activity.EXITED if process and process.presence is Presence.GONE else state.activity
    if agent is not None and agent.activity is not None:
        # in the middle of a turn it is, whatever its plan says
        held = is_held(state) and not agent.activity.in_turn
        return Activity.BLOCKED if held else _reported(spec, agent, seen_until(process, now))
    if agent is not None and agent.requesting:
        return Activity.ACTIVE  # a proxy sees that it asks its model, where nobody says anything
    if not spec.tells:
        until = seen_until(process, now)
        return _by_output(spec, _quiet_since(inputs, state) or until, until)
    return state.activity if state.activity is not Activity.EXITED else None


def seen_until(process: ProcessSeen, now: datetime) -> datetime:
    """Up to when it is known how long nothing was heard: through a line that is dead there is no
    news, and that is no silence.
    """
    return min(process.at, now)


def _reported(spec: Spec, agent: AgentSeen, until: datetime) -> Activity | None:
    """Its own word; only *ready* turns to idle with time, and not while a helper works or its model
    is asked: a question stays a question for ever.
    """
    if (
        _can_idle(agent)
        and agent.since is not None
        and until - agent.since >= timedelta(seconds=spec.idle_after)
    ):
        return Activity.IDLE
    return agent.activity


def _can_idle(agent: AgentSeen) -> bool:
    return agent.activity is Activity.READY and agent.helpers == 0 and not agent.requesting


def _quiet_since(inputs: Inputs, state: LifecycleState) -> datetime | None:
    """Since when neither its terminal nor the proxy before its model has seen anything of it. That
    no model is asked says nothing alone: what it runs may take its time.
    """
    process, agent = inputs.facts.process, inputs.facts.agent
    output = process.output_at if process is not None else None
    asked = agent.requested_at if agent is not None else None
    return max(filter(None, (output or state.launched_at, asked)), default=None)


def _by_output(spec: Spec, since: datetime, until: datetime) -> Activity:
    quiet = until - since
    if quiet >= timedelta(seconds=spec.idle_after):
        return Activity.IDLE
    return Activity.READY if quiet >= timedelta(seconds=spec.quiet_after) else Activity.ACTIVE


def turns_at(spec: Spec, inputs: Inputs, state: LifecycleState) -> tuple[datetime, ...]:
    """The moments at which time alone would change the activity, or make the agent ready."""
    process, agent = inputs.facts.process, inputs.facts.agent
    if (
        process is None
        or process.presence is not Presence.ALIVE
        or state.phase is not Phase.LAUNCHED
    ):
        return ()
    if agent is not None and agent.activity is not None:
        return (
            (agent.since + timedelta(seconds=spec.idle_after),)
            if _can_idle(agent) and agent.since
            else ()
        )
    if spec.tells:
        return ()
    return (*_ready_at(spec, state), *_quiet_turns(spec, inputs, state))


def _ready_at(spec: Spec, state: LifecycleState) -> tuple[datetime, ...]:
    if state.ready_at is not None or state.launched_at is None:
        return ()
    return (state.launched_at + timedelta(seconds=spec.ready_threshold),)


def _quiet_turns(spec: Spec, inputs: Inputs, state: LifecycleState) -> tuple[datetime, ...]:
    agent, since = inputs.facts.agent, _quiet_since(inputs, state)
    if since is None or (agent is not None and agent.requesting):
        return ()
    return tuple(since + timedelta(seconds=wait) for wait in (spec.quiet_after, spec.idle_after))


def look_is_due(spec: Spec, inputs: Inputs, state: LifecycleState, now: datetime) -> bool:
    """Whether such a moment has come and nobody has looked since: only a look tells what it is."""
    process = inputs.facts.process
    return process is not None and any(
        process.at < turn <= now for turn in turns_at(spec, inputs, state)
    )
