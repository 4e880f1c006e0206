"""Conflicts that are expected are kept in both databases."""

from __future__ import annotations

from datetime import timedelta

from ennio.model.clock import ManualClock
from ennio.model.conflicts import ExpectedConflict, SessionPair
from ennio.store import Store


def test_what_is_expected_is_found_by_either_session_and_by_project(
    store: Store, clock: ManualClock
) -> None:
    now = clock.now()
    first = ExpectedConflict("a", "b", "play", "on-a", "on-b", "1", "2", ("x", "ü y"), now)
    later = ExpectedConflict("b", "c", "play", "on-b", "on-c", "2", "3", (), now + timedelta(1))
    other = ExpectedConflict("d", "e", "work", "on-d", "on-e", "4", "5", ("z",), now)
    for one in (later, first, other):
        store.conflicts.save(one)
    assert store.conflicts.list("play") == (first, later)
    assert store.conflicts.of("b") == (first, later)
    assert store.conflicts.of("c") == (later,)
    assert len(store.conflicts.list()) == 3
    assert store.conflicts.remove(SessionPair("a", "b"))
    assert not store.conflicts.remove(SessionPair("a", "b"))
    assert store.conflicts.of("a") == ()
