"""Notices in the store: whose cause is gone, what failed, and what two writers make of one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from ennio.model.clock import ManualClock
from ennio.model.delivery import DeliveryKind, DeliveryRecord, DeliveryState
from ennio.model.session import Priority
from ennio.store import Notice, Store

NOTICE = DeliveryKind.NOTICE


def _add(store: Store, clock: ManualClock, name: str, **more: object) -> Notice:
    values = {"session_id": "s-1", "reaction": "ci-failed", "channels": ("bell",), **more}
    notice = Notice(
        name, "x", Priority.INFO, project_id="shop", message=name, at=clock.now(), **values
    )
    assert store.notifications.add(notice)
    return notice


def test_a_cause_that_is_gone_resolves_what_was_told_of_it_once(
    store: Store, clock: ManualClock
) -> None:
    _add(store, clock, "mine")
    _add(store, clock, "other session", session_id="s-2")
    _add(store, clock, "other reaction", reaction="anomaly")
    assert store.notifications.resolve("ci-failed", clock.now(), session_id="s-1")
    assert not store.notifications.resolve("ci-failed", clock.now(), session_id="s-1")
    assert [one.id for one in store.notifications.resolved()] == ["mine"]
    assert store.notifications.resolve("anomaly", clock.now(), project_id="shop")
    assert [one.id for one in store.notifications.resolved()] == ["mine", "other reaction"]


def test_who_keeps_a_notice_it_read_before_does_not_undo_that_its_cause_is_gone(
    store: Store, clock: ManualClock
) -> None:
    read_before = _add(store, clock, "n-1")
    store.notifications.resolve("ci-failed", clock.now(), session_id="s-1")
    store.notifications.save(replace(read_before, done_at=clock.now()))
    (kept,) = store.notifications.resolved()
    assert (kept.resolved_at, kept.done_at) == (clock.now(), clock.now())
    store.notifications.save(replace(kept, withdrawn_at=clock.now()))
    assert store.notifications.resolved() == ()


def test_what_failed_is_what_was_given_up_or_waits_with_a_reason(
    store: Store, clock: ManualClock
) -> None:
    ends = {
        "told": DeliveryRecord(NOTICE, "told", "bell", DeliveryState.DONE),
        "refused": DeliveryRecord(NOTICE, "refused", "bell", DeliveryState.REFUSED, error="410"),
        "given up": DeliveryRecord(NOTICE, "given up", "bell", DeliveryState.FAILED, error="down"),
        "waits": DeliveryRecord(NOTICE, "waits", "bell", error="down"),
        "new": DeliveryRecord(NOTICE, "new", "bell"),
        "dropped": DeliveryRecord(NOTICE, "dropped", "bell", DeliveryState.DROPPED),
        "folded": DeliveryRecord(NOTICE, "folded", "bell", DeliveryState.FOLDED, result="told"),
    }
    for name, delivery in ends.items():
        _add(store, clock, name)
        settled = None if delivery.state.open else clock.now()
        store.deliveries.intend(replace(delivery, settled_at=settled))
    failed = store.notifications.list(failed=True)
    assert [one.id for one in failed] == ["waits", "given up", "refused"]
    assert [one.failed for one in failed] == [{"bell": "down"}, {"bell": "down"}, {"bell": "410"}]
    assert len(store.notifications.list(failed=True, limit=1)) == 1


def test_what_was_tried_lately_is_found_whatever_came_of_it(
    store: Store, clock: ManualClock
) -> None:
    now = clock.now()
    for name, ago in (("old", 61), ("edge", 60), ("new", 1)):
        at = now - timedelta(seconds=ago)
        one = DeliveryRecord(NOTICE, name, "bell", DeliveryState.DONE, 1, at, settled_at=at)
        store.deliveries.intend(one)
    store.deliveries.intend(DeliveryRecord(NOTICE, "never", "bell"))
    found = store.deliveries.tried(NOTICE, now - timedelta(seconds=60))
    assert [one.subject for one in found] == ["edge", "new"]
