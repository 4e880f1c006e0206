"""An orchestrator without actors, over the real store: what the API's own tests ask until whole
stories are told in tests/e2e.

It reads as ``ennio.actors.orchestrator.Orchestrator`` does, keeps the promises of its orders that
can be seen over HTTP, and starts no agents.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

from ennio.actors.dependencies import Dependencies
from ennio.actors.orchestrator import (
    AnsweredByLink,
    CleanupItem,
    ConflictApi,
    CostApi,
    EventApi,
    IssueApi,
    MergeOrder,
    NodeApi,
    Preview,
    ProjectApi,
    PullApi,
    QueueApi,
    RequestApi,
    SessionApi,
    SpawnRequest,
    SupervisorApi,
    TerminalApi,
    WorkspaceApi,
)
from ennio.actors.orchestrator.notices import NoticeApi
from ennio.actors.registry import ActorRegistry
from ennio.config.model import Config, PluginChoice, Project
from ennio.hosts.plugin_host import PluginHost
from ennio.machine.home import Home
from ennio.model.changes import Diff, FileChange, Files
from ennio.model.clock import Clock, SystemClock
from ennio.model.errors import Conflict, Invalid, NotFound, Refused, Unauthorized
from ennio.model.events import Draft, Event, EventType
from ennio.model.idempotency import IdempotentRequest
from ennio.model.message import Message, Origin
from ennio.model.pulls import (
    Check,
    CheckState,
    Comment,
    MergeMethod,
    PullRequest,
    PullState,
    ReviewState,
)
from ennio.model.session import Activity, Priority, Session, SessionStatus, Usage
from ennio.plugins.forge.interface import Merged
from ennio.plugins.registry import Registry
from ennio.plugins.tracker.interface import Issue
from ennio.plugins.workspace.preserved import Contents, Preserved, Restored
from ennio.store import Store, Waiting
from tests import made_database


def configuration(directory: Path, **changes: Any) -> Config:
    """A configuration with two projects."""
    app = Project(
        id="my-app",
        name="My App",
        repo="https://me:secret@example.org/me/app.git",
        path=directory / "app",
        tracker=PluginChoice("local"),
        forge=PluginChoice("local", {"token": "s3cret"}),
        config_hash="abc",
    )
    bare = Project(
        id="bare", name="bare", repo="git@example.org:me/bare.git", path=directory / "bare"
    )
    return replace(
        Config(source=directory / "ennio.yaml", directory=directory, projects=(app, bare)),
        **changes,
    )


PRESERVED = Preserved(
    "ma-1",
    "my-app",
    "/src/my-app",
    "refs/ennio/preserved/ma-1",
    "c0ffee",
    datetime(2026, 1, 1, tzinfo=UTC),
    "Not committed",
)


def new_pull(number: int, now: datetime) -> PullRequest:
    return PullRequest(
        number=number,
        url=f"http://forge/{number}",
        title="A change",
        branch=f"b-{number}",
        base="main",
        head="a" * 40,
        state=PullState.OPEN,
        checks=CheckState.FAILING,
        check_runs=(Check("1", "lint", CheckState.FAILING, log_tail="E501"),),
        comments=(Comment("c1", "ann", "why?", now, path="a.py", line=3),),
    )


@dataclass(frozen=True, kw_only=True)
class SmallSessions(SessionApi):
    """Orders to sessions that only write."""

    small: SmallOrchestrator

    def spawn(self, request: SpawnRequest, once: IdempotentRequest | None = None) -> Session:
        done = self.done(once)
        if done is not None:
            return self.need(done.subject)
        if self.small.fails_with is not None:
            raise self.small.fails_with
        if not request.prompt and not request.issue_id:
            raise Invalid("prompt: give a prompt or an issue_id")
        project = self.deps.config.project(request.project_id)
        if project is None:
            raise NotFound(f"no project {request.project_id}")
        now = self.small.clock.now()
        session = Session(
            id=f"ma-{uuid.uuid4().hex[:8]}",
            project_id=project.id,
            status=SessionStatus.SPAWNING,
            activity=Activity.READY,
            created_at=now,
            last_activity_at=now,
            config_hash="abc",
            issue_id=request.issue_id,
            prompt=request.prompt,
            branch=request.branch,
            priority=request.priority,
            usage=Usage(10, 20, Decimal("0.125")),
        )
        with self.small.store.transaction() as tx:
            if once is not None:
                self.small.store.idempotency.begin(once, session.id, now)
            self.small.store.sessions.insert(session)
            if request.held:
                self.small.store.queue.add(
                    Waiting(
                        session.id,
                        session.project_id,
                        session.priority,
                        0,
                        True,
                        now,
                        "held by a person",
                    )
                )
            tx.emit(session.id, session.project_id, Draft(EventType.SESSION_SPAWNED, "spawned"))
        return session

    def preview(self, request: SpawnRequest) -> Preview:
        return Preview(
            "ma-00000000",
            "claude-code",
            "tmux",
            "worktree",
            "/w",
            "b",
            "main",
            request.prompt or "",
            "",
            ("claude",),
            ("PATH",),
            (),
            None,
        )

    def kill(self, session_id: str, by: str = "a person") -> Session:
        session = replace(
            self.small.store.sessions.need(session_id),
            status=SessionStatus.KILLED,
            reason=f"killed by {by}",
        )
        self.small.store.sessions.save(session)
        return session

    def restore(self, session_id: str) -> Session:
        session = self.small.store.sessions.need(session_id)
        if session.status is not SessionStatus.EXITED:
            raise Conflict(f"session {session_id} is {session.status.value}, not exited")
        return session

    def look(self, session_id: str) -> None:
        self.small.looked.append(session_id)

    def verify_hook_token(self, session_id: str, token: str) -> bool:
        return token == f"bell of {session_id}"

    def send(self, session_id: str, text: str, once: IdempotentRequest | None = None) -> Message:
        done = self.done(once)
        if done is not None:
            return self._message(done.subject)
        message = Message(
            str(uuid.uuid4()), session_id, text, Origin.PERSON, self.small.clock.now()
        )
        self._queue(self.need(session_id), message, once, None)
        return message

    def answer(
        self,
        session_id: str,
        text: str,
        once: IdempotentRequest | None = None,
        question: str | None = None,
    ) -> None:
        self.small.store.sessions.need(session_id)
        if text != "yes":
            raise Refused(
                f"{text!r} fits none of the choices; answer with the number of one: 1. Yes"
            )

    def answer_by_link(self, link: str) -> AnsweredByLink:
        if not link.startswith("good"):
            raise Unauthorized("this is no link that answers a question")
        return AnsweredByLink("ma-1", link.removeprefix("good-"))

    def interrupt(self, session_id: str) -> None:
        self.small.store.sessions.need(session_id)

    def output(self, session_id: str, lines: int) -> str:
        return "\n".join(f"{session_id} line {number}" for number in range(lines))

    def attach(self, session_id: str) -> tuple[str, ...]:
        return ("tmux", "attach", "-t", f"={session_id}")


@dataclass(frozen=True, kw_only=True)
class SmallQueue(QueueApi):
    """Orders to the queue that only write."""

    small: SmallOrchestrator

    def hold(self, session_id: str) -> None:
        self._change(session_id, held=True)

    def release(self, session_id: str) -> None:
        self._change(session_id, held=False)

    def move(self, session_id: str, position: int) -> None:
        self._change(session_id, position=position)

    def set_priority(self, session_id: str, priority: int) -> None:
        self._change(session_id, priority=priority)

    def drop(self, session_id: str) -> None:
        if not self.small.store.queue.remove(session_id):
            raise NotFound(f"session {session_id} is not in the queue")

    def _change(self, session_id: str, **changes: Any) -> None:
        waiting = self.small.store.queue.get(session_id)
        if waiting is None:
            raise NotFound(f"session {session_id} is not in the queue")
        self.small.store.queue.change(replace(waiting, **changes))


@dataclass(frozen=True, kw_only=True)
class SmallPulls(PullApi):
    """Pull requests in memory."""

    small: SmallOrchestrator

    def list(self, project_id: str | None) -> Sequence[tuple[str, PullRequest]]:
        return [
            (project, pull)
            for (project, _), pull in self.small.pull_requests.items()
            if project_id in (None, project)
        ]

    def get(self, project_id: str, number: int) -> PullRequest:
        if (project_id, number) not in self.small.pull_requests:
            raise NotFound(f"no pull request #{number} in {project_id}")
        return self.small.pull_requests[project_id, number]

    def files(self, project_id: str, number: int) -> Files:
        return Files(
            "ba5e", self.get(project_id, number).head, (FileChange("a.py", "modified", 2, None),)
        )

    def diff(self, project_id: str, number: int) -> Diff:
        return Diff("ba5e", self.get(project_id, number).head, "+ words\n", truncated=True)

    def open(
        self, project_id: str, branch: str, title: str, body: str, *, draft: bool = False
    ) -> PullRequest:
        number = 1 + max(
            (number for project, number in self.small.pull_requests if project == project_id),
            default=0,
        )
        self.small.pull_requests[project_id, number] = replace(
            new_pull(number, self.small.clock.now()), branch=branch, title=title, draft=draft
        )
        return self.small.pull_requests[project_id, number]

    def review(
        self,
        project_id: str,
        number: int,
        author: str,
        decision: ReviewState,
        body: str,
        path: str | None,
        line: int | None,
        head: str | None,
    ) -> PullRequest:
        self.small.reviews.append((project_id, number, author, decision, body, path, line, head))
        return self._put(project_id, number, review=decision)

    def merge(self, project_id: str, number: int, order: MergeOrder) -> Merged:
        self.small.merges.append(order)
        if self.get(project_id, number).draft:
            raise Refused(f"#{number} is a draft")
        self._put(project_id, number, state=PullState.MERGED)
        return Merged("b" * 40, (order.method or MergeMethod.SQUASH).value)

    def close(self, project_id: str, number: int) -> PullRequest:
        return self._put(project_id, number, state=PullState.CLOSED)

    def ready(self, project_id: str, number: int) -> PullRequest:
        return self._put(project_id, number, draft=False)

    def rerun(self, project_id: str, number: int) -> PullRequest:
        return self._put(project_id, number, checks=CheckState.PENDING)

    def remind(self, project_id: str, number: int) -> PullRequest:
        return self.get(project_id, number)

    def leave_queue(self, project_id: str, number: int) -> PullRequest:
        return self._put(project_id, number, merging=False)

    def _put(self, project_id: str, number: int, **changes: Any) -> PullRequest:
        self.small.pull_requests[project_id, number] = replace(
            self.get(project_id, number), **changes
        )
        return self.small.pull_requests[project_id, number]


@dataclass(frozen=True, kw_only=True)
class SmallIssues(IssueApi):
    """One issue."""

    small: SmallOrchestrator

    def list(self, project_id: str) -> Sequence[Issue]:
        return [Issue("1", "A bug", "It breaks.", labels=("bug",))]

    def add(self, project_id: str, title: str, body: str, labels: Sequence[str]) -> Issue:
        return Issue("2", title, body, labels=tuple(labels))


@dataclass(frozen=True, kw_only=True)
class SmallWorkspaces(WorkspaceApi):
    """One workspace that was saved."""

    small: SmallOrchestrator

    def cleanup(
        self, session_id: str | None, project_id: str | None, *, dry_run: bool, force: bool
    ) -> list[CleanupItem]:
        sessions = (
            [self.small.store.sessions.need(session_id)]
            if session_id
            else self.small.store.sessions.list(project_id)
        )
        done = "would remove" if dry_run else "removed"
        actions = [
            (each.id, done if each.status.terminal or force else "kept") for each in sessions
        ]
        return [CleanupItem(name, "/w", 12, action, "because", None) for name, action in actions]

    def preserved(self, project_id: str | None, host: str | None = None) -> list[Preserved]:
        del host
        return [PRESERVED] if project_id in (None, PRESERVED.project_id) else []

    def contents(self, item_id: str) -> Contents:
        if item_id != PRESERVED.id:
            raise NotFound(f"nothing is preserved as {item_id}")
        return Contents(PRESERVED, ("c0ffee one",), ("M README",))

    def restore(self, item_id: str, branch: str | None) -> Restored:
        return Restored(self.contents(item_id).item, branch or f"restored/{item_id}")


@dataclass(frozen=True, kw_only=True)
class SmallSupervisor(SupervisorApi):
    """A supervisor that only notes that it is to end."""

    small: SmallOrchestrator

    def status(self) -> dict[str, Any]:
        return {
            "version": "0",
            "started_at": self.small.clock.now(),
            "last_seq": self.small.store.events.last_seq(),
        }

    def shutdown(self) -> None:
        self.small.stopped = True


@dataclass(frozen=True, kw_only=True)
class SmallEvents(EventApi):
    """Events that are waited for without greenlets."""

    small: SmallOrchestrator

    def wait(self, after: int, timeout: float) -> list[Event]:
        until = time.monotonic() + timeout
        with self.small.news:
            while not (events := self.small.store.events.after(after)):
                left = until - time.monotonic()
                if left <= 0:
                    return []
                self.small.news.wait(left)
        return events


class SmallOrchestrator:
    """Sessions and events in a store, pull requests and issues in memory."""

    def __init__(self, config: Config, store: Store, home: Home, clock: Clock) -> None:
        self.config, self.store, self.home, self.clock = config, store, home, clock
        plugins = Registry(home, clock)
        self.deps = Dependencies(
            config, home, clock, store, plugins, ActorRegistry(), PluginHost(plugins, home, clock)
        )
        self.data_version, self.last_known = store.data_version, store.last_known
        self.stopped = False
        self.fails_with: Exception | None = None
        self.looked: list[str] = []
        self.reviews: list[tuple[Any, ...]] = []
        self.merges: list[MergeOrder] = []
        self.pull_requests = {("my-app", 1): new_pull(1, clock.now())}
        self.news = threading.Condition()
        store.listen(self._wake)
        nobody: Any = None  # who feeds those that wait for events
        self.sessions: SessionApi = SmallSessions(self.deps, nobody, small=self)
        self.queue: QueueApi = SmallQueue(self.deps, self.sessions, small=self)
        self.projects = ProjectApi(self.deps)
        self.pulls: PullApi = SmallPulls(self.deps, small=self)
        self.requests = RequestApi(self.deps)
        self.costs = CostApi(self.deps)
        self.conflicts = ConflictApi(self.deps)
        self.terminals = TerminalApi(self.deps)
        self.nodes = NodeApi(self.deps, clock.now())
        self.issues: IssueApi = SmallIssues(self.deps, small=self)
        self.notices = NoticeApi(self.deps)
        self.workspaces: WorkspaceApi = SmallWorkspaces(self.deps, small=self)
        self.supervisor: Any = SmallSupervisor(self.deps, clock.now(), lambda: None, small=self)
        self.events: EventApi = SmallEvents(self.deps, nobody, small=self)

    @classmethod
    def at(cls, directory: Path, **changes: Any) -> Self:
        """One with its database in a folder."""
        clock = SystemClock()
        store = made_database.opened(directory, clock)
        config = configuration(directory, **changes)
        for project in config.projects:
            store.projects.upsert(project)
        return cls(config, store, Home(directory / "home"), clock)

    def _wake(self, _events: object) -> None:
        with self.news:
            self.news.notify_all()

    def tell(
        self,
        session_id: str,
        message: str = "told",
        kind: EventType = EventType.STATUS_CHANGED,
        priority: Priority = Priority.INFO,
    ) -> Event:
        """Write one event."""
        with self.store.transaction() as tx:
            return tx.emit(
                session_id,
                self.store.sessions.need(session_id).project_id,
                Draft(kind, message, priority),
            )
