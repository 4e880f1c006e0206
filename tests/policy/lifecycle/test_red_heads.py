"""What is said of checks that fail on a head that replaced a red one."""

from __future__ import annotations

import pytest

from ennio.model.facts import Facts, ForgeSeen, Presence, ProcessSeen
from ennio.model.pulls import Check, CheckState, PullState
from ennio.model.session import SessionStatus
from ennio.policy.lifecycle import Inputs, Spec
from ennio.policy.lifecycle.state import Desired, LifecycleState, Phase
from ennio.policy.lifecycle.status import derive
from tests.policy.lifecycle.world import START, pull_request

HEAD = "c711b3803e0000"


@pytest.mark.parametrize(
    ("red_heads", "status", "rule"),
    [
        ((), SessionStatus.CI_FAILED, "one, two failed on c711b3803e"),
        (
            ("94780b3",),
            SessionStatus.CI_FIX_FAILED,
            "one, two failed on c711b3803e, which replaced a red head",
        ),
    ],
)
def test_of_the_red_head_before_it_is_not_said_what_had_failed_there(
    red_heads: tuple[str, ...], status: SessionStatus, rule: str
) -> None:
    """It was one alone, and two had not failed before."""
    runs = tuple(Check(name, name, CheckState.FAILING) for name in ("one", "two"))
    pull = pull_request(head=HEAD, checks=CheckState.FAILING, check_runs=runs)
    process = ProcessSeen(Presence.ALIVE, START, "survey", pid=1, number=1)
    seen = Facts(process=process, forge=ForgeSeen(Presence.ALIVE, START, "local", pull))
    state = LifecycleState(
        SessionStatus.WORKING,
        START,
        desired=Desired.WATCH,
        phase=Phase.LAUNCHED,
        launches=1,
        ready_at=START,
        pull=1,
        pull_state=PullState.OPEN,
        red_heads=red_heads,
    )
    derived = derive(Spec(), Inputs(seen, None, False), state, START)
    assert derived is not None
    assert (derived.status, derived.rule) == (status, rule)
