"""One actor owns one session: facts come in, a pure step decides, the state is written,
one effect is performed.

What it holds: the state (what is known), the observations (what is seen), the outbox
(what the agent is to be told), the executor (what is under way). All of them are its
own and run in its mailbox.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import timedelta
from typing import Any, assert_never

import pykka

from ennio.actors import (
    answer_links,
    budgets,
    forecasting,
    hook_token,
    outcome,
    parking,
    pausing,
)
from ennio.actors.actor import Actor
from ennio.actors.branch_rivals import refuse_rival
from ennio.actors.dependencies import Dependencies
from ennio.actors.executor import NAMES, Executor
from ennio.actors.messages import (
    Admit,
    AgentObserved,
    AnswerQuestion,
    BranchChosen,
    Clean,
    CrashForTest,
    EffectResult,
    ForgeObserved,
    GoOn,
    Interrupt,
    Kill,
    MessageQueued,
    Ping,
    QueueChanged,
    Restore,
    Resubscribe,
    ResumeParked,
    RuntimeObserved,
    SessionChanged,
    SessionOver,
    Wake,
)
from ennio.actors.observations import Observations
from ennio.actors.outbox import Outbox
from ennio.actors.registry import QUEUE, REACTIONS, ROOT
from ennio.actors.restoring import restore
from ennio.actors.session_context import context
from ennio.actors.session_state import SessionState
from ennio.actors.situation import situation_of
from ennio.actors.timers import Alarm
from ennio.hosts.interface import Words
from ennio.model.clock import ClockJump
from ennio.model.errors import Conflict, EnnioError, Unreachable
from ennio.model.events import Draft, EventType
from ennio.model.facts import Presence
from ennio.model.session import Activity, Session
from ennio.policy import lifecycle
from ennio.policy.lifecycle import Inputs, orders
from ennio.policy.lifecycle.effects import (
    DeliverMessage,
    Effect,
    LaunchAgent,
    RemoveWorkspace,
    SettleMessage,
    StopAgent,
)
from ennio.store.answer_links import AnswerLink

MAX_STEPS = 12


class SessionActor(Actor):
    """Owns a session from its row in the store to its cleaned workspace."""

    def __init__(
        self, deps: Dependencies, session_id: str, name: str, watcher: pykka.ActorRef[Any] | None
    ) -> None:
        super().__init__(name, watcher)
        self._deps = deps
        self._id = session_id
        self._state: SessionState
        self._outbox: Outbox
        self._observations: Observations
        self._executor: Executor
        self._alarm = Alarm(self, deps.clock, Wake())
        self._clock_jump = ClockJump(deps.clock)

    # --- life -------------------------------------------------------------------------------------

    def on_start(self) -> None:
        """Read the state back and adopt whatever runs."""
        self._state = SessionState.load(self._deps, self._id)
        self._outbox = Outbox(self._deps, self._state)
        self._observations = Observations(self._deps, self._state, self._outbox)
        self._executor = Executor(self, self._deps, self._state, self._outbox)
        if self._deps.store.queue.get(self._id) is None:
            self._state.memory = orders.admit(
                self._state.memory
            )  # it left the queue and was not told
        # the clock may have been put back while nobody was here
        self._state.memory = orders.put_back(
            self._state.memory, timedelta(), self._deps.clock.now()
        )
        if self._state.memory.launches and not self._state.memory.finished:
            session = self._session  # its agent that runs on finds the API where it is now
            self.perform("hook token", lambda: hook_token.renew(self._deps, session))
        self._observations.watch()
        pausing.begin(self._deps, self._state)
        self._begin()

    def _begin(self) -> None:
        """Go on; where its end was ordered while nothing could be written, with that."""
        by = self._deps.store.stops.by(self._id)
        if by is None:
            self._advance()
            return
        if not self._session.status.terminal:
            self._on_kill(by)
        self._deps.store.stops.forget(self._id)

    def on_stop(self) -> None:
        """Nothing but the actor ends: agents go on."""
        self._alarm.cancel()

    @property
    def _session(self) -> Session:
        return self._state.session

    def on_receive(self, message: Any) -> Any:
        """One message, one match; who cannot write down what came of it ends, and the
        next life reads what stands.
        """
        try:
            return self._received(message)
        except EnnioError as error:
            if not self._state.stands():
                self._die(f"{type(error).__name__}: {error}", error)
            raise

    def _received(self, message: Any) -> Any:
        match message:
            case RuntimeObserved():
                self._advance_if(self._observations.on_process(message))
            case AgentObserved():
                self._give_back()
                self._advance_if(self._observations.on_agent(message))
            case ForgeObserved():
                self._advance_if(self._observations.on_forge(message))
            case EffectResult(what, result, error):
                self._on_effect(what, result, error)
            case Wake() | MessageQueued():
                self._advance()
            case Admit():
                self._change(orders.admit(self._state.memory))
            case Kill(by):
                return self._on_kill(by)
            case Restore():
                return self._on_restore()
            case ResumeParked(when):
                return self._change(orders.resume(self._state.memory, when))
            case GoOn():
                pausing.let_go_on(self._deps, self._state, self._outbox.next())
                self._advance()
            case Clean(force):
                return self._change(orders.clean(self._state.memory, force=force))
            case Resubscribe():
                self._observations.resubscribe()
                self._tell_others()  # somebody was started again, and knows nothing of this session
                self._advance()
            case AnswerQuestion(text, link):
                return self._on_answer(text, link)
            case Interrupt():
                at = context(self._deps, self._session)
                return at.host.interrupt(at.brief)
            case BranchChosen():
                return self._on_branch(message)
            case CrashForTest():
                raise RuntimeError("told to crash")
            case Ping():
                return True
            case _:
                assert_never(message)
        return None

    # --- orders -----------------------------------------------------------------------------------

    def _change(self, memory: lifecycle.LifecycleState) -> Session:
        self._state.memory = memory
        self._advance()
        return self._session

    def _on_kill(self, by: str) -> Session:
        memory = orders.kill(self._state.memory, by)
        if self._executor.busy and not isinstance(
            self._executor.current, StopAgent | RemoveWorkspace
        ):
            self._executor.break_off()
            self._observations.distrust()
        self._state.memory = memory
        with self._deps.store.transaction():  # who only left the queue would be taken for admitted
            self._deps.store.queue.remove(self._id)
            self._state.write()
        self._deps.actors.tell(QUEUE, QueueChanged())
        self._advance()
        return self._session

    def _on_restore(self) -> Session:
        restore(self._deps, self._state)
        self._deps.actors.tell(QUEUE, QueueChanged())
        self._advance()
        return self._session

    def _on_branch(self, chosen: BranchChosen) -> Session:
        branch, path = chosen.branch, chosen.path
        refuse_rival(self._deps.store, self._session.project_id, branch, self._id)
        told = {"title": chosen.title, forecasting.ASKED: str(chosen.asked)}
        metadata = {**self._session.metadata, **told}
        self._state.session = replace(
            self._session, branch=branch, workspace_path=path, metadata=metadata
        )
        self._state.write(
            [
                Draft(
                    EventType.SESSION_STEP,
                    f"works on branch {branch}",
                    data={"step": "branch", "branch": branch},
                )
            ]
        )
        forecasting.read_issue(self._deps, self._session)
        self._observations.watch()
        return self._session

    def _see_question(self) -> None:
        """What was asked may have been answered since it was seen: by a person at the terminal,
        or by a life before this.
        """
        process = self._state.facts.process
        if self._session.runtime_handle is None:
            raise Conflict(
                f"session {self._id} has no agent yet that could ask anything; it is "
                f"{self._session.status}"
            )
        if process is not None and process.presence is Presence.GONE:
            raise Conflict(
                f"the agent of session {self._id} has ended, and nobody asks; `ennio session "
                f"restore {self._id}` goes on"
            )
        if process is None or process.presence is not Presence.ALIVE:
            raise Unreachable(f"session {self._id} cannot be seen just now; try again in a moment")
        at = context(self._deps, self._session)
        if at.host.traits(at.brief).tells:
            self._advance_if(self._observations.read_now())

    def _on_answer(self, text: str, link: AnswerLink | None) -> None:
        """Short enough to be done in the mailbox, and so never at the same time as
        another effect's typing.
        """
        pausing.refuse(self._state)
        self._see_question()
        if self._state.memory.activity is not Activity.WAITING_INPUT:
            told = self._state.memory.activity or "not known yet"
            raise Conflict(
                f"session {self._id} asks nothing just now (its activity is {told}); `ennio send` "
                "gives it words"
            )
        if link is not None:
            answer_links.insist(link, self._state.facts.agent)
        if self._executor.current is not None:
            current = NAMES[type(self._executor.current)]
            raise Conflict(
                f"session {self._id} is just being attended to ({current}); try again in a moment"
            )
        if link is not None:
            answer_links.use(self._deps, link)
        self._outbox.typed()
        at = context(self._deps, self._session)
        at.host.answer(at.brief, text)
        data = {"step": "answered", "answer": text}
        self._state.write(
            [
                Draft(
                    EventType.SESSION_STEP,
                    f"a person answered its question: {text[:80]}",
                    data=data,
                )
            ]
        )
        self._observations.look_now()

    def _give_back(self) -> None:
        """What a person had begun to type goes back as soon as there is a place for it; in the
        mailbox, so that nobody types meanwhile.
        """
        process = self._state.facts.process
        if (
            self._outbox.drafts.taken
            and not self._executor.busy
            and process is not None
            and process.presence is Presence.ALIVE
        ):
            with contextlib.suppress(EnnioError):
                self._outbox.give_back()

    # --- the step ---------------------------------------------------------------------------------

    def _advance_if(self, news: bool) -> None:
        if news:
            self._advance()

    def _advance(self) -> None:
        """Step until the world, the state and what is desired agree, then perform
        the one effect that is due.
        """
        jump = self._clock_jump.taken()
        if jump is not None and jump < timedelta():
            self._put_back(-jump)
        for _ in range(MAX_STEPS):
            state = self._state
            inputs = Inputs(
                state.facts,
                self._outbox.next(),
                self._executor.busy,
                parking.waiting(state),
                budgets.stop_of(self._deps, state.session),
            )
            spec, now = context(self._deps, self._session).spec, self._deps.clock.now()
            plan = self._executor.announced(lifecycle.step(spec, inputs, state.memory, now))
            settled = plan.state == state.memory and plan.effect is None
            state.memory = plan.state
            told = [
                *self._outbox.undeliverable(),
                *self._outbox.waiting(inputs.pending, plan.waits),
                *parking.overtaken(state),
            ]
            if pausing.write(self._deps, state, plan, told):
                self._tell_others()
            self._alarm.set(plan.wake_at)
            if plan.effect is not None:
                self._executor.start(plan.effect)
            if settled or plan.effect is not None:
                break
        self._observations.watch()
        if self._state.memory.finished:
            self._deps.actors.tell(ROOT, SessionOver(self._id))

    def _put_back(self, by: timedelta) -> None:
        """The clock was put back, and nothing takes longer for it."""
        now, facts = self._deps.clock.now(), self._state.facts
        self._state.memory = orders.put_back(self._state.memory, by, now)
        self._outbox.put_back(by)
        if facts.process is not None and facts.process.at > now:  # since when it cannot be seen
            self._state.facts = replace(facts, process=replace(facts.process, at=now))

    def _tell_others(self) -> None:
        state, memory = self._state, self._state.memory
        project = self._deps.project(state.session.project_id)
        situation = situation_of(project, state.session, memory, state.facts, state.books.burned)
        self._deps.actors.tell(REACTIONS, SessionChanged(situation))
        if memory.status.terminal:
            self._deps.actors.tell(QUEUE, QueueChanged())

    def _on_effect(self, effect: Effect, result: Any, error: EnnioError | None) -> None:
        if not self._executor.ended(effect):
            return
        if isinstance(effect, DeliverMessage) and isinstance(result, Words):
            self._executor.deliver(effect, result)
            return
        now = self._deps.clock.now()
        if isinstance(effect, LaunchAgent | StopAgent | RemoveWorkspace):
            self._observations.distrust()
        if isinstance(effect, DeliverMessage | SettleMessage):
            self._outbox.delivered(effect.message_id, result, error, now)
            if not self._outbox.message(effect.message_id).state.pending:
                self._state.memory = lifecycle.pausing.taken(self._state.memory, now)
                self._tell_others()  # a reaction may wait for the agent to have it
            self._give_back()
        elif error is not None:
            outcome.failed(self._state, self._outbox, effect, error, now)
        else:
            outcome.succeeded(self._state, self._outbox, effect, result, now)
        self._advance()
