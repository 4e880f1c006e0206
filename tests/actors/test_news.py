"""Who is waited for is looked at seldom; news brings a look at once, and a look finds
what no news told of.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import gevent
import pytest

from ennio.actors import host_poller
from ennio.actors.host_poller import AgentPoller
from ennio.actors.messages import LookNow, NewsTold
from ennio.actors.news import NewsActor
from ennio.actors.registry import AGENTS, NEWS, runtime_name
from ennio.config.model import Poll
from ennio.hosts.interface import Host
from ennio.hosts.observation import News
from ennio.model.errors import Unreachable
from ennio.model.facts import Place
from ennio.model.session import Activity
from ennio.plugins.agent.interface import AgentContext
from tests.actors.ground import Play, Stage
from tests.conftest import eventually

RUNTIME = runtime_name("stub")
MANY = 5


class Waits:
    """A host whose news is waited for in a thread of the system's, for a moment."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def news(self, cursor: str, timeout: float) -> News:
        short = (cursor, min(timeout, 0.2))
        told: News = gevent.get_hub().threadpool.apply(self._host.news, short)
        return told


class Silent(Waits):
    """One on which every word is lost."""

    def news(self, cursor: str, timeout: float) -> News:
        return News(super().news(cursor, timeout).cursor)


class Hangs(Waits):
    """One that says nothing any more, not even that there is no news, once it ``hangs``."""

    hangs = False

    def news(self, cursor: str, timeout: float) -> News:
        while Hangs.hangs:
            gevent.sleep(0.05)
        return super().news(cursor, timeout)


class Away(Waits):
    """One that cannot be asked."""

    name = ""

    def news(self, cursor: str, timeout: float) -> News:
        raise Unreachable("the line is cut")


class Limited(Waits):
    """One on which not everything can be waited for."""

    def news(self, cursor: str, timeout: float) -> News:
        return News(super().news(cursor, timeout).cursor, trouble="no more watches")


class Notified(Waits):
    """One where only those are news whose hooks say so."""

    name = ""
    notified: tuple[str, ...] = ()

    def news(self, cursor: str, timeout: float) -> News:
        gevent.sleep(0.05)
        notified, Notified.notified = Notified.notified, ()
        return News("1", notified, notified=notified)


@contextmanager
def heard(stage: Stage, host: Any = Waits) -> Iterator[None]:
    """Somebody waits for the news of this machine."""
    pollers: Sequence[str] = (AGENTS, RUNTIME)
    ref = NewsActor.start(stage.deps, NEWS, None, host(stage.deps.this_machine), pollers)
    stage.deps.actors.enter(NEWS, ref)
    try:
        yield
    finally:
        ref.stop(timeout=30)


@pytest.fixture
def file(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one file that agents rest on; nobody looks as a second witness."""
    monkeypatch.setattr(host_poller, "SECOND_WITNESS", 600.0)
    file = tmp_path / "transcript"

    class Writes(type(stage.agent)):  # type: ignore[misc] # what a class offers is asked once for all
        def files(self, _context: object, _cursor: object) -> tuple[Path, ...]:
            return (file,)

    stage.agent.__class__ = Writes
    return file


def looks(stage: Stage, name: str = AGENTS) -> int:
    return stage.orchestrator.supervisor.health()[name].looks


def passes(stage: Stage, name: str = AGENTS) -> int:
    """How many looks there were while the runtime was looked at twenty times."""
    before, at = looks(stage, name), looks(stage, RUNTIME)
    eventually(lambda: looks(stage, RUNTIME) >= at + 20)
    return looks(stage, name) - before


def rests(stage: Stage) -> None:
    """The agent is waited for: nobody looks at it meanwhile."""
    eventually(lambda: passes(stage) == 0, 30, "nobody looks at whoever is waited for")


def all_are(stage: Stage, sessions: Sequence[str], activity: Activity) -> bool:
    return {stage.session(each).activity for each in sessions} == {activity}


def test_an_agent_that_is_waited_for_is_not_looked_at_until_there_is_news(
    stage: Stage, file: Path
) -> None:
    session_id = stage.working()
    assert passes(stage) > 0
    with heard(stage):
        rests(stage)
        stage.says(session_id, Activity.READY, ready=True)
        file.write_text("its turn is over")
        eventually(lambda: stage.session(session_id).activity is Activity.READY)


def test_a_word_that_is_lost_costs_time_and_never_truth(
    stage: Stage, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_poller, "SECOND_WITNESS", 2.0)
    session_id = stage.working()
    with heard(stage, Silent):
        rests(stage)
        stage.says(session_id, Activity.READY, ready=True)
        file.write_text("its turn is over")
        eventually(lambda: stage.session(session_id).activity is Activity.READY)


def test_every_session_of_which_no_news_comes_is_looked_at_within_the_time_of_a_second_witness(
    stage: Stage, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_poller, "SECOND_WITNESS", 1.0)
    sessions = [stage.working() for _ in range(MANY)]
    with heard(stage, Silent):
        for activity in (Activity.READY, Activity.ACTIVE, Activity.READY):
            for session_id in sessions:
                stage.says(session_id, activity, ready=True)
            file.write_text(f"they are {activity} now")
            eventually(partial(all_are, stage, sessions, activity))


def test_whoever_hears_nothing_any_more_looks_as_before(
    stage: Stage, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_poller, "_DEAF", 1.0)
    monkeypatch.setattr(host_poller, "SECOND_WITNESS", 4.0)  # it notices at its next look
    monkeypatch.setattr(Hangs, "hangs", False)
    stage.working()
    with heard(stage, Hangs):
        rests(stage)
        Hangs.hangs = True
        eventually(lambda: passes(stage) > 3)


def test_where_nobody_can_be_asked_for_news_everybody_is_looked_at_as_before(
    stage: Stage, file: Path
) -> None:
    stage.working()
    with heard(stage):
        rests(stage)
    with heard(stage, Away):
        eventually(lambda: passes(stage) > 0)
        health = stage.orchestrator.supervisor.status()["sources"][NEWS]
        assert (health["ok"], health["detail"]) == (False, "the line is cut")


def test_what_cannot_be_waited_for_is_said_in_the_status(stage: Stage) -> None:
    with heard(stage, Limited):
        eventually(lambda: not stage.orchestrator.supervisor.health()[NEWS].ok)
        assert stage.orchestrator.supervisor.health()[NEWS].detail == "no more watches"
        degraded = stage.orchestrator.supervisor.status()["degraded"]
        assert ("news", "no more watches") in [(one.part, one.detail) for one in degraded]


def test_news_during_a_look_is_looked_at_after_it(stage: Stage, file: Path) -> None:
    session_id = stage.working()
    with heard(stage, Silent):
        rests(stage)
        disk = stage.agent.slow = threading.Event()
        stage.agent.waits = False
        stage.orchestrator.sessions.look(session_id)
        file.write_text("so that it is read")
        os.utime(file, (1, 1))  # so long ago that its next change is sure to show
        eventually(lambda: stage.agent.waits)
        before = looks(stage)
        stage.deps.actors.tell(AGENTS, NewsTold((session_id,)))
        stage.agent.slow = None
        disk.set()
        eventually(
            lambda: looks(stage) >= before + 2, why="the look that was under way, and another"
        )


def test_a_deleted_working_copy_is_noticed_beside_an_agent_that_is_looked_at_all_the_time(
    play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play.settings["poll"] = Poll(1.0, 0.02, 600.0)
    monkeypatch.setattr(host_poller, "SECOND_WITNESS", 600.0)
    rests_on = tmp_path / "transcript"
    with play.opened() as stage, heard(stage):
        restless, quiet = stage.working("one"), stage.working("two")
        copy = Path(stage.session(quiet).workspace_path or "")

        class Rests(type(stage.agent)):  # type: ignore[misc] # what a class offers is asked once
            def files(self, context: AgentContext, _cursor: object) -> tuple[Path, ...] | None:
                return (rests_on,) if context.session_id == quiet else None

        stage.agent.__class__ = Rests
        poller = _poller(stage)
        for _ in range(3):
            eventually(lambda: quiet in poller._awaited and restless not in poller._awaited)
            shutil.rmtree(copy)
            eventually(lambda: _place(stage, quiet) is Place.GONE, 10)
            copy.mkdir()
            eventually(lambda: _place(stage, quiet) is Place.STANDING, 10)


def test_whose_hook_says_so_is_looked_at_at_once_by_one_look_however_seldom_one_looks(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = stage.working()
    _poller(stage)._pace.period = 600.0
    stage.deps.actors.tell(AGENTS, LookNow())  # from which on the next are counted
    eventually(lambda: passes(stage) == 0, 30, "nobody looks by the clock")
    with heard(stage, Notified):
        stage.says(session_id, Activity.READY, ready=True)
        assert passes(stage) == 0
        before = looks(stage)
        monkeypatch.setattr(Notified, "notified", (session_id,))
        eventually(lambda: stage.session(session_id).activity is Activity.READY)
        assert passes(stage) == 0
        assert looks(stage) == before + 1


def test_an_agent_that_ended_before_it_was_ready_is_nobody_to_be_in_a_hurry_for(
    stage: Stage,
) -> None:
    session_id = stage.launched("ends at once")
    eventually(lambda: _poller(stage)._watched[session_id].eager)
    stage.runtime.finish(session_id, exit_code=0)
    eventually(lambda: not _poller(stage)._watched[session_id].eager)


def _poller(stage: Stage) -> AgentPoller:
    found = stage.deps.actors.ref(AGENTS)._actor_weakref()  # type: ignore[union-attr]
    assert isinstance(found, AgentPoller)
    return found


def _place(stage: Stage, session_id: str) -> Place | None:
    seen = stage.deps.store.facts.get(session_id).place
    return seen.place if seen is not None else None


def test_a_poller_that_is_restarted_looks_as_before_until_it_hears_news_again(
    stage: Stage, file: Path
) -> None:
    stage.working()
    with heard(stage):
        rests(stage)
        stage.crash(AGENTS)
        rests(stage)
