"""What is out of the ordinary is an event and told to a person, once an episode, whatever dies."""

from __future__ import annotations

from decimal import Decimal

from ennio.actors.registry import REACTIONS
from ennio.model.session import Activity, SessionStatus, Usage
from ennio.model.usage import UsageSource
from tests.actors.ground import Play, Stage
from tests.actors.test_forecasting import remember
from tests.conftest import eventually

BURNS = Usage(9_000_000, 1000, Decimal(3), source=UsageSource.PROVIDER)


def found(stage: Stage, session_id: str) -> list[str]:
    """The metrics that were told of in the log."""
    events = stage.deps.store.events.after(0, limit=1000, session_id=session_id)
    return [one.data["metric"] for one in events if one.event_type == "anomaly_detected"]


def rung(stage: Stage) -> list[str]:
    bell = stage.notifiers.get("bell")  # made once somebody is told anything
    told = bell.sent if bell is not None else []
    return [one.message for one in told if one.reaction == "anomaly"]


def test_a_session_that_burns_far_more_than_those_before_it_is_told_of_once(stage: Stage) -> None:
    remember(stage, 12)
    session_id = stage.working()
    stage.says(session_id, Activity.ACTIVE, ready=True, usage=Usage(800_000, 0, Decimal("0.5")))
    eventually(lambda: stage.session(session_id).usage)
    assert found(stage, session_id) == []
    stage.says(session_id, Activity.ACTIVE, ready=True, usage=BURNS)
    eventually(lambda: found(stage, session_id) == ["tokens"])
    eventually(lambda: len(rung(stage)) == 1)
    assert "9,001,000 tokens" in rung(stage)[0]
    stage.says(session_id, Activity.ACTIVE, ready=True, usage=Usage(9_500_000, 2000, Decimal(4)))
    stage.crash(REACTIONS)
    stage.crash_session(session_id)
    stage.look()
    assert (found(stage, session_id), len(rung(stage))) == (["tokens"], 1)


def test_nothing_is_where_fewer_than_ten_have_ended(stage: Stage) -> None:
    remember(stage, 9)
    session_id = stage.working()
    stage.says(session_id, Activity.ACTIVE, ready=True, usage=BURNS)
    eventually(lambda: stage.session(session_id).usage == BURNS)
    stage.look()
    assert found(stage, session_id) == []


def test_it_is_told_once_across_a_restart_and_taken_back_at_the_end(play: Play) -> None:
    with play.opened() as stage:
        remember(stage, 12)
        session_id = stage.working()
        stage.says(session_id, Activity.ACTIVE, ready=True, usage=BURNS)
        eventually(lambda: found(stage, session_id) == ["tokens"])
        eventually(lambda: len(rung(stage)) == 1)
    with play.opened() as stage:
        stage.look()
        assert (found(stage, session_id), len(rung(stage))) == (["tokens"], 1)
        stage.orchestrator.sessions.kill(session_id)
        stage.until(session_id, SessionStatus.KILLED)
        eventually(lambda: stage.notifiers["bell"].withdrawn)


def test_a_silence_far_longer_than_those_before_it_is_told_by_the_clock_alone(stage: Stage) -> None:
    remember(stage, 12, silence=200)
    session_id = stage.working()
    stage.pass_time(390)
    stage.look()
    assert found(stage, session_id) == []
    stage.pass_time(20)
    eventually(lambda: found(stage, session_id) == ["silence"])
    stage.says(session_id, Activity.ACTIVE, ready=True)
    eventually(lambda: stage.session(session_id).last_activity_at == stage.clock.now())
    stage.pass_time(410)
    eventually(lambda: found(stage, session_id) == ["silence", "silence"], why="another episode")


def test_a_rule_that_is_switched_off_tells_of_nothing(play: Play) -> None:
    play.settings["project"] = {"reactions": {"anomaly": {"enabled": False}}}
    with play.opened() as stage:
        remember(stage, 12)
        session_id = stage.working()
        stage.says(session_id, Activity.ACTIVE, ready=True, usage=BURNS)
        eventually(lambda: stage.session(session_id).usage == BURNS)
        stage.look()
        assert (found(stage, session_id), rung(stage)) == ([], [])
