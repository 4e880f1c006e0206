"""Notifications: each channel once, until it is told or refuses."""

from __future__ import annotations

import pytest
from gevent.event import Event as Flag

from ennio.actors.registry import NOTICES
from ennio.config.model import Defaults, NotifierConfig, Route
from ennio.model.errors import Refused, Unreachable
from ennio.model.events import Event, EventType
from ennio.model.session import Activity
from ennio.plugins.notifier.stub import StubNotifier
from ennio.store import Notice
from tests.actors.ground import Play, Stage, kill
from tests.conftest import eventually
from tests.store.test_deliveries import older


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


TOLD = (
    EventType.NOTIFICATION_RAISED,
    EventType.NOTIFICATION_SENT,
    EventType.NOTIFICATION_FAILED,
)


def _shown(stage: Stage) -> list[Event]:
    """What the event stream told of notifications."""
    return stage.deps.store.events.after(0, limit=1000, types=TOLD)


def _told(stage: Stage) -> list[str]:
    return [event.event_type for event in _shown(stage)]


def test_a_notice_that_only_stands_in_the_events_was_sent_to_nobody(play: Play) -> None:
    play.settings["defaults"] = Defaults(notifiers=())
    with play.opened() as stage:
        _asks(stage, "Shall I?")
        eventually(lambda: _notice(stage, "Shall I?").done_at)
        assert _told(stage) == ["notification_raised"]


def test_a_notice_is_sent_once_a_channel_took_it_and_not_before(play: Play) -> None:
    play.notifiers["bell"].trouble = Unreachable("no network")
    with play.opened() as stage:
        _asks(stage, "Shall I?")
        eventually(lambda: "bell" in _notice(stage, "Shall I?").failed)
        eventually(lambda: "horn" in _notice(stage, "Shall I?").sent)
        assert _told(stage) == ["notification_raised"]
        play.notifiers["bell"].trouble = None
        stage.pass_time(60)
        eventually(lambda: _notice(stage, "Shall I?").done_at)
        assert _told(stage) == ["notification_raised", "notification_sent"]


def test_a_notice_that_every_channel_refused_was_not_sent_and_that_is_said_once(
    play: Play,
) -> None:
    for channel in play.notifiers.values():
        channel.trouble = Refused("a wrong address")
    with play.opened() as stage:
        session_id = _asks(stage, "Shall I?")
        eventually(lambda: _notice(stage, "Shall I?").done_at)
        stage.says(session_id, Activity.ACTIVE)
        eventually(lambda: _notice(stage, "Shall I?").withdrawn_at)
        assert _told(stage) == ["notification_raised", "notification_failed"]


def test_a_channel_that_was_given_up_is_not_taken_for_told(play: Play) -> None:
    play.notifiers["bell"].trouble = Refused("there is no notifier plugin of this name")
    with play.opened() as stage:
        _asks(stage, "Shall I?")
        eventually(lambda: _notice(stage, "Shall I?").done_at)
        shown, sent = _shown(stage)
        assert "not told" not in shown.message
        assert "(not told on bell: there is no notifier plugin of this name)" in sent.message
        assert sent.data["channels"] == ["events", "horn"]


def test_incident_32_two_routes_to_one_channel_tell_it_once(play: Play) -> None:
    play.settings["notification_routing"] = {"agent-needs-input": Route(("bell", "horn", "bell"))}
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


def test_a_channel_that_refuses_is_not_asked_again(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def refuse(_notification: object) -> None:
        asked.append("bell")
        raise Refused("the hook was removed (410)")

    monkeypatch.setattr(play.notifiers["bell"], "notify", refuse)
    play.notifiers["horn"].trouble = Unreachable("no network")
    with play.opened() as stage:
        _asks(stage, "Shall I?")
        for attempts, pause in ((1, 16), (2, 31), (3, 61)):
            eventually(lambda wanted=attempts: _notice(stage, "Shall I?").attempts >= wanted)
            stage.pass_time(pause)
        play.notifiers["horn"].trouble = None
        stage.pass_time(121)
        eventually(lambda: _notice(stage, "Shall I?").done_at)
        assert _notice(stage, "Shall I?").failed == {"bell": "the hook was removed (410)"}
        assert _notice(stage, "Shall I?").refused == ("bell",)
    assert asked == ["bell"]


def test_a_channel_out_of_reach_keeps_no_other_news_waiting(play: Play) -> None:
    play.notifiers["bell"].trouble = Unreachable("no network")
    with play.opened() as stage:
        _asks(stage, "First?")
        _asks(stage, "Second?")
        eventually(lambda: len(play.notifiers["horn"].sent) == 2)
        assert [_notice(stage, words).attempts for words in ("First?", "Second?")] == [1, 1], (
            "and nobody is asked in a hurry"
        )


def test_a_channel_nobody_configured_is_refused_by_name(play: Play) -> None:
    play.settings["notification_routing"] = {"agent-needs-input": Route(("gong",))}
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


def test_a_channel_that_hangs_keeps_nobody_waiting_but_itself(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = Flag()
    monkeypatch.setattr(play.notifiers["bell"], "notify", lambda _notification: never.wait(60))
    with play.opened() as stage:
        _asks(stage, "First?")
        _asks(stage, "Second?")
        eventually(lambda: len(play.notifiers["horn"].sent) == 2)
        assert [event.data["channels"] for event in _shown(stage)] == [["events"], ["events"]]
        never.set()
        eventually(lambda: all(_notice(stage, words).done_at for words in ("First?", "Second?")))


def test_a_crash_between_two_channels_tells_the_first_no_second_time(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    with play.opened() as stage:
        ref = stage.deps.actors.ref(NOTICES)
        assert ref is not None
        with monkeypatch.context() as patched:
            patched.setattr(
                play.notifiers["horn"],
                "notify",
                lambda _notification: eventually(lambda: not ref.is_alive()),
            )
            _asks(stage, "Shall I?")
            eventually(lambda: _notice(stage, "Shall I?").sent == ("events", "bell"))
            kill(ref)
            eventually(lambda: not ref.is_alive())
        eventually(lambda: _notice(stage, "Shall I?").done_at)
    assert [len(play.notifiers[name].sent) for name in ("bell", "horn")] == [1, 1]


def test_a_channel_that_is_none_any_more_is_not_waited_for(play: Play) -> None:
    play.notifiers["bell"].trouble = Unreachable("no network")
    with play.opened() as stage:
        _asks(stage, "Shall I?")
        eventually(lambda: "bell" in _notice(stage, "Shall I?").failed)
    play.settings["defaults"] = Defaults(notifiers=("horn",))
    with play.opened() as stage:
        eventually(lambda: _notice(stage, "Shall I?").done_at)
        assert _notice(stage, "Shall I?").channels == ("events", "horn")


def test_notifications_of_an_older_version_are_told_where_they_were_not_and_nowhere_twice(
    play: Play,
) -> None:
    play.settings["defaults"] = Defaults(notifiers=("slack", "desk", "horn"))
    play.settings["notifiers"] = tuple(
        NotifierConfig("stub", name, {}) for name in ("slack", "desk", "horn")
    )
    play.notifiers |= {"slack": StubNotifier("slack"), "desk": StubNotifier("desk")}
    older(play.root, play.clock)
    with play.opened() as stage:
        eventually(lambda: all(notice.done_at for notice in stage.deps.store.notifications.list()))
        shown = [event.message for event in _shown(stage)]
    told = {
        name: [one.id for one in play.notifiers[name].sent] for name in ("slack", "desk", "horn")
    }
    assert told == {"slack": ["new"], "desk": ["waits", "new"], "horn": ["new"]}
    assert shown == ["new", "waits (not told on horn: gone)", "new"]
