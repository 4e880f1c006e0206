"""What is shown of an agent while nobody can look at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import gevent

from ennio.actors.messages import Ping, Wake
from ennio.actors.registry import session_name
from ennio.model.facts import ForgeSeen
from ennio.model.pulls import Check, CheckState
from ennio.model.session import Activity, SessionStatus
from ennio.plugins.forge.interface import Watch
from tests.actors.ground import Stage
from tests.conftest import eventually


def test_no_news_through_a_line_that_hangs_is_no_silence(stage: Stage) -> None:
    session_id = stage.working()
    stage.rests(session_id)
    eventually(lambda: stage.session(session_id).activity is Activity.READY)
    line, survey = [True], stage.runtime.survey

    def hangs() -> object:
        while line == [False]:
            gevent.sleep(0.01)
        return survey()

    stage.runtime.survey = hangs  # type: ignore[assignment,method-assign]
    line[:] = [False]
    stage.pass_time(3600)
    stage.deps.actors.ask(session_name(session_id), Ping())
    assert stage.session(session_id).activity is Activity.READY
    line[:] = [True]
    eventually(lambda: stage.session(session_id).activity is Activity.IDLE, 30, "a look tells it")


def test_an_agent_that_is_looked_for_in_vain_is_shown_so_at_once_and_told_of_later(
    stage: Stage,
) -> None:
    session_id = stage.working()
    stage.look()
    stage.runtime.unreachable = "tmux did not answer within 5 s"
    session = eventually(lambda: (s := stage.session(session_id)).no_signal_since and s)
    assert session.no_signal == "the agent: tmux did not answer within 5 s"  # type: ignore[attr-defined]
    assert "signal_lost" not in stage.types(session_id), "for a moment anybody may be away"
    stage.runtime.unreachable = ""
    eventually(lambda: stage.session(session_id).no_signal_since is None)
    assert "signal_regained" not in stage.types(session_id)


def test_that_there_are_no_checks_is_told_by_a_look_and_not_by_time(stage: Stage) -> None:
    session_id = stage.working()
    number = stage.pull(session_id)
    stage.until(session_id, SessionStatus.PR_OPEN)
    looks, survey = list[datetime](), stage.forge.survey

    def sees(watches: Sequence[Watch]) -> Mapping[str, ForgeSeen]:
        looks.append(stage.clock.now())
        return survey(watches)

    stage.forge.survey = sees  # type: ignore[method-assign]

    def passes(seconds: float) -> None:
        """Nobody but the session notices."""
        looks.clear()
        stage.clock.advance(seconds)
        stage.deps.actors.tell(session_name(session_id), Wake())
        eventually(lambda: looks, why="somebody looks, and at once")
        stage.look()

    stage.forge.report(
        number, Check("1", "tests", CheckState.PENDING)
    )  # as they were registered late
    passes(31)
    assert stage.session(session_id).status is SessionStatus.PR_OPEN
    assert "ci_passing" not in stage.types(session_id)
    stage.forge.push(stage.branch(session_id))
    stage.look()
    assert stage.session(session_id).status is SessionStatus.PR_OPEN
    passes(31)
    stage.until(session_id, SessionStatus.CI_PASSING)
    assert stage.types(session_id).count("ci_passing") == 1
