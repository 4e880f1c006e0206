"""State is a field, a column or a row: what older versions kept in texts and under
made-up keys is brought over.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ennio.model import codec
from ennio.model.clock import ManualClock, rfc3339
from ennio.model.delivery import DeliveryKind, DeliveryRecord, DeliveryState
from ennio.model.errors import NotFound
from ennio.model.message import PERSON, MessageState
from ennio.model.pulls import CheckState, MergeMethod, PullState, ReviewState
from ennio.model.session import Session
from ennio.policy.lifecycle import LifecycleState
from ennio.policy.reactions import ReactionState, SeenItem
from ennio.store import Merge, Store, open_store
from ennio.store.agents import AgentRecord
from tests.store.older import RESOLVED, UNPRUNED, WITHOUT_ANSWERS, WITHOUT_BOOKS, go_back

Spawn = Callable[..., Session]
UNDONE = (
    *WITHOUT_ANSWERS,
    *WITHOUT_BOOKS,
    *UNPRUNED,
    *RESOLVED,
    "DROP TABLE agents",
    "DROP INDEX idx_merges_id",
    "ALTER TABLE merges DROP COLUMN id",
    "DROP INDEX idx_deliveries_lane",
    "ALTER TABLE messages DROP COLUMN by_person",
    *(
        f"ALTER TABLE messages ADD COLUMN {one} TEXT"
        for one in ("state", "started_at", "delivered_at", "error", "detail")
    ),
    "ALTER TABLE messages ADD COLUMN attempts INTEGER",
    "CREATE INDEX idx_messages_session_state ON messages(session_id, state, ordinal)",
    "CREATE INDEX idx_messages_state ON messages(state, ordinal)",
)
"""What makes of a database of today one of version 26."""


@pytest.fixture
def migrated(
    url: str, tmp_path: Path, clock: ManualClock, session: Session
) -> Callable[[Callable[[Store], Any]], Store]:
    """A database of version 26 in which something was done, opened by today's."""

    def opened(before: Callable[[Store], Any]) -> Store:
        store = open_store(url, tmp_path, clock)
        store.sessions.insert(session)
        for statement in UNDONE:
            store._connection.sql(statement)
        before(store)
        go_back(store, 26)
        return open_store(url, tmp_path, clock)

    return opened


Migrated = Callable[[Callable[[Store], Any]], Store]


@pytest.mark.parametrize(
    ("old", "checks", "head"),
    [
        ("c0ffee:failing", CheckState.FAILING, "c0ffee"),
        ("c0ffee:passing", CheckState.PASSING, "c0ffee"),
        ("", None, None),
    ],
)
def test_what_was_told_of_checks_and_of_which_head_are_two_fields(
    migrated: Migrated, old: str, checks: CheckState | None, head: str | None
) -> None:
    text = {
        "status": "working",
        "status_since": "2026-01-01T00:00:00+00:00",
        "checks": old,
        "review": "",
        "pull_state": "open",
    }
    store = migrated(lambda store: store.memories.save("ma-1", json.dumps(text)))
    state = codec.loads(LifecycleState, store.memories.get("ma-1") or "")
    store.close()
    assert (state.checks, state.checks_head) == (checks, head)
    assert (state.review, state.pull_state, state.by_push) == (None, PullState.OPEN, False)


def test_that_a_push_merged_it_is_a_field_and_no_words_of_a_rule(migrated: Migrated) -> None:
    rule = (
        "pull request #7 is merged by a push, not by a merge of Ennio's: perhaps nobody has "
        "reviewed it"
    )
    text = {
        "status": "merged",
        "status_since": "2026-01-01T00:00:00+00:00",
        "rule": rule,
        "review": "required",
        "pull_state": "merged",
    }
    store = migrated(lambda store: store.memories.save("ma-1", json.dumps(text)))
    state = codec.loads(LifecycleState, store.memories.get("ma-1") or "")
    store.close()
    assert (state.by_push, state.review, state.pull_state) == (
        True,
        ReviewState.REQUIRED,
        PullState.MERGED,
    )


def test_a_state_that_is_no_object_is_left_as_it_stands(migrated: Migrated) -> None:
    store = migrated(lambda store: store.memories.save("ma-1", "[]"))
    assert store.memories.get("ma-1") == "[]"
    store.close()


def test_keys_that_named_a_session_are_columns_of_its_agent(migrated: Migrated) -> None:
    def before(store: Store) -> None:
        for key, value in {
            "cursor:ma-1": '{"at":"12"}',
            "bell:ma-1": "d1gest",
            "draft:ma-1": "half a sent",
            "bell:gone": "of a session that is deleted",
            "instance": "of nobody",
        }.items():
            store.meta.set(key, value)

    store = migrated(before)
    assert store.agents.get("ma-1") == AgentRecord("ma-1", {"at": "12"}, "d1gest", "half a sent")
    kept = [
        store.meta.get(key)
        for key in ("cursor:ma-1", "bell:ma-1", "draft:ma-1", "bell:gone", "instance")
    ]
    assert kept == [None, None, None, None, "of nobody"]
    store.close()


def test_a_merge_keeps_its_delivery_by_an_id(migrated: Migrated, clock: ManualClock) -> None:
    def before(store: Store) -> None:
        said = {"method": "squash", "fingerprint": "f", "at": rfc3339(clock.now())}
        _add(store, "merges", session_id="ma-1", number=7, head="head/with/slashes", **said)
        store.deliveries.intend(
            DeliveryRecord(DeliveryKind.MERGE, "ma-1/head/with/slashes", "my-app")
        )

    store = migrated(before)
    (merge,) = store.merges.open()
    assert (merge.head, merge.state) == ("head/with/slashes", DeliveryState.INTENDED)
    assert store.merges.get("ma-1", merge.head) == merge
    assert (
        store.merges.of(DeliveryRecord(DeliveryKind.MERGE, merge.id, "my-app")).head == merge.head
    )
    store.close()


def _add(store: Store, table: str, **values: Any) -> None:
    marks = ", ".join([store._connection.dialect.statements.param] * len(values))
    columns = ", ".join(values)
    row = f"INSERT INTO {table} ({columns}) VALUES ({marks})"  # noqa: S608 - our own names
    store._connection.sql(row, tuple(values.values()))


AT = "2026-01-01T00:00:00.000000+00:00"
OLD = {
    "m-1": {
        "state": "delivered",
        "detail": "the agent says so",
        "attempts": 1,
        "started_at": AT,
        "delivered_at": AT,
        "launch": 1,
    },
    "m-2": {"state": "failed", "error": "gone", "detail": "typed", "attempts": 5, "started_at": AT},
    "m-3": {"state": "dropped", "detail": "the session has ended", "attempts": 0},
    "m-4": {
        "state": "sent_unsure",
        "detail": "not yet",
        "attempts": 1,
        "started_at": AT,
        "launch": 2,
        "carried": 1,
    },
    "m-5": {"state": "sending", "detail": "", "attempts": 2, "started_at": AT, "launch": 2},
    "m-6": {"state": "queued", "detail": PERSON, "attempts": 0},
    "m-7": {"state": "queued", "detail": "", "attempts": 0},
}


def test_messages_are_shown_as_they_were_and_their_deliveries_go_on_after_those_there_are(
    migrated: Migrated,
) -> None:
    def before(store: Store) -> None:
        store.deliveries.intend(DeliveryRecord(DeliveryKind.NOTICE, "n-1", "slack"))
        for ordinal, (message_id, values) in enumerate(OLD.items(), start=1):
            said = {
                "session_id": "ma-1",
                "text": f"do {message_id}",
                "origin": "person",
                "created_at": AT,
            }
            _add(store, "messages", id=message_id, ordinal=ordinal, **said, **values)
        _add(store, "sequence", name="messages", value=len(OLD))

    store = migrated(before)
    for message, (message_id, values) in zip(store.messages.list("ma-1"), OLD.items(), strict=True):
        shown = codec.to_json(message)
        assert (message.id, message.text) == (message_id, f"do {message_id}")
        assert {name: shown[name] for name in values} == values
        assert message.by_person == (message.detail == PERSON)
    assert [message.id for message in store.messages.pending("ma-1")] == [
        "m-4",
        "m-5",
        "m-6",
        "m-7",
    ]
    first = store.messages.next("ma-1")
    assert first is not None
    assert (first.state, first.carried) == (MessageState.SENT_UNSURE, True)
    assert store.deliveries.intend(DeliveryRecord(DeliveryKind.NOTICE, "n-2", "slack")), (
        "the numbers go on"
    )
    assert store.messages.add(replace(first, id="m-8"))
    assert store.messages.pending("ma-1")[-1].id == "m-8"
    store.close()


def test_what_reactions_saw_and_in_which_words_are_two_fields(migrated: Migrated) -> None:
    edition = f"{7:012x}"
    old = {
        "episode": 2,
        "attempts": 1,
        "told": ["h1:lint,test", "c-1", f"c-2~{edition}", "odd~name"],
        "passed_over": [f"c-3~{edition}"],
        "edited": ["c-2"],
    }

    def before(store: Store) -> None:
        store.reactions.save("ma-1", "changes-requested", json.dumps(old))
        store.reactions.save("ma-1", "ci-failed", "no object")
        store.reactions.save_of_project("shop", "all-complete", json.dumps({"told": ["episode-1"]}))

    store = migrated(before)
    state = codec.loads(ReactionState, store.reactions.get("ma-1", "changes-requested") or "")
    assert state.told == (
        SeenItem("h1:lint,test"),
        SeenItem("c-1"),
        SeenItem("c-2", edition),
        SeenItem("odd~name"),
    )
    assert [str(item) for item in state.told] == old["told"], "fingerprints stay what they were"
    assert (state.passed_over, state.edited) == ((SeenItem("c-3", edition),), ("c-2",))
    assert store.reactions.get("ma-1", "ci-failed") == "no object"
    (text,) = store.reactions.of_projects("all-complete").values()
    assert codec.loads(ReactionState, text).told == (SeenItem("episode-1"),)
    store.close()


def _merge(head: str, at: datetime, merge_id: str = "") -> Merge:
    return Merge("ma-1", 7, head, MergeMethod.SQUASH, f"f-{head}", at, id=merge_id)


def test_each_merge_has_an_id_of_its_own(store: Store, clock: ManualClock, spawn: Spawn) -> None:
    spawn()
    for head in ("a", "b"):
        assert store.merges.intend(_merge(head, clock.now()), "my-app")
    assert len({merge.id for merge in store.merges.open()} - {""}) == 2


def test_what_is_kept_of_an_agent_is_written_one_by_one_and_goes_with_its_session(
    store: Store, spawn: Spawn
) -> None:
    spawn()
    assert store.agents.get("ma-1") == AgentRecord("ma-1")
    store.agents.save_hook_digest("ma-1", "d")
    store.agents.save_draft("ma-1", "mine")
    store.agents.save_read_to("ma-1", {"file": "7"})
    assert store.agents.get("ma-1") == AgentRecord("ma-1", {"file": "7"}, "d", "mine")
    store.agents.save_draft("ma-1", None)
    assert store.agents.get("ma-1") == AgentRecord("ma-1", {"file": "7"}, "d", None)
    store._connection.sql("DELETE FROM sessions")
    assert store.agents.get("ma-1") == AgentRecord("ma-1")


def test_nothing_is_kept_of_an_agent_whose_session_nobody_knows(store: Store) -> None:
    with pytest.raises(NotFound, match="nobody"):
        store.agents.save_draft("nobody", "mine")


def test_forgetting_an_agent_twice_is_fine(store: Store, spawn: Spawn) -> None:
    spawn()
    store.agents.save_draft("ma-1", "mine")
    store.agents.forget("ma-1")
    store.agents.forget("ma-1")
    assert store.agents.get("ma-1") == AgentRecord("ma-1")
