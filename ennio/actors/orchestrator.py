"""What people and programs can ask of the house: reads from the store, orders to the actors.

Every method runs in the caller's greenlet and may raise the errors of ``ennio.model.errors``.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import ennio
from ennio.actors import cleaning, condition, ending, hook_token, landing, preserved, spawning, strays, webhooks
from ennio.actors.cleaning import CleanupItem
from ennio.actors.dependencies import Dependencies
from ennio.actors.feed import Feed
from ennio.actors.landing import MergeOrder
from ennio.actors.messages import (
    AnswerQuestion,
    CrashForTest,
    Interrupt,
    LookNow,
    MessageQueued,
    Ping,
    QueueChanged,
    RestartChild,
    Restore,
    StartSession,
)
from ennio.actors.registry import AGENTS, QUEUE, ROOT, forge_name, session_name
from ennio.actors.session_context import context
from ennio.actors.spawning import Preview, SpawnRequest
from ennio.config.model import Config
from ennio.machine.home import Home
from ennio.model.branch import refuse_protected
from ennio.model.changes import Diff, Files
from ennio.model.clock import Clock
from ennio.model.errors import Conflict, NotFound, Refused, Unreachable
from ennio.model.events import Draft, Event, EventType
from ennio.model.failpoints import failpoint
from ennio.model.message import Message, Origin
from ennio.model.pulls import PullRequest, ReviewState
from ennio.model.session import Session
from ennio.plugins.scm.interface import Merged, Readable, Scm
from ennio.plugins.tracker.interface import Issue
from ennio.plugins.workspace.preserved import Contents, Preserved, Restored
from ennio.store import Store, Waiting

__all__ = ["CleanupItem", "MergeOrder", "Orchestrator", "Preview", "SpawnRequest"]

_ONE_ROW = "writes one row, as the orders that are played, and may be given again"
_HANDED_ON = "hands on to the forge or the tracker, where it is played, and writes nothing"


@dataclass(frozen=True, slots=True)
class Orchestrator:
    """The running house. ``stop`` asks the arbiter to end it.

    ``config_problem`` says what is wrong with its file where it stands on the last good one instead. ``adopted`` are the
    sessions that run and that its database did not know, ``pid`` is the process it lives in.
    """

    deps: Dependencies
    feed: Feed
    started_at: datetime
    stop: Callable[[], None]
    config_problem: str | None = None
    adopted: tuple[str, ...] = ()
    pid: int = 0

    @property
    def config(self) -> Config:
        """The configuration it runs on."""
        return self.deps.config

    @property
    def store(self) -> Store:
        """The store; for reading."""
        return self.deps.store

    @property
    def home(self) -> Home:
        """Where its files are."""
        return self.deps.home

    @property
    def clock(self) -> Clock:
        """Its clock."""
        return self.deps.clock

    # --- sessions ----------------------------------------------------------------------------------

    @failpoint("order.spawn")
    def spawn(self, request: SpawnRequest) -> Session:
        """A new session in ``spawning``, admitted by the queue or with what it waits for there; its steps are events."""
        session = spawning.spawn(self.deps, request)
        self.deps.actors.tell(ROOT, StartSession(session.id))
        self.deps.actors.tell(QUEUE, QueueChanged())
        return self._looked_at(session)

    @failpoint("order.preview", because="answers what a spawn would do, and does nothing")
    def preview(self, request: SpawnRequest) -> Preview:
        """What a spawn would do."""
        return spawning.preview(self.deps, request)

    @failpoint("order.kill")
    def kill(self, session_id: str, by: str = "a person") -> Session:
        """End a session for good; its workspace stays until it is cleaned up. It is ``killed`` once nothing of its agent is left."""
        session = self.store.sessions.need(session_id)
        if strays.why(self.deps, session) is not None:
            return strays.kill(self.deps, session, by)
        self._watched(session_id)
        return ending.end(self.deps, self.feed, session_id, by)

    @failpoint("order.restore")
    def restore(self, session_id: str) -> Session:
        """Start an exited session again in the workspace it has, when its turn comes; also revives an actor that was given up."""
        session = self.store.sessions.need(session_id)
        strays.refuse(self.deps, session)
        if session.archived_at is None and self.deps.actors.ref(session_name(session_id)) is None:
            self.deps.actors.tell(ROOT, RestartChild(session_name(session_id)))
            return session
        project = self.deps.project(session.project_id)
        refuse_protected(session.branch or session.id, project.default_branch, project.protected_branches)
        return self._looked_at(self._ask(session_id, Restore()))

    def _looked_at(self, session: Session) -> Session:
        """The session once the queue has looked: it is admitted, or its place has a reason."""
        with suppress(NotFound, Unreachable):  # it is written down; a queue that is being restarted finds it there
            self.deps.actors.ask(QUEUE, Ping())
        return self.store.sessions.get(session.id) or session

    @failpoint("order.send")
    def send(self, session_id: str, text: str) -> Message:
        """Queue words for the agent; they are typed when it can take them."""
        session = self.store.sessions.need(session_id)
        if session.status.terminal:
            raise Conflict(f"session {session_id} is {session.status}; nobody is there to read a message")
        strays.refuse(self.deps, session)
        message = Message(str(uuid.uuid4()), session_id, text, Origin.PERSON, self.clock.now())
        with self.store.transaction() as tx:
            self.store.messages.add(message)
            words = Draft(EventType.MESSAGE_QUEUED, "a person's message waits for the agent", data={"message": message.id})
            tx.emit(session_id, session.project_id, words)
        self.deps.actors.tell(session_name(session_id), MessageQueued())
        return message

    @failpoint("order.interrupt", because="presses a key; nothing is written and nothing follows")
    def interrupt(self, session_id: str) -> None:
        """Press Escape in the agent's terminal."""
        self._live(session_id)
        self._ask(session_id, Interrupt())

    @failpoint("order.answer")
    def answer(self, session_id: str, text: str) -> None:
        """Answer the question its agent asks. Raises Refused with the choices when the text fits none, Conflict when nothing is asked."""
        self._live(session_id)
        self._ask(session_id, AnswerQuestion(text))

    @failpoint("order.look", because="a hint that may be lost")
    def look(self, session_id: str) -> None:
        """Have the session read now what its agent told; many of these cost little, and a lost one only time."""
        self.deps.actors.tell(AGENTS, LookNow(session_id))

    def rings(self, session_id: str, token: str) -> bool:
        """Whether this is the session's hook token, which opens ``look`` and nothing else."""
        return hook_token.verify(self.store, session_id, token)

    def output(self, session_id: str, lines: int) -> str:
        """The last lines of the agent's terminal. Raises NotFound when there is none."""
        session = self.store.sessions.need(session_id)
        if session.runtime_handle is None:
            raise NotFound(f"session {session_id} has no terminal (status {session.status})")
        at = context(self.deps, session)
        return at.host.output(at.brief, lines)

    def attach(self, session_id: str) -> tuple[str, ...]:
        """The command that connects a person's terminal to the agent's. Raises NotFound when that is closed."""
        self.output(session_id, 1)  # one that is closed is told here, in words of ours
        at = context(self.deps, self.store.sessions.need(session_id))
        return at.host.attach_command(at.brief)

    @failpoint("order.cleanup")
    def cleanup(self, session_id: str | None, project_id: str | None, *, dry_run: bool, force: bool) -> list[CleanupItem]:
        """Remove the workspaces of ended sessions, preserving what is only there; never a live one's."""
        return cleaning.cleanup(self.deps, session_id, project_id, dry_run=dry_run, force=force)

    def preserved(self, project_id: str | None) -> list[Preserved]:
        """What removals saved."""
        return preserved.everything(self.deps, project_id)

    def preserved_contents(self, item_id: str) -> Contents:
        """What is in one of it. Raises NotFound."""
        return preserved.contents(self.deps, item_id)

    @failpoint("order.preserved_restore", because="makes one ref, which may be ordered again; what is saved stays")
    def preserved_restore(self, item_id: str, branch: str | None) -> Restored:
        """Bring one back on a new branch. Raises NotFound, Conflict."""
        return preserved.restore(self.deps, item_id, branch)

    @failpoint("order.crash", because="chaos of its own: a test of the machine")
    def crash(self, name: str) -> None:
        """Let one actor end with an error, as only the chaos endpoint orders."""
        if not self.deps.actors.tell(name, CrashForTest()):
            raise NotFound(f"no actor {name} is running")

    # --- the queue ---------------------------------------------------------------------------------

    @failpoint("order.hold", because=_ONE_ROW)
    def hold(self, session_id: str) -> Waiting:
        """Keep a waiting session from starting."""
        return self._requeue(replace(self._waiting(session_id), held=True))

    @failpoint("order.release")
    def release(self, session_id: str) -> Waiting:
        """Let a held session start when there is room."""
        return self._requeue(replace(self._waiting(session_id), held=False))

    @failpoint("order.move", because=_ONE_ROW)
    def move(self, session_id: str, position: int) -> Waiting:
        """Put a waiting session at this place (from 1) among those of its priority."""
        waiting = self._waiting(session_id)
        peers = [w for w in self.store.queue.list() if w.priority == waiting.priority and w.session_id != session_id]
        peers.insert(max(0, position - 1), waiting)
        with self.store.transaction():
            for place, peer in enumerate(peers, start=1):
                self.store.queue.save(replace(peer, position=place))
        self.deps.actors.tell(QUEUE, QueueChanged())
        return self._waiting(session_id)

    @failpoint("order.set_priority", because=_ONE_ROW)
    def set_priority(self, session_id: str, priority: int) -> Waiting:
        """Higher starts earlier."""
        return self._requeue(replace(self._waiting(session_id), priority=priority))

    @failpoint("order.drop")
    def drop(self, session_id: str) -> Session:
        """Take a waiting session out of the queue for good."""
        self._waiting(session_id)
        return self.kill(session_id, "a person, before it started")

    def _waiting(self, session_id: str) -> Waiting:
        waiting = self.store.queue.get(session_id)
        if waiting is None:
            session = self.store.sessions.need(session_id)
            raise Conflict(f"session {session_id} does not wait in the queue; it is {session.status}")
        return waiting

    def _requeue(self, waiting: Waiting) -> Waiting:
        self.store.queue.save(waiting)
        self.deps.actors.tell(QUEUE, QueueChanged())
        return self.store.queue.get(waiting.session_id) or waiting

    # --- pull requests and issues ------------------------------------------------------------------

    def pulls(self, project_id: str | None = None) -> list[tuple[str, PullRequest]]:
        """The pull requests of one project, or of all that have a forge."""
        projects = [self.deps.project(project_id)] if project_id else self.config.projects
        forges = [(project.id, self.deps.plugins.scm(project)) for project in projects]
        return [(name, pull) for name, scm in forges if scm is not None for pull in scm.pulls()]

    def pull(self, project_id: str, number: int) -> PullRequest:
        """One pull request."""
        return self._scm(project_id).look(number)

    def files(self, project_id: str, number: int) -> Files:
        """The files a pull request changes. Raises Refused where the forge does not tell."""
        return self._readable(project_id).files(number)

    def diff(self, project_id: str, number: int) -> Diff:
        """What a pull request changes, as text. Raises Refused where the forge does not tell."""
        return self._readable(project_id).diff(number)

    def _readable(self, project_id: str) -> Readable:
        scm = self._scm(project_id)
        if not isinstance(scm, Readable):
            raise Refused(f"the forge {scm.name} does not tell what a pull request changes; look there: ennio pr show")
        return scm

    @failpoint("order.open_pull", because=_HANDED_ON)
    def open_pull(self, project_id: str, branch: str, title: str, body: str, *, draft: bool = False) -> PullRequest:
        """Open a pull request for a pushed branch."""
        base = self.deps.project(project_id).default_branch
        return self._told(project_id, self._scm(project_id).open(branch, base, title, body, draft=draft))

    @failpoint("order.review", because=_HANDED_ON)
    def review(
        self,
        project_id: str,
        number: int,
        author: str,
        decision: ReviewState,
        body: str,
        path: str | None = None,
        line: int | None = None,
        head: str | None = None,
    ) -> PullRequest:
        """Review as a person; ``head`` is the commit they saw. No session approves its own work."""
        return self._told(project_id, landing.review(self.deps, self._scm(project_id), number, author, decision, body, path, line, head))

    @failpoint("order.reply", because=_HANDED_ON)
    def reply(self, project_id: str, number: int, comment_id: str, body: str) -> PullRequest:
        """Answer a comment where it stands."""
        return self._told(project_id, self._scm(project_id).reply(number, comment_id, body))

    @failpoint("order.resolve", because=_HANDED_ON)
    def resolve(self, project_id: str, number: int, thread_id: str) -> PullRequest:
        """Settle a thread."""
        return self._told(project_id, self._scm(project_id).resolve(number, thread_id))

    @failpoint("order.webhook", because="a hint that may be lost; one not answered is sent again, and known by its number")
    def webhook(self, event: str, delivery: str, signature: str | None, raw: bytes) -> str:
        """Take in what GitHub sent; see ``webhooks.received``."""
        return webhooks.received(self.deps, event, delivery, signature, raw)

    @failpoint("order.merge", because=_HANDED_ON)
    def merge(self, project_id: str, number: int, order: MergeOrder = MergeOrder()) -> Merged:  # noqa: B008 - it is frozen
        """Merge as a person. Raises Refused with what is missing, unless the order is to do it all the same."""
        merged = landing.merge(self.deps, self.deps.project(project_id), self._scm(project_id), number, order)
        self._look_again(project_id)
        return merged

    @failpoint("order.close_pull", because=_HANDED_ON)
    def close_pull(self, project_id: str, number: int) -> PullRequest:
        """Close without merging."""
        return self._told(project_id, self._scm(project_id).close(number))

    @failpoint("order.ready_pull", because=_HANDED_ON)
    def ready_pull(self, project_id: str, number: int) -> PullRequest:
        """Take it out of draft."""
        return self._told(project_id, self._scm(project_id).ready(number))

    @failpoint("order.rerun_checks", because="to run checks once more changes nothing")
    def rerun_checks(self, project_id: str, number: int) -> PullRequest:
        """Run the checks of its head again, where the forge can."""
        scm = self._scm(project_id)
        rerun = getattr(scm, "rerun", None)
        if rerun is None:
            raise Refused(f"checks on {scm.name} are run again there, not from here")
        return self._told(project_id, rerun(number))

    def issues(self, project_id: str) -> Sequence[Issue]:
        """The open issues of a project's tracker."""
        found: Sequence[Issue] = self._tracker(project_id).issues()
        return found

    @failpoint("order.add_issue", because=_HANDED_ON)
    def add_issue(self, project_id: str, title: str, body: str, labels: Sequence[str] = ()) -> Issue:
        """A new issue, where the tracker can."""
        tracker = self._tracker(project_id)
        add = getattr(tracker, "add", None)
        if add is None:
            raise Refused(f"issues on {tracker.name} are made there, not from here")
        return add(title, body, tuple(labels))  # type: ignore[no-any-return]

    def _scm(self, project_id: str) -> Scm:
        scm = self.deps.plugins.scm(self.deps.project(project_id))
        if scm is None:
            raise NotFound(f"project {project_id} has no forge; add scm_config to it")
        return scm

    def _tracker(self, project_id: str) -> Any:
        tracker = self.deps.plugins.tracker(self.deps.project(project_id))
        if tracker is None:
            raise NotFound(f"project {project_id} has no tracker; add tracker_config to it")
        return tracker

    def _told(self, project_id: str, pull: PullRequest) -> PullRequest:
        self._look_again(project_id)
        return pull

    def _look_again(self, project_id: str) -> None:
        self.deps.actors.tell(forge_name(self.deps.project(project_id).id), LookNow())

    # --- the house itself --------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """How the house is: actors, sources, sessions, queue."""
        return {
            "version": ennio.__version__,
            "pid": self.pid,
            "started_at": self.started_at.isoformat(),
            "config": str(self.config.source),
            "config_problem": self.config_problem,
            "adopted": self.adopted,
            **condition.condition(self.deps),
        }

    def health(self) -> dict[str, Any]:
        """How each source has been doing."""
        return condition.health(self.deps)

    def wait_for_events(self, after: int, timeout: float) -> list[Event]:
        """Events after this seq, at once when there are any, else as soon as there are or the time is up."""
        return self.feed.wait(after, timeout)

    @failpoint("order.shutdown", because="ends the process: the end-to-end tests")
    def shutdown(self) -> None:
        """End the supervisor. Agents go on."""
        self.stop()

    def _live(self, session_id: str) -> Session:
        session = self.store.sessions.need(session_id)
        if session.status.terminal:
            raise Conflict(f"session {session_id} is {session.status}")
        return session

    def _ask(self, session_id: str, message: Any) -> Any:
        self._watched(session_id)
        return self.deps.actors.ask(session_name(session_id), message)

    def _watched(self, session_id: str) -> None:
        """Raises, saying the way out, where no actor is there to be asked."""
        session = self.store.sessions.need(session_id)
        if self.deps.actors.ref(session_name(session_id)) is not None:
            return
        strays.refuse(self.deps, session)
        if session.archived_at is not None:
            left = preserved.left_of(self.deps, session) or "there is nothing left of it but its record"
            raise Conflict(f"session {session_id} is {session.status} and cleaned up; {left}")
        raise Unreachable(f"nobody watches session {session_id}; `ennio session restore {session_id}` tries again")
