"""The log is read from any cursor, in both directions, with every filter."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ennio.http.selection import EventSelection
from ennio.model.clock import ManualClock
from ennio.model.errors import Refused
from ennio.model.events import Draft, EventType
from ennio.model.session import Priority, Session
from ennio.model.subjects import subject
from ennio.store import Store
from tests.properties import examples

KINDS = (EventType.SESSION_SPAWNED, EventType.CI_FAILING, EventType.NODE_CONNECTED)
PRIORITIES = tuple(Priority)
SESSIONS = ("a", "b", "")


@pytest.fixture
def log(store: Store, spawn: Callable[..., Session], clock: ManualClock) -> Store:
    """Twenty-four events, their kinds, priorities and sessions turning at different pace."""
    spawn("a")
    spawn("b", project_id="other")
    with store.transaction() as transaction:
        for number in range(24):
            clock.advance(1)
            session_id = SESSIONS[number % 3]
            project_id = "my-app" if number % 3 != 1 else "other"
            transaction.emit(
                session_id,
                project_id,
                Draft(KINDS[number // 2 % 3], f"no {number + 1}", PRIORITIES[number % 4]),
            )
    return store


def _all(store: Store) -> list[int]:
    return [event.seq for event in store.events.after(0)]


def test_a_cursor_reads_on_without_gap_or_repetition(log: Store) -> None:
    seen: list[int] = []
    while batch := log.events.after(seen[-1] if seen else 0, limit=7):
        seen += [event.seq for event in batch]
    assert seen == list(range(1, 25))


def test_reading_backwards_is_newest_first_from_the_end_or_a_cursor(log: Store) -> None:
    assert [event.seq for event in log.events.before(None, 3)] == [24, 23, 22]
    assert [event.seq for event in log.events.before(22, 3)] == [21, 20, 19]
    assert log.events.before(1) == []


@pytest.mark.parametrize(
    "filters",
    [
        {"session_id": "a"},
        {"session_id": ""},
        {"project_id": "other"},
        {"types": [EventType.CI_FAILING]},
        {"types": ["ci_failing", "node_connected"], "min_priority": Priority.URGENT},
        {"types": []},
        {"min_priority": Priority.CRITICAL},
        {"min_priority": Priority.INFO},
        {
            "session_id": "b",
            "project_id": "other",
            "types": {"session_spawned"},
            "min_priority": Priority.ACTION,
        },
    ],
)
def test_filters_select_the_same_forwards_and_backwards_as_one_would_by_hand(
    log: Store, filters: dict[str, object]
) -> None:
    least = filters.get("min_priority", Priority.INFO)
    expected = [
        event
        for event in log.events.after(0)
        if event.session_id == filters.get("session_id", event.session_id)
        and event.project_id == filters.get("project_id", event.project_id)
        and ("types" not in filters or event.event_type in filters["types"])  # type: ignore[operator]
        and event.priority.rank >= least.rank  # type: ignore[attr-defined]
    ]
    assert log.events.after(0, **filters) == expected  # type: ignore[arg-type]
    assert log.events.before(None, **filters) == expected[::-1]  # type: ignore[arg-type]
    assert (
        log.events.after(5, limit=2, **filters)
        == [event for event in expected if event.seq > 5][:2]
    )  # type: ignore[arg-type]


def test_the_last_events_of_a_session_or_project_come_oldest_first(log: Store) -> None:
    assert [event.seq for event in log.events.list_by_session("a", limit=2)] == [19, 22]
    assert [event.seq for event in log.events.list_by_project("other", limit=2)] == [20, 23]


def test_an_event_is_found_by_id_whether_it_has_a_session_or_not(log: Store) -> None:
    for event in log.events.after(0, limit=3):
        assert log.events.get(event.id) == event
    assert log.events.get("nothing") is None


def test_events_are_counted_by_type(log: Store) -> None:
    assert log.events.counts() == {"session_spawned": 8, "ci_failing": 8, "node_connected": 8}
    assert sum(log.events.counts("a").values()) == 8
    assert log.events.counts("nobody") == {}


def test_the_ends_of_the_log_are_known_and_numbers_are_never_given_again(log: Store) -> None:
    assert (log.events.first_seq(), log.events.last_seq()) == (1, 24)
    log._connection.sql("DELETE FROM events")
    log._connection.sql("DELETE FROM house_events")
    assert (log.events.first_seq(), log.events.last_seq()) == (0, 24)
    with log.transaction() as transaction:
        assert transaction.emit("", "my-app", Draft(EventType.ALL_COMPLETE, "x")).seq == 25


def test_an_empty_log_starts_at_nothing(store: Store) -> None:
    assert (store.events.first_seq(), store.events.last_seq(), _all(store)) == (0, 0, [])


def test_an_event_is_encoded_after_storage_as_before(log: Store) -> None:
    with log.transaction() as transaction:
        event = transaction.emit(
            "a",
            "my-app",
            Draft(EventType.PR_CREATED, "größer", data={"number": 7, "nested": {"x": None}}),
        )
    stored = log.events.get(event.id)
    assert stored is not None
    assert stored.encode() == event.encode()


def test_data_of_another_shape_than_an_object_is_still_readable(log: Store) -> None:
    log._connection.sql("UPDATE events SET data = '[1]' WHERE seq = 1")
    assert log.events.after(0, limit=1)[0].data == {"value": [1]}


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
WAYS: tuple[dict[str, Any], ...] = (
    {"ensure_ascii": False, "separators": (",", ":")},
    {"ensure_ascii": True},
    {"ensure_ascii": False, "indent": 2},
)
"""How JSON may have been written into the log: as we do, and by other hands."""


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(PRIORITIES), TEXTS, TEXTS, st.dictionaries(TEXTS, VALUES, max_size=4))
def test_what_lies_in_the_log_is_passed_on_as_it_is_written_and_as_documented(
    store: Store, priority: Priority, project: str, words: str, data: dict[str, Any]
) -> None:
    with store.transaction() as tx:
        told = tx.emit("", project, Draft(EventType.NODE_CONNECTED, words, priority, data))
    (stored,) = store.events.after(told.seq - 1)
    (passed,) = store.events.encoded_after(told.seq - 1, 10)
    anew = json.dumps(stored.as_json(), ensure_ascii=False, separators=(",", ":")).encode()
    assert passed.payload == stored.encode() == told.encode() == anew
    assert (passed.seq, passed.id, passed.data) == (stored.seq, stored.id, stored.data)
    assert subject(passed) == subject(stored)


TIMES = ("2026-11-28T01:02:03.000004+00:00", "2026-11-28 01:02:03", "2026-11-28T03:02:03+02:00")


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(WAYS), st.sampled_from(TIMES), VALUES)
def test_what_another_hand_wrote_into_the_log_is_passed_on_as_the_same_document_on_one_line(
    store: Store, way: dict[str, Any], at: str, value: Any
) -> None:
    if not store.events.last_seq():
        with store.transaction() as tx:
            tx.emit("", "my-app", Draft(EventType.CONFIG_REFUSED, "words"))
    text = json.dumps(value, **way).replace("'", "''")
    if store._connection.dialect.apart:  # a server, whose driver takes a % for a place
        text = text.replace("%", "%%")
    store._connection.sql(f"UPDATE house_events SET timestamp = '{at}', data = '{text}'")  # noqa: S608
    (stored,) = store.events.after(0)
    (passed,) = store.events.encoded_after(0, 10)
    assert json.loads(passed.payload) == json.loads(stored.encode()) == stored.as_json()
    assert len(passed.payload.splitlines()) == 1


@pytest.mark.parametrize(
    "column", ["data = 'half {'", "timestamp = '2026-13-28'", "priority = 'none'"]
)
def test_a_row_that_cannot_be_read_is_not_passed_on(log: Store, column: str) -> None:
    log._connection.sql(f"UPDATE events SET {column} WHERE seq = 1")  # noqa: S608
    for read in (lambda: log.events.after(0), lambda: log.events.encoded_after(0, 10)):
        with pytest.raises(Refused, match="cannot be read"):
            read()


WORDS = ("50% done", "a_b", "AxB", "say !%_ now", "ÄRGER", "Zeile \\ Ende", "it's", "NONE")


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.one_of(st.sampled_from(WORDS), st.text(min_size=1, max_size=4)))
def test_words_are_found_as_the_stream_finds_them(
    store: Store, spawn: Callable[..., Session], text: str
) -> None:
    assume("\x00" not in text and not any("\ud800" <= one <= "\udfff" for one in text))
    if store.sessions.get("a") is None:
        spawn("a")
        with store.transaction() as transaction:
            for words in (*WORDS, *map(str.lower, WORDS)):
                transaction.emit("a", "my-app", Draft(EventType.CI_FAILING, words))
    wanted = EventSelection(text=text)
    expected = [event for event in store.events.after(0) if wanted.wants(event)]
    assert store.events.after(0, text=text) == expected
    assert store.events.before(None, text=text) == expected[::-1]
