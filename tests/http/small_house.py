"""A house without actors, over the real store: what the API's own tests ask until whole stories are told in tests/e2e.

It keeps the promises of ``ennio.actors.orchestrator.Orchestrator`` that can be seen over HTTP, and starts no agents.
"""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from ennio.actors.orchestrator import CleanupItem, MergeOrder, Preview, SpawnRequest
from ennio.config.model import Config, PluginChoice, Project
from ennio.machine.home import Home
from ennio.model.changes import Diff, FileChange, Files
from ennio.model.clock import Clock, SystemClock
from ennio.model.errors import Conflict, Invalid, NotFound, Refused
from ennio.model.events import Draft, Event, EventType
from ennio.model.message import Message, Origin
from ennio.model.pulls import Check, CheckState, Comment, MergeMethod, PullRequest, PullState, ReviewState
from ennio.model.session import Activity, Priority, Session, SessionStatus, Usage
from ennio.plugins.scm.interface import Merged
from ennio.plugins.tracker.interface import Issue
from ennio.plugins.workspace.preserved import Contents, Preserved, Restored
from ennio.store import Store, Waiting, open_store


def configuration(directory: Path, **changes: Any) -> Config:
    """A configuration with two projects."""
    app = Project(
        id="my-app",
        name="My App",
        repo="https://me:secret@example.org/me/app.git",
        path=directory / "app",
        tracker=PluginChoice("local"),
        scm=PluginChoice("local", {"token": "s3cret"}),
        config_hash="abc",
    )
    bare = Project(id="bare", name="bare", repo="git@example.org:me/bare.git", path=directory / "bare")
    return replace(Config(source=directory / "ennio.yaml", directory=directory, projects=(app, bare)), **changes)


PRESERVED = Preserved(
    "ma-1", "my-app", "/src/my-app", "refs/ennio/preserved/ma-1", "c0ffee", datetime(2026, 1, 1, tzinfo=UTC), "Not committed"
)


class SmallHouse:
    """Sessions and events in a store, pull requests and issues in memory."""

    def __init__(self, config: Config, store: Store, home: Home, clock: Clock) -> None:
        self.config = config
        self.store = store
        self.home = home
        self.clock = clock
        self.stopped = False
        self.fails_with: Exception | None = None
        self.looked: list[str] = []
        self.reviews: list[tuple[Any, ...]] = []
        self.merges: list[MergeOrder] = []
        self._news = threading.Condition()
        store.listen(self._wake)
        self._pulls = {("my-app", 1): self._new_pull(1)}

    @classmethod
    def at(cls, directory: Path, **changes: Any) -> SmallHouse:
        """A house with its database in a folder."""
        clock = SystemClock()
        store = open_store("sqlite:ennio.db", directory, clock)
        config = configuration(directory, **changes)
        for project in config.projects:
            store.projects.upsert(project)
        return cls(config, store, Home(directory / "home"), clock)

    def _wake(self, _events: object) -> None:
        with self._news:
            self._news.notify_all()

    def tell(
        self, session_id: str, message: str = "told", kind: EventType = EventType.STATUS_CHANGED, priority: Priority = Priority.INFO
    ) -> Event:
        """Write one event."""
        with self.store.transaction() as tx:
            return tx.emit(session_id, self.store.sessions.need(session_id).project_id, Draft(kind, message, priority))

    def spawn(self, request: SpawnRequest) -> Session:
        if self.fails_with is not None:
            raise self.fails_with
        if not request.prompt and not request.issue_id:
            raise Invalid("prompt: give a prompt or an issue_id")
        project = self.config.project(request.project_id)
        if project is None:
            raise NotFound(f"no project {request.project_id}")
        now = self.clock.now()
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
        with self.store.transaction() as tx:
            self.store.sessions.insert(session)
            if request.held:
                self.store.queue.add(Waiting(session.id, session.project_id, session.priority, 0, True, now, "held by a person"))
            tx.emit(session.id, session.project_id, Draft(EventType.SESSION_SPAWNED, "spawned"))
        return session

    def preview(self, request: SpawnRequest) -> Preview:
        return Preview(
            "ma-00000000", "claude-code", "tmux", "worktree", "/w", "b", "main", request.prompt or "", "", ("claude",), ("PATH",), (), None
        )

    def kill(self, session_id: str, by: str = "a person") -> Session:
        session = replace(self.store.sessions.need(session_id), status=SessionStatus.KILLED, reason=f"killed by {by}")
        self.store.sessions.save(session)
        return session

    def restore(self, session_id: str) -> Session:
        session = self.store.sessions.need(session_id)
        if session.status is not SessionStatus.EXITED:
            raise Conflict(f"session {session_id} is {session.status.value}, not exited")
        return session

    def look(self, session_id: str) -> None:
        self.looked.append(session_id)

    def rings(self, session_id: str, token: str) -> bool:
        return token == f"bell of {session_id}"

    def send(self, session_id: str, text: str) -> Message:
        message = Message(str(uuid.uuid4()), session_id, text, Origin.PERSON, self.clock.now())
        self.store.messages.add(message)
        return message

    def answer(self, session_id: str, text: str) -> None:
        self.store.sessions.need(session_id)
        if text != "yes":
            raise Refused(f"{text!r} fits none of the choices; answer with one of: 1. Yes")

    def interrupt(self, session_id: str) -> None:
        self.store.sessions.need(session_id)

    def output(self, session_id: str, lines: int) -> str:
        return "\n".join(f"{session_id} line {number}" for number in range(lines))

    def attach(self, session_id: str) -> tuple[str, ...]:
        return ("tmux", "attach", "-t", f"={session_id}")

    def cleanup(self, session_id: str | None, project_id: str | None, *, dry_run: bool, force: bool) -> list[CleanupItem]:
        sessions = [self.store.sessions.need(session_id)] if session_id else self.store.sessions.list(project_id)
        done = "would remove" if dry_run else "removed"
        actions = [(each.id, done if each.status.terminal or force else "kept") for each in sessions]
        return [CleanupItem(name, "/w", 12, action, "because", None) for name, action in actions]

    def preserved(self, project_id: str | None) -> list[Preserved]:
        return [PRESERVED] if project_id in (None, PRESERVED.project_id) else []

    def preserved_contents(self, item_id: str) -> Contents:
        if item_id != PRESERVED.id:
            raise NotFound(f"nothing is preserved as {item_id}")
        return Contents(PRESERVED, ("c0ffee one",), ("M README",))

    def preserved_restore(self, item_id: str, branch: str | None) -> Restored:
        return Restored(self.preserved_contents(item_id).item, branch or f"restored/{item_id}")

    def hold(self, session_id: str) -> None:
        self._change(session_id, held=True)

    def release(self, session_id: str) -> None:
        self._change(session_id, held=False)

    def move(self, session_id: str, position: int) -> None:
        self._change(session_id, position=position)

    def set_priority(self, session_id: str, priority: int) -> None:
        self._change(session_id, priority=priority)

    def drop(self, session_id: str) -> None:
        if not self.store.queue.remove(session_id):
            raise NotFound(f"session {session_id} is not in the queue")

    def _change(self, session_id: str, **changes: Any) -> None:
        waiting = self.store.queue.get(session_id)
        if waiting is None:
            raise NotFound(f"session {session_id} is not in the queue")
        self.store.queue.save(replace(waiting, **changes))

    def _new_pull(self, number: int) -> PullRequest:
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
            comments=(Comment("c1", "ann", "why?", self.clock.now(), path="a.py", line=3),),
        )

    def pulls(self, project_id: str | None) -> list[tuple[str, PullRequest]]:
        return [(project, pull) for (project, _), pull in self._pulls.items() if project_id in (None, project)]

    def pull(self, project_id: str, number: int) -> PullRequest:
        if (project_id, number) not in self._pulls:
            raise NotFound(f"no pull request #{number} in {project_id}")
        return self._pulls[project_id, number]

    def files(self, project_id: str, number: int) -> Files:
        return Files("ba5e", self.pull(project_id, number).head, (FileChange("a.py", "modified", 2, None),))

    def diff(self, project_id: str, number: int) -> Diff:
        return Diff("ba5e", self.pull(project_id, number).head, "+ words\n", truncated=True)

    def open_pull(self, project_id: str, branch: str, title: str, body: str, *, draft: bool = False) -> PullRequest:
        number = 1 + max((number for project, number in self._pulls if project == project_id), default=0)
        self._pulls[project_id, number] = replace(self._new_pull(number), branch=branch, title=title, draft=draft)
        return self._pulls[project_id, number]

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
        self.reviews.append((project_id, number, author, decision, body, path, line, head))
        return self._put(project_id, number, review=decision)

    def merge(self, project_id: str, number: int, order: MergeOrder) -> Merged:
        self.merges.append(order)
        if self.pull(project_id, number).draft:
            raise Refused(f"#{number} is a draft")
        self._put(project_id, number, state=PullState.MERGED)
        return Merged("b" * 40, (order.method or MergeMethod.SQUASH).value)

    def close_pull(self, project_id: str, number: int) -> PullRequest:
        return self._put(project_id, number, state=PullState.CLOSED)

    def ready_pull(self, project_id: str, number: int) -> PullRequest:
        return self._put(project_id, number, draft=False)

    def rerun_checks(self, project_id: str, number: int) -> PullRequest:
        return self._put(project_id, number, checks=CheckState.PENDING)

    def _put(self, project_id: str, number: int, **changes: Any) -> PullRequest:
        self._pulls[project_id, number] = replace(self.pull(project_id, number), **changes)
        return self._pulls[project_id, number]

    def issues(self, project_id: str) -> list[Issue]:
        return [Issue("1", "A bug", "It breaks.", labels=("bug",))]

    def add_issue(self, project_id: str, title: str, body: str, labels: tuple[str, ...]) -> Issue:
        return Issue("2", title, body, labels=tuple(labels))

    def status(self) -> dict[str, Any]:
        return {"version": "0", "started_at": self.clock.now(), "last_seq": self.store.events.last_seq()}

    def shutdown(self) -> None:
        self.stopped = True

    def wait_for_events(self, after: int, timeout: float) -> list[Event]:
        until = time.monotonic() + timeout
        with self._news:
            while not (events := self.store.events.after(after)):
                left = until - time.monotonic()
                if left <= 0:
                    return []
                self._news.wait(left)
        return events
