"""What is shown of an agent while nobody can look at it."""

from __future__ import annotations

import gevent

from ennio.actors.messages import Ping
from ennio.actors.registry import session_name
from ennio.model.session import Activity
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
