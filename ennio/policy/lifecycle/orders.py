"""What persons and finished effects do to a session's state. Pure; a state that does
not fit raises Conflict.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ennio.model.errors import Conflict, EnnioError, Exhausted, Unreachable
from ennio.model.session import SessionStatus
from ennio.policy.lifecycle.effects import Effect, LaunchAgent, MakeWorkspace, PrepareWorkspace
from ennio.policy.lifecycle.parked import Parked, ResumeWhen
from ennio.policy.lifecycle.state import Desired, LifecycleState, Phase

MAX_TRIES = 6
EXHAUSTED_PAUSE = timedelta(seconds=15)
_MOMENTS = (
    "status_since",
    "activity_since",
    "launched_at",
    "ready_at",
    "head_at",
    "unseen_at",
    "released_at",
)


def fresh(now: datetime) -> LifecycleState:
    """The state of a session that has just been asked for."""
    return LifecycleState(status=SessionStatus.SPAWNING, status_since=now)


def admit(state: LifecycleState) -> LifecycleState:
    """It may start now; anything but a waiting session stays as it is."""
    return replace(state, desired=Desired.RUN) if state.desired is Desired.WAIT else state


def kill(state: LifecycleState, by: str, session: str = "SESSION") -> LifecycleState:
    """A person ends it, for good. Killing what was killed is fine; other
    ended ones are a conflict, which names what ``session`` is called.
    """
    if state.status is SessionStatus.KILLED or state.killed_by is not None:
        return state
    if state.status.terminal:
        left = (
            ""
            if state.cleaned_at is not None
            else f"; what is left of its agent goes with its workspace: ennio cleanup {session}"
        )
        raise Conflict(f"it is {state.status} already; there is nothing to kill{left}")
    return replace(state, killed_by=by, desired=Desired.END, failure=None, retry_at=None)


def restore(state: LifecycleState, *, unusable: bool = False) -> LifecycleState:
    """Start an exited session again, in the workspace it has, as soon as it is admitted.

    ``unusable``: its workspace is gone. Then a living one can be restored too: its agent stands in
    nothing, and is ended first.
    """
    living = (
        state.phase is Phase.LAUNCHED
        and not state.status.terminal
        and state.desired is Desired.WATCH
    )
    if state.killed_by is not None or not (
        state.status is SessionStatus.EXITED or (unusable and living)
    ):
        killed = state.killed_by is not None or state.status is SessionStatus.KILLED
        way = (
            ", which is for good: its work is in its workspace until that is cleaned up; "
            "`ennio spawn PROJECT --prompt TEXT` begins another"
            if killed
            else ""
        )
        raise Conflict(f"only an exited session can be restored; this one is {state.status}{way}")
    if unusable:
        return replace(
            state,
            desired=Desired.WAIT,
            phase=Phase.NEW,
            failure=None,
            failures=0,
            retry_at=None,
            restarts=(),
            place="",
        )
    # what a failed spawn made may have been undone without a word of it: making it
    # again finds what stands
    phase = Phase.NEW if state.launched_at is None else state.phase
    if phase is Phase.LAUNCHED:
        phase = Phase.PREPARED  # for the next launch; its end was seen
    return replace(
        state,
        desired=Desired.WAIT,
        phase=phase,
        failure=None,
        failures=0,
        retry_at=None,
        restarts=(),
    )


def clean(state: LifecycleState, *, force: bool) -> LifecycleState:
    """Ask for the workspace of an ended session to be removed; ``force``
    also ends an exited one.
    """
    if state.status is SessionStatus.EXITED and force:
        state = kill(state, "cleanup")
    elif not state.status.terminal and state.killed_by is None:
        raise Conflict(f"it is {state.status}; only ended sessions are cleaned up")
    return replace(state, clean_wanted=True, retry_at=None)


def resume(state: LifecycleState, when: ResumeWhen) -> LifecycleState:
    """A person says when a parked session goes on. Raises Conflict for one that is not parked."""
    parked = state.parked
    if parked is None or state.status.terminal:
        raise Conflict("it is not parked: no window of its agent's plan is used up")
    if parked.told_at is not None:
        raise Conflict("it was told to go on already")
    if when is ResumeWhen.AT_RESET and parked.resets_at is None:
        raise Conflict("nobody knows when its plan window resets; `--now` lets it go on at once")
    return replace(state, parked=replace(parked, said=when))


def workspace_made(state: LifecycleState) -> LifecycleState:
    """The working copy stands."""
    phase = Phase.WORKSPACE if state.phase is Phase.NEW else state.phase
    return _well(replace(state, phase=phase))


def prepared(state: LifecycleState) -> LifecycleState:
    """Links and commands are through."""
    return _well(replace(state, phase=Phase.PREPARED))


def launched(state: LifecycleState, number: int, now: datetime) -> LifecycleState:
    """The launch is confirmed; whether the agent is ready is another question."""
    return _well(
        replace(
            state,
            launches=number,
            phase=Phase.LAUNCHED,
            desired=_settled_desired(state),
            launched_at=now,
            ready_at=None,
        )
    )


def _settled_desired(state: LifecycleState) -> Desired:
    return Desired.WATCH if state.desired is Desired.RUN else state.desired


def inspected(state: LifecycleState) -> LifecycleState:
    """The workspace was looked at after the end of the latest launch."""
    return _well(replace(state, inspected=state.launches))


def stopped(state: LifecycleState) -> LifecycleState:
    """Nothing of the agent is left running."""
    return _well(replace(state, stopped=state.launches, swept=True))


def removed(state: LifecycleState, now: datetime) -> LifecycleState:
    """The workspace is gone: cleaned when the session has ended, undone when it never began."""
    if state.status.terminal:
        return _well(replace(state, cleaned_at=now))
    return replace(state, phase=Phase.NEW, begun=False, launches=0)


def heard_again(state: LifecycleState) -> LifecycleState:
    """Its host could not be asked, and can be: what failed meanwhile waits no longer."""
    return replace(state, retry_at=None) if state.failures else state


def told_of(error: EnnioError, host: str) -> str:
    """Its words, with the machine it is of: a path over there is none of here."""
    words = str(error)
    return words if not host or host in words else f"on host {host}: {words}"


def failed(
    state: LifecycleState,
    effect: Effect,
    error: EnnioError,
    now: datetime,
    *,
    host: str = "",
) -> LifecycleState:
    """An effect failed: trouble with the world is tried again with growing
    pauses, a refusal is not.

    Only what a start needs is ever given up; ending, cleaning and looking are tried for ever, and
    so is what is to be done on another ``host``, which may be away for long.
    Who was turned away with a time waits for that time: nothing was asked, so no try is used
    up. Who lacks disk, memory or processes goes on trying until there is some: that says
    nothing against the session.
    """
    failures = state.failures + 1
    pause = timedelta(seconds=min(2.0 ** min(failures, 10), 60.0))
    words = told_of(error, host)
    if not isinstance(effect, MakeWorkspace | PrepareWorkspace | LaunchAgent):
        return replace(
            state, failure=state.failure or words, failures=failures, retry_at=now + pause
        )
    if isinstance(error, Unreachable) and error.until is not None:
        return replace(state, failure=words, retry_at=max(error.until, now + pause))
    if isinstance(error, Exhausted):
        return replace(
            state, failure=words, failures=failures, retry_at=now + min(pause, EXHAUSTED_PAUSE)
        )
    if isinstance(error, Unreachable) and (host or failures < MAX_TRIES):
        return replace(state, failure=words, failures=failures, retry_at=now + pause)
    desired = Desired.WATCH if state.desired is Desired.RUN else state.desired
    return replace(state, failure=words, failures=0, retry_at=None, desired=desired)


def put_back(state: LifecycleState, by: timedelta, now: datetime) -> LifecycleState:
    """The clock was put back to now: what was to be tried in two seconds is, and what was a
    minute ago is not in an hour.
    """

    def then(moment: datetime) -> datetime:
        return moment if moment <= now else min(moment - by, now)

    moments: dict[str, Any] = {
        name: then(moment) for name in _MOMENTS if (moment := getattr(state, name)) is not None
    }
    retry_at = None if state.retry_at is None else state.retry_at - by
    pause = state.pause and replace(
        state.pause,
        since=then(state.pause.since),
        pressed_at=state.pause.pressed_at and then(state.pause.pressed_at),
        granted_at=state.pause.granted_at and then(state.pause.granted_at),
    )
    return replace(
        state,
        **moments,
        restarts=tuple(map(then, state.restarts)),
        retry_at=retry_at,
        parked=state.parked and _put_back(state.parked, then),
        pause=pause,
        answered=state.answered
        and replace(
            state.answered, begun_at=then(state.answered.begun_at), at=then(state.answered.at)
        ),
    )


def _put_back(parked: Parked, then: Callable[[datetime], datetime]) -> Parked:
    """The reset is an hour of the provider's, and stays what it is."""
    told_at = parked.told_at and then(parked.told_at)
    return replace(
        parked, since=then(parked.since), refused_at=then(parked.refused_at), told_at=told_at
    )


def _well(state: LifecycleState) -> LifecycleState:
    return replace(state, failure=None, failures=0, retry_at=None)
