"""What persons and finished effects do to a session's memory. Pure; wrong states raise Conflict."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ennio.model.errors import Conflict, EnnioError, Exhausted, Unreachable
from ennio.model.session import SessionStatus
from ennio.policy.lifecycle.effects import Effect, LaunchAgent, MakeWorkspace, PrepareWorkspace
from ennio.policy.lifecycle.memory import Memory, Stage, Wish

MAX_TRIES = 6
EXHAUSTED_PAUSE = timedelta(seconds=15)
_MOMENTS = ("status_since", "activity_since", "launched_at", "ready_at", "head_at")


def fresh(now: datetime) -> Memory:
    """The memory of a session that has just been asked for."""
    return Memory(status=SessionStatus.SPAWNING, status_since=now)


def admit(memory: Memory) -> Memory:
    """It may start now; anything but a waiting session stays as it is."""
    return replace(memory, wish=Wish.RUN) if memory.wish is Wish.WAIT else memory


def kill(memory: Memory, by: str) -> Memory:
    """A person ends it, for good. Killing what was killed is fine; other ended ones are a conflict."""
    if memory.status is SessionStatus.KILLED or memory.killed_by is not None:
        return memory
    if memory.status.terminal:
        left = "" if memory.cleaned_at is not None else "; what is left of its agent goes with its workspace: ennio cleanup ID"
        raise Conflict(f"it is {memory.status} already; there is nothing to kill{left}")
    return replace(memory, killed_by=by, wish=Wish.END, failure=None, retry_at=None)


def restore(memory: Memory, *, unusable: bool = False) -> Memory:
    """Start an exited session again, in the workspace it has, as soon as it is admitted.

    ``unusable``: its workspace is gone. Then a living one can be restored too: its agent stands in nothing, and is ended first.
    """
    living = memory.stage is Stage.LAUNCHED and not memory.status.terminal and memory.wish is Wish.WATCH
    if memory.killed_by is not None or not (memory.status is SessionStatus.EXITED or (unusable and living)):
        killed = memory.killed_by is not None or memory.status is SessionStatus.KILLED
        way = ", which is for good: its work is in its workspace until that is cleaned up; ennio spawn begins another" if killed else ""
        raise Conflict(f"only an exited session can be restored; this one is {memory.status}{way}")
    if unusable:
        return replace(memory, wish=Wish.WAIT, stage=Stage.NEW, failure=None, failures=0, retry_at=None, restarts=(), place="")
    # what a failed spawn made may have been undone without a word of it: making it again finds what stands
    stage = Stage.NEW if memory.launched_at is None else memory.stage
    if stage is Stage.LAUNCHED:
        stage = Stage.PREPARED  # for the next launch; its end was seen
    return replace(memory, wish=Wish.WAIT, stage=stage, failure=None, failures=0, retry_at=None, restarts=())


def clean(memory: Memory, *, force: bool) -> Memory:
    """Ask for the workspace of an ended session to be removed; ``force`` also ends an exited one."""
    if memory.status is SessionStatus.EXITED and force:
        memory = kill(memory, "cleanup")
    elif not memory.status.terminal and memory.killed_by is None:
        raise Conflict(f"it is {memory.status}; only ended sessions are cleaned up")
    return replace(memory, clean_wanted=True, retry_at=None)


def workspace_made(memory: Memory) -> Memory:
    """The working copy stands."""
    stage = Stage.WORKSPACE if memory.stage is Stage.NEW else memory.stage
    return _well(replace(memory, stage=stage))


def prepared(memory: Memory) -> Memory:
    """Links and commands are through."""
    return _well(replace(memory, stage=Stage.PREPARED))


def launched(memory: Memory, number: int, now: datetime) -> Memory:
    """The launch is confirmed; whether the agent is ready is another question."""
    return _well(replace(memory, launches=number, stage=Stage.LAUNCHED, wish=_settled_wish(memory), launched_at=now, ready_at=None))


def _settled_wish(memory: Memory) -> Wish:
    return Wish.WATCH if memory.wish is Wish.RUN else memory.wish


def inspected(memory: Memory) -> Memory:
    """The workspace was looked at after the end of the latest launch."""
    return _well(replace(memory, inspected=memory.launches))


def stopped(memory: Memory) -> Memory:
    """Nothing of the agent is left running."""
    return _well(replace(memory, stopped=memory.launches, swept=True))


def removed(memory: Memory, now: datetime) -> Memory:
    """The workspace is gone: cleaned when the session has ended, undone when it never began."""
    if memory.status.terminal:
        return _well(replace(memory, cleaned_at=now))
    return replace(memory, stage=Stage.NEW, begun=False, launches=0)


def failed(memory: Memory, effect: Effect, error: EnnioError, now: datetime) -> Memory:
    """An effect failed: trouble with the world is tried again with growing pauses, a refusal is not.

    Only what a start needs is ever given up; ending, cleaning and looking are tried for ever. Who was
    turned away with a time waits for that time: nothing was asked, so no try is used up. Who lacks disk, memory
    or processes goes on trying until there is some: that says nothing against the session.
    """
    failures = memory.failures + 1
    pause = timedelta(seconds=min(2.0 ** min(failures, 10), 60.0))
    words = str(error)
    if not isinstance(effect, MakeWorkspace | PrepareWorkspace | LaunchAgent):
        return replace(memory, failure=memory.failure or words, failures=failures, retry_at=now + pause)
    if isinstance(error, Unreachable) and error.until is not None:
        return replace(memory, failure=words, retry_at=max(error.until, now + pause))
    if isinstance(error, Exhausted):
        return replace(memory, failure=words, failures=failures, retry_at=now + min(pause, EXHAUSTED_PAUSE))
    if isinstance(error, Unreachable) and failures < MAX_TRIES:
        return replace(memory, failure=words, failures=failures, retry_at=now + pause)
    wish = Wish.WATCH if memory.wish is Wish.RUN else memory.wish
    return replace(memory, failure=words, failures=0, retry_at=None, wish=wish)


def put_back(memory: Memory, by: timedelta, now: datetime) -> Memory:
    """The clock was put back to now: what was to be tried in two seconds is, and what was a minute ago is not in an hour."""

    def then(moment: datetime) -> datetime:
        return moment if moment <= now else min(moment - by, now)

    moments: dict[str, Any] = {name: then(moment) for name in _MOMENTS if (moment := getattr(memory, name)) is not None}
    retry_at = None if memory.retry_at is None else memory.retry_at - by
    return replace(memory, **moments, restarts=tuple(map(then, memory.restarts)), retry_at=retry_at)


def _well(memory: Memory) -> Memory:
    return replace(memory, failure=None, failures=0, retry_at=None)
