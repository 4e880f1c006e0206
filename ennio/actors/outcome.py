"""What an effect of a session came to: taken into its memory, facts and row, and told as events."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from ennio.actors import effects
from ennio.actors.executor import NAMES
from ennio.actors.outbox import Outbox
from ennio.actors.session_state import SessionState
from ennio.hosts.interface import Launched
from ennio.model.clock import rfc3339
from ennio.model.errors import EnnioError, Unreachable
from ennio.model.events import Draft, EventType
from ennio.model.facts import Presence, ProcessSeen, WorkspaceSeen
from ennio.model.session import Priority, RuntimeHandle
from ennio.plugins.workspace.interface import UnsavedPath
from ennio.policy.lifecycle import orders
from ennio.policy.lifecycle.effects import (
    Effect,
    InspectWorkspace,
    InterruptAgent,
    LaunchAgent,
    MakeWorkspace,
    PrepareWorkspace,
    RemoveWorkspace,
    StopAgent,
)

_NAMED = 50  # of what went unsaved, the largest first
log = logging.getLogger(__name__)


def failed(
    state: SessionState, outbox: Outbox, effect: Effect, error: EnnioError, now: datetime
) -> None:
    """It failed; the same failure again is remembered and not told again."""
    log.warning(
        "effect failed",
        extra={"session": state.session.id, "effect": type(effect).__name__, "error": str(error)},
    )
    words = orders.told_of(error, state.session.host)
    state.memory = orders.failed(state.memory, effect, error, now, host=state.session.host)
    again = state.memory.failures > 1 and state.memory.failure == words
    state.write([] if again else [_setback(effect, error, words)])
    if isinstance(effect, LaunchAgent) and effect.message:
        outbox.requeue(effect.message)


def _setback(effect: Effect, error: EnnioError, words: str) -> Draft:
    """What is told of a failure; who was turned away with a time only waits, and
    nobody need do anything.
    """
    what, data = NAMES[type(effect)], {"error": words}
    until = error.until if isinstance(error, Unreachable) else None
    if until is not None:
        waits = {"step": "waits", "until": rfc3339(until)} | data
        return Draft(
            EventType.SESSION_STEP, f"{what} waits until {until:%H:%M} UTC: {words}", data=waits
        )
    return Draft(
        EventType.SESSION_STEP,
        f"{what} failed: {words}",
        Priority.ACTION,
        {"step": "failed"} | data,
    )


def succeeded(
    state: SessionState, outbox: Outbox, effect: Effect, result: Any, now: datetime
) -> None:
    """It is done; ``result`` is what it returned. Delivered messages are the outbox's."""
    match effect, result:
        case MakeWorkspace(), _:
            state.memory = orders.workspace_made(state.memory)
            state.session = replace(
                effects.called(state.session, result.remote), workspace_path=result.path
            )
            state.note_step("workspace", f"the workspace stands at {result.path}")
        case PrepareWorkspace(), _:
            state.memory = orders.prepared(state.memory)  # written with the launch that follows
        case LaunchAgent(), Launched():
            _launched(state, outbox, effect, result, now)
        case StopAgent(), _:
            state.memory = orders.stopped(state.memory)
            state.note_step("stop", "the agent was ended")
        case InspectWorkspace(), WorkspaceSeen():
            state.facts = replace(state.facts, workspace=result)
            state.memory = orders.inspected(state.memory)
        case InterruptAgent(), _:
            state.note_step("interrupted", "its agent was interrupted in its turn")
        case RemoveWorkspace(), _:
            _removed(state, result, now)
        case _:
            raise AssertionError(f"{effect} cannot end with {result!r}")


def _launched(
    state: SessionState, outbox: Outbox, effect: LaunchAgent, done: Launched, now: datetime
) -> None:
    state.memory = orders.launched(state.memory, done.number, now)
    tmux = done.handle.id if done.handle.runtime_name == "tmux" else None
    state.session = replace(state.session, runtime_handle=done.handle, tmux_name=tmux)
    state.facts = replace(
        state.facts, process=_just_started(done.handle, done.number, now), agent=None
    )
    words = f"launch {done.number} of {state.session.agent_name} stands"
    kind = EventType.SESSION_STEP if effect.resume else EventType.SESSION_SPAWNED
    messages = outbox.of_launch(effect, done, now)
    state.write(
        [Draft(kind, words, data={"step": "launched", "launch": done.number})], messages=messages
    )


def _just_started(handle: RuntimeHandle, number: int, now: datetime) -> ProcessSeen:
    pid = handle.data.get("pid", "")
    return ProcessSeen(
        Presence.ALIVE,
        now,
        f"{handle.runtime_name} start",
        pid=int(pid) if pid.isdigit() else None,
        number=number,
    )


def _sort(unsaved: Sequence[UnsavedPath]) -> str:
    paths = "path" if len(unsaved) == 1 else "paths"
    return (
        f"ignored {paths}"
        if all(one.why == "ignored" for one in unsaved)
        else f"{paths} that git ignores or that are no files"
    )


def _removed(state: SessionState, removed: Any, now: datetime) -> None:
    state.memory = orders.removed(state.memory, now)
    kept = f"; what was only there is kept in {removed.preserved}" if removed.preserved else ""
    unsaved = sorted(
        (one for one in removed.unsaved if one.why != "link"), key=lambda one: -one.size
    )
    kept += (
        f"; {len(unsaved)} {_sort(unsaved)} ({sum(one.size for one in unsaved)} bytes) went unsaved"
        if unsaved
        else ""
    )
    named = [{"path": one.path, "bytes": one.size, "why": one.why} for one in unsaved[:_NAMED]]
    data = {
        "path": removed.path,
        "bytes": removed.size,
        "preserved": removed.preserved,
        "unsaved": named,
    }
    store, session_id = state.deps.store, state.session.id
    with store.transaction():
        if state.memory.finished:
            store.agents.forget(session_id)  # and no hook of it is let in any more
        state.write(
            [
                Draft(
                    EventType.SESSION_CLEANED,
                    f"removed {removed.path} ({removed.size} bytes){kept}",
                    data=data,
                )
            ]
        )
