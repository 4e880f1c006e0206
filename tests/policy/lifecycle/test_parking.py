"""A session whose plan is used up is parked, and goes on once, when it may."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ennio.model.errors import Conflict
from ennio.model.facts import AgentSeen, Facts, Presence, ProcessSeen
from ennio.model.message import MessageState, Origin
from ennio.model.plan_window import PlanWindow, decisive
from ennio.model.session import Activity, SessionStatus
from ennio.policy.lifecycle import (
    DeliverMessage,
    Desired,
    Inputs,
    LifecycleState,
    PendingMessage,
    Phase,
    Plan,
    Spec,
    orders,
    step,
)
from ennio.policy.lifecycle.parked import ResumeWhen

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
RESET = NOON + timedelta(hours=3)
MINUTE = timedelta(minutes=1)
USED_UP = PlanWindow("five_hour", "me", 100.0, RESET, NOON)
BY_ITSELF, ASKS = Spec(resume_at_reset=True), Spec()
RUNS = LifecycleState(
    SessionStatus.WORKING,
    NOON,
    desired=Desired.WATCH,
    phase=Phase.LAUNCHED,
    begun=True,
    launches=1,
    launched_at=NOON - MINUTE,
    ready_at=NOON - MINUTE,
)
QUEUED = PendingMessage("m", MessageState.QUEUED)


def _facts(
    *windows: PlanWindow,
    activity: Activity = Activity.READY,
    presence: Presence = Presence.ALIVE,
    code: int | None = None,
) -> Facts:
    process = ProcessSeen(presence, NOON, "test", pid=7, number=1, exit_code=code)
    agent = AgentSeen(NOON, "test", activity=activity, ready=True, since=NOON, windows=windows)
    return Facts(process=process, agent=agent)


def _step(
    state: LifecycleState,
    now: datetime,
    spec: Spec = BY_ITSELF,
    facts: Facts | None = None,
    *waiting: Origin,
    busy: bool = False,
) -> Plan:
    pending = QUEUED if waiting else None
    inputs = Inputs(_facts(USED_UP) if facts is None else facts, pending, busy, waiting)
    return step(spec, inputs, state, now)


def _parked(spec: Spec = BY_ITSELF) -> LifecycleState:
    return _step(RUNS, NOON, spec).state


def test_it_is_blocked_with_the_hour_of_the_reset_and_nothing_is_typed() -> None:
    plan = _step(RUNS, NOON, BY_ITSELF, None, Origin.PERSON)
    assert plan.state.activity is Activity.BLOCKED
    assert plan.state.rule.startswith("plan window five_hour used up, resets 15:00 UTC")
    assert plan.state.status is SessionStatus.WORKING
    assert plan.waits is not None
    assert "resets 15:00 UTC" in plan.waits.why
    assert (plan.effect, plan.says) == (None, None)


def test_a_reset_on_another_day_is_told_with_its_day() -> None:
    week = replace(USED_UP, name="weekly", resets_at=RESET + timedelta(days=3))
    plan = _step(RUNS, NOON, BY_ITSELF, _facts(week))
    assert "resets Thu 05 Mar 15:00 UTC" in plan.state.rule


def test_it_goes_on_by_itself_at_the_reset_and_never_before() -> None:
    state = _parked()
    before = _step(state, RESET - timedelta(microseconds=1))
    assert (before.says, before.state.activity) == (None, Activity.BLOCKED)
    assert before.wake_at == RESET
    plan = _step(before.state, RESET)
    assert plan.says == "me:five_hour:2026-03-02T15:00:00+00:00"
    assert (plan.state.activity, plan.look) == (Activity.READY, True), "idle once it is looked at"
    again = _step(plan.state, RESET + MINUTE)
    assert again.says is None


def test_it_waits_for_a_person_where_the_switch_is_off_and_says_so() -> None:
    state = _step(_parked(ASKS), RESET + MINUTE, ASKS).state
    assert state.activity is Activity.BLOCKED
    assert "has reset at 15:00 UTC: it waits for a person's word" in state.rule
    assert _step(state, RESET + timedelta(days=9), ASKS).says is None


@pytest.mark.parametrize("at", [NOON + MINUTE, RESET + MINUTE])
def test_a_persons_word_lets_it_go_on_at_the_reset(at: datetime) -> None:
    state = orders.resume(_step(_parked(ASKS), at, ASKS).state, ResumeWhen.AT_RESET)
    assert (_step(state, at, ASKS).says is None) is (at < RESET)
    assert _step(state, max(at, RESET), ASKS).says is not None


def test_a_person_may_let_it_go_on_at_once() -> None:
    state = orders.resume(_parked(ASKS), ResumeWhen.NOW)
    assert _step(state, NOON + MINUTE, ASKS).says is not None


def test_words_of_a_person_that_wait_are_the_word_to_go_on() -> None:
    plan = _step(_parked(ASKS), RESET, ASKS, None, Origin.REACTION, Origin.PERSON)
    assert (plan.says, plan.effect) == (None, DeliverMessage("m"))
    held = _step(_parked(ASKS), RESET, ASKS, None, Origin.REACTION)
    assert (held.says, held.effect) == (None, None)


def test_who_is_refused_once_more_for_the_same_reset_does_not_go_on_by_itself_again() -> None:
    state = _step(_parked(), RESET).state
    refused = replace(USED_UP, refused_at=RESET + timedelta(seconds=5))
    plan = _step(state, RESET + timedelta(seconds=6), BY_ITSELF, _facts(refused))
    assert (plan.says, plan.state.activity) == (None, Activity.BLOCKED)
    assert "refused once more" in plan.state.rule
    works = _step(plan.state, RESET + MINUTE, BY_ITSELF, _facts(activity=Activity.ACTIVE)).state
    once_more = _step(works, RESET + 2 * MINUTE, BY_ITSELF, _facts(refused))
    assert once_more.says is None


def test_who_is_refused_for_the_next_window_goes_on_after_that_one() -> None:
    state = _step(_parked(), RESET).state
    later = RESET + timedelta(hours=5)
    window = replace(USED_UP, resets_at=later, refused_at=RESET + MINUTE)
    parked = _step(state, RESET + 2 * MINUTE, BY_ITSELF, _facts(window))
    assert (parked.says, parked.wake_at) == (None, later)
    assert _step(parked.state, later, BY_ITSELF, _facts(window)).says is not None


def test_who_is_let_go_on_by_hand_is_told_nothing() -> None:
    works = _step(_parked(), NOON + MINUTE, BY_ITSELF, _facts(activity=Activity.ACTIVE))
    assert works.state.parked is None
    assert "used up" not in works.state.rule
    assert _step(works.state, RESET, BY_ITSELF, _facts()).says is None


def test_a_reset_that_nobody_knows_is_never_waited_for() -> None:
    unknown = replace(USED_UP, resets_at=None)
    state = _step(RUNS, NOON, BY_ITSELF, _facts(unknown, USED_UP)).state
    assert "nobody knows when it resets" in state.rule
    assert _step(state, RESET + timedelta(days=9), BY_ITSELF, _facts(unknown)).says is None
    with pytest.raises(Conflict, match="--now"):
        orders.resume(state, ResumeWhen.AT_RESET)


def test_of_two_used_up_windows_the_one_that_ends_last_counts() -> None:
    week = replace(USED_UP, name="weekly", resets_at=RESET + timedelta(days=3))
    assert decisive((USED_UP, week)) == week
    assert decisive((replace(USED_UP, refused_at=None),)) is None


@pytest.mark.parametrize("jump", [timedelta(hours=-2), timedelta(hours=5)])
def test_a_clock_that_jumps_moves_no_reset(jump: timedelta) -> None:
    now = NOON + timedelta(hours=1) + jump
    state = orders.put_back(_parked(), -jump, now) if jump < timedelta() else _parked()
    assert state.parked is not None
    assert state.parked.resets_at == RESET
    assert (_step(state, now).says is not None) is (now >= RESET)


@pytest.mark.parametrize("code", [0, 1])
def test_an_agent_that_ended_meanwhile_is_started_again_with_the_words_and_not_before(
    code: int,
) -> None:
    gone = _facts(USED_UP, presence=Presence.GONE, code=code)
    spec = replace(BY_ITSELF, restart=replace(BY_ITSELF.restart, attempts=3))
    state = replace(_parked(spec), inspected=1)
    held = _step(state, NOON + MINUTE, spec, gone, Origin.REACTION)
    assert (held.effect, held.state.desired) == (None, Desired.WATCH)
    told = _step(held.state, RESET, spec, gone, Origin.PLAN)
    assert told.state.desired is Desired.RUN
    launched = _step(told.state, RESET, spec, gone, Origin.PLAN)
    assert launched.state.parked is None


def test_what_cannot_be_seen_changes_nothing() -> None:
    blind = _facts(presence=Presence.UNKNOWN)
    assert _step(_parked(), NOON + MINUTE, BY_ITSELF, blind).state.parked is not None


def test_only_a_parked_session_can_be_resumed_and_only_once() -> None:
    with pytest.raises(Conflict, match="not parked"):
        orders.resume(RUNS, ResumeWhen.NOW)
    with pytest.raises(Conflict, match="already"):
        orders.resume(_step(_parked(), RESET).state, ResumeWhen.NOW)
