"""Answers what a session's agent asks, for a person: seen, then typed, both beside the mailbox."""

from __future__ import annotations

import shlex
from dataclasses import replace
from datetime import datetime
from typing import Any

from ennio.actors import answer_links, pausing
from ennio.actors.beside import Beside
from ennio.actors.dependencies import Dependencies
from ennio.actors.effects import NAMES
from ennio.actors.executor import Executor
from ennio.actors.messages import AnswerQuestion
from ennio.actors.outbox import Outbox
from ennio.actors.reply import Reply
from ennio.actors.session_context import context
from ennio.actors.session_state import SessionState
from ennio.actors.session_step import Observations, SessionStep
from ennio.actors.subscriptions import Subscriptions
from ennio.actors.waiting_orders import WaitingOrder, WaitingOrders
from ennio.model.errors import Conflict, EnnioError, Unreachable
from ennio.model.events import Draft, EventType
from ennio.model.facts import Presence
from ennio.model.idempotency import IdempotentRequest
from ennio.model.session import Activity, Session
from ennio.policy.lifecycle.state import LastAnswer

_REMEMBERED = 16
"""Orders with a key of which the answer is known without the database."""


class Answers:
    """Those of one session. Held by its actor alone."""

    def __init__(
        self,
        deps: Dependencies,
        state: SessionState,
        outbox: Outbox,
        subscriptions: Subscriptions,
        observations: Observations,
        executor: Executor,
        beside: Beside,
        orders: WaitingOrders,
    ) -> None:
        self._deps = deps
        self._state = state
        self._outbox = outbox
        self._subscriptions = subscriptions
        self._observations = observations
        self._executor = executor
        self._beside = beside
        self._orders = orders
        self._given = 0
        self._keyed: dict[IdempotentRequest, Reply] = {}

    @property
    def _session(self) -> Session:
        return self._state.session

    @property
    def _now(self) -> datetime:
        return self._deps.clock.now()

    def give(self, order: AnswerQuestion, step: SessionStep) -> Reply:
        """See what is asked, then answer it. What was asked may have been answered since it was
        seen: by a person at the terminal, or by a life before this. Answers Conflict, Unreachable,
        OverBudget.

        A step in hand is waited for, and it is looked at again then whether it may be answered.
        What is sent again under its key, also while it is under way, gets the first answer.
        """
        first = None if order.once is None else self._keyed.get(order.once)
        if first is not None and not first.failed:
            return first
        reply, meant = Reply(), self._asked()

        def begin() -> None:
            self._refuse()
            self._refuse_another(meant)
            self._see(order, reply, step)

        self._refuse()
        if order.once is not None:
            self._remember(order.once, reply)
        return self._orders.take(WaitingOrder(begin, self._obstacle, reply, anyway=False))

    def _remember(self, once: IdempotentRequest, reply: Reply) -> None:
        """Whoever asks again, before the database has the answer, gets this one."""
        kept = {key: one for key, one in self._keyed.items() if not one.failed}
        self._keyed = {**dict([*kept.items()][1 - _REMEMBERED :]), once: reply}

    def _see(self, order: AnswerQuestion, reply: Reply, step: SessionStep) -> None:
        at = context(self._deps, self._session)
        if not at.host.traits(at.brief).tells:
            self._type(order, reply, step)
            return
        wanted = self._subscriptions.wanted_now()

        def seen(readings: Any) -> None:
            if self._observations.on_read(readings[wanted.brief.session_id]):
                step.advance()
            self._type(order, reply, step)

        self._beside.ask(lambda: at.host.observe([wanted]), seen, reply)

    def _refuse(self) -> None:
        """Raise where it is not to be said anything, or is not there to ask."""
        pausing.refuse(self._state)
        process, session = self._state.facts.process, self._session
        if session.runtime_handle is None:
            raise Conflict(
                f"session {session.id} has no agent yet that could ask anything; it is "
                f"{session.status}"
            )
        if process is not None and process.presence is Presence.GONE:
            raise Conflict(
                f"the agent of session {session.id} has ended, and nobody asks; `ennio session "
                f"restore {session.id}` goes on"
            )

    def _obstacle(self) -> EnnioError | None:
        """What passes by itself: something is done in its terminal, or it was not seen since."""
        process, session_id = self._state.facts.process, self._session.id
        current = self._executor.current
        if current is not None or self._beside.busy:
            name = NAMES[type(current)] if current is not None else "its terminal is being typed to"
            return Conflict(
                f"session {session_id} is being attended to ({name}), for longer than an answer "
                "waits; try again in a moment"
            )
        if process is None or process.presence is Presence.UNKNOWN:
            why = f" ({process.detail})" if process is not None and process.detail else ""
            return Unreachable(
                f"session {session_id} cannot be seen just now{why}; `ennio session why "
                f"{session_id}` says since when. Nothing was typed: answer again once it is seen"
            )
        return None

    def _asked(self) -> tuple[int, str | None]:
        """What an answer that is given now is meant for, as far as it is known."""
        agent = self._state.facts.agent
        asks = agent is not None and agent.activity is Activity.WAITING_INPUT
        return self._given, agent.question if agent is not None and asks else None

    def _refuse_another(self, meant: tuple[int, str | None]) -> None:
        """Raise Conflict where it was answered while this answer waited, or asks something else."""
        given, question = self._asked()
        if given != meant[0] or (None not in (question, meant[1]) and question != meant[1]):
            raise Conflict(
                f"session {self._session.id} was answered meanwhile, or asks something else by "
                "now: look at it first"
            )

    def _type(self, order: AnswerQuestion, reply: Reply, step: SessionStep) -> None:
        text, link, once = order.text, order.link, order.once
        asks = self._state.memory.activity is Activity.WAITING_INPUT
        done = None if once is None else self._deps.store.idempotency.find(once, self._now)
        if done is not None:
            self._refuse_doubt(text, asks)
            if not self._told_since(done.at):
                self._tell(text)
            reply.set()
            return
        if not asks:
            told = self._state.memory.activity or "not known yet"
            raise Conflict(
                f"session {self._session.id} asks nothing just now (its activity is {told}); "
                f"`ennio send {self._session.id} TEXT` gives it words"
            )
        if order.question is not None:
            self._insist(order.question)
        if link is not None:
            answer_links.insist(link, self._state.facts.agent)
            answer_links.use(self._deps, link)
        if once is not None:
            self._begin(once)
        self._outbox.typed()
        at = context(self._deps, self._session)
        question, begun_at = self._asked()[1], self._now

        def typed(_: object) -> None:
            self._given += 1
            answered = LastAnswer(question, begun_at, self._now)
            self._state.memory = replace(self._state.memory, answered=answered)
            self._tell(text)
            step.tell_others()
            self._subscriptions.look_now()
            reply.set()

        self._beside.ask(lambda: at.host.answer(at.brief, text), typed, reply)

    def _insist(self, meant: str) -> None:
        """Raise Conflict where another question is asked than the one that is meant; its choices
        may be told later than it is.
        """
        asked = self._asked()[1]
        if asked is not None and not (asked.startswith(meant) or meant.startswith(asked)):
            raise Conflict(
                f"session {self._session.id} asks something else by now, and nothing was "
                f"answered: {asked}"
            )

    def _begin(self, once: IdempotentRequest) -> None:
        """Before a key is pressed, so that no crash lets it be pressed twice."""
        with self._deps.store.transaction():
            self._deps.store.idempotency.begin(once, self._session.id, self._now)

    def _refuse_doubt(self, text: str, asks: bool) -> None:
        """Raise Conflict where it cannot be told whether what was begun has reached the agent."""
        if asks:
            session_id = self._session.id
            raise Conflict(
                f"this answer was begun before, and session {session_id} asks still, or again: "
                f"`ennio output {session_id}` shows what, and "
                f"`ennio answer {session_id} {shlex.quote(text)}` answers it"
            )

    def _told_since(self, at: datetime) -> bool:
        """Whether the life that began it came so far as to tell that it was typed."""
        steps = self._deps.store.events.before(
            None, 50, session_id=self._session.id, types=[EventType.SESSION_STEP]
        )
        return any(one.timestamp >= at and one.data.get("step") == "answered" for one in steps)

    def _tell(self, text: str) -> None:
        words, data = f"a person answered its question: {text[:80]}", {"answer": text}
        self._state.write([Draft(EventType.SESSION_STEP, words, data={"step": "answered", **data})])
