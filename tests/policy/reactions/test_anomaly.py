"""What is out of the ordinary for a session, and what is news of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ennio.config.model import Reaction
from ennio.config.reactions import BUILT_IN
from ennio.model.facts import Facts, Presence, ProcessSeen
from ennio.model.forecast import AnomalyLimit, AnomalyMetric, TaskGroup
from ennio.model.session import Activity, Session, SessionStatus, Usage
from ennio.policy.reactions import Case, ReactionState, Situation, Verdict, case, decide

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RULE: Reaction = BUILT_IN["anomaly"]
LIMITS = tuple(
    AnomalyLimit(metric, Decimal(limit), Decimal(limit) / 4, TaskGroup("play", "stub"), 12)
    for metric, limit in zip(AnomalyMetric, (1_000_000, 10, 600), strict=True)
)


def situation(
    usage: Usage | None = None,
    activity: Activity = Activity.ACTIVE,
    presence: Presence = Presence.ALIVE,
    **more: Any,
) -> Situation:
    session = Session(
        "p-1", "play", SessionStatus.WORKING, NOW, NOW, "beef", activity=activity, usage=usage
    )
    facts = Facts(process=ProcessSeen(presence, NOW, "survey"))
    return Situation(session, facts, launched_at=NOW, usual=LIMITS, **more)


def look(seen: Situation, seconds: float = 0) -> Case:
    return case("anomaly", RULE, seen, NOW + timedelta(seconds=seconds))


def metrics(found: Case) -> list[str]:
    return [one.limit.metric.value for one in found.anomalies]


def test_what_is_at_a_limit_is_usual_and_what_is_beyond_it_is_not() -> None:
    assert not look(situation(Usage(900_000, 100_000, Decimal(10)))).holds
    found = look(situation(Usage(900_000, 100_001, Decimal("10.01"))))
    assert found.holds
    assert metrics(found) == ["tokens", "cost"]
    assert "1,000,001 tokens, where half of 12 sessions of play by stub came to 250,000" in (
        found.headline
    )


def test_money_of_which_a_part_is_unknown_counts_with_the_part_that_is_known() -> None:
    assert not look(situation(Usage(1, 1, None, unpriced=3))).holds
    assert look(situation(Usage(1, 1, Decimal(11), unpriced=3))).holds


def test_silence_counts_at_work_alone_and_only_of_an_agent_that_is_there() -> None:
    assert metrics(look(situation(), 601)) == ["silence"]
    for seen in (
        situation(activity=Activity.READY),
        situation(activity=Activity.WAITING_INPUT),
        situation(activity=Activity.BLOCKED),
        situation(presence=Presence.UNKNOWN),
        situation(presence=Presence.GONE),
        replace(situation(), launched_at=None),
        replace(situation(), usual=LIMITS[:2]),
    ):
        assert not look(seen, 100_000).holds


def test_time_alone_brings_a_silence_about_and_the_moment_is_known() -> None:
    waits = look(situation(), 10)
    assert (waits.holds, waits.wake_at) == (False, NOW + timedelta(seconds=601))
    assert look(situation(), 601).holds
    assert look(situation(), 601).wake_at is None, "nobody is woken for what is seen"
    beside = look(situation(Usage(9_000_000)), 10)
    assert (beside.holds, beside.wake_at) == (True, NOW + timedelta(seconds=601))


def test_a_machine_that_slept_was_not_silent() -> None:
    woken = NOW + timedelta(seconds=5000)
    assert not look(situation(resumed_at=woken), 5100).holds
    assert look(situation(resumed_at=woken), 5700).holds


def test_each_is_told_once_and_another_one_is_no_escalation() -> None:
    state, told = ReactionState(), []
    burning = situation(Usage(2_000_000))
    for seen, seconds in (
        (burning, 0),
        (burning, 5),
        (burning, 700),
        (burning, 900),
        (situation(Usage(3_000_000, 0, Decimal(50))), 950),
        (situation(Usage(3_000_000, 0, Decimal(60))), 960),
    ):
        decision = decide(RULE, look(seen, seconds), state, NOW + timedelta(seconds=seconds))
        state = decision.state
        told.append((decision.verdict, [str(one).partition(":")[0] for one in decision.items]))
    assert told == [
        (Verdict.ACT, ["tokens"]),
        (Verdict.QUIET, []),
        (Verdict.ACT, ["silence"]),
        (Verdict.QUIET, []),
        (Verdict.ACT, ["cost"]),
        (Verdict.QUIET, []),
    ]


def test_a_second_silence_is_told_and_the_end_of_the_first_ends_its_episode() -> None:
    first = decide(RULE, look(situation(), 700), ReactionState(), NOW)
    heard = situation()
    heard = replace(
        heard, session=replace(heard.session, last_activity_at=NOW + timedelta(seconds=710))
    )
    over = decide(RULE, look(heard, 711), first.state, NOW)
    assert over.state.since is None
    assert decide(RULE, look(heard, 1400), over.state, NOW).verdict is Verdict.ACT


@given(
    st.lists(st.tuples(st.integers(0, 3_000_000), st.integers(0, 30)), min_size=1, max_size=30).map(
        sorted
    )
)
def test_however_it_grows_each_metric_is_told_once(steps: list[tuple[int, int]]) -> None:
    state, told = ReactionState(), []
    for tokens, dollars in steps:
        seen = situation(Usage(tokens, 0, Decimal(dollars)), Activity.READY)
        decision = decide(RULE, look(seen), state, NOW)
        state = decision.state
        told += map(str, decision.items)
    expected = {
        *(["tokens"] if max(step[0] for step in steps) > 1_000_000 else []),
        *(["cost"] if max(step[1] for step in steps) > 10 else []),
    }
    assert sorted(told) == sorted(expected)


def test_what_has_ended_is_out_of_the_ordinary_no_more() -> None:
    ended = situation(Usage(9_000_000))
    ended = replace(ended, session=replace(ended.session, status=SessionStatus.KILLED))
    assert not look(ended).holds
