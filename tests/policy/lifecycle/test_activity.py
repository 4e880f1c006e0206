"""What the facts of a session amount to, where time is part of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ennio.model.facts import AgentSeen, Facts, Presence, ProcessSeen
from ennio.model.session import Activity, SessionStatus
from ennio.model.usage import Counted, Tokens
from ennio.policy.lifecycle import step
from ennio.policy.lifecycle.activity import derive, look_is_due, turns_at
from ennio.policy.lifecycle.state import Inputs, LifecycleState, Phase, Spec

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LONG_AGO = NOW - timedelta(hours=2)
STATE = LifecycleState(SessionStatus.WORKING, LONG_AGO, phase=Phase.LAUNCHED, launches=1)


def resting(helpers: int) -> Inputs:
    agent = AgentSeen(
        NOW, "hooks", activity=Activity.READY, ready=True, since=LONG_AGO, helpers=helpers
    )
    return Inputs(Facts(ProcessSeen(Presence.ALIVE, NOW, "test", pid=7), agent))


def test_a_turn_that_is_over_becomes_idle_with_time() -> None:
    assert derive(Spec(), resting(0), STATE, NOW) is Activity.IDLE
    assert turns_at(Spec(), resting(0), STATE)


def test_a_turn_that_is_over_does_not_become_idle_while_a_helper_works() -> None:
    assert derive(Spec(), resting(1), STATE, NOW) is Activity.READY
    assert turns_at(Spec(), resting(1), STATE) == ()


def asked(
    agent: AgentSeen, *, busy: bool = False, quiet_since: datetime | None = None, output: float = 60
) -> Inputs:
    """A session whose terminal is quiet for so long, and what a proxy sees of its requests."""
    counted = Counted(1, 3, Tokens(1), 0, 0, None, busy, quiet_since)
    process = ProcessSeen(
        Presence.ALIVE, NOW, "test", pid=7, output_at=NOW - timedelta(seconds=output)
    )
    return Inputs(Facts(process, replace(agent, counted=counted)))


def looked(inputs: Inputs, at: datetime) -> Inputs:
    """The same, seen once more at this moment."""
    process = inputs.facts.process
    assert process is not None
    return replace(inputs, facts=replace(inputs.facts, process=replace(process, at=at)))


SILENT = AgentSeen(NOW, "screen", ready=True)
"""An agent that tells nothing of what it does."""
BY_OUTPUT = Spec(tells=False)


def test_an_agent_that_tells_nothing_works_while_a_request_of_its_is_under_way() -> None:
    seen = asked(SILENT, busy=True, output=3600)
    assert derive(BY_OUTPUT, seen, STATE, NOW) is Activity.ACTIVE
    assert derive(Spec(), seen, STATE, NOW) is Activity.ACTIVE
    assert turns_at(BY_OUTPUT, seen, STATE) == ()


def test_it_rests_once_neither_its_terminal_nor_its_requests_have_been_seen_for_a_while() -> None:
    lately = NOW - timedelta(seconds=4)
    seen = asked(SILENT, quiet_since=lately)
    assert derive(BY_OUTPUT, seen, STATE, NOW) is Activity.ACTIVE
    assert turns_at(BY_OUTPUT, seen, STATE)[0] == lately + timedelta(seconds=10)
    later = NOW + timedelta(seconds=7)
    assert derive(BY_OUTPUT, looked(seen, later), STATE, later) is Activity.READY


def test_that_its_model_is_not_asked_alone_says_nothing_of_who_puts_something_out() -> None:
    seen = asked(SILENT, quiet_since=LONG_AGO, output=1)
    assert derive(BY_OUTPUT, seen, STATE, NOW) is Activity.ACTIVE


def test_what_an_agent_says_of_itself_counts_before_its_requests() -> None:
    waits = AgentSeen(NOW, "hooks", activity=Activity.WAITING_INPUT, ready=True, since=LONG_AGO)
    assert derive(Spec(), asked(waits, busy=True), STATE, NOW) is Activity.WAITING_INPUT
    works = replace(waits, activity=Activity.ACTIVE)
    assert derive(Spec(), asked(works, quiet_since=LONG_AGO), STATE, NOW) is Activity.ACTIVE
    rests = replace(waits, activity=Activity.READY)
    assert derive(Spec(), asked(rests, quiet_since=LONG_AGO), STATE, NOW) is Activity.IDLE
    assert derive(Spec(), asked(rests, busy=True), STATE, NOW) is Activity.READY, "not idle"


RESTS = AgentSeen(NOW, "hooks", activity=Activity.READY, ready=True, since=NOW)
AGENTS = (None, SILENT, RESTS, replace(RESTS, activity=None, ready=False))
"""Such as say what they do, and such as are judged by their output."""
seconds = st.integers(0, 4000)


@given(
    agent=st.sampled_from(AGENTS), tells=st.booleans(), quiet=seconds, started=seconds, gap=seconds
)
def test_no_time_counts_after_the_last_look(
    agent: AgentSeen | None, tells: bool, quiet: int, started: int, gap: int
) -> None:
    output = NOW - timedelta(seconds=quiet)
    process = ProcessSeen(Presence.ALIVE, NOW, "test", pid=7, output_at=output)
    spec, seen = Spec(tells=tells), Inputs(Facts(process, agent))
    began = replace(STATE, launched_at=NOW - timedelta(seconds=started))
    state, later = step(spec, seen, began, NOW).state, NOW + timedelta(seconds=gap)

    unseen, found = step(spec, seen, state, later), looked(seen, later)
    assert (unseen.state.activity, unseen.state.ready_at) == (state.activity, state.ready_at)
    assert unseen.look or step(spec, found, state, later).state.activity is state.activity
    assert not look_is_due(spec, found, state, later), "a look settles it"
