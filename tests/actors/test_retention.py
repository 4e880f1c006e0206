"""What is over goes, beside everybody else; nobody who follows the log loses anything unheard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

import pytest

from ennio.actors import config_problem, retention
from ennio.actors.messages import GetHealth, Ping, Wake
from ennio.actors.registry import MERGES, NOTICES
from ennio.actors.retention import RetentionActor
from ennio.config.model import Retention
from ennio.model.delivery import DeliveryKind, DeliveryRecord
from ennio.model.errors import Exhausted, Unreachable
from ennio.model.events import Draft, EventType
from ennio.model.session import Priority, SessionStatus
from ennio.policy.degradation import LITTLE_DISK
from ennio.policy.retention import LEAST
from tests.actors.ground import Play, Stage
from tests.conftest import eventually

DAY = 86_400.0
FULL = Retention(events_after=None, disk=1)


def _tell(stage: Stage, many: int) -> None:
    with stage.deps.store.transaction() as tx:
        for _ in range(many):
            tx.emit("", "play", Draft(EventType.BASE_PUSHED, "told"))


def _told(stage: Stage, *kinds: EventType) -> list[str]:
    events = stage.deps.store.events.before(None, 5000)
    return [event.message for event in events if event.event_type in kinds]


@pytest.fixture
def full(play: Play) -> Play:
    play.settings["retention"] = FULL
    return play


def test_old_events_go_once_all_who_follow_have_come_past_them(stage: Stage) -> None:
    _tell(stage, 450)
    last = stage.deps.store.events.last_seq()
    stage.clock.advance(91 * DAY)
    stage.deps.store.cursors.move(NOTICES, last - 10)
    stage.deps.store.cursors.move("tracker:of a project that is gone", 0)
    retention.forget(stage.deps)
    assert stage.deps.store.events.first_seq() == last - 9
    assert _told(stage, EventType.PLACE_LOST) == []
    stage.deps.store.cursors.move(NOTICES, last)
    retention.forget(stage.deps)
    assert stage.deps.store.events.first_seq() == 0
    assert stage.orchestrator.supervisor.metrics().events_of(EventType.BASE_PUSHED) == 450


def test_who_is_away_while_the_disk_fills_loses_its_place_and_that_is_said_once(
    full: Play,
) -> None:
    with full.opened() as stage:
        _tell(stage, LEAST + 500)
        last = stage.deps.store.events.last_seq()
        stage.deps.store.cursors.move(NOTICES, 7)
        stage.deps.store.cursors.move(MERGES, last)
        retention.forget(stage.deps)
        assert stage.deps.store.events.first_seq() > 7
        (words,) = _told(stage, EventType.PLACE_LOST)
        assert words.startswith("notices loses its place: it has come to event 7")
        _tell(stage, 300)
        retention.forget(stage.deps)
        assert len(_told(stage, EventType.PLACE_LOST)) == 1, "once for each absence"
        stage.deps.store.cursors.move(NOTICES, stage.deps.store.events.last_seq())
        _tell(stage, LEAST + 10)
        retention.forget(stage.deps)
        first = stage.deps.store.events.first_seq()
        stage.deps.store.cursors.move(NOTICES, first)
        _tell(stage, 400)
        retention.forget(stage.deps)
        assert len(_told(stage, EventType.PLACE_LOST)) == 2, "another absence is another event"


def test_what_an_issue_has_still_to_be_told_is_kept(stage: Stage) -> None:
    _tell(stage, 20)
    event = stage.deps.store.events.after(10, limit=1)[0]
    stage.deps.store.deliveries.intend(DeliveryRecord(DeliveryKind.MILESTONE, event.id, "play"))
    assert retention.held_back(stage.deps, {"tracker:play": 15, "relay": 12}) == {
        "tracker:play": event.seq - 1,
        "relay": 12,
    }


def test_a_session_that_was_cleaned_up_goes_when_its_time_is_over(play: Play) -> None:
    play.settings["retention"] = Retention(sessions_after=DAY)
    with play.opened() as stage:
        session_id, other = stage.working(), stage.working("Another")
        stage.orchestrator.sessions.kill(session_id)
        stage.until(session_id, SessionStatus.KILLED)
        stage.orchestrator.workspaces.cleanup(session_id, None, dry_run=False, force=False)
        eventually(lambda: stage.session(session_id).archived_at)
        retention.forget(stage.deps)
        assert stage.deps.store.sessions.get(session_id) is not None
        stage.clock.advance(2 * DAY)
        retention.forget(stage.deps)
        assert stage.deps.store.sessions.get(session_id) is None
        assert stage.session(other).status is SessionStatus.WORKING
        told = stage.orchestrator.supervisor.metrics()
        assert told.events_of(EventType.SESSION_KILLED) == 1
        assert told.events_of(EventType.SESSION_SPAWNED) == 2


def test_a_disk_that_fills_is_told_once_and_again_once_there_is_room(stage: Stage) -> None:
    for free in (LITTLE_DISK, LITTLE_DISK - 1, LITTLE_DISK - 2, LITTLE_DISK):
        retention.warn_of_disk(stage.deps, free)
    assert len(_told(stage, EventType.DISK_LOW, EventType.DISK_FREED)) == 1
    retention.warn_of_disk(stage.deps, 2 * LITTLE_DISK)
    retention.warn_of_disk(stage.deps, 2 * LITTLE_DISK)
    assert len(_told(stage, EventType.DISK_LOW, EventType.DISK_FREED)) == 2


def _notices(stage: Stage) -> list[tuple[str | None, bool]]:
    """What people are told, oldest first: by which key, and whether that is over."""
    found = reversed(stage.deps.store.notifications.list())
    return [(one.reaction, one.resolved_at is not None) for one in found]


def test_a_person_is_told_of_each_full_disk_once_and_it_is_taken_back(stage: Stage) -> None:
    for free in (LITTLE_DISK - 1, LITTLE_DISK - 2):
        retention.warn_of_disk(stage.deps, free)
    assert _notices(stage) == [("disk-low", False)]
    (notice,) = stage.deps.store.notifications.list()
    assert (notice.priority, notice.session_id) == (Priority.URGENT, "")
    assert "ennio status --disk" in notice.message
    retention.warn_of_disk(stage.deps, 2 * LITTLE_DISK)
    assert _notices(stage) == [("disk-low", True)]
    stage.clock.advance(1.0)
    retention.warn_of_disk(stage.deps, LITTLE_DISK - 1)
    assert _notices(stage) == [("disk-low", True), ("disk-low", False)]


def test_a_person_is_told_who_lost_its_place_until_it_is_back(full: Play) -> None:
    with full.opened() as stage:
        _tell(stage, LEAST + 500)
        stage.deps.store.cursors.move(NOTICES, 7)
        retention.forget(stage.deps)
        _tell(stage, 3 * LEAST)  # so that the event itself goes, and is written again
        retention.forget(stage.deps)
        assert len(_told(stage, EventType.PLACE_LOST)) == 1
        assert _notices(stage) == [("place-lost", False)], "one absence, one notice"
        stage.deps.store.cursors.move(NOTICES, stage.deps.store.events.last_seq())
        retention.forget(stage.deps)
        assert _notices(stage) == [("place-lost", True)]


def test_a_person_is_told_of_a_refused_file_until_it_is_good_again(stage: Stage) -> None:
    for problem in ("line 1: no", "line 1: no", "line 2: no", None):
        stage.clock.advance(1.0)
        config_problem.tell(stage.deps, problem)
    assert _notices(stage) == [("config-refused", True), ("config-refused", True)]


def test_the_actor_lets_go_beside_its_mailbox_and_a_trouble_ends_nobody(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    _tell(stage, 10)
    stage.clock.advance(91 * DAY)
    ref: Any = RetentionActor.start(stage.deps, "retention", None)
    try:
        ref.tell(Wake())
        eventually(lambda: stage.deps.store.events.first_seq() == 0, why="old events went")
        assert ref.ask(Ping(), timeout=30)
        eventually(lambda: ref.ask(GetHealth(), timeout=30).looks == 1)

        def broken(_deps: object, _bare: object) -> None:
            raise Exhausted("there is no space left")

        monkeypatch.setattr(retention, "forget", broken)
        stage.clock.advance(1000)
        ref.tell(Wake())
        eventually(lambda: not ref.ask(GetHealth(), timeout=30).ok)
        assert ref.is_alive()
    finally:
        ref.stop(timeout=30)


class Recorded:
    """A host that notes whose logs are to go."""

    def __init__(self, name: str, away: Exception | None = None) -> None:
        self.name, self.away = name, away
        self.asked: list[Sequence[str]] = []

    def forget_logs(self, session_ids: Sequence[str], before: datetime) -> int:
        self.asked.append(session_ids)
        if self.away is not None:
            raise self.away
        return len(session_ids)


def test_a_host_is_asked_once_for_the_logs_of_all_its_sessions_and_one_that_is_away_later(
    play: Play,
) -> None:
    far, away = Recorded("far"), Recorded("away", Unreachable("the line is cut"))
    play.settings["retention"] = Retention(logs_after=DAY)
    with play.opened() as stage:
        cast("dict[str, Any]", stage.deps.other_machines).update(far=far, away=away)
        ids = [stage.working(prompt) for prompt in "abc"]
        for session_id in ids:
            stage.orchestrator.sessions.kill(session_id)
            stage.until(session_id, SessionStatus.KILLED)
        stage.quiet()
        for session_id, host in zip(ids, ("away", "far", "far"), strict=True):
            moved = replace(stage.session(session_id), host=host)
            stage.deps.store.sessions.save(moved)
        bare: set[retention.Past] = set()
        retention.forget(stage.deps, bare)
        assert (far.asked, away.asked) == ([], []), "they ended today"
        stage.clock.advance(2 * DAY)
        for _ in range(2):
            retention.forget(stage.deps, bare)
        assert [sorted(each) for each in far.asked] == [sorted(ids[1:])]
        away.away = None
        for _ in range(2):
            retention.forget(stage.deps, bare)
        assert away.asked == [ids[:1]] * 3
        assert len(far.asked) == 1
