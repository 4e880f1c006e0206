"""What a message waits for is told by what keeps it, never by the words that were told before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ennio.model.facts import AgentSeen, Facts, Presence, ProcessSeen
from ennio.model.message import PERSON, MessageState
from ennio.model.session import Activity, SessionStatus
from ennio.policy.lifecycle import Inputs, LifecycleState, PendingMessage, Spec, step
from ennio.policy.lifecycle.effects import DeliverMessage
from ennio.policy.lifecycle.state import Desired, Phase
from ennio.policy.lifecycle.waiting import MOVES, Wait

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BUSY = LifecycleState(
    SessionStatus.WORKING,
    NOW,
    desired=Desired.WATCH,
    phase=Phase.LAUNCHED,
    launches=1,
    launched_at=NOW,
    ready_at=NOW,
    activity=Activity.ACTIVE,
)
ALIVE = Facts(process=ProcessSeen(Presence.ALIVE, NOW, "tmux", output_at=NOW, number=1))


@pytest.mark.parametrize("known", ["", PERSON, "whatever was told"])
@pytest.mark.parametrize(
    ("by_person", "wait"), [(True, Wait(PERSON, by_person=True)), (False, Wait(MOVES))]
)
def test_a_terminal_that_moves_keeps_what_a_person_kept_for_that_person(
    known: str, by_person: bool, wait: Wait
) -> None:
    pending = PendingMessage("m", MessageState.QUEUED, detail=known, by_person=by_person)
    assert step(Spec(tells=False), Inputs(ALIVE, pending), BUSY, NOW).waits == wait


@pytest.mark.parametrize(("tells", "first"), [(False, True), (False, False), (True, True)])
def test_the_first_words_do_not_wait_for_the_output_of_a_start_to_be_long_past(
    tells: bool, first: bool
) -> None:
    pending = PendingMessage("m", MessageState.QUEUED, first=first)
    plan = step(Spec(tells=tells), Inputs(ALIVE, pending), BUSY, NOW)
    assert (plan.effect == DeliverMessage("m"), plan.waits is None) == (
        (True, True) if first and not tells else (False, False)
    )


def test_what_an_agent_has_yet_to_show_is_what_its_prompt_waits_for() -> None:
    pending = PendingMessage("m", MessageState.QUEUED, first=True)
    seen = replace(ALIVE, agent=AgentSeen(NOW, "screen", detail="its screen shows no prompt"))
    starts = replace(BUSY, ready_at=None, status=SessionStatus.SPAWNING)
    plan = step(Spec(tells=False), Inputs(seen, pending), starts, NOW)
    assert plan.waits == Wait("waits until the agent is ready: its screen shows no prompt")
    assert plan.state.rule.endswith("is not ready yet: its screen shows no prompt")


def test_an_agent_that_tells_keeps_it_until_its_turn_is_over() -> None:
    pending = PendingMessage("m", MessageState.QUEUED, by_person=True)
    told = step(Spec(), Inputs(ALIVE, pending), BUSY, NOW).waits
    assert told == Wait("waits until the agent has done its turn")


@pytest.mark.parametrize(
    "state", [state for state in MessageState if state is not MessageState.QUEUED]
)
def test_what_is_on_its_way_waits_for_nothing(state: MessageState) -> None:
    assert (
        step(
            Spec(), Inputs(ALIVE, PendingMessage("m", state)), replace(BUSY, ready_at=None), NOW
        ).waits
        is None
    )
