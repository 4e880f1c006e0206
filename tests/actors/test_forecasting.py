"""Sessions are forecast from those that have ended, and what becomes of them is learned from."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ennio.actors.spawning import SpawnRequest
from ennio.model.forecast import TaskForecast, TaskSize
from ennio.model.pulls import CheckState
from ennio.model.session import Activity, SessionStatus, Usage
from ennio.store.forecasts import ForecastRecord
from tests.actors.ground import Stage
from tests.conftest import eventually


def remember(stage: Stage, many: int, **changes: Any) -> None:
    """So many sessions have ended; the first cost a dollar, each one a dollar more."""
    now = stage.clock.now()
    for number in range(1, many + 1):
        known: dict[str, Any] = {
            "project_id": "play",
            "agent": "stub",
            "made_at": now,
            "words": 2,
            "ended_at": now,
            "outcome": "merged",
            "seconds": 60 * number,
            "tokens": 100_000 * number,
            "cost_usd": Decimal(number),
            "silence": 60 * number,
        }
        record = ForecastRecord(
            session_id=f"{changes.get('agent', 'old')}-{number}", **(known | changes)
        )
        stage.deps.store.forecasts.save(record)


def kept(stage: Stage, session_id: str) -> ForecastRecord:
    found = stage.deps.store.forecasts.get(session_id)
    assert found is not None
    return found


def preview(stage: Stage, prompt: str = "Do it") -> TaskForecast:
    told = stage.orchestrator.sessions.preview(SpawnRequest("play", prompt=prompt)).forecast
    assert told is not None
    return told


def test_a_spawn_is_forecast_once_ten_have_ended(stage: Stage) -> None:
    remember(stage, 9)
    told = preview(stage)
    assert (told.cost.n, told.cost.quantiles) == (9, None)
    remember(stage, 11)
    told = preview(stage)
    assert told.cost.quantiles is not None
    assert (told.cost.quantiles.p50_usd, told.cost.n) == (Decimal(6), 11)
    assert told.cost.group.size is TaskSize.SMALL
    assert told.seconds.quantiles is not None
    assert told.seconds.quantiles.p50 == 360


def test_a_task_of_another_size_is_forecast_from_all_sizes_and_says_so(stage: Stage) -> None:
    remember(stage, 11)
    told = preview(stage, "word " * 60)
    assert told.kind.size is TaskSize.MEDIUM
    assert (told.cost.group.size, told.cost.n) == (None, 11)


def test_the_size_of_a_task_is_that_of_its_words(stage: Stage) -> None:
    remember(stage, 11)
    session_id = stage.launched("just " * 60)
    assert kept(stage, session_id).words == 60
    assert kept(stage, session_id).kind.size is TaskSize.MEDIUM


def test_what_was_forecast_at_the_spawn_stands_beside_what_became_of_it(stage: Stage) -> None:
    remember(stage, 11)
    session_id = stage.working()
    assert kept(stage, session_id).ended_at is None
    told = Usage(120_000, 3000, Decimal("0.12"), "opus")
    stage.says(session_id, Activity.ACTIVE, ready=True, usage=told)
    stage.clock.advance(100)
    number = stage.pull(session_id)
    stage.forge.checks(number, CheckState.PASSING)
    stage.orchestrator.pulls.merge("play", number)
    stage.until(session_id, SessionStatus.MERGED)
    found = kept(stage, session_id)
    assert found.forecast is not None
    assert found.forecast.cost.n == 11
    assert (found.outcome, found.tokens, found.cost_usd) == ("merged", 123_000, Decimal("0.12"))
    assert (found.model, found.finished.succeeded) == ("opus", True)
    assert found.seconds is not None
    assert found.seconds >= 100
    assert preview(stage).cost.n == 12, "others learn from it at once"


def test_one_that_was_ended_by_a_person_did_not_succeed(stage: Stage) -> None:
    session_id = stage.working()
    stage.orchestrator.sessions.kill(session_id)
    stage.until(session_id, SessionStatus.KILLED)
    assert kept(stage, session_id).outcome == "killed"
    assert not kept(stage, session_id).finished.succeeded


def test_money_that_is_partly_unknown_is_no_cost_to_learn_from(stage: Stage) -> None:
    session_id = stage.working()
    stage.says(session_id, Activity.ACTIVE, ready=True, usage=Usage(1200, 30, None, "nobodys"))
    eventually(lambda: stage.session(session_id).usage)
    stage.orchestrator.sessions.kill(session_id)
    stage.until(session_id, SessionStatus.KILLED)
    found = kept(stage, session_id)
    assert (found.tokens, found.cost_usd) == (1230, None)


def test_the_longest_silence_at_work_is_kept_and_rest_is_none(stage: Stage) -> None:
    session_id = stage.working()
    for seconds in (90, 400, 70):
        stage.clock.advance(seconds)
        stage.says(session_id, Activity.ACTIVE, ready=True)
        eventually(lambda: stage.session(session_id).last_activity_at == stage.clock.now())
    assert kept(stage, session_id).silence == 400
    stage.rests(session_id)
    stage.clock.advance(5000)
    stage.says(session_id, Activity.ACTIVE, ready=True)
    eventually(lambda: stage.session(session_id).last_activity_at == stage.clock.now())
    assert kept(stage, session_id).silence == 400


def test_a_night_through_which_the_machine_slept_is_no_silence(stage: Stage) -> None:
    session_id = stage.working()
    stage.clock.advance(70)
    stage.clock.put(30_000)
    stage.says(session_id, Activity.ACTIVE, ready=True)
    eventually(lambda: stage.session(session_id).last_activity_at == stage.clock.now())
    assert kept(stage, session_id).silence == 70


def test_what_has_ended_is_read_once_and_not_at_every_look(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(stage, 11)
    session_id = stage.working()
    asked: list[object] = []
    repository = stage.deps.store.forecasts
    real = repository._light.find

    def find(*told: Any, **more: Any) -> Any:
        asked.append(told)
        return real(*told, **more)

    monkeypatch.setattr(repository._light, "find", find)
    for tokens in (1000, 2000, 3000, 4000):
        used = Usage(tokens, 1)
        stage.says(session_id, Activity.ACTIVE, ready=True, usage=used)
        _until_used(stage, session_id, used)
    assert asked == []
    remember(stage, 12)
    preview(stage)
    preview(stage)
    assert len(asked) == 1, "once after another one has ended"


def _until_used(stage: Stage, session_id: str, used: Usage) -> None:
    eventually(
        lambda: (stage.session(session_id).usage or Usage()).input_tokens == used.input_tokens
    )
