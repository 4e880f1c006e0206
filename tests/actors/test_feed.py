"""The event log as a stream: what was missed comes first, what is new
comes at once, nothing twice.
"""

from __future__ import annotations

import time

import gevent

from tests.actors.ground import Stage


def test_who_was_away_catches_up_in_order(stage: Stage) -> None:
    session_id = stage.working()
    events = stage.orchestrator.events.wait(0, 0.0)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert events[0].session_id == session_id
    half = events[len(events) // 2].seq
    assert [event.seq for event in stage.orchestrator.events.wait(half, 0.0)] == [
        e.seq for e in events if e.seq > half
    ]


def test_everybody_who_waits_is_woken_by_the_next_event(stage: Stage) -> None:
    session_id = stage.working()
    stage.look()
    last = stage.deps.store.events.last_seq()
    waiting = [gevent.spawn(stage.orchestrator.events.wait, last, 20.0) for _ in range(20)]
    gevent.idle()
    stage.orchestrator.sessions.send(session_id, "hello")
    gevent.joinall(waiting, timeout=30)
    assert {tuple(event.event_type for event in one.value)[:1] for one in waiting} == {
        ("message_queued",)
    }


def test_waiting_ends_when_the_time_is_up(stage: Stage) -> None:
    begun = time.monotonic()
    assert stage.orchestrator.events.wait(stage.deps.store.events.last_seq(), 0.05) == []
    assert 0.04 < time.monotonic() - begun < 10


def test_a_house_that_was_restarted_serves_what_was_before_it(stage: Stage) -> None:
    stage.working()
    # as after a restart: memory is empty, the log is not
    stage.orchestrator.events.feed._recent.clear()
    assert [event.seq for event in stage.orchestrator.events.wait(2, 0.0)][:2] == [3, 4]


def test_a_batch_nobody_told_of_leaves_no_gap_for_those_who_follow(stage: Stage) -> None:
    session_id = stage.working()
    feed, last = stage.orchestrator.events.feed, stage.deps.store.events.last_seq()
    unheard = stage.deps.store._announcer._listeners[:]
    stage.deps.store._announcer._listeners.clear()  # as when the telling failed
    stage.orchestrator.sessions.send(session_id, "one")
    stage.deps.store._announcer._listeners.extend(unheard)
    stage.orchestrator.sessions.send(session_id, "two")
    assert [event.seq for event in feed.wait(last, 0.0)][:2] == [last + 1, last + 2]
