"""One actor owns one session: facts come in, a pure step decides, the state is written,
one effect is performed.

What it holds: the state (what is known), the subscriptions (what is looked for), the observations
(what is seen), the outbox (what the agent is to be told), the executor (what is under way), the
step (what follows). All of them are its own and run in its mailbox.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, assert_never

import pykka

from ennio.actors import (
    effects,
    forecasting,
    hook_token,
    pausing,
)
from ennio.actors.actor import Actor
from ennio.actors.answers import Answers
from ennio.actors.beside import Beside, HostAsked
from ennio.actors.branch_rivals import refuse_rival
from ennio.actors.dependencies import Dependencies
from ennio.actors.executor import Executor
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
    Wake,
)
from ennio.actors.outbox import Outbox
from ennio.actors.registry import QUEUE
from ennio.actors.reply import Reply
from ennio.actors.restoring import restore
from ennio.actors.session_context import context
from ennio.actors.session_state import SessionState
from ennio.actors.session_step import Observations, SessionStep
from ennio.actors.subscriptions import Subscriptions
from ennio.actors.timers import Alarm
from ennio.actors.waiting_orders import WaitingOrder, WaitingOrders
from ennio.hosts.delivery import Words
from ennio.model.errors import Conflict, EnnioError, Unreachable
from ennio.model.events import Draft, EventType
from ennio.model.facts import Presence
from ennio.model.session import Session
from ennio.policy import lifecycle
from ennio.policy.lifecycle import orders
from ennio.policy.lifecycle.effects import (
    DeliverMessage,
    Effect,
    InterruptAgent,
    LaunchAgent,
    RemoveWorkspace,
    SettleMessage,
    StopAgent,
)

TYPING = (DeliverMessage, SettleMessage, InterruptAgent)
"""What presses keys in the agent's terminal."""


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
        self._subscriptions: Subscriptions
        self._observations: Observations
        self._executor: Executor
        self._answers: Answers
        self._step: SessionStep
        self._beside = Beside(self)
        self._orders = WaitingOrders(self)
        self._alarm = Alarm(self, deps.clock, Wake())

    # --- life -------------------------------------------------------------------------------------

    def on_start(self) -> None:
        """Read the state back and adopt whatever runs."""
        self._state = SessionState.load(self._deps, self._id)
        self._outbox = Outbox(self._deps, self._state)
        self._subscriptions = Subscriptions(self._deps, self._state, self._outbox)
        self._observations = Observations(
            self._deps, self._state, self._outbox, self._subscriptions
        )
        self._executor = Executor(self, self._deps, self._state, self._outbox)
        self._answers = Answers(
            self._deps,
            self._state,
            self._outbox,
            self._subscriptions,
            self._observations,
            self._executor,
            self._beside,
            self._orders,
        )
        self._step = SessionStep(
            self._deps,
            self._state,
            self._outbox,
            self._subscriptions,
            self._executor,
            self._beside,
            self._orders,
            self._alarm,
        )
        if self._deps.store.queue.get(self._id) is None:
            self._state.memory = orders.admit(
                self._state.memory
            )  # it left the queue and was not told
        # the clock may have been put back while nobody was here
        self._state.memory = orders.put_back(
            self._state.memory, timedelta(), self._deps.clock.now()
        )
        session, memory = self._session, self._state.memory
        # an agent that runs on finds the API where it is now; from elsewhere nobody reaches it
        if memory.launches and not memory.finished and not session.host:
            self.perform("hook token", lambda: hook_token.renew(self._deps, session))
        self._subscriptions.watch()
        pausing.begin(self._deps, self._state)
        self._begin()

    def _begin(self) -> None:
        """Go on; where its end was ordered while nothing could be written, with that."""
        by = self._deps.store.stops.by(self._id)
        if by is None:
            self._step.advance()
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
            case EffectResult(HostAsked() as asked, result, error):
                self._on_asked(asked, result, error)
            case EffectResult(WaitingOrder() as order):
                self._orders.late(order)
            case EffectResult(what, result, error):
                self._on_effect(what, result, error)
            case Wake() | MessageQueued():
                self._step.advance()
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
                self._step.advance()
            case Clean(force):
                return self._change(orders.clean(self._state.memory, force=force))
            case Resubscribe():
                self._subscriptions.resubscribe()
                # somebody was started again, and knows nothing of this session
                self._step.tell_others()
                self._step.advance()
            case AnswerQuestion():
                return self._answers.give(message, self._step)
            case Interrupt():
                return self._interrupt()
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
        self._step.advance()
        return self._session

    def _on_kill(self, by: str) -> Session:
        memory = orders.kill(self._state.memory, by, self._id)
        self._beside.forget()
        self._orders.forget()
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
        self._step.advance()
        return self._session

    def _on_restore(self) -> Session:
        restore(self._deps, self._state)
        self._deps.actors.tell(QUEUE, QueueChanged())
        self._step.advance()
        return self._session

    def _on_branch(self, chosen: BranchChosen) -> Session:
        branch, path = chosen.branch, chosen.path
        refuse_rival(self._deps, self._session.project_id, branch, self._id)
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
        self._subscriptions.watch()
        return self._session

    def _give_back(self) -> None:
        """What a person had begun to type goes back as soon as there is a place for it; nobody
        types meanwhile.
        """
        process, draft = self._state.facts.process, self._outbox.drafts.taken
        if (
            draft
            and not self._executor.busy
            and not self._beside.busy
            and process is not None
            and process.presence is Presence.ALIVE
        ):
            at = context(self._deps, self._session)

            def back(stands: bool) -> None:
                if stands:
                    self._outbox.given_back(draft)

            self._beside.ask(lambda: at.host.put_back(at.brief, draft), back)

    def _interrupt(self) -> Reply:
        """A key between those that are typed just now would change what they mean; but what is
        typed for too long is no reason to let an agent run on.
        """
        reply = Reply()

        def press() -> None:
            at = context(self._deps, self._session)
            self._outbox.typed()
            self._beside.ask(lambda: at.host.interrupt(at.brief), reply.set, reply)

        return self._orders.take(WaitingOrder(press, self._typed_to, reply, anyway=True))

    def _typed_to(self) -> EnnioError | None:
        if self._beside.busy or isinstance(self._executor.current, TYPING):
            return Conflict(f"the terminal of session {self._id} is being typed to")
        return None

    def _on_asked(self, asked: HostAsked, result: Any, error: EnnioError | None) -> None:
        self._beside.ended(asked, result, error)
        if not self._state.stands():
            raise error or Unreachable("what came of it could not be written")
        self._step.advance()

    # --- the step ---------------------------------------------------------------------------------

    def _advance_if(self, news: bool) -> None:
        if news:
            self._step.advance()

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
                self._step.tell_others()  # a reaction may wait for the agent to have it
            self._give_back()
        elif error is not None:
            effects.failed(self._state, self._outbox, effect, error, now)
        else:
            effects.succeeded(self._state, self._outbox, effect, result, now)
        self._step.advance()
