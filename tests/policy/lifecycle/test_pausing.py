"""What a budget that is used up does to a session, and what it does not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ennio.model.errors import Conflict
from ennio.model.facts import AgentSeen, Facts, Presence, ProcessSeen
from ennio.model.message import MessageState
from ennio.model.session import Activity, SessionStatus
from ennio.policy.lifecycle import (
    DeliverMessage,
    Inputs,
    InterruptAgent,
    LaunchAgent,
    LifecycleState,
    PendingMessage,
    Plan,
    Spec,
    orders,
    pausing,
    step,
)
from ennio.policy.lifecycle.state import Desired, Phase, Stop, TurnGrant

NOW = datetime(2026, 1, 1, tzinfo=UTC)
STOP = Stop("global:daily", "paused: budget global:daily is used up", NOW + timedelta(days=1))
BUSY = LifecycleState(
    SessionStatus.WORKING,
    NOW,
    desired=Desired.WATCH,
    phase=Phase.LAUNCHED,
    launches=1,
    launched_at=NOW,
    ready_at=NOW,
    activity=Activity.ACTIVE,
    rule="the agent is alive and there is no pull request yet",
)
QUEUED = PendingMessage("m", MessageState.QUEUED)


def facts(activity: Activity, at: datetime = NOW) -> Facts:
    return Facts(
        process=ProcessSeen(Presence.ALIVE, NOW, "tmux", number=1),
        agent=AgentSeen(at, "told", activity=activity, since=at),
    )


def once(
    state: LifecycleState,
    activity: Activity = Activity.ACTIVE,
    stop: Stop | None = STOP,
    pending: PendingMessage | None = None,
    after: float = 0,
) -> Plan:
    now = NOW + timedelta(seconds=after)
    return step(Spec(), Inputs(facts(activity, now), pending, stop=stop), state, now)


def test_an_agent_in_its_turn_is_interrupted_and_that_is_written_first() -> None:
    plan = once(BUSY)
    assert plan.effect == InterruptAgent()
    assert plan.state.pause is not None
    assert (plan.state.pause.cut, plan.state.pause.pressed) == (True, 1)
    assert [event.event_type for event in plan.events] == ["session_paused"]
    assert plan.wake_at == NOW + pausing.PRESS_AGAIN


def test_one_that_works_on_is_interrupted_again_and_not_for_ever() -> None:
    plan = once(BUSY)
    assert once(plan.state, after=1).effect is None
    pressed = 1
    for after in range(15, 600, 15):
        plan = once(plan.state, after=after)
        pressed += plan.effect == InterruptAgent()
    assert pressed == pausing.PRESSES


@pytest.mark.parametrize("activity", [Activity.READY, Activity.IDLE, Activity.WAITING_INPUT])
def test_one_that_rests_is_given_no_words_and_not_interrupted(activity: Activity) -> None:
    plan = once(BUSY, activity, pending=QUEUED)
    plan = once(plan.state, activity, pending=QUEUED, after=100)
    assert plan.effect is None
    assert plan.waits is not None
    assert plan.waits.why == "waits for budget global:daily, which is used up"


def test_one_that_is_not_started_yet_is_not_started() -> None:
    prepared = replace(BUSY, desired=Desired.RUN, phase=Phase.PREPARED, launches=0)
    plan = step(Spec(), Inputs(stop=STOP), prepared, NOW)
    assert plan.effect is None
    assert plan.state.launches == 0
    assert isinstance(step(Spec(), Inputs(), plan.state, NOW).effect, LaunchAgent)


def test_who_was_interrupted_is_told_to_go_on_and_who_rested_is_not() -> None:
    cut = once(BUSY).state
    released = once(cut, Activity.READY, None)
    assert released.goes_on
    assert released.state.pause is None
    assert not once(released.state, Activity.READY, None).goes_on
    assert not once(once(BUSY, Activity.READY).state, Activity.READY, None).goes_on


def test_one_that_waits_in_the_queue_waits_there() -> None:
    waiting = orders.fresh(NOW)
    plan = step(Spec(), Inputs(stop=STOP), waiting, NOW)
    assert plan.state.pause is None


def test_a_budget_that_ends_sessions_ends_those_that_run_once() -> None:
    ends = replace(STOP, ends=True)
    plan = once(BUSY, stop=ends)
    assert plan.state.killed_by == "budget global:daily"
    assert plan.state.desired is Desired.END
    assert once(plan.state, stop=ends).state.killed_by == plan.state.killed_by
    gone = Facts(process=ProcessSeen(Presence.GONE, NOW, "tmux", exit_code=1, number=1))
    held = step(Spec(), Inputs(gone, stop=ends), BUSY, NOW)
    assert held.state.killed_by is None
    assert held.state.pause is not None


# --- a person lets it end its turn ----------------------------------------------------------------


def test_a_turn_that_was_interrupted_is_told_to_end_and_then_it_is_held_again() -> None:
    cut = once(once(BUSY).state, Activity.READY, after=1).state
    let, speaks = pausing.let_go_on(cut, waits=False, now=NOW)
    assert speaks
    assert once(let, Activity.READY, pending=QUEUED, after=2).effect == DeliverMessage("m")
    begun = pausing.taken(let, NOW + timedelta(seconds=3))
    assert once(begun, Activity.READY, pending=QUEUED, after=4).effect is None
    works = once(begun, after=5)
    assert works.effect is None
    over = once(works.state, Activity.READY, after=30)
    assert over.state.pause is not None
    assert (over.state.pause.grant, over.state.pause.cut) == (TurnGrant.NONE, False)
    assert once(over.state, Activity.READY, pending=QUEUED, after=31).effect is None


def test_one_that_still_works_is_let_work_and_told_nothing() -> None:
    let, speaks = pausing.let_go_on(once(BUSY).state, waits=True, now=NOW)
    assert not speaks
    assert once(let, after=60).effect is None
    assert once(let, after=60).state.pause is not None


@pytest.mark.parametrize("first", [Activity.ACTIVE, Activity.WAITING_INPUT])
def test_one_that_asks_in_its_turn_ends_that_one_and_takes_no_message_after_it(
    first: Activity,
) -> None:
    """``first``: whether it was interrupted on its way to the question."""
    asks = once(once(BUSY, first, pending=QUEUED).state, Activity.WAITING_INPUT, after=1).state
    let, speaks = pausing.let_go_on(asks, waits=True, now=NOW + timedelta(seconds=2))
    assert not speaks
    for activity, after in (
        (Activity.WAITING_INPUT, 60),  # nobody answers for a while
        (Activity.ACTIVE, 61),
        (Activity.READY, 62),
        (Activity.READY, 120),
    ):
        plan = once(let, activity, pending=QUEUED, after=after)
        assert plan.effect is None, (activity, after)
        let = plan.state
    assert let.pause is not None
    assert let.pause.grant is TurnGrant.NONE


def test_one_that_asks_is_let_go_on_though_nothing_waits_for_it() -> None:
    asks = once(BUSY, Activity.WAITING_INPUT).state
    let, _ = pausing.let_go_on(asks, waits=False, now=NOW)
    assert not pausing.held(let), "so that its question may be answered"


def test_without_a_turn_to_end_that_is_refused_with_the_way_out() -> None:
    rests = once(BUSY, Activity.READY).state
    with pytest.raises(Conflict, match="ennio budget raise global:daily"):
        pausing.let_go_on(rests, waits=False, now=NOW)
    with pytest.raises(Conflict, match="not paused"):
        pausing.let_go_on(BUSY, waits=True, now=NOW)


# --- whatever happens, in whatever order ----------------------------------------------------------


@dataclass
class Held:
    """A session whose budget comes and goes, and a supervisor that dies between two steps."""

    state: LifecycleState = BUSY
    now: datetime = NOW
    presses: list[datetime] = field(default_factory=list)
    goes_on: int = 0
    cuts: int = 0
    paused: int = 0
    resumed: int = 0

    def step(self, activity: Activity, stop: Stop | None, *, dies: bool) -> None:
        inputs = Inputs(facts(activity, self.now), QUEUED, stop=stop)
        plan = step(Spec(), inputs, self.state, self.now)
        if stop is not None:
            assert not isinstance(plan.effect, DeliverMessage | LaunchAgent)
        was, held = self.state.pause, plan.state.pause
        if dies:
            return  # nothing of it was written, so nothing of it happened
        self.cuts += held is not None and held.cut and not (was is not None and was.cut)
        self.paused += sum(event.event_type == "session_paused" for event in plan.events)
        self.resumed += sum(event.event_type == "session_resumed" for event in plan.events)
        self.goes_on += plan.goes_on
        if plan.effect == InterruptAgent():
            self.presses.append(self.now)
        self.state = plan.state


STEPS = st.lists(
    st.tuples(
        st.sampled_from([Activity.ACTIVE, Activity.READY, Activity.WAITING_INPUT]),
        st.booleans(),
        st.booleans(),
        st.sampled_from([0, 1, 20]),
    ),
    max_size=40,
)


@given(STEPS)
def test_each_interrupted_turn_is_told_to_go_on_exactly_once_whoever_dies(
    steps: list[tuple[Activity, bool, bool, int]],
) -> None:
    held = Held()
    for activity, used_up, dies, seconds in steps:
        held.now += timedelta(seconds=seconds)
        held.step(activity, STOP if used_up else None, dies=dies)
    held.step(Activity.READY, None, dies=False)
    assert held.goes_on == held.cuts
    assert held.paused == held.resumed
    for before, after in zip(held.presses, held.presses[1:], strict=False):
        assert after > before or after == before == held.now or held.paused > 1


def test_one_that_was_let_go_on_is_silent_only_from_then_on() -> None:
    released = once(once(BUSY, after=1).state, Activity.READY, None, after=900).state
    assert released.running_since == NOW + timedelta(seconds=900)
    assert BUSY.running_since == NOW
