"""Notifications: each channel once, until it is told or refuses."""

from __future__ import annotations

import pytest

from ennio.actors.registry import NOTICES
from ennio.config.model import Defaults, NotifierConfig
from ennio.model.errors import Refused, Unreachable
from ennio.model.session import Activity
from ennio.plugins.notifier.stub import StubNotifier
from ennio.store import Notice
from tests.actors.ground import Play, Stage, kill
from tests.conftest import eventually


@pytest.fixture
def play(play: Play) -> Play:
    play.settings |= {
        "notifiers": (NotifierConfig("stub", "bell", {}), NotifierConfig("stub", "horn", {})),
        "defaults": Defaults(notifiers=("bell", "horn")),
    }
    play.notifiers |= {"bell": StubNotifier("bell"), "horn": StubNotifier("horn")}
    return play


def _asks(stage: Stage, question: str) -> str:
    session_id = stage.working(question)
    stage.says(session_id, Activity.WAITING_INPUT, question=question)
    eventually(lambda: [n for n in stage.deps.store.notifications.list() if question in n.message])
    return session_id


def _notice(stage: Stage, question: str) -> Notice:
    return next(n for n in stage.deps.store.notifications.list() if question in n.message)


def test_a_channel_that_was_given_up_is_not_taken_for_told(play: Play) -> None:
    play.notifiers["bell"].trouble = Refused("there is no notifier plugin of this name")
    with play.opened() as stage:
        _asks(stage, "Shall I?")
        eventually(lambda: _notice(stage, "Shall I?").done_at)
        (sent,) = [event for event in stage.deps.store.events.after(0, limit=1000) if event.event_type == "notification_sent"]
        assert "(not told on bell: there is no notifier plugin of this name)" in sent.message
        assert sent.data["channels"] == ["events", "horn"]


def test_incident_32_two_routes_to_one_channel_tell_it_once(play: Play) -> None:
    play.settings["notification_routing"] = {"agent-needs-input": ("bell", "horn", "bell")}
    with play.opened() as stage:
        _asks(stage, "Shall I?")
        eventually(lambda: _notice(stage, "Shall I?").done_at)
        assert [len(play.notifiers[name].sent) for name in ("bell", "horn")] == [1, 1]
        assert _notice(stage, "Shall I?").channels == ("events", "bell", "horn")


def test_a_channel_out_of_reach_is_tried_again_and_the_other_is_not_told_twice(play: Play) -> None:
    play.notifiers["bell"].trouble = Unreachable("no network")
    with play.opened() as stage:
        _asks(stage, "Shall I?")
        eventually(lambda: _notice(stage, "Shall I?").attempts == 1)
        play.notifiers["bell"].trouble = None
        stage.pass_time(16)
        eventually(lambda: _notice(stage, "Shall I?").done_at)
    assert [len(play.notifiers[name].sent) for name in ("bell", "horn")] == [1, 1]


def test_a_channel_that_refuses_is_not_asked_again(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def refuse(_notification: object) -> None:
        asked.append("bell")
        raise Refused("the hook was removed (410)")

    monkeypatch.setattr(play.notifiers["bell"], "notify", refuse)
    play.notifiers["horn"].trouble = Unreachable("no network")
    with play.opened() as stage:
        _asks(stage, "Shall I?")
        for attempts in (1, 2, 3):
            eventually(lambda wanted=attempts: _notice(stage, "Shall I?").attempts >= wanted)
            stage.pass_time(16)
        play.notifiers["horn"].trouble = None
        stage.pass_time(16)
        eventually(lambda: _notice(stage, "Shall I?").done_at)
        assert "refused: the hook was removed (410)" in _notice(stage, "Shall I?").failed["bell"]
    assert asked == ["bell"]


def test_a_channel_out_of_reach_keeps_no_other_news_waiting(play: Play) -> None:
    play.notifiers["bell"].trouble = Unreachable("no network")
    with play.opened() as stage:
        _asks(stage, "First?")
        _asks(stage, "Second?")
        eventually(lambda: len(play.notifiers["horn"].sent) == 2)
        assert [_notice(stage, words).attempts for words in ("First?", "Second?")] == [1, 1], "and nobody is asked in a hurry"


def test_a_channel_nobody_configured_is_refused_by_name(play: Play) -> None:
    play.settings["notification_routing"] = {"agent-needs-input": ("gong",)}
    with play.opened() as stage:
        _asks(stage, "Shall I?")
        eventually(lambda: _notice(stage, "Shall I?").done_at)
        assert "no notifier is called 'gong'" in _notice(stage, "Shall I?").failed["gong"]


def test_a_notification_that_was_not_told_is_told_after_a_restart(play: Play) -> None:
    play.notifiers["bell"].trouble = Unreachable("no network")
    with play.opened() as stage:
        _asks(stage, "Shall I?")
        eventually(lambda: _notice(stage, "Shall I?").attempts == 1)
    play.notifiers["bell"].trouble = None
    with play.opened() as stage:
        eventually(lambda: _notice(stage, "Shall I?").done_at)
    assert [len(play.notifiers[name].sent) for name in ("bell", "horn")] == [1, 1]


def test_a_crash_of_the_notifier_loses_nothing(play: Play) -> None:
    play.notifiers["bell"].trouble = Unreachable("no network")
    with play.opened() as stage:
        _asks(stage, "Shall I?")
        ref = stage.deps.actors.ref(NOTICES)
        assert ref is not None
        play.notifiers["bell"].trouble = None
        kill(ref)
        eventually(lambda: len(play.notifiers["bell"].sent) == 1)
