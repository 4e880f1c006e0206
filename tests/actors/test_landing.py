"""A person merges or approves: what is missing is said, and what happens all the
same is written down first.
"""

from __future__ import annotations

import pytest

from ennio.actors.landing import MergeOrder
from ennio.config.model import StaleApprovals
from ennio.model.errors import Conflict, Refused, Unreachable
from ennio.model.events import Event
from ennio.model.pulls import CheckState, Opinion, PullRequest, PullState, ReviewState, lacking
from ennio.model.session import SessionStatus
from tests.actors.ground import Play, Stage
from tests.conftest import eventually
from tests.policy.lifecycle.world import pull_request


def _pull(stage: Stage, checks: CheckState = CheckState.PASSING) -> tuple[str, int]:
    session_id = stage.working()
    number = stage.pull(session_id)
    stage.forge.checks(number, checks)
    return session_id, number


def _forced(stage: Stage) -> list[Event]:
    return [
        event
        for event in stage.deps.store.events.after(0, limit=1000)
        if event.event_type == "merge_forced"
    ]


@pytest.mark.parametrize(
    ("checks", "review", "words"),
    [
        (CheckState.FAILING, None, "checks fail: test"),
        (CheckState.PENDING, ReviewState.APPROVED, "checks are still running"),
        (CheckState.PASSING, ReviewState.CHANGES_REQUESTED, "a reviewer asks for changes"),
        (
            CheckState.FAILING,
            ReviewState.CHANGES_REQUESTED,
            "checks fail: test; a reviewer asks for changes",
        ),
    ],
)
def test_what_is_neither_green_nor_approved_is_merged_by_force_alone(
    stage: Stage, checks: CheckState, review: ReviewState | None, words: str
) -> None:
    session_id, number = _pull(stage, checks)
    if review is not None:
        stage.forge.review(number, "ada", review, "words")
    head = stage.forge.look(number).head
    with pytest.raises(Refused, match=rf"^#{number} is not merged: {words}\. .*--force"):
        stage.orchestrator.pulls.merge("play", number)
    assert (stage.forge.merges, _forced(stage)) == ([], [])
    assert stage.orchestrator.pulls.merge("play", number, MergeOrder(force=True, by="grace")).commit
    (event,) = _forced(stage)
    assert (event.session_id, event.priority.value) == (session_id, "action")
    assert event.data == {
        "number": number,
        "head": head,
        "by": "grace",
        "missing": words.split("; "),
    }
    assert "grace merges #1" in event.message
    stage.until(session_id, SessionStatus.MERGED)


def test_what_is_green_needs_no_force_and_force_is_no_event_then(stage: Stage) -> None:
    _, number = _pull(stage)
    assert stage.orchestrator.pulls.merge("play", number, MergeOrder(force=True)).commit
    assert _forced(stage) == []


def test_a_stale_approval_is_said_with_both_heads_unless_it_counts(play: Play) -> None:
    with play.opened() as stage:
        session_id, number = _pull(stage)
        stage.forge.review(number, "ada", ReviewState.APPROVED, "")
        before, head = stage.forge.look(number).head, stage.forge.push(stage.branch(session_id))
        stage.forge.checks(number, CheckState.PASSING)
        with pytest.raises(
            Refused, match=f"the approval by ada is of {before[:7]}, not of {head[:7]}"
        ):
            stage.orchestrator.pulls.merge("play", number)
    play.settings["project"] = {"stale_approvals": StaleApprovals.COUNT}
    with play.opened() as stage:
        assert stage.orchestrator.pulls.merge("play", number).commit


def test_checks_that_may_yet_appear_are_waited_for(stage: Stage) -> None:
    session_id = stage.working()
    number = stage.pull(session_id)
    with pytest.raises(Refused, match="checks are still running"):
        stage.orchestrator.pulls.merge("play", number)
    stage.pass_time(31)
    assert stage.orchestrator.pulls.merge("play", number).commit


def test_a_head_that_is_not_the_one_that_was_seen_is_neither_merged_nor_approved(
    stage: Stage,
) -> None:
    session_id, number = _pull(stage)
    seen = stage.forge.look(number).head
    head = stage.forge.push(stage.branch(session_id))
    stage.forge.checks(number, CheckState.PASSING)
    for force in (False, True):
        with pytest.raises(Conflict, match=f"its head is {head[:10]}, not {seen[:10]}"):
            stage.orchestrator.pulls.merge("play", number, MergeOrder(head=seen, force=force))
    with pytest.raises(Conflict, match=f"look at it again: ennio pr diff play#{number}$"):
        stage.orchestrator.pulls.review(
            "play", number, "ada", ReviewState.APPROVED, "", head=seen[:7]
        )
    assert stage.orchestrator.pulls.review(
        "play", number, "ada", ReviewState.APPROVED, "", head=head[:7]
    ).opinions == (Opinion("ada", ReviewState.APPROVED, head),)
    assert stage.orchestrator.pulls.merge("play", number, MergeOrder(head=head[:7])).commit


def test_words_that_an_agent_has_not_got_are_counted_and_stop_no_merge(stage: Stage) -> None:
    session_id, number = _pull(stage)
    count = stage.orchestrator.pulls.undelivered
    eventually(lambda: count("play", number) == 0)
    stage.runtime.unreachable = "tmux did not answer within 5 s"
    stage.look()
    for words in ("one", "two"):
        stage.orchestrator.sessions.send(session_id, words)
    assert (count("play", number), count("play", 99)) == (2, 0)
    assert stage.orchestrator.pulls.merge("play", number).commit
    stage.runtime.unreachable = None
    stage.look()
    eventually(lambda: stage.session(session_id).status is SessionStatus.MERGED)
    assert count("play", number) == 0, "they are dropped"


def test_no_session_approves(stage: Stage) -> None:
    session_id, number = _pull(stage)
    with pytest.raises(Refused, match="agents do not approve"):
        stage.orchestrator.pulls.review("play", number, session_id, ReviewState.APPROVED, "")
    assert stage.forge.look(number).review is ReviewState.NONE


def test_who_forces_is_written_down_also_when_nobody_knows_how_it_ended(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, number = _pull(stage, CheckState.FAILING)

    def away(*_words: object, **_more: object) -> None:
        raise Unreachable("the forge does not answer")

    monkeypatch.setattr(stage.forge, "merge", away)
    with pytest.raises(Unreachable):
        stage.orchestrator.pulls.merge("play", number, MergeOrder(force=True, by="grace"))
    assert [event.data["by"] for event in _forced(stage)] == ["grace"]


def test_nothing_is_lacking_where_nobody_wants_a_review() -> None:
    assert lacking(pull_request()) == ()
    assert lacking(pull_request(checks=CheckState.NONE)) == ()
    assert lacking(pull_request(review=ReviewState.APPROVED)) == (), (
        "a forge that tells no heads is believed"
    )
    assert lacking(pull_request(review=ReviewState.REQUIRED)) == ("it waits for a review",)
    assert lacking(pull_request(checks=CheckState.UNKNOWN)) == (
        "it is not known how its checks are",
    )


def _of(pull: PullRequest) -> tuple[bool, int, int]:
    return pull.approved_head, len(pull.stale), len(pull.answered)


def test_an_opinion_is_of_a_head() -> None:
    def pull(*opinions: tuple[ReviewState, str]) -> PullRequest:
        return pull_request(
            state=PullState.OPEN,
            opinions=tuple(Opinion("ada", what, head) for what, head in opinions),
        )

    yes, no = ReviewState.APPROVED, ReviewState.CHANGES_REQUESTED
    assert _of(pull()) == (False, 0, 0)
    assert _of(pull((yes, "h1"))) == (True, 0, 0)
    assert _of(pull((yes, "h0"))) == (False, 1, 0)
    assert _of(pull((yes, "h0"), (yes, "h1"))) == (True, 0, 0)
    assert _of(pull((yes, ""))) == (False, 1, 0)
    assert _of(pull((no, "h0"))) == (False, 0, 1)
    assert _of(pull((no, "h0"), (no, "h1"))) == (False, 0, 0)
