"""The effects of a session, and what they came to.

Those that take long run in a greenlet beside the mailbox, and are safe to repeat. What came of one
is taken into the session's memory, facts and row, and told as events.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ennio.actors import adoption, hook_token
from ennio.actors.outbox import WITH_THE_COMMAND, Outbox
from ennio.actors.session_context import SessionContext
from ennio.actors.session_state import SessionState
from ennio.actors.task import Task, rules, task
from ennio.hosts.brief import FirstWords
from ennio.hosts.delivery import Delivery, Words
from ennio.hosts.session_results import Launched, WorkspaceMade
from ennio.model.branch import refuse_protected
from ennio.model.clock import rfc3339
from ennio.model.errors import EnnioError, Unreachable
from ennio.model.events import Draft, EventType
from ennio.model.facts import Presence, ProcessSeen, WorkspaceSeen
from ennio.model.message import Message, MessageState, Origin
from ennio.model.session import Priority, RuntimeHandle, Session
from ennio.plugins.workspace.interface import UnsavedPath
from ennio.policy.lifecycle import orders
from ennio.policy.lifecycle.effects import (
    DeliverMessage,
    Effect,
    InspectWorkspace,
    InterruptAgent,
    LaunchAgent,
    MakeWorkspace,
    PrepareWorkspace,
    RemoveWorkspace,
    SettleMessage,
    StopAgent,
)

log = logging.getLogger(__name__)
_FIRST = datetime.min.replace(tzinfo=UTC)
_OURS = 10  # messages; what Escape puts back was sent lately
_NAMED = 50  # of what went unsaved, the largest first
NAMES: dict[type[Effect], str] = {
    MakeWorkspace: "making the workspace",
    PrepareWorkspace: "preparing the workspace",
    LaunchAgent: "starting the agent",
    StopAgent: "ending the agent",
    InspectWorkspace: "looking at the workspace",
    InterruptAgent: "interrupting the agent",
    RemoveWorkspace: "removing the workspace",
    DeliverMessage: "delivering a message",
    SettleMessage: "settling a message",
}
"""What each effect is called when a person is told of it."""


# --- doing them -----------------------------------------------------------------------------------


def make_workspace(at: SessionContext, chosen: Callable[[Task, str], Session]) -> WorkspaceMade:
    """Choose the branch (written down through ``chosen`` first, with the place of the working
    copy), make the working copy and keep the words there, at once as far as they are known.
    """
    work = task(at)
    at = at.now_of(chosen(work, at.host.workspace_path(at.brief)))
    guessed = rules(at, work.branch)
    words = FirstWords(work.words, guessed)
    created = at.host.make(replace(at.brief, seen_heads=seen_heads(at)), words)
    # what the repository is called there is known only now
    found = rules(at.now_of(called(at.session, created.remote)), work.branch)
    if found != guessed:
        at.host.instruct(at.brief, work.words, found)
    return created


def seen_heads(at: SessionContext) -> tuple[str, ...]:
    """The commits its branch was seen at, the last one first: by the radar, after the end of its
    agent, by the forge.
    """
    session, store = at.session, at.deps.store
    counted, facts = store.branch_diffs.get(session.id), store.facts.get(session.id)
    work, pull = facts.workspace, facts.forge and facts.forge.pull
    ours = work is not None and work.branch == session.branch
    seen = (
        counted and counted.head,
        work.head if work is not None and ours else None,
        pull and pull.head,
    )
    return tuple(dict.fromkeys(head for head in seen if head))


def called(session: Session, name: str) -> Session:
    """The session that knows what the project's repository is called in its working copy."""
    return replace(session, metadata={**session.metadata, "remote": name})


def launch(at: SessionContext, effect: LaunchAgent, message: Message | None) -> Launched:
    """Start the agent or find it; a resume carries the message when the agent's command line can.

    Raises Refused for a branch that is protected by now: of an older Ennio, or since
    the configuration says so.
    """
    session, project = at.session, at.project
    refuse_protected(
        session.branch or session.id, project.default_branch, project.protected_branches
    )
    hooks = hook_token.issue(at.deps, session.id)
    record = adoption.record(at.deps, session)
    carry = words(at, message, None) if message is not None else None
    return at.host.launch(at.brief, effect.number, hooks, record, effect.resume, carry)


def words(at: SessionContext, message: Message, aside: str | None) -> Words:
    """A message as a host delivers it: past what a person has begun to type
    when that may be put aside.
    """
    return Words(message.id, message.text, at.deps.clock.now(), _sent(at), aside)


def _sent(at: SessionContext) -> tuple[str, ...]:
    """The words that were sent to the agent of late, the newest first."""
    sent = [
        message
        for message in at.deps.store.messages.list(at.session.id)
        if message.started_at is not None
    ]
    return tuple(
        message.text
        for message in sorted(sent, key=lambda message: message.started_at or _FIRST, reverse=True)[
            :_OURS
        ]
    )


def settle(at: SessionContext, message: Message, *, alive: bool) -> Delivery:
    """Find out whether a message in doubt arrived."""
    since = message.started_at or message.created_at
    if message.carried:
        # a launch that was found again after a crash took its prompt before it was asked for again
        begun = at.session.created_at if message.origin is Origin.PROMPT else since
        delivery = at.host.received(at.brief, Words(message.id, message.text, begun))
        return delivery if delivery.detail else replace(delivery, detail=WITH_THE_COMMAND)
    return at.host.settle(
        at.brief,
        Words(message.id, message.text, since),
        alive=alive,
        entered=message.state is MessageState.SENT_UNSURE,
    )


# --- what they came to ----------------------------------------------------------------------------


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
                called(state.session, result.remote), workspace_path=result.path
            )
            state.write([_made(result)])
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


def _made(made: WorkspaceMade) -> Draft:
    """That the workspace stands; what became of the commits that were seen is told with it, and
    where they are not on its branch a person has to know.
    """
    words = "; ".join(filter(None, (f"the workspace stands at {made.path}", made.note)))
    data = {"step": "workspace"} | ({"lost": True} if made.lost else {})
    priority = Priority.ACTION if made.lost else Priority.INFO
    return Draft(EventType.SESSION_STEP, words, priority, data)


def _just_started(handle: RuntimeHandle, number: int, now: datetime) -> ProcessSeen:
    pid = handle.data.get("pid", "")
    return ProcessSeen(
        Presence.ALIVE,
        now,
        f"{handle.runtime_name} start",
        pid=int(pid) if pid.isdigit() else None,
        number=number,
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


def _sort(unsaved: Sequence[UnsavedPath]) -> str:
    paths = "path" if len(unsaved) == 1 else "paths"
    return (
        f"ignored {paths}"
        if all(one.why == "ignored" for one in unsaved)
        else f"{paths} that git ignores or that are no files"
    )
