"""Deliveries: one for each subject and lane, taken by one, and brought over
from what stood in texts.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ennio.model.clock import ManualClock
from ennio.model.delivery import DeliveryKind, DeliveryRecord, DeliveryState
from ennio.model.session import Session
from ennio.store import Store, migrations, open_store
from tests.store.older import RESOLVED, UNPRUNED, WITHOUT_ANSWERS, WITHOUT_BOOKS, insert_session

NOTICE = DeliveryKind.NOTICE
PARCEL = DeliveryRecord(NOTICE, "n-1", "slack")


def test_a_subject_goes_to_a_lane_once(store: Store, clock: ManualClock) -> None:
    now = clock.now()
    full = replace(
        PARCEL,
        state=DeliveryState.DONE,
        attempts=3,
        tried_at=now,
        not_before=now,
        error="e",
        result="r",
        settled_at=now,
        broken_off=1,
    )
    assert store.deliveries.intend(full)
    assert not store.deliveries.intend(PARCEL)
    assert store.deliveries.get(NOTICE, "n-1", "slack") == full
    assert store.deliveries.get(NOTICE, "n-1", "desk") is None


def test_what_is_open_comes_by_lane_in_the_order_it_was_written_down(
    store: Store, clock: ManualClock
) -> None:
    rows = [DeliveryRecord(NOTICE, f"n-{9 - at}", "ba"[at % 2]) for at in range(6)]
    for row in rows:
        store.deliveries.intend(row)
    taken = store.deliveries.take(rows[0], clock.now())
    assert taken
    store.deliveries.settle(taken, replace(taken, state=DeliveryState.DONE, settled_at=clock.now()))
    found = [(row.lane, row.subject) for row in store.deliveries.open(NOTICE)]
    assert found == [("a", "n-8"), ("a", "n-6"), ("a", "n-4"), ("b", "n-7"), ("b", "n-5")]
    assert [row.subject for row in store.deliveries.open(NOTICE, "b")] == ["n-7", "n-5"]
    assert [row.subject for row in store.deliveries.of(NOTICE, ["n-9", "n-4"])] == ["n-4", "n-9"]
    assert store.deliveries.of(NOTICE, []) == ()


def test_of_two_who_read_the_same_delivery_one_takes_it(store: Store, clock: ManualClock) -> None:
    store.deliveries.intend(PARCEL)
    read = store.deliveries.get(NOTICE, "n-1", "slack")
    assert read
    taken = store.deliveries.take(read, clock.now())
    assert taken == replace(PARCEL, state=DeliveryState.DOING, attempts=1, tried_at=clock.now())
    assert store.deliveries.take(read, clock.now()) is None
    assert store.deliveries.get(NOTICE, "n-1", "slack") == taken


def test_who_was_overtaken_settles_nothing(store: Store, clock: ManualClock) -> None:
    store.deliveries.intend(PARCEL)
    first = store.deliveries.take(PARCEL, clock.now())
    assert first
    second = store.deliveries.take(first, clock.now())
    assert second
    assert (second.attempts, first.broken_off, second.broken_off) == (2, 0, 1)
    assert not store.deliveries.settle(first, replace(first, state=DeliveryState.REFUSED))
    assert store.deliveries.settle(second, replace(second, state=DeliveryState.DONE))
    assert not store.deliveries.settle(second, replace(second, state=DeliveryState.FAILED))


def test_pauses_of_one_kind_are_ended_together(store: Store, clock: ManualClock) -> None:
    later = clock.now() + timedelta(hours=1)
    for lane in ("slack", "desk"):
        store.deliveries.intend(replace(PARCEL, lane=lane, not_before=later))
    store.deliveries.hasten(NOTICE)
    assert [row.not_before for row in store.deliveries.open(NOTICE)] == [None, None]


OLD = (
    # id, sent, failed, attempts, done
    ("told", ["events", "slack"], {}, 1, True),
    ("given-up", ["events"], {"desk": "refused: no display", "slack": "timed out"}, 20, True),
    ("waits", ["events", "slack"], {"desk": "timed out", "horn": "refused: gone"}, 2, False),
    ("new", [], {}, 0, False),
)


def older(folder: Path, clock: ManualClock, version: int = 18) -> None:
    """A database with notifications as they were kept before there were deliveries."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:version])
        store = open_store("sqlite:ennio.db", folder, clock)
    at = clock.now().isoformat()
    columns = (
        "id, ordinal, event_type, priority, session_id, project_id, message, at, channels, "
        "sent, failed, attempts, done_at"
    )
    for ordinal, (name, sent, failed, attempts, done) in enumerate(OLD, start=1):
        channels = json.dumps([*sent, *failed])
        told = (name, ordinal, "reaction_triggered", "urgent", "", "play", name, at, channels)
        marks = ", ".join("?" * 13)
        values = (*told, json.dumps(sent), json.dumps(failed), attempts, at if done else None)
        store._connection.sql(f"INSERT INTO notifications ({columns}) VALUES ({marks})", values)  # noqa: S608
    store._connection.sql("INSERT INTO sequence VALUES ('notifications', 4)")
    store.close()


def test_what_stood_in_texts_is_a_row_for_each_channel(tmp_path: Path, clock: ManualClock) -> None:
    older(tmp_path, clock)
    store = open_store("sqlite:ennio.db", tmp_path, clock)
    rows: dict[str, dict[str, Any]] = {}
    for row in store.deliveries.of(NOTICE, [name for name, *_ in OLD]):
        rows.setdefault(row.subject, {})[row.lane] = (row.state.value, row.error)
        assert (row.settled_at is None) == row.state.open
    assert rows == {
        "told": {"events": ("done", None), "slack": ("done", None)},
        "given-up": {
            "events": ("done", None),
            "desk": ("refused", "no display"),
            "slack": ("failed", "timed out"),
        },
        "waits": {
            "events": ("done", None),
            "slack": ("done", None),
            "desk": ("intended", "timed out"),
            "horn": ("refused", "gone"),
        },
    }
    assert [notice.id for notice in store.notifications.unrouted()] == ["waits", "new"]
    given_up = store.notifications.get("given-up")
    assert given_up
    assert (given_up.sent, given_up.refused, given_up.attempts) == (("events",), ("desk",), 20)
    assert given_up.failed == {"desk": "no display", "slack": "timed out"}
    assert store.deliveries.intend(replace(PARCEL, subject="next")), "the numbers go on"
    store.close()


OLD_MERGES = {
    "h1": ("intended", None, "not yet", 2),
    "h2": ("done", "c0ffee", None, None),
    "h3": ("dropped", None, "its head moved", 1),
}


def test_a_merge_of_an_older_version_goes_on_in_the_lane_of_its_project(
    tmp_path: Path, clock: ManualClock, session: Session
) -> None:
    older(tmp_path, clock)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:20])
        old = open_store("sqlite:ennio.db", tmp_path, clock)
    insert_session(old, session)
    text = (
        "INSERT INTO merges (session_id, number, head, method, fingerprint, at, state, "
        '"commit", error, attempts, held) VALUES (?, 7, ?, ?, ?, ?, ?, ?, ?, ?, ?)'
    )
    for head, (state, commit, error, attempts) in OLD_MERGES.items():
        at = clock.now().isoformat()
        told = (state, commit, error, attempts, "conflict")
        old._connection.sql(text, (session.id, head, "squash", head, at, *told))
    old.close()
    store = open_store("sqlite:ennio.db", tmp_path, clock)
    (merge,) = store.merges.open()
    assert (merge.head, merge.error, merge.attempts, merge.held) == ("h1", "not yet", 2, "conflict")
    done, dropped = store.merges.get(session.id, "h2"), store.merges.get(session.id, "h3")
    assert done
    assert dropped
    assert (done.state, done.commit) == (DeliveryState.DONE, "c0ffee")
    assert (dropped.state, dropped.error) == (DeliveryState.DROPPED, "its head moved")
    assert [row.lane for row in store.deliveries.open(DeliveryKind.MERGE)] == [session.project_id]
    assert not store.merges.intend(merge, session.project_id)
    assert store.merges.intend(replace(merge, head="h4", id=""), session.project_id), (
        "the numbers go on"
    )
    store.close()


UNDONE = (
    *(f"DROP TABLE {table}" for table in ("cursors", "deliveries", "project_reactions", "agents")),
    "DROP INDEX idx_merges_id",
    "ALTER TABLE merges DROP COLUMN id",
    *WITHOUT_ANSWERS,
    *WITHOUT_BOOKS,
    "ALTER TABLE messages DROP COLUMN carried",
    "ALTER TABLE messages DROP COLUMN by_person",
    *(
        f"ALTER TABLE messages ADD COLUMN {one} TEXT"
        for one in ("state", "started_at", "delivered_at", "error", "detail")
    ),
    "ALTER TABLE messages ADD COLUMN attempts BIGINT",
    "CREATE INDEX idx_messages_session_state ON messages(session_id, state, ordinal)",
    "CREATE INDEX idx_messages_state ON messages(state, ordinal)",
    "ALTER TABLE sessions DROP COLUMN host",
    *(f"ALTER TABLE notifications ADD COLUMN {one} TEXT" for one in ("sent", "failed")),
    "ALTER TABLE notifications ADD COLUMN attempts BIGINT",
    *UNPRUNED,
    *RESOLVED,
    *(f'ALTER TABLE merges ADD COLUMN "{one}" TEXT' for one in ("state", "commit", "error")),
    "CREATE INDEX idx_merges_state ON merges(state, at)",
    "DELETE FROM sequence WHERE name = 'deliveries'",
    "UPDATE schema_migrations SET version = 16",
)
"""What makes of a database of today the one there was before there were cursors and deliveries."""


@pytest.mark.real
def test_the_steps_to_deliveries_are_understood_by_both_databases(
    url: str, clock: ManualClock, session: Session
) -> None:
    new = open_store(url, Path(), clock)
    new.sessions.insert(session)
    sqlite = url.startswith("sqlite")
    newest = new.schema_version
    for statement in UNDONE:
        if not (sqlite and "schema_migrations" in statement):
            new._connection.sql(statement)
    if sqlite:
        new._connection.sql("DELETE FROM schema_migrations WHERE version > 16")
    at = clock.now().isoformat()
    rows = f"""
        INSERT INTO meta VALUES ('tracker:shop', '412');
        INSERT INTO reactions VALUES ('@shop', 'all-complete', 'y');
        INSERT INTO merges (session_id, number, head, method, fingerprint, at, state)
            VALUES ('{session.id}', 7, 'h1', 'squash', 'f', '{at}', 'intended');
        INSERT INTO notifications (id, ordinal, event_type, priority, session_id, project_id,
            message, at, channels, sent, failed, attempts) VALUES ('n-1', 1, 'x', 'info', '', '',
            'm', '{at}', '["a", "b"]', '["a"]', '{{"b": "refused: no"}}', 1);
    """  # noqa: S608 - our own words
    for statement in rows.split(";\n"):
        if statement.strip():
            new._connection.sql(statement)
    new.close()
    store = open_store(url, Path(), clock)
    assert store.schema_version == newest
    assert store.cursors.get("tracker:shop") == 412
    assert store.reactions.of_projects("all-complete") == {"shop": "y"}
    assert [merge.head for merge in store.merges.open()] == ["h1"]
    (notice,) = store.notifications.unrouted()
    assert (notice.sent, notice.refused, notice.failed) == (("a",), ("b",), {"b": "no"})
    assert store.deliveries.intend(PARCEL), "the numbers go on"
    store.close()
