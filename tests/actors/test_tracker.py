"""The actor that tells issues what their sessions have come to: once each, in order,
whatever fails in between.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import GetHealth, Ping, Wake
from ennio.actors.registry import ActorRegistry, tracker_name
from ennio.actors.tracker import TrackerActor
from ennio.config.model import Config, PluginChoice, Project
from ennio.hosts.plugin_host import PluginHost
from ennio.machine.home import Home
from ennio.model.clock import ManualClock
from ennio.model.delivery import DeliveryKind, DeliveryRecord
from ennio.model.errors import Refused, Unreachable
from ennio.model.events import Draft, EventType
from ennio.model.session import Session, SessionStatus
from ennio.plugins.registry import Registry
from ennio.plugins.tracker.interface import Issue, Milestone
from ennio.plugins.tracker.stub import StubTracker
from ennio.store import Store
from tests import made_database
from tests.conftest import eventually

URL = "https://github.com/acme/shop/pull/7"


class Issues(StubTracker):
    """Counts how often it was asked, beside what it kept."""

    def __init__(self) -> None:
        super().__init__([Issue("42", "Fix it", "")])
        self.calls: list[str] = []

    def tell(self, issue_id: str, milestone: Milestone) -> None:
        self.calls.append(milestone.kind)
        super().tell(issue_id, milestone)

    @property
    def kinds(self) -> list[str]:
        return [milestone.kind.value for _, milestone in self.told]


class Shelf(Registry):
    """One tracker for everybody."""

    tracks: Any = None

    def tracker(self, project: Project) -> Any:
        return self.tracks


@dataclass
class AgentContext:
    """A store, a tracker and a clock that outlive the actor."""

    deps: Dependencies
    clock: ManualClock
    issues: Issues

    @property
    def store(self) -> Store:
        return self.deps.store

    def session(self, session_id: str, issue: str | None = "42", project: str = "shop") -> None:
        now = self.clock.now()
        self.store.sessions.insert(
            Session(
                session_id,
                project,
                SessionStatus.WORKING,
                now,
                now,
                "cafe",
                issue_id=issue,
                agent_name="stub",
                branch="fix",
                pr_url=URL,
            )
        )

    def happens(self, session_id: str, *types: EventType, project: str = "shop") -> None:
        for kind in types:
            data = {"number": 7, "url": URL} if kind is EventType.PR_CREATED else {"number": 7}
            with self.store.transaction() as tx:
                tx.emit(
                    session_id,
                    project,
                    Draft(kind, kind.value, data=data if kind.value.startswith("pr_") else {}),
                )

    @contextmanager
    def running(self) -> Iterator[Any]:
        ref = TrackerActor.start(self.deps, tracker_name("shop"), None, "shop")
        ref.ask(Ping(), timeout=30)
        yield ref
        if ref.is_alive():
            ref.stop(timeout=30)

    def troubles(self) -> Sequence[str]:
        return [
            event.message for event in self.store.events.after(0, types=[EventType.SESSION_STEP])
        ]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[AgentContext]:
    clock, home = ManualClock(), Home(tmp_path / "home")
    projects = [
        Project(id=name, name=name, repo="x", path=tmp_path, tracker=PluginChoice("stub"))
        for name in ("shop", "blog")
    ]
    config = Config(source=tmp_path / "ennio.yaml", directory=tmp_path, projects=tuple(projects))
    store = made_database.opened(tmp_path, clock)
    shelf, issues = Shelf(home, clock), Issues()
    shelf.tracks = issues
    yield AgentContext(
        Dependencies(
            config, home, clock, store, shelf, ActorRegistry(), PluginHost(shelf, home, clock)
        ),
        clock,
        issues,
    )
    store.close()


def test_an_issue_is_told_every_milestone_in_order(desk: AgentContext) -> None:
    with desk.running():
        desk.session("s-1")
        desk.happens(
            "s-1", EventType.SESSION_SPAWNED, EventType.SESSION_WORKING, EventType.PR_CREATED
        )
        desk.happens("s-1", EventType.PR_UPDATED, EventType.PR_MERGED)
        eventually(lambda: desk.issues.kinds == ["spawned", "pull_opened", "merged"])
    issue, milestone = desk.issues.told[1]
    assert (issue, milestone.session_id, milestone.agent, milestone.branch) == (
        "42",
        "s-1",
        "stub",
        "fix",
    )
    assert (milestone.pull_number, milestone.pull_url) == (7, URL)


def test_sessions_without_an_issue_and_other_projects_are_not_told_of(desk: AgentContext) -> None:
    with desk.running():
        desk.session("s-1", issue=None)
        desk.session("b-1", project="blog")
        desk.session("s-2")
        desk.happens("s-1", EventType.SESSION_SPAWNED)
        desk.happens("b-1", EventType.SESSION_SPAWNED, project="blog")
        desk.happens("s-2", EventType.PR_CLOSED, EventType.SESSION_KILLED)
        eventually(lambda: desk.issues.kinds == ["closed", "killed"])
    assert {milestone.session_id for _, milestone in desk.issues.told} == {"s-2"}


def test_what_happened_while_nobody_followed_is_told_afterwards_and_once(
    desk: AgentContext,
) -> None:
    desk.session("s-1")
    with desk.running():
        desk.happens("s-1", EventType.SESSION_SPAWNED)
        eventually(lambda: desk.issues.kinds == ["spawned"])
        eventually(lambda: desk.store.cursors.get("tracker:shop") == desk.store.events.last_seq())
        eventually(lambda: not desk.store.deliveries.open(DeliveryKind.MILESTONE))
    desk.happens("s-1", EventType.PR_CREATED)
    with desk.running():
        eventually(lambda: desk.issues.kinds == ["spawned", "pull_opened"])
    assert desk.issues.calls == ["spawned", "pull_opened"]


def test_a_log_that_was_never_followed_is_not_told_all_over(desk: AgentContext) -> None:
    desk.session("s-1")
    desk.happens("s-1", EventType.SESSION_SPAWNED)
    with desk.running():
        desk.happens("s-1", EventType.PR_CREATED)
        eventually(lambda: desk.issues.kinds == ["pull_opened"])


def test_a_tracker_that_cannot_be_reached_is_asked_again_later_and_loses_nothing(
    desk: AgentContext,
) -> None:
    desk.session("s-1")
    with desk.running() as ref:
        desk.issues.trouble = Unreachable("linear is away")
        desk.happens("s-1", EventType.SESSION_SPAWNED, EventType.PR_CREATED)
        eventually(lambda: ref.ask(GetHealth()).detail == "linear is away")
        ref.tell(Wake())
        ref.ask(Ping())
        assert desk.issues.calls == ["spawned"]
        desk.clock.advance(5)
        ref.tell(Wake())
        eventually(lambda: desk.issues.calls == ["spawned", "spawned"])
        desk.issues.trouble = None
        desk.clock.advance(10)
        ref.tell(Wake())
        eventually(lambda: desk.issues.kinds == ["spawned", "pull_opened"])
        assert ref.ask(GetHealth()).ok
    assert desk.troubles() == []


def test_a_clock_that_is_put_back_an_hour_keeps_no_issue_waiting_for_it(desk: AgentContext) -> None:
    desk.session("s-1")
    with desk.running() as ref:
        desk.issues.trouble = Unreachable("linear is away")
        desk.happens("s-1", EventType.SESSION_SPAWNED)
        eventually(lambda: ref.ask(GetHealth()).detail == "linear is away")
        desk.issues.trouble = None
        desk.clock.put(-3600)
        ref.tell(Wake())
        eventually(lambda: desk.issues.kinds == ["spawned"])


def test_what_is_refused_is_told_in_the_log_and_keeps_nothing_waiting(desk: AgentContext) -> None:
    desk.session("s-1")
    with desk.running():
        desk.issues.trouble = Refused("the team has no state 'QA'")
        desk.happens("s-1", EventType.SESSION_SPAWNED)
        eventually(desk.troubles)
        desk.issues.trouble = None
        desk.happens("s-1", EventType.PR_MERGED)
        eventually(lambda: desk.issues.kinds == ["merged"])
    assert desk.troubles() == [
        "issue 42 could not be told that its work is at spawned: the team has no state 'QA'"
    ]


def test_a_tracker_that_is_older_than_the_question_is_left_alone(desk: AgentContext) -> None:
    desk.session("s-1")
    desk.deps.plugins.tracks = object()  # type: ignore[attr-defined]
    with desk.running() as ref:
        desk.happens("s-1", EventType.SESSION_SPAWNED)
        eventually(lambda: ref.ask(GetHealth()).looks == 1)
        assert ref.is_alive()


def test_an_actor_that_ends_between_telling_and_writing_it_down_tells_it_again_and_it_stands_once(
    desk: AgentContext,
) -> None:
    desk.session("s-1")
    told = desk.issues.tell

    def told_and_ended(issue_id: str, milestone: Milestone) -> None:
        told(issue_id, milestone)
        raise RuntimeError("the power went out")

    with desk.running() as ref:
        desk.issues.tell = told_and_ended  # type: ignore[method-assign]
        desk.happens("s-1", EventType.SESSION_SPAWNED)
        eventually(lambda: not ref.is_alive())
    desk.issues.tell = told  # type: ignore[method-assign]
    with desk.running():
        desk.happens("s-1", EventType.PR_MERGED)
        eventually(lambda: desk.issues.kinds == ["spawned", "merged"])
    assert desk.issues.calls == ["spawned", "spawned", "merged"]


def test_what_one_project_waits_for_is_no_affair_of_another(desk: AgentContext) -> None:
    desk.session("s-1")
    desk.store.deliveries.intend(DeliveryRecord(DeliveryKind.MILESTONE, "an event", "blog"))
    with desk.running():
        desk.happens("s-1", EventType.SESSION_SPAWNED)
        eventually(lambda: desk.issues.kinds == ["spawned"])
    (theirs,) = desk.store.deliveries.open(DeliveryKind.MILESTONE, "blog")
    assert theirs.attempts == 0
