"""Performs the one effect of a session that is due, beside the mailbox, so that a kill is never
behind a ten-minute clone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, assert_never

import gevent

from ennio import tracing
from ennio.actors import effects, metered
from ennio.actors.actor import Actor
from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import BranchChosen
from ennio.actors.outbox import Outbox
from ennio.actors.session_context import context
from ennio.actors.session_state import SessionState
from ennio.actors.task import Task
from ennio.hosts.delivery import Words
from ennio.model.events import Draft, EventType
from ennio.model.facts import Presence
from ennio.model.session import Session
from ennio.policy.lifecycle import Plan
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

ASK_WITHIN = 30.0  # seconds


class Executor:
    """One effect at a time. Its end comes to the actor as an ``EffectResult``; the choice of a
    branch is asked of the actor.
    """

    def __init__(
        self, actor: Actor, deps: Dependencies, state: SessionState, outbox: Outbox
    ) -> None:
        self._actor = actor
        self._deps = deps
        self._state = state
        self._outbox = outbox
        self._greenlet: gevent.Greenlet | None = None
        self._current: Effect | None = None

    @property
    def busy(self) -> bool:
        """Whether an effect is under way."""
        return self._greenlet is not None

    @property
    def current(self) -> Effect | None:
        """The effect under way."""
        return self._current

    def announced(self, plan: Plan) -> Plan:
        """The plan with an event that tells how far it gets by its effect, written with the rest of
        it before the effect begins; the same step tried again is no news.
        """
        match plan.effect:
            case MakeWorkspace():
                step, words = "workspace", "making the workspace"
            case PrepareWorkspace():
                step, words = "prepare", "linking files and running post-create commands"
            case LaunchAgent(number=number):
                agent = self._state.session.agent_name
                step, words = "launch", f"starting {agent} (launch {number})"
            case _:
                return plan
        if plan.state.failures:
            return plan
        told = Draft(EventType.SESSION_STEP, words, data={"step": step})
        return replace(plan, events=(*plan.events, told))

    def start(self, effect: Effect) -> None:
        """Begin with it."""
        session = self._state.session
        at = context(self._deps, session)
        match effect:
            case MakeWorkspace():
                self._perform(effect, lambda: effects.make_workspace(at, self._choose_branch))
            case PrepareWorkspace():
                self._perform(effect, lambda: at.host.prepare(at.brief))
            case LaunchAgent():
                metered.moved(self._deps)
                message = self._outbox.take(effect.message) if effect.message else None
                self._perform(effect, lambda: effects.launch(at, effect, message))
            case StopAgent():
                launched = self._state.memory.launches > 0
                self._perform(effect, lambda: at.host.stop(at.brief, launched=launched))
            case InspectWorkspace():
                self._perform(effect, lambda: at.host.inspect(at.brief))
            case InterruptAgent():
                self._outbox.typed()  # what a terminal shows of a key is no work of its agent
                self._perform(effect, lambda: at.host.interrupt(at.brief))
            case RemoveWorkspace():
                self._perform(effect, lambda: at.host.remove(at.brief))
            case DeliverMessage(message_id):
                self._outbox.asks()
                post, aside = (
                    self._outbox.message(message_id),
                    self._outbox.drafts.may_be_taken(self._deps.clock.now()),
                )
                words = effects.words(at, post, aside)
                held = self._deps.terminal_controls.obstacle(session.id, post)
                self._perform(effect, lambda: held or at.host.obstacle(at.brief, words) or words)
            case SettleMessage(message_id):
                self._outbox.asks()
                post = self._outbox.message(message_id)
                process = self._state.facts.process
                alive = process is not None and process.presence is Presence.ALIVE
                self._perform(effect, lambda: effects.settle(at, post, alive=alive))
            case _:
                assert_never(effect)

    def deliver(self, effect: DeliverMessage, words: Words) -> None:
        """Nothing stands in the way of its words: written down first, they are typed.

        Only now, so that what waits for long is not written again and again.
        """
        at = context(self._deps, self._state.session)
        self._outbox.take(effect.message_id, words.aside)
        self._perform(effect, lambda: at.host.deliver(at.brief, words))

    def ended(self, effect: Effect) -> bool:
        """Take note of an end; False when it is that of an effect that was broken off."""
        if effect is not self._current:
            return False
        self._greenlet, self._current = None, None
        return True

    def break_off(self) -> None:
        """Leave the effect under way undone; every one can be."""
        if self._greenlet is not None:
            self._greenlet.kill(block=False)
        self._greenlet, self._current = None, None

    def _perform(self, effect: Effect, run: Any) -> None:
        session = self._state.session
        told = {
            tracing.SESSION: session.id,
            tracing.PROJECT: session.project_id,
            "gen_ai.agent.name": session.agent_name or "",
        }
        self._current = effect
        traced = tracing.traced(f"session.{type(effect).__name__}", told, run)
        self._greenlet = self._actor.perform(effect, traced)

    def _choose_branch(self, work: Task, path: str) -> Session:
        told = BranchChosen(work.branch, work.title, work.asked, path)
        chosen: Any = self._actor.actor_ref.ask(told, timeout=ASK_WITHIN)
        return chosen  # type: ignore[no-any-return]
