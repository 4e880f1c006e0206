"""The life of a session as a line of phases."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from ennio.model.events import Event, EventType
from ennio.model.session import Priority
from ennio.policy.phases import MOST, TYPES, phases

T = EventType
BEGAN = datetime(2026, 11, 27, 13, 41, tzinfo=UTC)


def told(*kinds: EventType | tuple[EventType, dict[str, Any]]) -> list[Event]:
    """One event a minute."""
    named = [kind if isinstance(kind, tuple) else (kind, {}) for kind in kinds]
    return [
        Event(
            seq, f"e{seq}", kind, Priority.INFO, "ma-1", "my-app",
            BEGAN + timedelta(minutes=seq), str(kind), data,
        )
        for seq, (kind, data) in enumerate(named)
    ]  # fmt: skip


SENT = (T.REACTION_TRIGGERED, {"action": "send_to_agent"})
NOTIFIED = (T.REACTION_TRIGGERED, {"action": "notify"})
ASKS = (T.ACTIVITY_CHANGED, {"from": "active", "to": "waiting_input"})
WORKS = (T.ACTIVITY_CHANGED, {"from": "waiting_input", "to": "active"})
RESTS = (T.ACTIVITY_CHANGED, {"from": "active", "to": "ready"})


def test_a_life_from_the_spawn_to_the_merge() -> None:
    events = told(
        T.SESSION_SPAWNED, T.SESSION_WORKING, RESTS, ASKS, WORKS, T.PR_CREATED, T.CI_FAILING,
        NOTIFIED, SENT, T.CI_PASSING, T.REVIEW_PENDING, T.MERGE_READY, T.PR_MERGED,
        T.SESSION_WORKING,
    )  # fmt: skip
    found = phases(events)
    assert [one.name for one in found] == [
        "spawn", "working", "asks", "working", "pr", "red", "told", "green", "review", "ready",
        "merged",
    ]  # fmt: skip
    assert [one.seq for one in found] == [0, 1, 3, 4, 5, 6, 8, 9, 10, 11, 12]
    for one, following in itertools.pairwise(found):
        assert one.ended == following.began
    assert found[-1].ended == found[-1].began
    assert found[5].message == found[5].event == "ci_failing"


def test_what_goes_on_has_no_end_and_what_is_told_again_is_no_new_phase() -> None:
    (_, red) = phases(told(T.PR_CREATED, T.CI_FAILING, T.CI_FAILING, T.CI_FIX_FAILED))
    assert (red.began, red.ended) == (BEGAN + timedelta(minutes=1), None)
    assert phases([]) == ()


def test_no_more_are_told_than_a_face_can_show() -> None:
    found = phases(told(*[T.CI_FAILING, T.CI_PASSING] * MOST))
    assert len(found) == MOST
    assert found[-1].seq == 2 * MOST - 1


def test_all_that_begins_a_phase_is_asked_of_the_log() -> None:
    assert len(set(TYPES)) == len(TYPES)
    assert {str(kind) for kind in (SENT[0], ASKS[0], T.PR_MERGED)} <= set(TYPES)
