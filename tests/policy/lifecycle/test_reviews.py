"""Whose turn it is once there was a review: an opinion is of a head, and a new
head waits for another look.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ennio.model.events import EventType
from ennio.model.facts import Facts, ForgeSeen, Presence, ProcessSeen
from ennio.model.pulls import CheckState, Opinion, PullRequest, PullState, ReviewState
from ennio.model.session import SessionStatus
from ennio.policy.lifecycle import Inputs, Spec
from ennio.policy.lifecycle.diff import apply
from ennio.policy.lifecycle.pull_request import mergeable
from ennio.policy.lifecycle.state import DerivedStatus, Desired, LifecycleState, Phase
from ennio.policy.lifecycle.status import derive
from ennio.policy.metering import SessionMetrics, metered
from tests.policy.lifecycle.world import START, pull_request

STATE = LifecycleState(
    SessionStatus.WORKING,
    START,
    desired=Desired.WATCH,
    phase=Phase.LAUNCHED,
    launches=1,
    ready_at=START,
    pull=1,
    pull_state=PullState.OPEN,
)
BEFORE, NOW = "ab12cde0000", "ef85dac0000"


def _reviewed(review: ReviewState, decision: ReviewState, head: str, **more: object) -> PullRequest:
    return pull_request(head=NOW, review=review, opinions=(Opinion("ada", decision, head),), **more)


def _seen(pull: PullRequest) -> Inputs:
    process = ProcessSeen(Presence.ALIVE, START, "survey", pid=1, number=1)
    return Inputs(
        Facts(process=process, forge=ForgeSeen(Presence.ALIVE, START, "local", pull)), None, False
    )


def _derived(pull: PullRequest, spec: Spec | None = None) -> DerivedStatus:
    verdict = derive(spec or Spec(), _seen(pull), STATE, START)
    assert verdict is not None
    return verdict


def _waited_for(verdict: DerivedStatus) -> list[str]:
    return [ground.what for ground in verdict.grounds if "waited for" in ground.what]


def test_a_review_that_was_answered_by_a_new_head_waits_for_the_reviewer() -> None:
    asked = _derived(_reviewed(ReviewState.CHANGES_REQUESTED, ReviewState.CHANGES_REQUESTED, NOW))
    assert (asked.rule, _waited_for(asked)) == ("a reviewer of #1 asks for changes", [])
    answered = _derived(
        _reviewed(ReviewState.CHANGES_REQUESTED, ReviewState.CHANGES_REQUESTED, BEFORE)
    )
    assert answered.status is SessionStatus.CHANGES_REQUESTED
    assert answered.rule == "#1 is answered by ef85dac, waits for another look"
    assert _waited_for(answered) == [
        "the reviewer ada is waited for, who asked for changes on ab12cde"
    ]


def test_a_head_pushed_after_an_approval_waits_for_the_reviewer() -> None:
    verdict = _derived(_reviewed(ReviewState.REQUIRED, ReviewState.APPROVED, BEFORE))
    assert verdict.status is SessionStatus.REVIEW_PENDING
    assert (
        verdict.rule
        == "#1 was approved at ab12cde; ef85dac waits for another look, its checks pass"
    )
    assert _waited_for(verdict) == ["the reviewer ada is waited for, who approved ab12cde"]


def test_an_approval_that_a_forge_counts_for_a_new_head_is_told_as_what_it_is() -> None:
    pull = _reviewed(ReviewState.APPROVED, ReviewState.APPROVED, BEFORE)
    verdict = _derived(pull)
    assert (verdict.status, verdict.rule) == (
        SessionStatus.APPROVED,
        "#1 is approved, but of ab12cde and not of ef85dac, and its checks pass",
    )
    assert _waited_for(verdict)
    counting = _derived(pull, Spec(count_stale=True))
    assert (counting.rule, _waited_for(counting)) == ("#1 is approved and its checks pass", [])


@pytest.mark.parametrize(
    ("review", "rule"),
    [
        (ReviewState.NONE, "there are no checks of #1 on h1"),
        (ReviewState.REQUIRED, "#1 waits for a review, there are no checks"),
        (ReviewState.APPROVED, "#1 is approved and there are no checks"),
    ],
)
def test_nobody_is_told_that_checks_pass_where_none_ran(review: ReviewState, rule: str) -> None:
    pull = pull_request(review=review, check_runs=())
    verdict = _derived(pull)
    assert (verdict.rule, "no checks" in verdict.grounds[0].what) == (rule, True)
    told = apply(Spec(), _seen(pull), STATE, START).events
    assert [event.message for event in told if event.event_type is EventType.CI_PASSING] == [
        "there are no checks of #1"
    ]
    assert metered(SessionMetrics("p-1"), told, 1.0).ci_runs == 0


def test_what_came_onto_the_base_by_a_push_is_not_shown_like_a_merge() -> None:
    pull = pull_request(state=PullState.MERGED, merge_commit="h1")
    seen = _seen(pull)
    pushed = Inputs(
        replace(seen.facts, forge=ForgeSeen(Presence.ALIVE, START, "local", pull, pushed="c0ffee")),
        None,
        False,
    )
    rules = [
        verdict.rule for one in (seen, pushed) if (verdict := derive(Spec(), one, STATE, START))
    ]
    words = "by a push, not by a merge of Ennio's"
    assert rules == [
        "pull request #1 is merged",
        f"pull request #1 is merged {words}: perhaps nobody has reviewed it",
    ]
    told = apply(Spec(), pushed, STATE, START).state
    after = replace(told, status=SessionStatus.MERGED, rule="whatever it was", cleaned_at=START)
    done = derive(Spec(), pushed, after, START)
    assert done is not None
    assert done.rule == f"merged {words}, and its workspace has been cleaned"


@pytest.mark.parametrize(("by_push", "how"), [(True, " by a push"), (False, ""), (None, "")])
def test_a_forge_that_tells_how_it_was_merged_is_believed(by_push: bool | None, how: str) -> None:
    seen = _seen(pull_request(state=PullState.MERGED, merge_commit="h1", merged_by_push=by_push))
    verdict = derive(Spec(), seen, STATE, START)
    assert verdict is not None
    assert verdict.rule.startswith(f"pull request #1 is merged{how}")
    assert ("perhaps nobody has reviewed it" in verdict.rule) is bool(by_push)
    assert apply(Spec(), seen, STATE, START).events[-1].message == f"#1 is merged into main{how}"


@pytest.mark.parametrize("count", [False, True])
def test_ready_to_merge_is_what_was_approved_at_this_very_head(count: bool) -> None:
    spec = Spec(count_stale=count)
    for head, wanted in ((NOW, True), (BEFORE, count), ("", count)):
        assert (
            mergeable(
                spec, STATE, _reviewed(ReviewState.APPROVED, ReviewState.APPROVED, head), START
            )
            is wanted
        )
    told = replace(_reviewed(ReviewState.APPROVED, ReviewState.APPROVED, BEFORE), opinions=None)
    assert mergeable(spec, STATE, told, START), "a forge that tells no heads is believed"


def test_the_loss_of_an_approval_is_news_with_both_heads() -> None:
    state = replace(STATE, review=ReviewState.APPROVED.value, head=NOW)
    applied = apply(
        Spec(),
        _seen(
            _reviewed(ReviewState.REQUIRED, ReviewState.APPROVED, BEFORE, checks=CheckState.PENDING)
        ),
        state,
        START,
    )
    (word,) = [event.message for event in applied.events if event.event_type == "review_pending"]
    assert (
        word
        == "#1 has a new head ef85dac, and its approval was of ab12cde: it waits for another look"
    )
    later = apply(
        Spec(),
        _seen(_reviewed(ReviewState.REQUIRED, ReviewState.APPROVED, BEFORE)),
        applied.state,
        START + timedelta(seconds=1),
    )
    assert [event for event in later.events if event.event_type == "review_pending"] == []


def test_a_commit_that_came_onto_the_base_by_a_push_is_told_once() -> None:
    pushed = ForgeSeen(Presence.GONE, START, "local", pushed="c0ffee")
    applied = apply(Spec(), Inputs(Facts(forge=pushed), None, False), STATE, START)
    (word,) = [event for event in applied.events if event.event_type == "base_pushed"]
    assert (word.data, word.priority.value) == ({"commit": "c0ffee"}, "action")
    again = apply(Spec(), Inputs(Facts(forge=pushed), None, False), applied.state, START)
    silent = apply(
        Spec(), Inputs(Facts(forge=replace(pushed, pushed=None)), None, False), applied.state, START
    )
    assert [
        event for event in again.events + silent.events if event.event_type == "base_pushed"
    ] == []
