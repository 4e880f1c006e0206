"""A session's step: what was seen is believed or not, and what follows from it is decided, written
and begun.

A look that began before the last thing done was done is not believed: it is asked for anew.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

from ennio.actors import budgets, metered, parking, pausing
from ennio.actors.beside import Beside
from ennio.actors.dependencies import Dependencies
from ennio.actors.executor import Executor
from ennio.actors.messages import (
    AgentObserved,
    ForgeObserved,
    QueueChanged,
    RuntimeObserved,
    SessionChanged,
    SessionOver,
)
from ennio.actors.outbox import Outbox
from ennio.actors.registry import QUEUE, REACTIONS, ROOT
from ennio.actors.session_context import context
from ennio.actors.session_state import SessionState
from ennio.actors.situation import situation_of
from ennio.actors.subscriptions import Subscriptions
from ennio.actors.timers import Alarm
from ennio.actors.waiting_orders import WaitingOrders
from ennio.actors.way_out import way_out
from ennio.hosts.observation import Observation
from ennio.model.clock import ClockJump
from ennio.model.facts import AgentSeen, Place, PlaceSeen, Presence, ProcessSeen
from ennio.plugins.workspace.interface import Glance
from ennio.policy import lifecycle
from ennio.policy.lifecycle import Inputs, orders

STARTING = timedelta(seconds=30)
"""How long an agent that was started is looked at again and again."""
MAX_STEPS = 12


class Observations:
    """The facts of one session, kept in its state. Held by its actor alone; what takes something in
    tells whether there was news.
    """

    def __init__(
        self, deps: Dependencies, state: SessionState, outbox: Outbox, subscriptions: Subscriptions
    ) -> None:
        self._deps = deps
        self._state = state
        self._outbox = outbox
        self._subscriptions = subscriptions
        self._believed_from = self._forge_from = time.monotonic()
        self._ended: tuple[ProcessSeen, float] | None = None
        self._silent = False

    def on_process(self, told: RuntimeObserved) -> bool:
        """Take in what a survey saw of the agent's process; False when it is not believed, or waits
        for the agent's last words.
        """
        if told.begun < self._believed_from:
            self._subscriptions.look_now()
            return False
        before = self._state.facts.process
        silent, self._silent = self._silent, told.seen.presence is Presence.UNKNOWN
        if silent and not self._silent:
            self._state.memory = orders.heard_again(self._state.memory)
        seen = _unless_blind_already(before, told.seen)
        if self._outbox.echoes(seen.output_at):
            seen = replace(seen, output_at=before.output_at if before is not None else None)
        ended = seen.presence is Presence.GONE and (
            before is None or before.presence is not Presence.GONE
        )
        self._ended = (seen, time.monotonic()) if ended and self._state.memory.launches else None
        if self._ended is not None:
            self._subscriptions.expedite()  # what it said last counts before its end does
            return False
        self._state.facts = replace(self._state.facts, process=seen)
        return True

    def _take_end(self, begun: float) -> bool:
        """Its last words are read: it has ended, and what the forge said before that
        does not count any more.
        """
        if self._ended is None or begun < self._ended[1]:
            return False
        self._state.facts = replace(self._state.facts, process=self._ended[0])
        self._ended = None
        self._forge_from = time.monotonic()
        forge = self._state.facts.forge
        if forge is not None and forge.presence is Presence.GONE:
            blind = replace(forge, presence=Presence.UNKNOWN, detail="asked before the agent ended")
            self._state.facts = replace(self._state.facts, forge=blind)
            self._subscriptions.look_at_forge()
        return True

    def on_agent(self, told: AgentObserved) -> bool:
        """Take in what a look at the agent brought; False when there was no news in it."""
        if self._starting() or (self._ended is not None and told.begun < self._ended[1]):
            self._subscriptions.expedite()
        if told.begun < self._believed_from:
            self._subscriptions.expedite()
            return False
        news = self._take_in(told.reading) if told.reading is not None else False
        return self._take_end(told.begun) or news

    def on_read(self, reading: Observation) -> bool:
        """Take in what that brought; whether there was news."""
        return self._take_in(reading)

    def _take_in(self, reading: Observation) -> bool:
        posted = self._read_to(reading)
        news = reading.agent is not None and reading.agent != self._state.facts.agent
        if reading.agent is not None:
            if _speaks(self._state.facts.agent, reading.agent):
                self._outbox.news()
            self._state.facts = replace(
                self._state.facts, agent=reading.agent if news else self._state.facts.agent
            )
        return self._take_place(reading.place) or news or posted

    def _read_to(self, reading: Observation) -> bool:
        """Note how far was read, and post what was told there: both or neither.
        Whether something was posted.
        """
        agent, books = reading.agent, self._state.books
        told = agent.usage if agent is not None else None
        launches = self._state.memory.launches
        posting = books.prepare(reading.requests, told, launches, metered=reading.metered)
        moved = dict(reading.cursor) != self._subscriptions.cursor
        if not moved and posting is None:
            return False
        reached = budgets.BudgetsReached()
        with self._deps.store.transaction() as tx:
            if moved:
                self._deps.store.agents.save_read_to(self._state.session.id, reading.cursor)
            if posting is not None:
                books.post(posting)
                reached = budgets.reached(self._deps, tx, self._state.session)
            metered.tell(tx, self._state.session, reading)
        if posting is not None:
            books.posted(posting)
            budgets.pass_on(self._deps, self._state.session, reached)
        if moved:
            self._subscriptions.cursor = dict(reading.cursor)
            self._subscriptions.watch()
        return posting is not None and bool(posting.entries)

    def _take_place(self, glance: Glance | None) -> bool:
        """What became of the working copy; False when it is as it was, or is being made."""
        before = self._state.facts.place
        if glance is None or not self._subscriptions.has_place:
            return False
        brief = context(self._deps, self._state.session).brief
        seen = PlaceSeen(self._deps.clock.now(), glance.place, way_out(glance, brief))
        if before == seen or (before is None and glance.place is Place.STANDING):
            return False
        self._state.facts = replace(self._state.facts, place=seen)
        return True

    def on_forge(self, told: ForgeObserved) -> bool:
        """Take in what the forge told of the branch; False when it is not believed."""
        if told.begun < self._forge_from:
            self._subscriptions.look_at_forge()
            return False
        seen, before = told.seen, self._state.facts.forge
        if seen.presence is Presence.UNKNOWN and before is not None:
            seen = before.blind(seen.at, seen.detail)
        self._state.facts = replace(self._state.facts, forge=seen)
        return True

    def distrust(self) -> None:
        """What was looked up before now may be older than what was just done."""
        self._believed_from = time.monotonic()
        self._ended = None  # an end that is none of before is seen again
        process = self._state.facts.process
        if process is not None:
            why = "looked at before what was done last"
            blind = process.blind(self._deps.clock.now(), why, untried=True)
            self._state.facts = replace(self._state.facts, process=blind)
        self._subscriptions.look_now()
        self._subscriptions.expedite()

    def _starting(self) -> bool:
        """Whether the agent was started a moment ago and is not ready yet:
        somebody waits to give it words.
        """
        memory = self._state.memory
        if memory.ready_at is not None or memory.launched_at is None:
            return False
        return self._deps.clock.now() - memory.launched_at < STARTING


class SessionStep:
    """Steps of one session. Held by its actor alone."""

    def __init__(
        self,
        deps: Dependencies,
        state: SessionState,
        outbox: Outbox,
        subscriptions: Subscriptions,
        executor: Executor,
        beside: Beside,
        waiting: WaitingOrders,
        alarm: Alarm,
    ) -> None:
        self._deps = deps
        self._state = state
        self._outbox = outbox
        self._subscriptions = subscriptions
        self._executor = executor
        self._beside = beside
        self._orders = waiting
        self._alarm = alarm
        self._clock_jump = ClockJump(deps.clock)

    def advance(self) -> None:
        """Step until the world, the state and what is desired agree, then perform
        the one effect that is due.
        """
        self._orders.go_on()
        jump = self._clock_jump.taken()
        if jump is not None and jump < timedelta():
            self._put_back(-jump)
        for _ in range(MAX_STEPS):
            state = self._state
            inputs = Inputs(
                state.facts,
                self._outbox.next(),
                self._executor.busy or self._beside.busy,
                parking.waiting(state),
                budgets.stop_of(self._deps, state.session),
            )
            spec, now = context(self._deps, state.session).spec, self._deps.clock.now()
            plan = self._executor.announced(lifecycle.step(spec, inputs, state.memory, now))
            settled = plan.state == state.memory and plan.effect is None
            state.memory = plan.state
            told = [
                *self._outbox.undeliverable(),
                *self._outbox.waiting(inputs.pending, plan.waits),
                *parking.overtaken(state),
            ]
            if pausing.write(self._deps, state, plan, told):
                self.tell_others()
            self._alarm.set(plan.wake_at)
            if plan.look:
                self._subscriptions.look_now()
            if plan.forge_look is not None:
                self._subscriptions.await_forge(plan.forge_look)
            if plan.effect is not None:
                self._executor.start(plan.effect)
            if settled or plan.effect is not None:
                break
        self._subscriptions.watch()
        if self._state.memory.finished:
            self._deps.actors.tell(ROOT, SessionOver(self._state.session.id))

    def _put_back(self, by: timedelta) -> None:
        """The clock was put back, and nothing takes longer for it."""
        now, facts = self._deps.clock.now(), self._state.facts
        self._state.memory = orders.put_back(self._state.memory, by, now)
        self._outbox.put_back(by)
        if facts.process is not None and facts.process.at > now:  # since when it cannot be seen
            self._state.facts = replace(facts, process=replace(facts.process, at=now))

    def tell_others(self) -> None:
        """Tell reactions how it stands now, and the queue that it has ended."""
        state, memory = self._state, self._state.memory
        project = self._deps.project(state.session.project_id)
        situation = situation_of(project, state.session, memory, state.facts, state.books.burned)
        self._deps.actors.tell(REACTIONS, SessionChanged(situation))
        if memory.status.terminal:
            self._deps.actors.tell(QUEUE, QueueChanged())


def _speaks(before: AgentSeen | None, after: AgentSeen) -> bool:
    """Whether an agent tells what a message may wait for: that it took a prompt, or takes one."""
    told = (after.activity, after.ready, after.turns, after.prompts)
    return before is None or told != (before.activity, before.ready, before.turns, before.prompts)


def _unless_blind_already(before: ProcessSeen | None, seen: ProcessSeen) -> ProcessSeen:
    """The first moment without a signal is the one that counts; what was known
    before is kept beside it.
    """
    if seen.presence is not Presence.UNKNOWN or before is None:
        return seen
    since = before.at if before.presence is Presence.UNKNOWN else seen.at
    return before.blind(since, seen.detail)
