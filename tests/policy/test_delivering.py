"""When a delivery is due, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ennio.model.delivery import DeliveryKind, DeliveryRecord, DeliveryState
from ennio.model.errors import Refused, Unreachable
from ennio.policy import delivering
from ennio.policy.delivering import Retry

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RETRY = Retry(first=10.0, factor=2.0, longest=60.0, attempts=3)
FRESH = DeliveryRecord(DeliveryKind.NOTICE, "n", "slack")
TAKEN = replace(FRESH, state=DeliveryState.DOING, attempts=1, tried_at=NOW)


def _in(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_what_was_never_tried_or_was_broken_off_is_due_at_once() -> None:
    assert delivering.due(FRESH, RETRY, NOW) == NOW
    assert delivering.due(TAKEN, RETRY, NOW) == NOW


def test_what_is_put_off_is_due_then_unless_that_was_said_by_a_clock_that_went_ahead() -> None:
    waits = replace(FRESH, tried_at=NOW, not_before=_in(10))
    assert delivering.due(waits, RETRY, _in(3)) == _in(10)
    assert delivering.due(waits, RETRY, _in(-1)) == _in(-1)


def test_what_was_broken_off_again_and_again_waits() -> None:
    again = replace(TAKEN, attempts=3, broken_off=delivering.BROKEN_OFF)
    assert delivering.due(again, RETRY, NOW) == _in(40)
    assert delivering.due(again, RETRY, _in(-3600)) == _in(-3600)


def test_what_was_tried_often_and_broken_off_once_is_due_at_once() -> None:
    assert delivering.due(replace(TAKEN, attempts=50), RETRY, NOW) == NOW


def test_the_end_of_a_try_is_done_refused_or_another_try() -> None:
    done = delivering.outcome(replace(TAKEN, error="was away"), None, RETRY, NOW)
    assert (done.state, done.error, done.settled_at) == (DeliveryState.DONE, None, NOW)
    refused = delivering.outcome(TAKEN, Refused("no"), RETRY, NOW)
    assert (refused.state, refused.error, refused.settled_at) == (DeliveryState.REFUSED, "no", NOW)
    away = delivering.outcome(TAKEN, Unreachable("away"), RETRY, NOW)
    assert (away.state, away.error, away.not_before) == (DeliveryState.INTENDED, "away", _in(10))
    assert away.settled_at is None


@pytest.mark.parametrize(("attempts", "pause"), [(1, 10), (2, 20), (3, 40), (4, 60), (5000, 60)])
def test_pauses_grow_up_to_the_longest(attempts: int, pause: float) -> None:
    assert RETRY.pause(attempts) == timedelta(seconds=pause)


def test_a_time_that_the_destination_named_is_kept_to() -> None:
    away = delivering.outcome(TAKEN, Unreachable("limit", until=_in(900)), RETRY, NOW)
    assert away.not_before == _in(900)
    soon = delivering.outcome(TAKEN, Unreachable("limit", until=_in(1)), RETRY, NOW)
    assert soon.not_before == _in(10)


def test_what_was_tried_often_enough_is_given_up_and_without_a_number_never() -> None:
    last = replace(TAKEN, attempts=3)
    failed = delivering.outcome(last, Unreachable("away"), RETRY, NOW)
    assert (failed.state, failed.settled_at) == (DeliveryState.FAILED, NOW)
    for_ever = Retry(first=10.0)
    assert delivering.outcome(last, Unreachable("away"), for_ever, NOW).state.open
