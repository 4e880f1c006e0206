"""Messages, reactions, merges, notices and the queue: on disk before they
happen, and never twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ennio.model.clock import ManualClock
from ennio.model.delivery import DeliveryKind, DeliveryState
from ennio.model.errors import Conflict, NotFound
from ennio.model.message import Message, MessageState, Origin
from ennio.model.pulls import MergeMethod
from ennio.model.session import Priority, Session
from ennio.policy import delivering
from ennio.store import Merge, Notice, ReactionRecord, Store, Waiting, migrations, open_store
from tests.store.older import insert_session

Spawn = Callable[..., Session]


@pytest.fixture
def message(clock: ManualClock, spawn: Spawn) -> Message:
    spawn("a")
    spawn("b")
    return Message(
        id="m-1",
        session_id="a",
        text="fix $(it)\n",
        origin=Origin.REACTION,
        created_at=clock.now(),
        fingerprint="sha:lint",
    )


def test_a_message_comes_back_as_it_was(store: Store, message: Message, clock: ManualClock) -> None:
    now = clock.now()
    assert store.messages.add(message)
    assert store.messages.get("m-1") == message
    taken = store.messages.take(message, 2, now)
    assert taken == replace(
        message, state=MessageState.SENDING, started_at=now, attempts=1, launch=2
    )
    failed = replace(
        taken, state=MessageState.FAILED, error="no", detail="d", carried=True, by_person=True
    )
    store.messages.settle(taken, failed, now)
    assert store.messages.get("m-1") == failed
    full = replace(
        message,
        id="m-2",
        fingerprint=None,
        state=MessageState.DELIVERED,
        reaction="ci-failed",
        delivered_at=now,
        detail="d",
    )
    assert store.messages.add(full)
    assert store.messages.get("m-2") == full
    assert store.messages.get("other") is None


def test_a_message_that_a_command_line_carried_is_told_from_its_words_once(
    tmp_path: Path, session: Session
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:23])
        old = open_store("sqlite:ennio.db", tmp_path, ManualClock())
    insert_session(old, session)
    columns = "id, ordinal, session_id, text, origin, created_at, state, detail"
    for ordinal, detail in enumerate(("given with the command line", "not yet seen"), start=1):
        values = (
            f"m-{ordinal}",
            ordinal,
            session.id,
            "do it",
            "prompt",
            "2026-01-01T00:00:00+00:00",
            "sent_unsure",
            detail,
        )
        old._connection.sql(
            f"INSERT INTO messages ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            values,
        )
    old.close()
    store = open_store("sqlite:ennio.db", tmp_path, ManualClock())
    assert [message.carried for message in store.messages.list(session.id)] == [True, False]
    store.close()


def test_incident_24_the_same_fingerprint_is_taken_once_per_session(
    store: Store, message: Message
) -> None:
    assert store.messages.add(message)
    assert not store.messages.add(replace(message, id="m-2", text="other words"))
    assert store.messages.add(replace(message, id="m-3", session_id="b"))
    assert store.messages.list("a") == (message,)


def test_a_fingerprint_stays_taken_whatever_became_of_its_message(
    store: Store, message: Message
) -> None:
    store.messages.add(message)
    for state in MessageState:
        store.messages.settle(message, message := replace(message, state=state), message.created_at)
        assert not store.messages.add(replace(message, id="m-2"))


def test_messages_without_a_fingerprint_are_all_taken_but_an_id_only_once(
    store: Store, message: Message
) -> None:
    plain = replace(message, fingerprint=None, origin=Origin.PERSON)
    assert store.messages.add(plain)
    assert store.messages.add(replace(plain, id="m-2"))
    assert not store.messages.add(plain)
    assert len(store.messages.list("a")) == 2


def test_pending_messages_come_in_the_order_they_were_queued_even_within_one_moment(
    store: Store, message: Message
) -> None:
    states = (*MessageState, *MessageState)
    ids = [f"m-{9 - number}{state}" for number, state in enumerate(states)]
    for message_id, state in zip(ids, states, strict=True):
        store.messages.add(replace(message, id=message_id, state=state, fingerprint=None))
    first = replace(message, id=ids[0], state=states[0], fingerprint=None)
    store.messages.settle(first, replace(first, attempts=1), message.created_at)
    assert [found.id for found in store.messages.list("a")] == ids
    assert [found.id for found in store.messages.pending("a")] == [*ids[:3], *ids[6:9]]
    assert store.messages.pending("b") == ()
    oldest = store.messages.next("a")
    assert oldest is not None
    assert (oldest.id, oldest.attempts) == (ids[0], 1)
    assert {session_id: found.id for session_id, found in store.messages.waiting().items()} == {
        "a": ids[0]
    }
    assert store.messages.next("b") is None


def test_a_message_is_taken_by_one(store: Store, message: Message, clock: ManualClock) -> None:
    store.messages.add(message)
    taken = store.messages.take(message, 1, clock.now())
    with pytest.raises(Conflict, match="somebody else has it by now"):
        store.messages.take(message, 7, clock.now())
    with pytest.raises(Conflict, match="somebody else has it by now"):
        store.messages.settle(
            message, replace(message, state=MessageState.DROPPED, carried=True), clock.now()
        )
    assert store.messages.get(message.id) == taken


def test_how_far_a_message_got_is_a_delivery_in_the_lane_of_its_session(
    store: Store, message: Message, clock: ManualClock
) -> None:
    store.messages.add(message)
    for shown, state in zip(
        MessageState, ("intended", "doing", "unsure", "done", "failed", "dropped"), strict=True
    ):
        store.messages.settle(message, message := replace(message, state=shown), clock.now())
        delivery = store.deliveries.get(DeliveryKind.MESSAGE, message.id, "a")
        assert delivery is not None
        assert (delivery.state.value, delivery.settled_at is None) == (state, shown.pending)


def test_what_is_left_of_a_message_whose_session_is_deleted_is_asked_for_by_nobody(
    store: Store, message: Message
) -> None:
    store.messages.add(message)
    store._connection.sql("DELETE FROM sessions WHERE id = 'a'")
    assert (store.messages.next("a"), store.messages.pending("a"), store.messages.waiting()) == (
        None,
        (),
        {},
    )


def test_a_message_to_an_unknown_session_is_not_kept(store: Store, message: Message) -> None:
    with pytest.raises(NotFound, match="no session nobody"):
        store.messages.add(replace(message, session_id="nobody"))


def test_reactions_remember_per_session_and_key_and_for_a_whole_project(store: Store) -> None:
    store.reactions.save("a", "ci-failed", "1")
    store.reactions.save("a", "ci-failed", "2")
    store.reactions.save("a", "agent-stuck", "x")
    store.reactions.save_of_project("shop", "all-complete", "x")
    store.reactions.save_of_project("shop", "all-complete", "y")
    assert store.reactions.get("a", "ci-failed") == "2"
    assert store.reactions.get("b", "ci-failed") is None
    assert store.reactions.list("a") == {"ci-failed": "2", "agent-stuck": "x"}
    assert store.reactions.all() == {("a", "ci-failed"): "2", ("a", "agent-stuck"): "x"}
    assert store.reactions.of_projects("all-complete") == {"shop": "y"}


def test_what_was_remembered_of_a_project_as_if_it_were_a_session_is_its_own(
    tmp_path: Path,
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:24])
        old = open_store("sqlite:ennio.db", tmp_path, ManualClock())
    old.reactions.save("@shop", "all-complete", "y")
    old.reactions.save("s-1", "ci-failed", "x")
    old.close()
    store = open_store("sqlite:ennio.db", tmp_path, ManualClock())
    assert store.reactions.of_projects("all-complete") == {"shop": "y"}
    assert store.reactions.all() == {("s-1", "ci-failed"): "x"}
    store.close()


def test_incident_31_what_a_reaction_did_and_why_is_kept_in_order(
    store: Store, clock: ManualClock
) -> None:
    records = [
        ReactionRecord(
            f"r-{number}",
            "ab"[number % 2],
            "ci-failed",
            clock.now(),
            "send_to_agent",
            number,
            "f",
            "skipped",
            "the same check run",
        )
        for number in range(4)
    ]
    for record in records:
        store.reactions.record(record)
    assert store.reactions.history() == tuple(records[::-1])
    assert store.reactions.history("a") == (records[2], records[0])
    assert store.reactions.history(limit=1) == (records[3],)
    with pytest.raises(Conflict, match="r-0"):
        store.reactions.record(records[0])


def test_a_merge_is_intended_once_per_head_and_open_until_its_end_is_known(
    store: Store, spawn: Spawn, clock: ManualClock
) -> None:
    spawn("a")
    merge = Merge("a", 7, "abc", MergeMethod.SQUASH, "f", clock.now(), id="m-1")
    second = replace(merge, head="def", id="m-2", at=clock.now() + timedelta(seconds=1))
    assert store.merges.intend(merge, "p")
    assert store.merges.intend(second, "p")
    assert not store.merges.intend(replace(merge, method=MergeMethod.REBASE), "p")
    assert store.merges.open() == (merge, second)
    for delivery in store.deliveries.open(DeliveryKind.MERGE, "p"):
        done = store.merges.of(delivery) == merge
        state, result = (DeliveryState.DONE, "c0ffee") if done else (DeliveryState.DROPPED, None)
        store.deliveries.settle(
            delivery, delivering.settled(delivery, state, clock.now(), result=result)
        )
    waiting = replace(merge, held="conflict", held_since=clock.now(), attempts=2, handed=True)
    store.merges.save(waiting)
    assert store.merges.get("a", "abc") == replace(
        waiting, state=DeliveryState.DONE, commit="c0ffee"
    )
    assert store.merges.get("a", "fed") is None
    assert store.merges.open() == ()


def test_incident_32_a_notice_is_taken_once_and_pending_until_done(
    store: Store, clock: ManualClock
) -> None:
    notice = Notice(
        "n-1",
        "reaction_escalated",
        Priority.URGENT,
        "a",
        "p",
        "look",
        clock.now(),
        fingerprint="f",
        channels=("slack", "desk"),
    )
    plain = replace(notice, id="n-0", fingerprint=None)
    assert store.notifications.add(notice)
    assert not store.notifications.add(replace(notice, id="n-2"))
    assert store.notifications.add(plain)
    assert store.notifications.add(replace(plain, id="n-3"))
    assert [found.id for found in store.notifications.pending()] == ["n-1", "n-0", "n-3"]
    done = replace(notice, done_at=clock.now())
    store.notifications.save(done)
    assert store.notifications.get("n-1") == done
    assert [found.id for found in store.notifications.pending()] == ["n-0", "n-3"]
    assert [found.id for found in store.notifications.list(2)] == ["n-3", "n-0"]


def test_the_queue_is_by_priority_then_position_then_patience(
    store: Store, spawn: Spawn, clock: ManualClock
) -> None:
    now = clock.now()

    def wait(
        session_id: str, priority: int, position: int, seconds: int, held: bool = False
    ) -> Waiting:
        spawn(session_id)
        return Waiting(
            session_id,
            "my-app",
            priority,
            position,
            held,
            now + timedelta(seconds=seconds),
            "max_sessions",
        )

    order = [
        wait("urgent", 5, 9, 9),
        wait("first", 0, 1, 8),
        wait("patient", 0, 2, 1, held=True),
        wait("late", 0, 2, 2),
    ]
    for waiting in reversed(order):
        assert store.queue.add(waiting)
    assert store.queue.list() == tuple(order)
    assert not store.queue.add(replace(order[0], priority=0))
    assert store.queue.change(replace(order[0], priority=-1))
    assert [waiting.session_id for waiting in store.queue.list()] == [
        "first",
        "patient",
        "late",
        "urgent",
    ]
    assert store.queue.remove("first")
    assert not store.queue.remove("first")
    assert store.queue.get("first") is None
    assert store.queue.get("patient") == order[2]


def test_who_left_the_queue_is_not_put_back_by_a_change_of_its_place(
    store: Store, spawn: Spawn, clock: ManualClock
) -> None:
    spawn("a")
    waiting = Waiting("a", "my-app", 0, 0, False, clock.now(), "")
    store.queue.add(waiting)
    assert store.queue.remove("a")
    assert not store.queue.change(replace(waiting, reason="2 of 2 sessions"))
    assert store.queue.list() == ()


def test_of_several_who_take_the_same_place_one_is_told_that_it_did(
    store: Store, spawn: Spawn, clock: ManualClock
) -> None:
    spawn("a")
    store.queue.add(Waiting("a", "my-app", 0, 0, False, clock.now(), ""))
    took: list[bool] = []
    threads = [
        threading.Thread(target=lambda: took.append(store.queue.remove("a"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(took) == [False] * 7 + [True]
