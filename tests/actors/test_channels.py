"""Channels of the notifier: bursts, quiet hours, causes that are gone, and one that stays down."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from gevent.event import Event as Flag

from ennio.actors import condition
from ennio.actors.messages import NotificationDue, Ping
from ennio.actors.registry import NOTICES
from ennio.config.model import Defaults, NotifierConfig, QuietHours, RateLimit, Route
from ennio.model.delivery import DeliveryKind, DeliveryState
from ennio.model.errors import Refused, Unreachable
from ennio.model.session import Activity, Priority
from ennio.plugins.notifier.interface import Notification, Notifier
from ennio.plugins.notifier.stub import StubNotifier
from ennio.plugins.observed import PluginCalls, observed
from ennio.store import Notice
from tests.actors.ground import Play, Stage, kill
from tests.conftest import eventually

NIGHT = QuietHours(22 * 60, 7 * 60, "UTC")


def _bell(play: Play, **settings: object) -> StubNotifier:
    """The only channel, set up so."""
    play.settings |= {
        "notifiers": (NotifierConfig("stub", "bell", {}, **settings),),
        "defaults": Defaults(notifiers=("bell",)),
    }
    play.notifiers["bell"] = StubNotifier("bell")
    return play.notifiers["bell"]


class Plain:
    """A channel of somebody's own, which has what it must."""

    name = "bell"

    def __init__(self) -> None:
        self.sent: list[Notification] = []

    def notify(self, notification: Notification) -> None:
        self.sent.append(notification)


def _night(play: Play) -> None:
    """It is eleven in the evening."""
    now = play.clock.now()
    evening = datetime(now.year, now.month, now.day, 23, tzinfo=UTC)
    play.clock.advance((evening + timedelta(days=evening < now) - now).total_seconds())


def _tell(stage: Stage, *words: str, priority: Priority = Priority.URGENT) -> list[str]:
    """Write notices down and say so, once for all of them."""
    ids = [f"n-{word}" for word in words]
    with stage.deps.store.transaction():
        for one, word in zip(ids, words, strict=True):
            notice = Notice(
                one, "reaction_triggered", priority, "", "shop", word, stage.clock.now(),
                reaction="anomaly", fingerprint=one,
            )  # fmt: skip
            stage.deps.store.notifications.add(notice)
    stage.deps.actors.tell(NOTICES, NotificationDue())
    return ids


def _done(stage: Stage, *ids: str) -> None:
    for one in ids:
        eventually(lambda one=one: stage.deps.store.notifications.get(one).done_at)


def _states(stage: Stage, *ids: str) -> Counter[DeliveryState]:
    found = stage.deps.store.deliveries.of(DeliveryKind.NOTICE, ids)
    return Counter(one.state for one in found if one.lane == "bell")


# --- bursts ---------------------------------------------------------------------------------------


def test_a_burst_is_one_message_that_tells_of_all_of_them(play: Play) -> None:
    bell = _bell(play, rate_limit=RateLimit(3, 60.0))
    with play.opened() as stage:
        ids = _tell(stage, *(f"word-{n}" for n in range(30)))
        _done(stage, *ids)
        eventually(lambda: bell.sent)
        (told,) = bell.sent
        assert told.title == "shop: 30 notices"
        assert told.priority is Priority.URGENT
        assert told.message.splitlines() == [
            *(f"- word-{n}" for n in range(20)),
            "- and 10 more",
        ]
        assert _states(stage, *ids) == {DeliveryState.FOLDED: 30}
        (digest, *rest) = stage.deps.store.notifications.list()
        assert (digest.folds, len(rest)) == (30, 30)
        # the bell has rung before it is written down that it has
        eventually(lambda: stage.deps.store.notifications.get(digest.id).sent == ("bell",))


def test_what_is_no_burst_is_told_one_by_one(play: Play) -> None:
    bell = _bell(play, rate_limit=RateLimit(3, 60.0))
    with play.opened() as stage:
        _done(stage, *_tell(stage, "a", "b", "c"))
        assert [one.message for one in bell.sent] == ["a", "b", "c"]


def test_what_is_beyond_the_limit_waits_and_is_then_told_together(play: Play) -> None:
    bell = _bell(play, rate_limit=RateLimit(2, 60.0))
    with play.opened() as stage:
        _done(stage, *_tell(stage, "a", "b"))
        later = _tell(stage, "c", "d")
        stage.pass_time(30)
        stage.deps.actors.ask(NOTICES, Ping())
        assert [one.message for one in bell.sent] == ["a", "b"]
        stage.pass_time(31)
        _done(stage, *later)
        eventually(lambda: len(bell.sent) >= 3)
        told = [one.message for one in bell.sent[2:]]
        assert told in (["c", "d"], ["- c\n- d"])


def test_the_limit_holds_across_a_restart(play: Play) -> None:
    bell = _bell(play, rate_limit=RateLimit(2, 60.0))
    with play.opened() as stage:
        _done(stage, *_tell(stage, "a", "b"))
    with play.opened() as stage:
        _tell(stage, "c")
        stage.deps.actors.ask(NOTICES, Ping())
        assert len(bell.sent) == 2
        stage.pass_time(61)
        eventually(lambda: len(bell.sent) == 3)


def test_a_channel_without_a_burst_gets_each_while_the_other_gets_one(play: Play) -> None:
    _bell(play, rate_limit=RateLimit(1, 60.0))
    play.settings["notifiers"] += (NotifierConfig("stub", "horn", {}),)
    play.settings["defaults"] = Defaults(notifiers=("bell", "horn"))
    play.notifiers["horn"] = StubNotifier("horn")
    with play.opened() as stage:
        ids = _tell(stage, "a", "b", "c")
        _done(stage, *ids)
        eventually(lambda: len(play.notifiers["horn"].sent) == 3)
        eventually(
            lambda: [one.message for one in play.notifiers["bell"].sent] == ["- a\n- b\n- c"]
        )


def test_a_crash_in_the_middle_of_a_batch_tells_the_same_batch_again(play: Play) -> None:
    bell = _bell(play, rate_limit=RateLimit(1, 60.0))
    never = Flag()
    asked: list[Notification] = []

    def hang(notification: Notification) -> None:
        asked.append(notification)
        never.wait(60)

    bell.notify = hang
    with play.opened() as stage:
        ids = _tell(stage, "a", "b", "c")
        eventually(lambda: asked)
        del bell.notify
        kill(stage.deps.actors.ref(NOTICES))
        eventually(lambda: bell.sent)
        _tell(stage, "d")
        _done(stage, *ids)
        (told,) = bell.sent
        assert (told.id, told.message) == (asked[0].id, asked[0].message)
        assert told.message == "- a\n- b\n- c"
        never.set()


def test_a_batch_that_is_refused_is_a_notice_that_failed(play: Play) -> None:
    bell = _bell(play, rate_limit=RateLimit(1, 60.0))
    bell.trouble = Refused("the hook was removed (410)")
    with play.opened() as stage:
        _done(stage, *_tell(stage, "a", "b", "c"))
        digest = eventually(lambda: stage.deps.store.notifications.list(failed=True))[0]
        assert (digest.folds, digest.failed) == (3, {"bell": "the hook was removed (410)"})


# --- quiet hours ----------------------------------------------------------------------------------


def test_in_quiet_hours_only_what_is_grave_is_told_and_the_rest_together_afterwards(
    play: Play,
) -> None:
    bell = _bell(play, quiet_hours=replace(NIGHT, unless=Priority.CRITICAL))
    _night(play)
    with play.opened() as stage:
        waiting = _tell(stage, "a", "b")
        _done(stage, *_tell(stage, "fire", priority=Priority.CRITICAL))
        assert [one.message for one in bell.sent] == ["fire"]
        stage.pass_time(7 * 3600)
        stage.deps.actors.ask(NOTICES, Ping())
        assert len(bell.sent) == 1
        stage.pass_time(3600)
        _done(stage, *waiting)
        eventually(lambda: [one.message for one in bell.sent] == ["fire", "- a\n- b"])


def test_a_question_that_was_answered_in_the_night_wakes_nobody_in_the_morning(play: Play) -> None:
    bell = _bell(play, quiet_hours=NIGHT)
    _night(play)
    with play.opened() as stage:
        session_id = stage.working("Shall I?")
        stage.says(session_id, Activity.WAITING_INPUT, question="Shall I?")
        eventually(stage.deps.store.notifications.list)
        stage.says(session_id, Activity.ACTIVE)
        eventually(lambda: stage.deps.store.notifications.list()[0].done_at)
        (notice,) = stage.deps.store.notifications.list()
        assert notice.resolved_at is not None
        assert _states(stage, notice.id) == {DeliveryState.DROPPED: 1}
        stage.pass_time(9 * 3600)
        stage.deps.actors.ask(NOTICES, Ping())
        assert bell.sent == []


# --- causes that are gone -------------------------------------------------------------------------


def test_a_notice_whose_cause_is_gone_is_taken_back(play: Play) -> None:
    bell = _bell(play)
    with play.opened() as stage:
        session_id = stage.working("Shall I?")
        stage.says(session_id, Activity.WAITING_INPUT, question="Shall I?")
        eventually(lambda: bell.sent)
        assert bell.withdrawn == []
        stage.says(session_id, Activity.ACTIVE)
        eventually(lambda: bell.withdrawn)
        assert bell.withdrawn == [bell.sent[0].id]


def test_a_notice_is_taken_back_after_a_crash_and_a_channel_that_is_down_is_asked_again(
    play: Play,
) -> None:
    bell = _bell(play)
    with play.opened() as stage:
        session_id = stage.working("Shall I?")
        stage.says(session_id, Activity.WAITING_INPUT, question="Shall I?")
        eventually(lambda: bell.sent)
        bell.trouble = Unreachable("no network")
        stage.says(session_id, Activity.ACTIVE)
        eventually(lambda: stage.deps.store.deliveries.troubled(DeliveryKind.WITHDRAWAL))
        bell.trouble = None
    with play.opened():
        eventually(lambda: bell.withdrawn)
        assert bell.withdrawn == [bell.sent[0].id]


def test_a_cause_that_is_gone_while_it_is_told_is_taken_back_once_it_is(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    bell = _bell(play)
    told, go = Flag(), Flag()
    real = bell.notify

    def slow(notification: object) -> str:
        told.set()
        go.wait(20)
        return real(notification)

    monkeypatch.setattr(bell, "notify", slow)
    with play.opened() as stage:
        session_id = stage.working("Shall I?")
        stage.says(session_id, Activity.WAITING_INPUT, question="Shall I?")
        told.wait(20)
        stage.says(session_id, Activity.ACTIVE)
        eventually(lambda: stage.deps.store.notifications.list()[0].resolved_at)
        assert bell.withdrawn == []
        go.set()
        eventually(lambda: bell.withdrawn)
        assert bell.withdrawn == [bell.sent[0].id]


def test_a_channel_of_somebodys_own_that_cannot_take_back_is_not_asked(
    play: Play,
) -> None:
    _bell(play)
    bell = play.notifiers["bell"] = cast("StubNotifier", Plain())
    with play.opened() as stage:
        session_id = stage.working("Shall I?")
        stage.says(session_id, Activity.WAITING_INPUT, question="Shall I?")
        eventually(lambda: bell.sent)
        stage.says(session_id, Activity.ACTIVE)
        eventually(lambda: stage.deps.store.notifications.list()[0].withdrawn_at)
        assert stage.deps.store.deliveries.open(DeliveryKind.WITHDRAWAL) == ()


def test_what_a_channel_of_the_same_name_cannot_take_back_any_more_is_let_be(play: Play) -> None:
    bell = _bell(play)
    with play.opened() as stage:
        session_id = stage.working("Shall I?")
        stage.says(session_id, Activity.WAITING_INPUT, question="Shall I?")
        eventually(lambda: bell.sent)
        bell.trouble = Unreachable("no network")
        stage.says(session_id, Activity.ACTIVE)
        eventually(lambda: stage.deps.store.deliveries.troubled(DeliveryKind.WITHDRAWAL))
    play.notifiers["bell"] = cast("StubNotifier", Plain())
    with play.opened() as stage:
        (notice, *_) = stage.deps.store.notifications.list()
        eventually(lambda: stage.deps.store.deliveries.open(DeliveryKind.WITHDRAWAL) == ())
        kept = stage.deps.store.deliveries.get(DeliveryKind.WITHDRAWAL, notice.id, "bell")
        assert kept is not None
        assert (kept.state, kept.error) == (DeliveryState.REFUSED, "bell takes nothing back")


def test_a_channel_of_somebodys_own_that_breaks_keeps_no_other_waiting(play: Play) -> None:
    _bell(play)
    horn = play.notifiers["horn"] = StubNotifier("horn")
    play.settings["notifiers"] = (*play.settings["notifiers"], NotifierConfig("stub", "horn", {}))
    play.settings["defaults"] = Defaults(notifiers=("bell", "horn"))
    plain = Plain()
    plain.sent = cast("list[Notification]", None)  # a bug: nothing can be kept there
    channel = observed(plain, "notifier", "own", Notifier, PluginCalls())
    play.notifiers["bell"] = cast("StubNotifier", channel)
    with play.opened() as stage:
        _done(stage, *_tell(stage, "a"), *_tell(stage, "b"))
        assert [one.message for one in horn.sent] == ["a", "b"]
        notice = stage.deps.store.notifications.get("n-a")
        assert notice is not None
        told = "the notifier own failed in notify: AttributeError"
        assert (notice.sent, notice.failed) == (("events", "horn"), {"bell": told})


# --- a channel that stays down --------------------------------------------------------------------


def test_a_channel_that_is_down_is_asked_once_for_all_that_waits_and_less_and_less_often(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    bell = _bell(play)
    asked: list[datetime] = []

    def down(_notification: object) -> None:
        asked.append(play.clock.now())
        raise Unreachable("no network")

    monkeypatch.setattr(bell, "notify", down)
    with play.opened() as stage:
        _tell(stage, "a")
        eventually(lambda: len(asked) == 1)
        eventually(lambda: stage.deps.store.deliveries.troubled(DeliveryKind.NOTICE))
        _tell(stage, "b", "c")
        stage.deps.actors.ask(NOTICES, Ping())
        assert len(asked) == 1, "who is down is not asked for the next one either"
        for tries, pause in ((2, 15), (3, 30), (4, 60), (5, 120), (6, 240), (7, 300), (8, 300)):
            stage.pass_time(pause - 1)
            stage.deps.actors.ask(NOTICES, Ping())
            assert len(asked) == tries - 1
            stage.pass_time(1)
            eventually(lambda tries=tries: len(asked) == tries)
            eventually(lambda: not _states(stage, "n-a", "n-b", "n-c")[DeliveryState.DOING])
        (state,) = [one for one in condition.readiness(stage.deps).degraded if one.name == "bell"]
        assert "no network" in state.detail


def test_the_pause_a_channel_asks_for_holds_for_all_that_goes_to_it(play: Play) -> None:
    bell = _bell(play)
    bell.trouble = Unreachable("429", until=play.clock.now() + timedelta(minutes=10))
    with play.opened() as stage:
        _tell(stage, "a")
        eventually(lambda: stage.deps.store.deliveries.troubled(DeliveryKind.NOTICE))
        bell.trouble = None
        _tell(stage, "b")
        stage.pass_time(599)
        stage.deps.actors.ask(NOTICES, Ping())
        assert bell.sent == []
        stage.pass_time(2)
        eventually(lambda: len(bell.sent) == 2)


def test_a_notice_a_day_old_is_given_up_and_said_to_be(play: Play) -> None:
    bell = _bell(play)
    bell.trouble = Unreachable("no network")
    with play.opened() as stage:
        _tell(stage, "a")
        eventually(lambda: stage.deps.store.deliveries.troubled(DeliveryKind.NOTICE))
        stage.pass_time(24 * 3600)
        _done(stage, "n-a")
        (notice,) = stage.deps.store.notifications.list(failed=True)
        assert (notice.id, notice.failed) == ("n-a", {"bell": "no network"})


def test_a_route_of_the_project_and_a_priority_decide_who_is_told(play: Play) -> None:
    bell = _bell(play)
    play.settings["notification_routing"] = {"anomaly": Route(("bell",), Priority.URGENT)}
    play.settings["defaults"] = Defaults(notifiers=())
    with play.opened() as stage:
        _done(stage, *_tell(stage, "low", priority=Priority.ACTION))
        _done(stage, *_tell(stage, "high", priority=Priority.URGENT))
        assert [one.message for one in bell.sent] == ["high"]


def test_a_channel_that_refused_the_last_is_not_well_until_a_test_or_a_notice_reaches_it(
    play: Play,
) -> None:
    bell = _bell(play)
    bell.trouble = Refused("the token is wrong")
    with play.opened() as stage:
        well = stage.orchestrator.notices.channels
        _done(stage, *_tell(stage, "a"))
        assert [one.error for one in well()] == ["the token is wrong"]
        degraded = condition.readiness(stage.deps).degraded
        (state,) = [one for one in degraded if one.name == "bell"]
        assert state.detail == "did not take the last it was told: the token is wrong"
        with pytest.raises(Refused):
            stage.orchestrator.notices.test_channel("bell")
        assert [one.error for one in well()] == ["the token is wrong"]
        bell.trouble = None
        stage.clock.advance(1.0)
        stage.orchestrator.notices.test_channel("bell")
        assert [one.error for one in well()] == [None]
        bell.trouble = Refused("it is wrong again")
        stage.clock.advance(1.0)
        _done(stage, *_tell(stage, "b"))
        assert [one.error for one in well()] == ["it is wrong again"]


def test_what_may_have_arrived_is_taken_back_too(play: Play) -> None:
    bell = _bell(play)
    bell.trouble = Unreachable("it did not say whether it took it")
    with play.opened() as stage:
        _tell(stage, "a")
        eventually(lambda: stage.deps.store.deliveries.troubled(DeliveryKind.NOTICE))
        bell.trouble = None
        with stage.deps.store.transaction():
            stage.deps.store.notifications.resolve("anomaly", stage.clock.now(), project_id="shop")
        stage.deps.actors.tell(NOTICES, NotificationDue())
        eventually(lambda: bell.withdrawn == ["n-a"])
        assert bell.sent == []
