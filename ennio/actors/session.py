"""One actor owns one session: facts come in, a pure step decides, the record is written, one deed is done.

Deeds run in a greenlet beside the mailbox, so that a kill is never behind a ten-minute clone.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, assert_never

import gevent
import pykka

from ennio import codec, lifecycle
from ennio.actors import bell, deeds, desks
from ennio.actors.actor import Actor
from ennio.actors.courier import Arrival, Delivery
from ennio.actors.exchange import AGENTS, QUEUE, REACTIONS, ROOT, forge_name, runtime_name
from ennio.actors.parts import Parts
from ennio.actors.record import Record
from ennio.actors.timers import Alarm
from ennio.errors import Conflict, EnnioError
from ennio.events import Draft, EventType
from ennio.facts import ProcessSeen, Sighting, WorkspaceSeen
from ennio.lifecycle import Seen, orders
from ennio.lifecycle.actions import (
    Action,
    DeliverMessage,
    InspectWorkspace,
    LaunchAgent,
    MakeWorkspace,
    PrepareWorkspace,
    RemoveWorkspace,
    SettleMessage,
    StopAgent,
)
from ennio.message import Message, MessageState, Origin
from ennio.messages import (
    Admit,
    AgentTick,
    AnswerGiven,
    BranchChosen,
    Changed,
    Clean,
    CrashForTest,
    Effect,
    ForgeTold,
    Interrupt,
    Kill,
    LookNow,
    MailArrived,
    MessageMarked,
    PaneTold,
    Ping,
    QueueChanged,
    Restore,
    Rewatch,
    SessionOver,
    Unwatch,
    Wake,
    WatchBranch,
    WatchPane,
)
from ennio.model import Activity, Priority, RuntimeHandle, Session
from ennio.plugins.runtime.sighting import judge
from ennio.reactions import Situation

log = logging.getLogger(__name__)

MAX_STEPS = 12
DELIVERY_TRIES = 5
ECHO = timedelta(seconds=3)


class SessionActor(Actor):
    """Owns a session from its row in the store to its cleaned workspace."""

    def __init__(self, parts: Parts, session_id: str, name: str, watcher: pykka.ActorRef[Any] | None) -> None:
        super().__init__(name, watcher)
        self._parts = parts
        self._id = session_id
        self._record: Record
        self._cursor: dict[str, str] = {}
        self._busy: gevent.Greenlet | None = None
        self._doing: Action | None = None
        self._pauses: dict[str, datetime] = {}
        self._believed_from = 0.0
        self._forge_from = 0.0
        self._typed_at: datetime | None = None
        self._watched: Any = None
        self._title = ""
        self._alarm = Alarm(self, parts.clock, Wake())

    # --- life --------------------------------------------------------------------------------------

    def on_start(self) -> None:
        """Read the record back and adopt whatever runs."""
        self._record = Record.load(self._parts, self._id)
        stored = self._parts.store.meta.get(self._cursor_key)
        self._cursor = codec.loads(dict[str, str], stored) if stored else {}
        self._believed_from = self._forge_from = time.monotonic()
        if self._parts.store.queue.get(self._id) is None:
            self._record.memory = orders.admit(self._record.memory)  # it left the queue and was not told
        if self._record.memory.launches and not self._record.memory.finished:
            bell.hang(self._parts, self._id)  # an agent that runs on finds the door where it is now
        self._watch()
        self._advance()

    def on_stop(self) -> None:
        """Nothing but the actor ends: agents go on."""
        self._alarm.cancel()

    @property
    def _cursor_key(self) -> str:
        return f"cursor:{self._id}"

    @property
    def _session(self) -> Session:
        return self._record.session

    def on_receive(self, message: Any) -> Any:
        """One message, one match."""
        match message:
            case PaneTold():
                self._on_pane(message)
            case AgentTick(screen):
                self._on_agent_tick(screen)
            case ForgeTold():
                self._on_forge(message)
            case Effect(what, result, error):
                self._on_effect(what, result, error)
            case Wake() | MailArrived():
                self._advance()
            case Admit():
                self._change(orders.admit(self._record.memory))
            case Kill(by):
                return self._on_kill(by)
            case Restore():
                return self._on_restore()
            case Clean(force):
                return self._change(orders.clean(self._record.memory, force=force))
            case Rewatch():
                self._watched = None
                self._watch()
            case AnswerGiven(text):
                return self._on_answer(text)
            case Interrupt():
                return deeds.interrupt(self._parts, self._session)
            case BranchChosen(branch, title):
                return self._on_branch(branch, title)
            case MessageMarked(message_id):
                return self._on_mark(message_id)
            case CrashForTest():
                raise RuntimeError("told to crash")
            case Ping():
                return True
            case _:
                assert_never(message)
        return None

    # --- facts -------------------------------------------------------------------------------------

    def _on_pane(self, told: PaneTold) -> None:
        if told.begun < self._believed_from:
            self._tell_runtime(LookNow(self._id))
            return
        before = self._record.facts.process
        seen = judge(self._session.runtime_handle, told.pane, told.surveyed, told.source, self._parts.clock.now())
        if not told.surveyed and told.detail:
            seen = replace(seen, detail=told.detail)
        seen = _unless_blind_already(before, seen)
        if self._typed_at is not None and seen.output_at is not None and seen.output_at <= self._typed_at + ECHO:
            # what moved on the screen was our own typing
            seen = replace(seen, output_at=before.output_at if before is not None else None)
        self._title = seen.title
        ended = seen.sighting is Sighting.GONE and (before is None or before.sighting is not Sighting.GONE)
        self._record.facts = replace(self._record.facts, process=seen)
        if ended and self._record.memory.launches:
            self._agent_ended()
        self._advance()

    def _agent_ended(self) -> None:
        """Its last words are read, and what the forge said before its end does not count any more."""
        self._read_agent(None)
        self._forge_from = time.monotonic()
        forge = self._record.facts.forge
        if forge is not None and forge.sighting is Sighting.GONE:
            blind = replace(forge, sighting=Sighting.UNKNOWN, detail="asked before the agent ended")
            self._record.facts = replace(self._record.facts, forge=blind)
            self._tell_forge(LookNow(self._id))  # unchanged news would not be told again by themselves

    def _on_agent_tick(self, screen: str | None) -> None:
        process = self._record.facts.process
        if process is None or process.sighting is not Sighting.ALIVE:
            return
        if self._read_agent(screen):
            self._advance()

    def _read_agent(self, screen: str | None) -> bool:
        """Read what is new from the agent; False when there was nothing."""
        process = self._record.facts.process
        if process is None:
            return False
        agent = deeds.agent_of(self._parts, self._session)
        reading = agent.observe(desks.desk(self._parts, self._session), self._cursor, process, screen, self._parts.clock.now())
        before = self._record.facts.agent
        if dict(reading.cursor) != self._cursor:
            self._cursor = dict(reading.cursor)
            self._parts.store.meta.set(self._cursor_key, codec.dumps(self._cursor))
        if before is not None and replace(before, at=reading.seen.at) == reading.seen:
            return False
        self._record.facts = replace(self._record.facts, agent=reading.seen)
        return True

    def _on_forge(self, told: ForgeTold) -> None:
        if told.begun < self._forge_from:
            self._tell_forge(LookNow(self._id))
            return
        seen, before = told.seen, self._record.facts.forge
        if seen.sighting is Sighting.UNKNOWN and before is not None:
            seen = replace(before, sighting=Sighting.UNKNOWN, detail=seen.detail)
        self._record.facts = replace(self._record.facts, forge=seen)
        self._advance()

    # --- orders ------------------------------------------------------------------------------------

    def _change(self, memory: lifecycle.Memory) -> Session:
        self._record.memory = memory
        self._advance()
        return self._session

    def _on_kill(self, by: str) -> Session:
        memory = orders.kill(self._record.memory, by)
        if self._busy is not None and not isinstance(self._doing, StopAgent | RemoveWorkspace):
            self._abandon()
        self._parts.store.queue.remove(self._id)
        self._parts.exchange.tell(QUEUE, QueueChanged())
        return self._change(memory)

    def _abandon(self) -> None:
        """A deed that a kill overtook is broken off; every deed can be."""
        if self._busy is not None:
            self._busy.kill(block=False)
        self._busy, self._doing = None, None
        self._distrust()

    def _on_restore(self) -> Session:
        self._record.memory = orders.restore(self._record.memory)
        self._record.session = replace(self._session, restored_at=self._parts.clock.now())
        self._record.write([Draft(EventType.SESSION_RESTORED, "restored by a person")])
        self._advance()
        return self._session

    def _on_branch(self, branch: str, title: str) -> Session:
        path = desks.workspace_path(self._parts, self._session)
        others = self._parts.store.sessions.on_branch(self._session.project_id, branch)
        rival = next((other for other in others if other.id != self._id), None)
        if rival is not None:
            raise Conflict(f"branch {branch} belongs to session {rival.id} ({rival.status}); choose another with --branch")
        metadata = {**self._session.metadata, "title": title}
        self._record.session = replace(self._session, branch=branch, workspace_path=str(path), metadata=metadata)
        self._record.write([Draft(EventType.SESSION_STEP, f"works on branch {branch}", data={"step": "branch", "branch": branch})])
        self._watch()
        return self._session

    def _on_answer(self, text: str) -> None:
        """Short enough to be done in the mailbox, and so never at the same time as another deed's typing."""
        if self._record.memory.activity is not Activity.WAITING_INPUT:
            told = self._record.memory.activity or "not known yet"
            raise Conflict(f"session {self._id} asks nothing just now (its activity is {told}); `ennio send` gives it words")
        if self._doing is not None:
            raise Conflict(f"session {self._id} is just being attended to ({_NAMES[type(self._doing)]}); try again in a moment")
        self._typed_at = self._parts.clock.now()
        deeds.answer(self._parts, self._session, text)
        data = {"step": "answered", "answer": text}
        self._record.write([Draft(EventType.SESSION_STEP, f"a person answered its question: {text[:80]}", data=data)])
        self._tell_runtime(LookNow(self._id))

    def _on_mark(self, message_id: str) -> None:
        now = self._parts.clock.now()
        self._typed_at = now
        message = self._message(message_id)
        marked = replace(
            message, state=MessageState.SENDING, started_at=now, attempts=message.attempts + 1, launch=self._record.memory.launches
        )
        self._record.write(messages=[marked])

    # --- the step ----------------------------------------------------------------------------------

    def _advance(self) -> None:
        """Step until the world, the memory and the wish agree, then do the one deed that is due."""
        for _ in range(MAX_STEPS):
            record = self._record
            seen = Seen(record.facts, record.mail(self._pauses), self._busy is not None)
            plan = lifecycle.step(self._parts.spec(self._session), seen, record.memory, self._parts.clock.now())
            settled = plan.memory == record.memory and plan.action is None
            record.memory = plan.memory
            if record.write(plan.events, plan.evidence, self._dropped()):
                self._tell_others()
            self._alarm.set(plan.wake_at)
            if plan.action is not None:
                self._do(plan.action)
            if settled or plan.action is not None:
                break
        self._watch()
        if self._record.memory.finished:
            self._parts.exchange.tell(ROOT, SessionOver(self._id))

    def _dropped(self) -> Sequence[Message]:
        """Messages that will never be delivered, because the session has ended."""
        if not self._record.memory.status.terminal:
            return ()
        pending = self._parts.store.messages.pending(self._id)
        return [replace(message, state=MessageState.DROPPED, detail="the session has ended") for message in pending]

    def _tell_others(self) -> None:
        record = self._record
        bots = self._parts.project(record.session.project_id).bots
        self._parts.exchange.tell(REACTIONS, Changed(Situation(record.session, record.facts, record.memory.merge_ready, bots)))
        if record.memory.status.terminal:
            self._parts.exchange.tell(QUEUE, QueueChanged())

    def _watch(self) -> None:
        """Tell the pollers what to look for, whenever that changes."""
        session, memory = self._session, self._record.memory
        resting = memory.activity in (Activity.READY, Activity.IDLE, Activity.EXITED)
        wanted = (session.branch, session.base, memory.pull, resting, memory.finished)
        if wanted == self._watched:
            return
        self._watched = wanted
        if memory.finished:
            for name in self._pollers():
                self._parts.exchange.tell(name, Unwatch(self._id))
            return
        project = self._parts.project(session.project_id)
        agent = deeds.agent_of(self._parts, session)
        self._tell_runtime(WatchPane(self._id))
        self._parts.exchange.tell(AGENTS, WatchPane(self._id, screen=agent.watched or not agent.tells))
        if session.branch:
            title = session.metadata.get("title") or session.branch
            base = session.base or project.default_branch
            self._tell_forge(WatchBranch(self._id, session.branch, base, memory.pull, resting, title, session.prompt or ""))

    def _pollers(self) -> tuple[str, ...]:
        return (runtime_name(self._runtime), AGENTS, forge_name(self._session.project_id))

    @property
    def _runtime(self) -> str:
        return self._session.runtime_name or self._parts.project(self._session.project_id).runtime

    def _tell_runtime(self, message: Any) -> None:
        self._parts.exchange.tell(runtime_name(self._runtime), message)

    def _tell_forge(self, message: Any) -> None:
        self._parts.exchange.tell(forge_name(self._session.project_id), message)

    # --- deeds -------------------------------------------------------------------------------------

    def _do(self, action: Action) -> None:
        parts, session = self._parts, self._session
        self._doing = action
        match action:
            case MakeWorkspace():
                self._step_event("workspace", "making the workspace")
                self._busy = self.perform(action, lambda: deeds.make_workspace(parts, session, self._choose_branch))
            case PrepareWorkspace():
                self._step_event("prepare", "linking files and running post-create commands")
                self._busy = self.perform(action, lambda: deeds.prepare_workspace(parts, session))
            case LaunchAgent():
                message = self._message(action.message) if action.message else None
                self._step_event("launch", f"starting {session.agent_name} (launch {action.number})")
                self._busy = self.perform(action, lambda: self._launch(session, action, message))
            case StopAgent():
                self._busy = self.perform(action, lambda: deeds.stop(parts, session))
            case InspectWorkspace():
                self._busy = self.perform(action, lambda: deeds.inspect(parts, session))
            case RemoveWorkspace():
                self._busy = self.perform(action, lambda: deeds.remove(parts, session))
            case DeliverMessage(message_id):
                post = self._message(message_id)
                self._busy = self.perform(action, lambda: deeds.deliver(parts, session, post, lambda: self._mark(message_id)))
            case SettleMessage(message_id):
                post = self._message(message_id)
                process = self._record.facts.process
                alive = process is not None and process.sighting is Sighting.ALIVE
                self._busy = self.perform(action, lambda: deeds.settle(parts, session, post, alive=alive))
            case _:
                assert_never(action)

    def _choose_branch(self, branch: str, title: str) -> Session:
        chosen: Any = self.actor_ref.ask(BranchChosen(branch, title), timeout=30.0)
        return chosen  # type: ignore[no-any-return]

    def _mark(self, message_id: str) -> None:
        self.actor_ref.ask(MessageMarked(message_id), timeout=30.0)

    def _launch(self, session: Session, action: LaunchAgent, message: Message | None) -> deeds.Launched:
        if message is not None:
            self._mark(message.id)
        return deeds.launch(self._parts, session, action, message)

    def _step_event(self, step: str, words: str) -> None:
        self._record.write([Draft(EventType.SESSION_STEP, words, data={"step": step})])

    def _on_effect(self, action: Action, result: Any, error: EnnioError | None) -> None:
        if action is not self._doing:
            return  # a deed that was broken off
        self._busy, self._doing = None, None
        now = self._parts.clock.now()
        if isinstance(action, LaunchAgent | StopAgent | RemoveWorkspace):
            self._distrust()
        if isinstance(action, DeliverMessage | SettleMessage):
            self._delivered(action.message_id, result, error, now)
        elif error is not None:
            self._failed(action, error, now)
        else:
            self._succeeded(action, result, now)
        self._advance()

    def _distrust(self) -> None:
        """What was looked up before now may be older than what was just done."""
        self._believed_from = time.monotonic()
        process = self._record.facts.process
        if process is not None:
            blind = process.blind(self._parts.clock.now(), "looked at before what was done last")
            self._record.facts = replace(self._record.facts, process=blind)
        self._tell_runtime(LookNow(self._id))

    def _failed(self, action: Action, error: EnnioError, now: datetime) -> None:
        log.warning("effect failed", extra={"session": self._id, "effect": type(action).__name__, "error": str(error)})
        self._record.memory = orders.failed(self._record.memory, action, error, now)
        words = f"{_NAMES[type(action)]} failed: {error}"
        again = self._record.memory.failures > 1 and self._record.memory.failure == str(error)
        told = Draft(EventType.SESSION_STEP, words, Priority.ACTION, {"step": "failed", "error": str(error)})
        self._record.write([] if again else [told])
        if isinstance(action, LaunchAgent) and action.message:
            message = self._message(action.message)
            self._record.write(messages=[replace(message, state=MessageState.QUEUED)])

    def _succeeded(self, action: Action, result: Any, now: datetime) -> None:
        record = self._record
        match action, result:
            case MakeWorkspace(), _:
                record.memory = orders.workspace_made(record.memory)
                record.session = replace(record.session, workspace_path=str(result.path))
                self._step_event("workspace", f"the workspace stands at {result.path}")
            case PrepareWorkspace(), _:
                record.memory = orders.prepared(record.memory)
                record.write()
            case LaunchAgent(), deeds.Launched():
                self._launched(action, result, now)
            case StopAgent(), _:
                record.memory = orders.stopped(record.memory)
                self._step_event("stop", "the agent was ended")
            case InspectWorkspace(), WorkspaceSeen():
                record.facts = replace(record.facts, workspace=result)
                record.memory = orders.inspected(record.memory)
            case RemoveWorkspace(), _:
                self._removed(result, now)
            case _:
                raise AssertionError(f"{action} cannot end with {result!r}")

    def _launched(self, action: LaunchAgent, done: deeds.Launched, now: datetime) -> None:
        record = self._record
        record.memory = orders.launched(record.memory, done.number, now)
        tmux = done.handle.id if done.handle.runtime_name == "tmux" else None
        record.session = replace(record.session, runtime_handle=done.handle, tmux_name=tmux)
        record.facts = replace(record.facts, process=_just_started(done.handle, done.number, now), agent=None)
        words = f"launch {done.number} of {record.session.agent_name} stands"
        kind = EventType.SESSION_STEP if action.resume else EventType.SESSION_SPAWNED
        messages = self._messages_of_launch(action, done, now)
        record.write([Draft(kind, words, data={"step": "launched", "launch": done.number})], messages=messages)

    def _messages_of_launch(self, action: LaunchAgent, done: deeds.Launched, now: datetime) -> list[Message]:
        """The prompt becomes a message like any other; what the command line carried only has to be confirmed."""
        if done.words is not None and not action.resume:
            prompt = Message(str(uuid.uuid5(uuid.NAMESPACE_OID, self._id)), self._id, done.words, Origin.PROMPT, now, fingerprint="prompt")
            if done.carried:
                prompt = replace(prompt, state=MessageState.SENT_UNSURE, started_at=done.begun, launch=done.number, detail=deeds.CARRIED)
            self._parts.store.messages.add(prompt)
            return []
        if action.message is None:
            return []
        message = self._message(action.message)
        if done.carried:
            return [replace(message, state=MessageState.SENT_UNSURE, detail=deeds.CARRIED)]
        return [replace(message, state=MessageState.QUEUED)]

    def _removed(self, freed: Any, now: datetime) -> None:
        record = self._record
        record.memory = orders.removed(record.memory, now)
        kept = f"; what was only there is kept in {freed.preserved}" if freed.preserved else ""
        data = {"path": str(freed.path), "bytes": freed.size, "preserved": freed.preserved}
        record.write([Draft(EventType.SESSION_CLEANED, f"removed {freed.path} ({freed.size} bytes){kept}", data=data)])

    # --- mail --------------------------------------------------------------------------------------

    def _message(self, message_id: str) -> Message:
        message = self._parts.store.messages.get(message_id)
        if message is None:
            raise AssertionError(f"message {message_id} is not in the store")
        return message

    def _delivered(self, message_id: str, delivery: Delivery | None, error: EnnioError | None, now: datetime) -> None:
        message = self._message(message_id)
        if delivery is None:
            delivery = Delivery(Arrival.NOT_NOW if message.state is MessageState.QUEUED else Arrival.UNSURE, str(error))
        if delivery.arrival is not Arrival.NOT_NOW and message.detail != deeds.CARRIED:
            self._typed_at = now
        match delivery.arrival:
            case Arrival.DELIVERED:
                done = replace(message, state=MessageState.DELIVERED, delivered_at=now, detail=delivery.detail)
                self._pauses.pop(message_id, None)
                self._record.write(_told(done), messages=[done])
            case Arrival.NOT_NOW:
                self._pauses[message_id] = now + timedelta(seconds=2)
                if message.detail != delivery.detail:
                    self._record.write(messages=[replace(message, detail=delivery.detail)])
            case Arrival.UNSURE:
                self._try_again(message, MessageState.SENT_UNSURE, delivery.detail, now)
            case Arrival.MISSING:
                # an attempt that our own end broke off says nothing against the agent: it does not count
                tries = message.attempts - 1 if message.state is MessageState.SENDING else message.attempts
                self._try_again(replace(message, attempts=tries), MessageState.QUEUED, delivery.detail, now)

    def _try_again(self, message: Message, state: MessageState, detail: str, now: datetime) -> None:
        self._pauses[message.id] = now + timedelta(seconds=min(2.0 * max(message.attempts, 1), 30.0))
        kept = message.detail if message.detail == deeds.CARRIED else detail
        if message.attempts < DELIVERY_TRIES or state is MessageState.SENT_UNSURE:
            self._record.write(messages=[replace(message, state=state, detail=kept)])
            return
        failed = replace(message, state=MessageState.FAILED, error=detail)
        words = f"a message could not be delivered in {message.attempts} tries: {detail}"
        self._record.write([Draft(EventType.MESSAGE_FAILED, words, Priority.URGENT, {"message": message.id})], messages=[failed])


_NAMES: dict[type[Action], str] = {
    MakeWorkspace: "making the workspace",
    PrepareWorkspace: "preparing the workspace",
    LaunchAgent: "starting the agent",
    StopAgent: "ending the agent",
    InspectWorkspace: "looking at the workspace",
    RemoveWorkspace: "removing the workspace",
    DeliverMessage: "delivering a message",
    SettleMessage: "settling a message",
}


def _told(message: Message) -> list[Draft]:
    words = f"the agent took {message.origin.value if message.reaction is None else message.reaction} message ({message.detail})"
    data = {"message": message.id, "origin": message.origin.value, "reaction": message.reaction, "attempts": message.attempts}
    told = [Draft(EventType.MESSAGE_DELIVERED, words, data=data)]
    if message.reaction in ("changes-requested", "bugbot-comments"):
        told.append(Draft(EventType.REVIEW_COMMENTS_SENT, "the review was passed on to the agent", data=data))
    return told


def _unless_blind_already(before: ProcessSeen | None, seen: ProcessSeen) -> ProcessSeen:
    """The first moment without a signal is the one that counts; what was known before is kept beside it."""
    if seen.sighting is not Sighting.UNKNOWN or before is None:
        return seen
    since = before.at if before.sighting is Sighting.UNKNOWN else seen.at
    return before.blind(since, seen.detail)


def _just_started(handle: RuntimeHandle, number: int, now: datetime) -> ProcessSeen:
    pid = handle.data.get("pid", "")
    return ProcessSeen(Sighting.ALIVE, now, f"{handle.runtime_name} start", pid=int(pid) if pid.isdigit() else None, number=number)

