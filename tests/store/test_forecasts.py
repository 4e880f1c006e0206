"""What was forecast of sessions, and what became of them, as rows that outlive the sessions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ennio.model.clock import ManualClock
from ennio.model.evidence import Evidence
from ennio.model.forecast import FinishedTask, TaskKind, TaskSize
from ennio.model.session import Session, SessionStatus, Usage
from ennio.store import Store, retention
from ennio.store.forecasts import MOST, ForecastRecord
from ennio.store.migrations import forecasts, in_words_of

Spawn = Callable[..., Session]
AT = datetime(2026, 11, 1, tzinfo=UTC)


def record(number: int, **changes: Any) -> ForecastRecord:
    """A session that ended so many minutes after the first."""
    known: dict[str, Any] = {
        "project_id": "my-app",
        "agent": "codex",
        "made_at": AT,
        "words": 10,
        "ended_at": AT + timedelta(minutes=number),
        "outcome": "merged",
        "seconds": number,
        "tokens": 100 * number,
        "cost_usd": Decimal(number) / 8,
    }
    return ForecastRecord(f"s-{number:05}", **(known | changes))


def test_a_row_is_as_it_was_kept(store: Store) -> None:
    kept = record(3, model="opus", silence=70)
    store.forecasts.save(kept)
    assert store.forecasts.get(kept.session_id) == kept
    assert store.forecasts.of([kept.session_id, "nobody"]) == (kept,)
    assert store.forecasts.of([]) == ()
    assert kept.finished == FinishedTask(
        TaskKind("my-app", "codex", "opus", TaskSize.SMALL), True, 3, 300, Decimal("0.375"), 70
    )


def test_what_has_ended_is_given_the_latest_first_and_what_has_not_is_left_out(
    store: Store,
) -> None:
    for number in (1, 3, 2):
        store.forecasts.save(record(number))
    store.forecasts.save(record(9, ended_at=None))
    assert [one.seconds for one in store.forecasts.finished()] == [3, 2, 1]
    again = store.forecasts.finished()
    assert again is store.forecasts.finished(), "read once"
    store.forecasts.save(record(9))
    assert [one.seconds for one in store.forecasts.finished()] == [9, 3, 2, 1]


def test_only_so_many_of_the_latest_count(store: Store) -> None:
    with store.transaction():
        for number in range(MOST + 5):
            store.forecasts.save(record(number))
    found = store.forecasts.finished()
    assert (len(found), found[0].seconds, found[-1].seconds) == (MOST, MOST + 4, 5)


def test_what_was_rolled_back_is_not_learned_from(store: Store) -> None:
    def fail() -> None:
        with store.transaction():
            store.forecasts.save(record(2))
            assert len(store.forecasts.finished()) == 2
            raise ZeroDivisionError

    store.forecasts.save(record(1))
    with pytest.raises(ZeroDivisionError):
        fail()
    assert [one.seconds for one in store.forecasts.finished()] == [1]


def test_of_silences_the_longest_is_kept(store: Store) -> None:
    store.forecasts.save(record(1))
    for seconds in (90, 400, 70):
        store.forecasts.silent("s-00001", seconds)
    store.forecasts.silent("nobody", 90)
    found = store.forecasts.get("s-00001")
    assert found is not None
    assert found.silence == 400


def test_those_that_have_ended_are_found_by_project_and_by_when_they_were_spawned(
    store: Store,
) -> None:
    store.forecasts.save(record(1))
    store.forecasts.save(record(2, project_id="docs", made_at=AT + timedelta(days=2)))

    def found(*which: Any) -> list[int | None]:
        return [one.seconds for one in store.forecasts.ended(*which)]

    assert found(None, None, None) == [2, 1]
    assert found("docs", None, None) == [2]
    assert found(None, AT + timedelta(days=1), None) == [2]
    assert found(None, None, AT + timedelta(days=2)) == [1]


def test_a_row_outlives_its_session(store: Store, spawn: Spawn) -> None:
    session = spawn(status=SessionStatus.KILLED, archived_at=AT)
    store.forecasts.save(replace(record(1), session_id=session.id))
    while not store.retention.forget_session(session.id):
        pass
    assert store.sessions.get(session.id) is None
    assert store.forecasts.get(session.id) is not None


def take_in(store: Store) -> None:
    words = store._connection.dialect.statements
    forecasts.take_in_the_past(
        lambda statement, *values: store._connection.sql(in_words_of(words, statement), *values)
    )


def test_sessions_that_ended_before_there_were_forecasts_are_learned_from(
    store: Store, spawn: Spawn, clock: ManualClock
) -> None:
    used = Usage(1000, 200, Decimal("0.125"), "opus")
    ended = spawn(
        "ma-1",
        status=SessionStatus.DONE,
        outcome="merged",
        agent_name="codex",
        prompt="Fix the flaky test",
        usage=used,
    )
    spawn("ma-2", status=SessionStatus.WORKING, prompt="Goes on")
    spawn("ma-3", status=SessionStatus.KILLED, issue_id="7", usage=replace(used, unpriced=1))
    for seconds, status in ((60, SessionStatus.MERGED), (900, SessionStatus.DONE)):
        at = clock.now() + timedelta(seconds=seconds)
        store.evidence.add(ended.id, Evidence(at, status, "because"))
    killed = Evidence(clock.now() + timedelta(seconds=30), SessionStatus.KILLED, "because")
    store.evidence.add("ma-3", killed)
    take_in(store)
    assert store.forecasts.finished() == (
        FinishedTask(
            TaskKind("my-app", "codex", "opus", TaskSize.SMALL), True, 60, 1200, Decimal("0.125")
        ),
        FinishedTask(TaskKind("my-app", "", "opus", None), False, 30, 1200, None),
    )
    assert store.forecasts.get("ma-2") is None


@pytest.mark.parametrize(
    "info",
    [
        "null",
        "[]",
        "{",
        '{"cost": 7}',
        '{"cost": {"input_tokens": "many", "cost_usd": "dear", "model": 5}}',
    ],
)
def test_what_an_older_version_wrote_of_an_agent_stands_in_nobodys_way(
    store: Store, spawn: Spawn, clock: ManualClock, info: str
) -> None:
    spawn("ma-1", status=SessionStatus.KILLED)
    store.evidence.add("ma-1", Evidence(clock.now(), SessionStatus.KILLED, "because"))
    words = store._connection.dialect.statements
    store._connection.sql(in_words_of(words, "UPDATE sessions SET agent_info = ?"), (info,))
    take_in(store)
    (found,) = store.forecasts.finished()
    assert (found.tokens, found.cost_usd, found.kind.model) == (None, None, None)


def test_those_from_which_nothing_is_foretold_any_more_go_a_few_at_a_time(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "FORETOLD_FROM", 3)
    monkeypatch.setattr(retention, "STEP", 2)
    with store.transaction():
        for number in range(8):
            store.forecasts.save(record(number))
        store.forecasts.save(record(9, ended_at=None))
    gone = [store.retention.forget_forecasts() for _ in range(4)]
    assert gone == [2, 2, 1, 0]
    kept = [number for number in range(10) if store.forecasts.get(f"s-{number:05}")]
    assert kept == [5, 6, 7, 9], "of the latest that ended, and of one that has not"
