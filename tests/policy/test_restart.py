"""Restarts: soon at first, later and later, and not for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ennio.config.model import Restart
from ennio.policy.restart import Again, decide

NOW = datetime(2026, 1, 1, tzinfo=UTC)
policies = st.builds(Restart, st.integers(0, 8), st.floats(1, 3600), st.floats(0, 300))
pasts = st.lists(
    st.floats(-100, 7200).map(lambda seconds: NOW - timedelta(seconds=seconds)), max_size=20
)


@given(policies, pasts)
def test_never_more_often_than_the_policy_allows_within_its_window(
    policy: Restart, earlier: list[datetime]
) -> None:
    recent = [at for at in earlier if NOW - at < timedelta(seconds=policy.within)]
    verdict = decide(policy, earlier, NOW)
    assert (verdict.again is Again.RESTART) is (len(recent) < policy.attempts)
    assert verdict.reason


@given(policies, pasts, st.floats(0, 1))
def test_the_pause_is_never_shorter_than_configured_and_ends_in_sight(
    policy: Restart, earlier: list[datetime], jitter: float
) -> None:
    verdict = decide(policy, earlier, NOW, jitter)
    if verdict.again is Again.RESTART:
        assert policy.delay <= verdict.delay <= 1.5 * max(policy.delay, 60.0) + 1e-9


def test_the_pause_doubles_up_to_a_minute() -> None:
    policy = Restart(attempts=9, within=3600, delay=5)
    pauses = [decide(policy, [NOW] * count, NOW).delay for count in range(6)]
    assert pauses == [5, 10, 20, 40, 60, 60]


def test_a_time_up_is_forgiven() -> None:
    policy = Restart(attempts=1, within=60, delay=1)
    assert decide(policy, [NOW - timedelta(seconds=59)], NOW).again is Again.GIVE_UP
    assert decide(policy, [NOW - timedelta(seconds=60)], NOW).again is Again.RESTART


def test_a_clock_that_stepped_back_gives_no_extra_tries() -> None:
    assert decide(Restart(attempts=1), [NOW + timedelta(hours=1)], NOW).again is Again.GIVE_UP


@pytest.mark.parametrize(
    ("policy", "earlier", "words"),
    [
        (Restart(attempts=0), [], "it is not restarted by itself"),
        (Restart(attempts=2, within=60), [NOW, NOW], "it failed 3 times within 60 s"),
        (Restart(attempts=2, within=60), [NOW], "restart 2 of 2 within 60 s"),
    ],
)
def test_every_verdict_says_why(policy: Restart, earlier: list[datetime], words: str) -> None:
    assert decide(policy, earlier, NOW).reason == words
