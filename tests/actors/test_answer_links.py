"""A link of a notice answers the question it tells of: once, for ten minutes, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ennio.actors import answer_links
from ennio.actors.messages import CrashForTest
from ennio.actors.registry import session_name
from ennio.config.model import Defaults, NotifierConfig
from ennio.model.errors import Conflict, NotFound, Unauthorized, Unreachable
from ennio.model.session import Activity
from ennio.plugins.notifier.interface import NotificationAnswer
from ennio.plugins.notifier.stub import StubNotifier
from tests.actors.ground import Play, Stage
from tests.conftest import eventually

OPTIONS = ("red", "green")
QUESTION = "Which colour?"


@pytest.fixture
def play(play: Play) -> Play:
    play.settings |= {
        "project": {"answer": True},
        "notifiers": (NotifierConfig("stub", "bell", {}), NotifierConfig("stub", "horn", {})),
        "defaults": Defaults(notifiers=("bell", "horn")),
    }
    play.notifiers |= {"bell": StubNotifier("bell"), "horn": StubNotifier("horn")}
    play.notifiers["bell"].takes_answers = True
    play.agent.choices = OPTIONS
    return play


def _asked(stage: Stage, play: Play, *options: str) -> tuple[str, tuple[NotificationAnswer, ...]]:
    """A session that asks, and the answers that came with its notice."""
    told = len(play.notifiers["bell"].sent)
    session_id = stage.working(f"Ask {told}")
    stage.says(session_id, Activity.WAITING_INPUT, question=QUESTION, options=options)
    eventually(lambda: len(play.notifiers["bell"].sent) > told)
    return session_id, play.notifiers["bell"].sent[-1].answers


def _answers(stage: Stage) -> list[str]:
    """What was typed as an answer, in its order."""
    found = stage.deps.store.events.after(0, limit=1000)
    return [one.data["answer"] for one in found if one.data.get("step") == "answered"]


def test_a_link_answers_once_and_takes_the_others_with_it(play: Play) -> None:
    with play.opened() as stage:
        session_id, (red, green) = _asked(stage, play, *OPTIONS)
        assert (red.label, green.label) == OPTIONS
        assert green.url.endswith("/api/v1/answers")
        done = stage.orchestrator.sessions.answer_by_link(green.link)
        assert (done.session, done.answer) == (session_id, "green")
        for link in (green.link, red.link):
            with pytest.raises(Unauthorized, match="was used already"):
                stage.orchestrator.sessions.answer_by_link(link)
        assert _answers(stage) == ["green"]
        assert not play.notifiers["horn"].sent[-1].answers, "it is not asked to take any"


def test_a_link_is_in_no_row_and_in_no_words(play: Play) -> None:
    with play.opened() as stage:
        _, answers = _asked(stage, play, *OPTIONS)
        connection = stage.deps.store._connection
        rows = "".join(
            str([tuple(row) for row in connection.sql(f"SELECT * FROM {table}")])  # noqa: S608
            for table in ("answer_links", "notifications", "deliveries", "events")
        )
        assert len(connection.sql("SELECT * FROM answer_links").fetchall()) == len(OPTIONS)
        assert not [one.link for one in answers if one.link in rows + repr(answers)]


def test_a_link_holds_for_ten_minutes(play: Play) -> None:
    with play.opened() as stage:
        _, (red, _) = _asked(stage, play, *OPTIONS)
        stage.clock.advance(601)
        with pytest.raises(Unauthorized, match="too old"):
            stage.orchestrator.sessions.answer_by_link(red.link)
        stage.clock.advance(-3600)
        with pytest.raises(Unauthorized, match="too old"):
            stage.orchestrator.sessions.answer_by_link(red.link)
        assert _answers(stage) == []


def test_what_is_no_link_is_none(stage: Stage) -> None:
    for link in ("", "x", "\udcff", "a" * 200):
        with pytest.raises(Unauthorized, match="no link"):
            stage.orchestrator.sessions.answer_by_link(link)


def _wait_for_words(stage: Stage, session_id: str) -> None:
    stage.says(session_id, Activity.WAITING_INPUT, question="Which size?", options=OPTIONS)


def _wait_for_leave(stage: Stage, session_id: str) -> None:
    stage.says(session_id, Activity.WAITING_INPUT, question="may it use Bash: rm -rf red")


def _go_on(stage: Stage, session_id: str) -> None:
    stage.says(session_id, Activity.ACTIVE)


@pytest.mark.parametrize("then", [_wait_for_words, _wait_for_leave, _go_on])
def test_a_link_answers_its_own_question_alone(
    play: Play, then: Callable[[Stage, str], None]
) -> None:
    with play.opened() as stage:
        session_id, (red, _) = _asked(stage, play, *OPTIONS)
        then(stage, session_id)
        with pytest.raises(Conflict):
            stage.orchestrator.sessions.answer_by_link(red.link)
        assert _answers(stage) == []


def test_the_same_question_asked_again_is_another(play: Play) -> None:
    with play.opened() as stage:
        session_id, (red, _) = _asked(stage, play, *OPTIONS)
        _go_on(stage, session_id)
        eventually(lambda: stage.session(session_id).activity is Activity.ACTIVE)
        stage.says(session_id, Activity.WAITING_INPUT, question=QUESTION, options=OPTIONS)
        eventually(lambda: len(play.notifiers["bell"].sent) == 2)
        with pytest.raises(Conflict, match="asks no more"):
            stage.orchestrator.sessions.answer_by_link(red.link)
        stage.orchestrator.sessions.answer_by_link(play.notifiers["bell"].sent[1].answers[0].link)
        assert _answers(stage) == ["red"]


def test_nobody_is_given_links_who_did_not_ask_for_them(play: Play) -> None:
    play.settings["project"] = {"answer": False}
    with play.opened() as stage:
        assert _asked(stage, play, *OPTIONS)[1] == ()


def test_leave_to_do_something_is_never_given_by_a_link(play: Play) -> None:
    with play.opened() as stage:
        assert _asked(stage, play)[1] == ()


def test_a_notice_of_something_else_has_no_links_although_the_agent_asks(play: Play) -> None:
    with play.opened() as stage:
        _asked(stage, play, *OPTIONS)
        notice = stage.deps.store.notifications.list()[0]
        for key in ("agent-stuck", "approved-and-green", None):
            assert answer_links.make(stage.deps, replace(notice, reaction=key), "bell") == ()


def test_a_notice_told_again_has_new_links_and_the_old_ones_are_none(play: Play) -> None:
    with play.opened() as stage:
        _, (old, _) = _asked(stage, play, *OPTIONS)
        notice = stage.deps.store.notifications.list()[0]
        (new, _) = answer_links.make(stage.deps, notice, "bell")
        with pytest.raises(Unauthorized, match="no link"):
            stage.orchestrator.sessions.answer_by_link(old.link)
        stage.orchestrator.sessions.answer_by_link(new.link)
        assert _answers(stage) == ["red"]


def test_a_link_that_could_not_answer_is_not_used_up(play: Play) -> None:
    with play.opened() as stage:
        session_id, (red, _) = _asked(stage, play, *OPTIONS)
        stage.deps.actors.tell(session_name(session_id), CrashForTest())
        try:
            stage.orchestrator.sessions.answer_by_link(red.link)
        except (NotFound, Unreachable):  # its actor is being restarted
            eventually(lambda: _answered(stage, red.link), within=30)
        assert _answers(stage) == ["red"]


def _answered(stage: Stage, link: str) -> bool:
    try:
        stage.orchestrator.sessions.answer_by_link(link)
    except (NotFound, Unreachable):
        return False
    return True
