"""The status of a session, derived from facts: the first rule that matches, with its grounds.

Terminal states are never left (but a merged session is done once its workspace is gone). A rule
that needs a fact nobody could see answers None: the status stays what it was.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ennio.model.evidence import Ground
from ennio.model.facts import Presence, ProcessSeen
from ennio.model.plural import number_of
from ennio.model.pulls import PullRequest, PullState
from ennio.model.session import SessionStatus as S
from ennio.policy.lifecycle import parking
from ennio.policy.lifecycle.pull_request import (
    BY_PUSH,
    by_pull,
    forge_grounds,
    known_pull,
    past_review,
)
from ennio.policy.lifecycle.state import DerivedStatus, Desired, Inputs, LifecycleState, Phase, Spec


def derive(
    spec: Spec, inputs: Inputs, state: LifecycleState, now: datetime
) -> DerivedStatus | None:
    """The status the facts amount to; None: what matters cannot be seen, so nothing changes.

    What is wrong with the workspace, or that its plan is used up, changes no status; it stands
    before the rule.
    """
    derived = _parked(state, _by_rules(spec, inputs, state, now), now)
    place = inputs.facts.place
    if (
        derived is None
        or derived.status.terminal
        or place is None
        or not place.detail
        or state.phase is not Phase.LAUNCHED
    ):
        return derived
    rule = f"{place.detail} ({derived.rule})"
    return replace(
        derived, rule=rule, grounds=(*derived.grounds, Ground(place.detail, "workspace", place.at))
    )


def _parked(
    state: LifecycleState, derived: DerivedStatus | None, now: datetime
) -> DerivedStatus | None:
    note = parking.note(state, now)
    if derived is None or derived.status.terminal or not note or state.parked is None:
        return derived
    ground = Ground(note, "agent", state.parked.refused_at)
    return replace(derived, rule=f"{note} ({derived.rule})", grounds=(*derived.grounds, ground))


def _by_rules(
    spec: Spec, inputs: Inputs, state: LifecycleState, now: datetime
) -> DerivedStatus | None:
    if state.status is S.MERGED and state.cleaned_at is not None:
        how = f" {BY_PUSH}" if state.by_push else ""
        return DerivedStatus(
            S.DONE, f"merged{how}, and its workspace has been cleaned", outcome="merged"
        )
    if state.status.terminal:
        return None
    if state.killed_by is not None:
        return _killed(state)
    pull = known_pull(inputs)
    if pull is not None and pull.state is PullState.MERGED:
        rule = f"pull request #{pull.number} is merged{past_review(inputs, pull)}"
        return DerivedStatus(S.MERGED, rule, forge_grounds(inputs), outcome="merged")
    if state.phase is not Phase.LAUNCHED:
        return _unlaunched(inputs, state, pull, spec, now)
    if pull is not None and pull.state is PullState.OPEN:
        return _with_open_pull(spec, inputs, state, pull, now)
    if pull is not None:
        return _with_closed_pull(inputs, state, pull)
    return _without_pull(spec, inputs, state)


def _killed(state: LifecycleState) -> DerivedStatus:
    """Killed means dead: until nothing of the agent is left, it is only being ended."""
    if state.under_way:
        return DerivedStatus(
            state.status,
            f"being ended for {state.killed_by}: what was started has not been seen to end yet",
        )
    return DerivedStatus(S.KILLED, f"killed by {state.killed_by}")


def ended_well(process: ProcessSeen) -> bool:
    """The process ended by itself and said that all went well."""
    return process.exit_code == 0 and process.signal is None


def _unlaunched(
    inputs: Inputs, state: LifecycleState, pull: PullRequest | None, spec: Spec, now: datetime
) -> DerivedStatus | None:
    if state.desired is Desired.WATCH and state.failure is not None:
        return DerivedStatus(
            S.EXITED,
            f"it could not be started: {state.failure}",
            (Ground(state.failure, "spawn", state.status_since),),
        )
    if pull is not None and pull.state is PullState.OPEN:
        return by_pull(spec, inputs, state, pull, now)
    if state.desired is Desired.RUN and state.failure is not None:
        ground = Ground(state.failure, "spawn", state.status_since)
        return DerivedStatus(
            S.SPAWNING,
            f"being started; the last try failed, and another follows: {state.failure}",
            (ground,),
        )
    return DerivedStatus(
        S.SPAWNING, "waiting to be admitted" if state.desired is Desired.WAIT else "being started"
    )


def _with_open_pull(
    spec: Spec, inputs: Inputs, state: LifecycleState, pull: PullRequest, now: datetime
) -> DerivedStatus | None:
    process = inputs.facts.process
    if process is not None and process.presence is Presence.GONE and not ended_well(process):
        return _exited(process)
    if state.status is S.EXITED and (process is None or process.presence is Presence.UNKNOWN):
        return None
    return by_pull(spec, inputs, state, pull, now)


def _with_closed_pull(
    inputs: Inputs, state: LifecycleState, pull: PullRequest
) -> DerivedStatus | None:
    process = inputs.facts.process
    if process is None or process.presence is Presence.UNKNOWN:
        return None
    if process.presence is Presence.ALIVE:
        return _alive(
            inputs, process, state, f"#{pull.number} was closed unmerged; the agent is still there"
        )
    return DerivedStatus(
        S.DONE,
        f"#{pull.number} was closed unmerged and the agent has ended",
        forge_grounds(inputs),
        outcome="closed",
    )


def _without_pull(spec: Spec, inputs: Inputs, state: LifecycleState) -> DerivedStatus | None:
    process = inputs.facts.process
    if process is None or process.presence is Presence.UNKNOWN:
        return None
    if process.presence is Presence.ALIVE:
        if state.pull is not None and not _proven_absent(spec, inputs):
            return None
        return _alive(inputs, process, state, "the agent is alive and there is no pull request yet")
    if not ended_well(process):
        return _exited(process)
    return _ended_without_pull(spec, inputs, state, process)


def _ended_without_pull(
    spec: Spec, inputs: Inputs, state: LifecycleState, process: ProcessSeen
) -> DerivedStatus | None:
    """Exit 0 without a pull request is done only when nothing would be lost
    and the forge has no news.
    """
    workspace = inputs.facts.workspace
    if state.inspected < state.launches or workspace is None:
        return None
    if not workspace.settled:
        paths = number_of(workspace.uncommitted, "uncommitted path")
        lost = f"{paths}, {number_of(workspace.unpushed, 'unpushed commit')}"
        grounds = (_process_ground(process), Ground(lost, "git", workspace.at))
        return DerivedStatus(S.EXITED, f"it ended without handing in its work: {lost}", grounds)
    if not _proven_absent(spec, inputs):
        return None
    return DerivedStatus(
        S.DONE,
        "it ended well and left nothing unpushed",
        (_process_ground(process),),
        outcome="finished",
    )


def _proven_absent(spec: Spec, inputs: Inputs) -> bool:
    forge = inputs.facts.forge
    return not spec.forge or (forge is not None and forge.presence is Presence.GONE)


def _alive(inputs: Inputs, process: ProcessSeen, state: LifecycleState, rule: str) -> DerivedStatus:
    if state.ready_at is None:
        told = inputs.facts.agent
        why = f": {told.detail}" if told is not None and told.detail else ""
        return DerivedStatus(
            S.SPAWNING,
            f"the agent was started and is not ready yet{why}",
            (_process_ground(process),),
        )
    return DerivedStatus(S.WORKING, rule, (_process_ground(process),))


def _exited(process: ProcessSeen) -> DerivedStatus:
    return DerivedStatus(S.EXITED, f"the agent {end_of(process)}", (_process_ground(process),))


def end_of(process: ProcessSeen) -> str:
    """How a process ended, in words, and what it said last."""
    said = f': "{process.last_line}"' if process.last_line else ""
    if process.signal is not None:
        return f"was ended by signal {process.signal}{said}"
    if process.exit_code is not None:
        return f"ended with exit code {process.exit_code}{said}"
    return f"vanished without an exit code{said}"


def _process_ground(process: ProcessSeen) -> Ground:
    what = {
        Presence.ALIVE: f"process {process.pid} is alive",
        Presence.GONE: f"the process {end_of(process)}",
    }
    return Ground(what.get(process.presence, process.detail), process.source, process.at)
