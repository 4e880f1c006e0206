"""Keeps a session's facts: tells the pollers what to look for, takes in what they saw,
reads what the agent says.

A look that began before the last thing done was done is not believed: it is asked for anew.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from shlex import quote
from typing import Any

from ennio.actors import budgets, metered
from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import (
    AgentObserved,
    ForgeObserved,
    LookNow,
    RuntimeObserved,
    Unwatch,
    WatchAgent,
    WatchProcess,
)
from ennio.actors.outbox import Outbox
from ennio.actors.registry import agents_name, forge_name, runtime_name
from ennio.actors.session_context import SessionContext, context
from ennio.actors.session_state import SessionState
from ennio.hosts.interface import Brief, Observation, Wanted
from ennio.model.facts import AgentSeen, Place, PlaceSeen, Presence, ProcessSeen
from ennio.model.session import Activity
from ennio.plugins.forge.interface import Watch
from ennio.plugins.workspace.interface import Glance
from ennio.policy.lifecycle import orders
from ennio.policy.lifecycle.state import Phase

STARTING = timedelta(seconds=30)
"""How long an agent that was started is looked at again and again."""


class Observations:
    """The facts of one session, kept in its state. Held by its actor alone; what takes something in
    tells whether there was news.
    """

    def __init__(self, deps: Dependencies, state: SessionState, outbox: Outbox) -> None:
        self._deps = deps
        self._state = state
        self._outbox = outbox
        self._cursor = dict(deps.store.agents.get(state.session.id).read_to)
        self._believed_from = self._forge_from = time.monotonic()
        self._asked: dict[str, Any] = {}
        self._ended: tuple[ProcessSeen, float] | None = None
        self._silent = False

    # --- what to look for -------------------------------------------------------------------------

    def watch(self) -> None:
        """Tell the pollers what to look for, whenever that changes."""
        session, memory = self._state.session, self._state.memory
        if memory.finished:
            for name in (
                (self._runtime_poller, self._agent_poller, forge_name(session.project_id))
                if self._asked
                else ()
            ):
                self._deps.actors.tell(name, Unwatch(session.id))
            self._asked.clear()
            return
        at = context(self._deps, session)
        self._ask(self._runtime_poller, WatchProcess(session.id, session.runtime_handle))
        self._ask(self._agent_poller, self._watch_agent(at))
        if session.branch:
            idle = memory.activity in (Activity.READY, Activity.IDLE, Activity.EXITED)
            words = (session.metadata.get("title") or session.branch, session.prompt or "")
            # a path of another machine says nothing to a forge on this one
            path = None if session.host else at.host.workspace_path(at.brief)
            watch = Watch(
                session.id, session.branch, at.brief.base, memory.pull, idle, *words, path
            )
            self._ask(forge_name(session.project_id), watch)

    def _watch_agent(self, at: SessionContext) -> WatchAgent:
        traits, memory = at.host.traits(at.brief), self._state.memory
        screen = traits.watched or not traits.tells
        eager = memory.launched_at is not None and memory.ready_at is None
        eager = eager or bool(self._outbox.drafts.taken)
        afresh = self._state.facts.agent is None
        return WatchAgent(
            at.session.id, at.brief, dict(self._cursor), screen, self._has_place, afresh, eager
        )

    @property
    def _has_place(self) -> bool:
        """Whether there is a working copy: from when it was made until it is to go."""
        session, memory = self._state.session, self._state.memory
        return (
            session.branch is not None
            and not memory.status.terminal
            and memory.phase not in (Phase.NEW, Phase.WORKSPACE)
        )

    def _ask(self, poller: str, message: Any) -> None:
        """Only what is new to a poller: it looks at everything again for whoever asks."""
        if self._asked.get(poller) != message:
            self._asked[poller] = message
            self._deps.actors.tell(poller, message)

    def resubscribe(self) -> None:
        """Tell them all again; one of them has forgotten."""
        self._asked.clear()
        self.watch()

    def look_now(self) -> None:
        """Have the terminal looked at without waiting for the next tick."""
        self._tell_runtime(LookNow(self._state.session.id))

    def distrust(self) -> None:
        """What was looked up before now may be older than what was just done."""
        self._believed_from = time.monotonic()
        self._ended = None  # an end that is none of before is seen again
        process = self._state.facts.process
        if process is not None:
            why = "looked at before what was done last"
            blind = process.blind(self._deps.clock.now(), why, untried=True)
            self._state.facts = replace(self._state.facts, process=blind)
        self.look_now()
        self._expedite()

    def _expedite(self) -> None:
        """Have the agent read again soon, without waiting for everybody's turn."""
        self._deps.actors.tell(self._agent_poller, LookNow(self._state.session.id))

    def _starting(self) -> bool:
        """Whether the agent was started a moment ago and is not ready yet:
        somebody waits to give it words.
        """
        memory = self._state.memory
        if memory.ready_at is not None or memory.launched_at is None:
            return False
        return self._deps.clock.now() - memory.launched_at < STARTING

    @property
    def _runtime_poller(self) -> str:
        """Who looks after the processes of its runtime on its host."""
        session = self._state.session
        return runtime_name(
            session.runtime_name or self._deps.project(session.project_id).runtime, session.host
        )

    @property
    def _agent_poller(self) -> str:
        """Who has the agents on its host read."""
        return agents_name(self._state.session.host)

    def _tell_runtime(self, message: Any) -> None:
        self._deps.actors.tell(self._runtime_poller, message)

    def _tell_forge(self, message: Any) -> None:
        self._deps.actors.tell(forge_name(self._state.session.project_id), message)

    # --- what was seen ----------------------------------------------------------------------------

    def on_process(self, told: RuntimeObserved) -> bool:
        """Take in what a survey saw of the agent's process; False when it is not believed, or waits
        for the agent's last words.
        """
        if told.begun < self._believed_from:
            self.look_now()
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
            self._expedite()  # what it said last counts before its end does
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
            self._tell_forge(
                LookNow(self._state.session.id)
            )  # unchanged news would not be told again by themselves
        return True

    def on_agent(self, told: AgentObserved) -> bool:
        """Take in what a look at the agent brought; False when there was no news in it."""
        if self._starting() or (self._ended is not None and told.begun < self._ended[1]):
            self._expedite()
        if told.begun < self._believed_from:
            self._expedite()
            return False
        news = self._take_in(told.reading) if told.reading is not None else False
        return self._take_end(told.begun) or news

    def wanted_now(self) -> Wanted:
        """What its host is asked for a person who wants to know how it is right now."""
        wanted = self._watch_agent(context(self._deps, self._state.session))
        return Wanted(wanted.brief, wanted.cursor)

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
        moved = dict(reading.cursor) != self._cursor
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
            self._cursor = dict(reading.cursor)
            self.watch()
        return posting is not None and bool(posting.entries)

    def _take_place(self, glance: Glance | None) -> bool:
        """What became of the working copy; False when it is as it was, or is being made."""
        before = self._state.facts.place
        if glance is None or not self._has_place:
            return False
        brief = context(self._deps, self._state.session).brief
        seen = PlaceSeen(self._deps.clock.now(), glance.place, _way_out(glance, brief))
        if before == seen or (before is None and glance.place is Place.STANDING):
            return False
        self._state.facts = replace(self._state.facts, place=seen)
        return True

    def on_forge(self, told: ForgeObserved) -> bool:
        """Take in what the forge told of the branch; False when it is not believed."""
        if told.begun < self._forge_from:
            self._tell_forge(LookNow(self._state.session.id))
            return False
        seen, before = told.seen, self._state.facts.forge
        if seen.presence is Presence.UNKNOWN and before is not None:
            seen = before.blind(seen.at, seen.detail)
        self._state.facts = replace(self._state.facts, forge=seen)
        return True


def _way_out(told: Glance, brief: Brief) -> str:
    """What is wrong with a working copy, and what mends it."""
    session_id = brief.session_id
    path, branch, source = (quote(each) for each in (brief.path, brief.branch, brief.source))
    where, elsewhere = quote(told.where), quote(told.elsewhere)  # an agent may have chosen these
    back = f"`git -C {path} switch {branch}` goes back"
    if told.elsewhere:
        back = (
            f"{branch} is checked out in {elsewhere}: `git -C {elsewhere} switch --detach`, then "
            f"{back}"
        )
    match told.place:
        case Place.GONE:
            lost = f" and its branch {branch} is deleted" if told.where else ""
            return (
                f"its working copy {path} is gone{lost}; messages wait, `ennio session restore "
                f"{session_id}` makes it again"
            )
        case Place.MOVED:
            return (
                f"its working copy was moved to {where}; messages wait, `git -C {source} "
                f"worktree move {where} {path}` brings it back"
            )
        case Place.CUT_OFF:
            return (
                f"its working copy {path} has lost its repository; messages wait, `git -C "
                f"{source} worktree repair {path}` may help"
            )
        case Place.BRANCHLESS:
            tip = where if told.where else "COMMIT"
            return (
                f"its branch {branch} was deleted; `git -C {path} update-ref refs/heads/{branch} "
                f"{tip}` brings it back"
            )
        case Place.DETACHED:
            return f"its working copy is on no branch (HEAD is {told.where}); {back}"
        case Place.ASTRAY:
            return f"its working copy is on {told.where} instead of {branch}; {back}"
        case Place.STANDING:
            return ""


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
