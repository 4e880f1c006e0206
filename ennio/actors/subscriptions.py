"""What those who look are to look for: a session tells its pollers, whenever that changes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import LookNow, LookSince, Unwatch, WatchAgent, WatchProcess
from ennio.actors.outbox import Outbox
from ennio.actors.registry import agents_name, forge_name, runtime_name
from ennio.actors.session_context import SessionContext, context
from ennio.actors.session_state import SessionState
from ennio.hosts.observation import Wanted
from ennio.model.facts import Presence
from ennio.model.session import Activity
from ennio.plugins.forge.interface import Watch
from ennio.policy.lifecycle.state import Phase


class Subscriptions:
    """Those of one session. Held by its actor alone. ``cursor`` is how far its agent was read."""

    def __init__(self, deps: Dependencies, state: SessionState, outbox: Outbox) -> None:
        self._deps = deps
        self._state = state
        self._outbox = outbox
        self.cursor = dict(deps.store.agents.get(state.session.id).read_to)
        self._asked: dict[str, Any] = {}

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
        process = self._state.facts.process
        ended = process is not None and process.presence is Presence.GONE
        # who has ended without having been ready will not be any more
        eager = memory.launched_at is not None and memory.ready_at is None and not ended
        eager = eager or bool(self._outbox.drafts.taken)
        afresh = self._state.facts.agent is None
        return WatchAgent(
            at.session.id, at.brief, dict(self.cursor), screen, self.has_place, afresh, eager
        )

    @property
    def has_place(self) -> bool:
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
        self._deps.actors.tell(self._runtime_poller, LookNow(self._state.session.id))

    def look_at_forge(self) -> None:
        """Have the forge tell again; unchanged news would not be told again by themselves."""
        session = self._state.session
        self._deps.actors.tell(forge_name(session.project_id), LookNow(session.id))

    def await_forge(self, since: datetime) -> None:
        """Have what the forge tells from that moment on told here."""
        session = self._state.session
        self._deps.actors.tell(forge_name(session.project_id), LookSince(session.id, since))

    def expedite(self) -> None:
        """Have the agent read again soon, without waiting for everybody's turn."""
        self._deps.actors.tell(self._agent_poller, LookNow(self._state.session.id))

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

    def wanted_now(self) -> Wanted:
        """What its host is asked for a person who wants to know how it is right now."""
        wanted = self._watch_agent(context(self._deps, self._state.session))
        return Wanted(wanted.brief, wanted.cursor)
