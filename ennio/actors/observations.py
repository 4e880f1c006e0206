"""Keeps a session's facts: tells the pollers what to look for, takes in what they saw, reads what the agent says.

A look that began before the last thing done was done is not believed: it is asked for anew.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from shlex import quote
from typing import Any

from ennio.actors import effects, session_paths
from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import (
    ForgeObserved,
    LookNow,
    RuntimeObserved,
    Unwatch,
    WatchBranch,
    WatchPane,
    WatchWorkspace,
    WorkspaceObserved,
)
from ennio.actors.outbox import Outbox
from ennio.actors.registry import AGENTS, forge_name, runtime_name
from ennio.actors.session_state import SessionState
from ennio.hosts.read_cache import ReadCache, read_cache
from ennio.model import codec
from ennio.model.facts import Place, PlaceSeen, ProcessSeen, Sighting
from ennio.model.session import Activity
from ennio.plugins.agent.interface import Filed
from ennio.plugins.runtime.liveness import judge
from ennio.policy.lifecycle.state import Phase

STARTING = timedelta(seconds=30)
"""How long an agent that was started is looked at again and again."""


class Observations:
    """The facts of one session, kept in its record. Held by its actor alone; what takes something in tells whether there was news."""

    def __init__(self, deps: Dependencies, state: SessionState, outbox: Outbox) -> None:
        self._deps = deps
        self._state = state
        self._outbox = outbox
        stored = deps.store.meta.get(cursor_key(state.session.id))
        self._cursor: dict[str, str] = codec.loads(dict[str, str], stored) if stored else {}
        self._believed_from = self._forge_from = time.monotonic()
        self._watched: Any = None
        self._asked: dict[str, Any] = {}
        self._read_cache: ReadCache | None = None

    # --- what to look for --------------------------------------------------------------------------

    def watch(self) -> None:
        """Tell the pollers what to look for, whenever that changes."""
        session, memory = self._state.session, self._state.memory
        resting = memory.activity in (Activity.READY, Activity.IDLE, Activity.EXITED)
        wanted = (session.branch, session.base, memory.pull, resting, memory.finished, self._place)
        if wanted == self._watched:
            return
        self._watched = wanted
        if memory.finished:
            for name in (runtime_name(self._runtime), AGENTS, forge_name(session.project_id)):
                self._deps.actors.tell(name, Unwatch(session.id))
            self._asked.clear()
            return
        project = self._deps.project(session.project_id)
        agent = effects.agent_of(self._deps, session)
        self._ask(runtime_name(self._runtime), WatchPane(session.id))
        self._ask(AGENTS, WatchPane(session.id, agent.needs_screen or not agent.reports_activity, self._place))
        if session.branch:
            title = session.metadata.get("title") or session.branch
            base = session.base or project.default_branch
            words = (title, session.prompt or "")
            place = session_paths.workspace_path(self._deps, session)
            message = WatchBranch(session.id, session.branch, base, memory.pull, resting, *words, place)
            self._ask(forge_name(session.project_id), message)

    @property
    def _place(self) -> WatchWorkspace | None:
        """The working copy, from when it was made until it is to go."""
        session, memory = self._state.session, self._state.memory
        if session.branch is None or memory.status.terminal or memory.phase in (Phase.NEW, Phase.WORKSPACE):
            return None
        project = self._deps.project(session.project_id)
        kind, path = session.workspace_name or project.workspace, session_paths.workspace_path(self._deps, session)
        return WatchWorkspace(kind, path, session.branch, project.path)

    def _ask(self, poller: str, message: Any) -> None:
        """Only what is new to a poller: it looks at everything again for whoever asks."""
        if self._asked.get(poller) != message:
            self._asked[poller] = message
            self._deps.actors.tell(poller, message)

    def resubscribe(self) -> None:
        """Tell them all again; one of them has forgotten."""
        self._watched = None
        self._asked.clear()
        self.watch()

    def look_now(self) -> None:
        """Have the terminal looked at without waiting for the next tick."""
        self._tell_runtime(LookNow(self._state.session.id))

    def distrust(self) -> None:
        """What was looked up before now may be older than what was just done."""
        self._believed_from = time.monotonic()
        process = self._state.facts.process
        if process is not None:
            blind = process.blind(self._deps.clock.now(), "looked at before what was done last")
            self._state.facts = replace(self._state.facts, process=blind)
        self.look_now()
        self._expedite()

    def _expedite(self) -> None:
        """Have the agent read again soon, without waiting for everybody's turn."""
        self._deps.actors.tell(AGENTS, LookNow(self._state.session.id))

    def _starting(self) -> bool:
        """Whether the agent was started a moment ago and is not ready yet: somebody waits to give it words."""
        memory = self._state.memory
        if memory.ready_at is not None or memory.launched_at is None:
            return False
        return self._deps.clock.now() - memory.launched_at < STARTING

    @property
    def _runtime(self) -> str:
        session = self._state.session
        return session.runtime_name or self._deps.project(session.project_id).runtime

    def _tell_runtime(self, message: Any) -> None:
        self._deps.actors.tell(runtime_name(self._runtime), message)

    def _tell_forge(self, message: Any) -> None:
        self._deps.actors.tell(forge_name(self._state.session.project_id), message)

    # --- what was seen -----------------------------------------------------------------------------

    def on_pane(self, told: RuntimeObserved) -> bool:
        """Take in what a survey of the runtime saw of the terminal; False when it is not believed."""
        if told.begun < self._believed_from:
            self.look_now()
            return False
        before = self._state.facts.process
        seen = judge(self._state.session.runtime_handle, told.pane, told.surveyed, told.source, self._deps.clock.now())
        if not told.surveyed and told.detail:
            seen = replace(seen, detail=told.detail)
        seen = _unless_blind_already(before, seen)
        if self._outbox.echoes(seen.output_at):
            seen = replace(seen, output_at=before.output_at if before is not None else None)
        ended = seen.sighting is Sighting.GONE and (before is None or before.sighting is not Sighting.GONE)
        self._state.facts = replace(self._state.facts, process=seen)
        if ended and self._state.memory.launches:
            self._agent_ended()
        return True

    def _agent_ended(self) -> None:
        """Its last words are read, and what the forge said before its end does not count any more."""
        self._read_agent(None)
        self._forge_from = time.monotonic()
        forge = self._state.facts.forge
        if forge is not None and forge.sighting is Sighting.GONE:
            blind = replace(forge, sighting=Sighting.UNKNOWN, detail="asked before the agent ended")
            self._state.facts = replace(self._state.facts, forge=blind)
            self._tell_forge(LookNow(self._state.session.id))  # unchanged news would not be told again by themselves

    def on_agent(self, screen: str | None) -> bool:
        """Read what is new from a living agent; False when there was nothing."""
        process = self._state.facts.process
        if self._starting():
            self._expedite()
        if process is None or process.sighting is not Sighting.ALIVE:
            return False
        if self._is_fresh(process, screen):
            return False
        return self._read_agent(screen)

    def _is_fresh(self, process: ProcessSeen, screen: str | None) -> bool:
        """Whether the agent would say again what it said last."""
        if self._read_cache is None or self._state.facts.agent is None:
            return False
        return self._read_cache.is_fresh(process, screen, self._deps.clock.now())

    def _read_agent(self, screen: str | None) -> bool:
        process, session = self._state.facts.process, self._state.session
        if process is None:
            return False
        agent, desk = effects.agent_of(self._deps, session), session_paths.desk(self._deps, session)
        files = agent.files(desk, self._cursor) if isinstance(agent, Filed) else None
        # taken first: what is written meanwhile is read the next time
        found = read_cache(process, screen, files) if files is not None else None
        reading = agent.observe(desk, self._cursor, process, screen, self._deps.clock.now())
        # a look that brought something may have left something; the one that brings nothing more is what stands
        ended = dict(reading.cursor) == self._cursor
        self._read_cache = replace(found, until=reading.until) if found is not None and ended else None
        before = self._state.facts.agent
        if not ended:
            self._cursor = dict(reading.cursor)
            self._deps.store.meta.set(cursor_key(session.id), codec.dumps(self._cursor))
        if before is not None and replace(before, at=reading.seen.at) == reading.seen:
            return False
        self._state.facts = replace(self._state.facts, agent=reading.seen)
        return True

    def on_place(self, told: WorkspaceObserved) -> bool:
        """Take in what became of the working copy; False when it is as it was, or is being made."""
        place, before = self._place, self._state.facts.place
        if place is None:
            return False
        seen = PlaceSeen(self._deps.clock.now(), told.place, _way_out(told, place, self._state.session.id))
        if before is not None and replace(before, at=seen.at) == seen:
            return False
        if before is None and told.place is Place.STANDING:
            return False
        self._state.facts = replace(self._state.facts, place=seen)
        return True

    def on_forge(self, told: ForgeObserved) -> bool:
        """Take in what the forge told of the branch; False when it is not believed."""
        if told.begun < self._forge_from:
            self._tell_forge(LookNow(self._state.session.id))
            return False
        seen, before = told.seen, self._state.facts.forge
        if seen.sighting is Sighting.UNKNOWN and before is not None:
            seen = before.blind(seen.at, seen.detail)
        self._state.facts = replace(self._state.facts, forge=seen)
        return True


def cursor_key(session_id: str) -> str:
    """Under which name the store keeps how far an agent's own files were read."""
    return f"cursor:{session_id}"


def _way_out(told: WorkspaceObserved, place: WatchWorkspace, session_id: str) -> str:
    """What is wrong with a working copy, and what mends it."""
    path, branch, source = (quote(str(each)) for each in (place.path, place.branch, place.source))
    where, elsewhere = quote(told.where), quote(told.elsewhere)  # an agent may have chosen these
    back = f"`git -C {path} switch {branch}` goes back"
    if told.elsewhere:
        back = f"{branch} is checked out in {elsewhere}: `git -C {elsewhere} switch --detach`, then {back}"
    match told.place:
        case Place.GONE:
            lost = f" and its branch {branch} is deleted" if told.where else ""
            return f"its working copy {path} is gone{lost}; messages wait, `ennio session restore {session_id}` makes it again"
        case Place.MOVED:
            return f"its working copy was moved to {where}; messages wait, `git -C {source} worktree move {where} {path}` brings it back"
        case Place.CUT_OFF:
            return f"its working copy {path} has lost its repository; messages wait, `git -C {source} worktree repair {path}` may help"
        case Place.BRANCHLESS:
            tip = where if told.where else "COMMIT"
            return f"its branch {branch} was deleted; `git -C {path} update-ref refs/heads/{branch} {tip}` brings it back"
        case Place.DETACHED:
            return f"its working copy is on no branch (HEAD is {told.where}); {back}"
        case Place.ASTRAY:
            return f"its working copy is on {told.where} instead of {branch}; {back}"
        case Place.STANDING:
            return ""


def _unless_blind_already(before: ProcessSeen | None, seen: ProcessSeen) -> ProcessSeen:
    """The first moment without a signal is the one that counts; what was known before is kept beside it."""
    if seen.sighting is not Sighting.UNKNOWN or before is None:
        return seen
    since = before.at if before.sighting is Sighting.UNKNOWN else seen.at
    return before.blind(since, seen.detail)
