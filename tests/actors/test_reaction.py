"""Reactions as a person and an agent meet them: what is sent, when, how often, and why not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ennio.actors.messages import SessionChanged
from ennio.actors.registry import REACTIONS
from ennio.config.model import ReactionAction
from ennio.model.pulls import Check, CheckState, ReviewState
from ennio.model.session import Activity, SessionStatus
from ennio.policy.reactions import Situation
from ennio.policy.reactions.cases import BEGINS_WITHIN
from ennio.policy.reactions.decide import GONE
from ennio.store import ReactionRecord
from tests.actors.ground import Play, Stage
from tests.conftest import eventually


def _red(stage: Stage, session_id: str, number: int) -> str:
    """A new head whose check fails, seen by everybody."""
    head = stage.forge.push(stage.branch(session_id))
    stage.forge.checks(number, CheckState.PENDING)
    stage.look()
    stage.forge.checks(number, CheckState.FAILING)
    stage.look()
    return head


def _escalations(stage: Stage, session_id: str) -> int:
    return stage.types(session_id).count("reaction_escalated")


def _history(stage: Stage, session_id: str, key: str) -> list[ReactionRecord]:
    return [
        record
        for record in reversed(stage.deps.store.reactions.history(session_id))
        if record.key == key
    ]


def test_incident_22_six_red_heads_with_two_retries_are_three_messages_and_one_escalation(
    stage: Stage,
) -> None:
    session_id = stage.working()
    number = stage.pull(session_id)
    for _ in range(6):
        _red(stage, session_id, number)
    assert len(stage.told(session_id, "ci-failed")) == 3
    assert _escalations(stage, session_id) == 1
    eventually(
        lambda: (
            [n.reaction for n in stage.deps.store.notifications.list() if n.done_at]
            == ["ci-failed"]
        )
    )
    assert len(stage.notifiers["bell"].sent) == 1


def test_red_heads_pushed_while_the_agent_works_burn_no_try_and_call_nobody(stage: Stage) -> None:
    session_id = stage.working()
    number = stage.pull(session_id)
    stage.says(session_id, Activity.ACTIVE, ready=True)
    for _ in range(5):
        _red(stage, session_id, number)
    (waits,) = stage.told(session_id, "ci-failed")
    assert waits.state.pending
    stage.agent.says(
        session_id,
        stage.clock.now(),
        activity=Activity.READY,
        since=stage.clock.now() - timedelta(seconds=1),
        ready=True,
    )
    eventually(lambda: stage.told(session_id, "ci-failed")[0].delivered_at)
    stage.clock.advance(1)
    stage.says(session_id, Activity.ACTIVE, ready=True)
    for _ in range(3):
        last = _red(stage, session_id, number)
    assert _escalations(stage, session_id) == 0
    stage.clock.advance(1)
    stage.rests(session_id)
    told = eventually(lambda: (found := stage.told(session_id, "ci-failed"))[1:] and found)
    assert isinstance(told, list)
    assert [last[:12] in message.text for message in told[1:]] == [True], (
        "only what is red at the end of its turn"
    )
    assert _escalations(stage, session_id) == 0


def test_a_red_head_seen_before_the_agent_begins_with_what_it_took_is_told_in_time(
    stage: Stage,
) -> None:
    session_id = stage.working()
    number = stage.pull(session_id)
    stage.clock.advance(5)
    _red(stage, session_id, number)
    eventually(lambda: stage.told(session_id, "ci-failed")[0].delivered_at)
    _red(stage, session_id, number)
    assert len(stage.told(session_id, "ci-failed")) == 1
    stage.pass_time(BEGINS_WITHIN.total_seconds())
    eventually(lambda: len(stage.told(session_id, "ci-failed")) == 2)


def test_incident_22_what_came_after_the_escalation_is_noted_with_its_reason(stage: Stage) -> None:
    session_id = stage.working()
    number = stage.pull(session_id)
    for _ in range(5):
        _red(stage, session_id, number)
    outcomes = [
        (record.outcome, record.attempt) for record in _history(stage, session_id, "ci-failed")
    ]
    assert outcomes == [("act", 1), ("act", 2), ("act", 3), ("escalate", 3), ("skipped", 3)]
    assert "a person has been told" in _history(stage, session_id, "ci-failed")[-1].detail


def test_incident_22_five_green_minutes_end_the_episode(stage: Stage) -> None:
    session_id = stage.working()
    number = stage.pull(session_id)
    for _ in range(3):
        _red(stage, session_id, number)
    stage.forge.push(stage.branch(session_id))
    stage.forge.checks(number, CheckState.PASSING)
    stage.look()
    stage.pass_time(GONE.total_seconds())
    stage.quiet()
    _red(stage, session_id, number)
    assert len(stage.told(session_id, "ci-failed")) == 4
    assert _escalations(stage, session_id) == 0


def test_incident_23_retries_and_deadlines_survive_a_restart_of_the_house(play: Play) -> None:
    with play.opened() as stage:
        session_id = stage.working()
        number = stage.pull(session_id)
        _red(stage, session_id, number)
        _red(stage, session_id, number)
    for _ in range(2):
        with play.opened() as stage:
            stage.look()
            _red(stage, session_id, number)
    with play.opened() as stage:
        stage.look()
        assert len(stage.told(session_id, "ci-failed")) == 3
        assert _escalations(stage, session_id) == 1


def test_incident_23_the_clock_of_an_escalation_goes_on_over_a_restart(play: Play) -> None:
    with play.opened() as stage:
        session_id = stage.working()
        number = stage.pull(session_id)
        _red(stage, session_id, number)
        assert _escalations(stage, session_id) == 0
    play.clock.advance(121)  # ci-failed escalates after 120 s
    with play.opened() as stage:
        stage.look()
        eventually(lambda: _escalations(stage, session_id) == 1)
        stage.pass_time(3600)
        stage.crash(REACTIONS)
        stage.look()
        assert _escalations(stage, session_id) == 1


def test_incident_24_two_messengers_of_the_same_news_make_one_message(stage: Stage) -> None:
    session_id = stage.working()
    number = stage.pull(session_id)
    _red(stage, session_id, number)
    same = Situation(stage.session(session_id), stage.deps.store.facts.get(session_id))
    for _ in range(3):
        stage.deps.actors.tell(REACTIONS, SessionChanged(same))
    stage.quiet()
    stage.crash(REACTIONS)
    stage.deps.actors.tell(REACTIONS, SessionChanged(same))
    stage.quiet()
    assert len(stage.told(session_id, "ci-failed")) == 1
    assert stage.types(session_id).count("reaction_triggered") == 1


def test_incident_28_the_message_names_the_check_its_log_and_its_link(stage: Stage) -> None:
    session_id = stage.working()
    number = stage.pull(session_id)
    head = stage.forge.look(number).head
    stage.forge.report(
        number,
        Check("1", "lint", CheckState.PASSING, "stub://lint"),
        Check(
            "2", "unit tests", CheckState.FAILING, "stub://tests/17", "E   assert add(1, 1) == 3"
        ),
    )
    (message,) = eventually(lambda: stage.told(session_id, "ci-failed"))  # type: ignore[misc]
    for words in (
        "unit tests",
        "stub://tests/17",
        "E   assert add(1, 1) == 3",
        f"#{number}",
        head[:12],
    ):
        assert words in message.text
    assert "lint" not in message.text
    eventually(lambda: stage.runtime.pasted(session_id) == [message.text])


def test_incident_29_every_comment_of_a_review_arrives(stage: Stage) -> None:
    session_id = stage.working()
    number = stage.pull(session_id)
    stage.forge.review(
        number, "ada", ReviewState.NONE, "In this thread: first", path="a.py", line=3
    )
    stage.forge.review(
        number, "bob", ReviewState.NONE, "In this thread: an answer", path="a.py", line=3
    )
    stage.forge.review(number, "ada", ReviewState.CHANGES_REQUESTED, "Please rename")
    eventually(lambda: stage.told(session_id, "changes-requested"))
    text = "".join(message.text for message in stage.told(session_id, "changes-requested"))
    for words in (
        "In this thread: first",
        "In this thread: an answer",
        "Please rename",
        "a.py:3",
        "ada",
        "bob",
    ):
        assert text.count(words) >= 1


def test_incident_29_a_second_round_of_review_on_a_new_head_reaches_the_agent(stage: Stage) -> None:
    session_id = stage.working()
    number = stage.pull(session_id)
    for review in ("Rename it", "Now test it", "And document it"):
        stage.forge.review(number, "ada", ReviewState.CHANGES_REQUESTED, review)
        stage.look()
        stage.forge.push(stage.branch(session_id))
        stage.look()
    told = stage.told(session_id, "changes-requested")
    assert len(told) == 3
    assert "And document it" in told[-1].text
    assert "Rename it" not in told[-1].text
    assert _escalations(stage, session_id) == 0
    eventually(lambda: stage.types(session_id).count("review_comments_sent") == 3)


def _reviewed_while_at_the_first(stage: Stage) -> tuple[str, int]:
    """A session and its pull request, where a second review came while it is at the first."""
    session_id = stage.working()
    number = stage.pull(session_id)
    stage.clock.advance(BEGINS_WITHIN.total_seconds())
    stage.forge.review(number, "ada", ReviewState.CHANGES_REQUESTED, "Rename it")
    stage.look()
    eventually(lambda: stage.told(session_id, "changes-requested")[0].delivered_at)
    stage.clock.advance(1)
    stage.says(session_id, Activity.ACTIVE, ready=True)
    stage.forge.review(number, "ada", ReviewState.CHANGES_REQUESTED, "Now test it")
    return session_id, number


def test_two_reviews_shortly_one_after_the_other_are_told_one_by_one_and_call_nobody(
    stage: Stage,
) -> None:
    session_id, _ = _reviewed_while_at_the_first(stage)
    stage.look()
    assert len(stage.told(session_id, "changes-requested")) == 1
    stage.clock.advance(1)
    stage.rests(session_id)  # and the forge has not been asked for its new head yet
    eventually(lambda: len(stage.told(session_id, "changes-requested")) == 2)
    assert "Now test it" in stage.told(session_id, "changes-requested")[1].text
    stage.forge.push(stage.branch(session_id))
    stage.look()
    assert _escalations(stage, session_id) == 0
    assert not stage.deps.store.notifications.list()


def test_words_of_an_older_head_are_told_to_the_agent_for_what_they_ask(stage: Stage) -> None:
    session_id, number = _reviewed_while_at_the_first(stage)
    stage.forge.push(stage.branch(session_id))
    stage.look()
    stage.clock.advance(1)
    stage.rests(session_id)
    eventually(lambda: len(stage.told(session_id, "changes-requested")) == 2)
    said = [words for words in stage.words(session_id) if words.startswith("changes-requested: ")]
    asks = f"changes-requested: a reviewer of #{number} asks for changes -> send_to_agent"
    assert said == [f"{asks} (attempt 1 of 1)"] * 2


def test_a_person_who_was_called_is_called_off_once_the_agent_is_told_anew(stage: Stage) -> None:
    session_id = stage.working()
    number = stage.pull(session_id)
    for review in ("Rename it", "Well?"):
        stage.forge.review(number, "ada", ReviewState.CHANGES_REQUESTED, review)
        stage.look()
        stage.pass_time(BEGINS_WITHIN.total_seconds() + 1)
    eventually(lambda: _escalations(stage, session_id) == 1)
    (called,) = stage.deps.store.notifications.list()
    assert called.resolved_at is None
    stage.forge.push(stage.branch(session_id))
    stage.forge.review(number, "ada", ReviewState.CHANGES_REQUESTED, "Not yet")
    stage.look()
    eventually(lambda: len(stage.told(session_id, "changes-requested")) == 2)
    eventually(lambda: stage.deps.store.notifications.list()[0].resolved_at)
    assert _escalations(stage, session_id) == 1


def test_incident_29_a_new_comment_of_a_bot_is_not_suppressed_by_an_old_one(stage: Stage) -> None:
    session_id = stage.working()
    number = stage.pull(session_id)
    stage.forge.review(number, "lint[bot]", ReviewState.NONE, "Line too long", path="a.py", line=1)
    stage.look()
    stage.forge.push(stage.branch(session_id))
    stage.look()
    stage.forge.review(number, "lint[bot]", ReviewState.NONE, "Unused import", path="a.py", line=2)
    stage.look()
    told = stage.told(session_id, "bugbot-comments")
    assert ["Line too long" in message.text for message in told] == [True, False]
    assert "Unused import" in told[1].text


def test_incident_31_why_a_comment_was_not_passed_on_is_written_down(play: Play) -> None:
    play.settings["project"] = {"reactions": {"bugbot-comments": {"enabled": False}}}
    with play.opened() as stage:
        session_id = stage.working()
        number = stage.pull(session_id)
        stage.forge.review(number, "lint[bot]", ReviewState.NONE, "Line too long")
        (record,) = eventually(lambda: _history(stage, session_id, "bugbot-comments"))  # type: ignore[misc]
        assert (record.outcome, record.action) == ("skipped", "none")
        assert record.detail == f"bots commented on #{number}: it is switched off"
        stage.look()
        stage.crash(REACTIONS)
        stage.look()
        assert len(_history(stage, session_id, "bugbot-comments")) == 1, (
            "noted once, not at every look"
        )
        assert not stage.told(session_id, "bugbot-comments")


def test_incident_16_a_worker_that_has_handed_in_is_never_called_stuck(stage: Stage) -> None:
    session_id = stage.working()
    number = stage.pull(session_id)
    stage.forge.checks(number, CheckState.PASSING)
    stage.until(session_id, SessionStatus.CI_PASSING)
    stage.pass_time(86_400)
    stage.look()
    assert not _history(stage, session_id, "agent-stuck")


def test_without_checks_and_reviews_a_person_is_told_once_that_a_pull_request_can_be_merged(
    stage: Stage,
) -> None:
    session_id = stage.working()
    number = stage.pull(session_id)
    stage.look()
    assert not _history(stage, session_id, "approved-and-green"), "there may be some yet"
    stage.pass_time(31)
    stage.look()
    stage.until(session_id, SessionStatus.CI_PASSING)
    eventually(lambda: _history(stage, session_id, "approved-and-green"))
    stage.pass_time(3600)
    stage.look()
    (notice,) = [
        each
        for each in stage.deps.store.notifications.list()
        if each.reaction == "approved-and-green"
    ]
    words = f"#{number} can be merged: no review is required, and there are no checks"
    assert words in notice.message


def test_an_agent_without_a_sign_of_life_is_called_stuck_once(stage: Stage) -> None:
    session_id = stage.working()
    stage.look()
    stage.pass_time(599)
    stage.quiet()
    assert not _history(stage, session_id, "agent-stuck")
    stage.pass_time(2)
    eventually(lambda: len(_history(stage, session_id, "agent-stuck")) == 1)
    stage.pass_time(5000)
    stage.look()
    assert len(_history(stage, session_id, "agent-stuck")) == 1
    assert len(stage.notifiers["bell"].sent) == 1


@pytest.mark.parametrize("by", [3600, -3600])
def test_a_machine_that_slept_or_whose_clock_was_set_calls_nobody_silent_and_hurries_no_escalation(
    play: Play, by: int
) -> None:
    with play.opened() as stage:
        red, silent = stage.working(), stage.working()
        _red(stage, red, stage.pull(red))
        stage.pass_time(60)
        stage.clock.put(by)
        stage.look()
        stage.crash(REACTIONS)
    with play.opened() as stage:
        stage.look()
        assert (_escalations(stage, red), _history(stage, silent, "agent-stuck")) == (0, [])
        stage.pass_time(61)
        eventually(lambda: _escalations(stage, red) == 1)  # at 121 s that passed
        assert not _history(stage, silent, "agent-stuck")
        stage.pass_time(540)
        eventually(lambda: len(_history(stage, silent, "agent-stuck")) == 1)


def test_an_agent_that_cannot_be_seen_is_not_called_stuck(stage: Stage) -> None:
    session_id = stage.working()
    stage.runtime.unreachable = "away"
    eventually(lambda: not stage.orchestrator.supervisor.health()["runtime:stub"].ok)
    stage.pass_time(7200)
    stage.quiet()
    assert not _history(stage, session_id, "agent-stuck")


def test_a_question_of_the_agent_is_told_with_its_words(stage: Stage) -> None:
    session_id = stage.working()
    stage.says(session_id, Activity.WAITING_INPUT, question="Delete the table?")
    eventually(lambda: stage.notifiers.get("bell") and stage.notifiers["bell"].sent)
    assert "Delete the table?" in stage.notifiers["bell"].sent[0].message


def test_conflicting_files_are_named_to_the_agent(stage: Stage) -> None:
    session_id = stage.working()
    number = stage.pull(session_id)
    stage.forge.conflict(number, "src/a.py", "README.md")
    (message,) = eventually(lambda: stage.told(session_id, "merge-conflicts"))  # type: ignore[misc]
    assert "- src/a.py\n- README.md" in message.text
    assert stage.session(session_id).status is SessionStatus.MERGE_CONFLICTS


def test_configured_words_stand_above_what_the_agent_needs(play: Play) -> None:
    play.settings["project"] = {
        "reactions": {"ci-failed": {"message": "Our rule: fix it within the hour."}}
    }
    with play.opened() as stage:
        session_id = stage.working()
        _red(stage, session_id, stage.pull(session_id))
        (message,) = eventually(lambda: stage.told(session_id, "ci-failed"))  # type: ignore[misc]
        assert message.text.startswith("Our rule: fix it within the hour.\n")
        assert "assert 1 == 2" in message.text


def test_all_complete_is_told_once_each_time_a_project_comes_to_rest(stage: Stage) -> None:
    first, second = stage.working("one"), stage.working("two")
    stage.orchestrator.sessions.kill(first)
    stage.quiet()
    assert "all_complete" not in stage.types(first) + stage.types(second)
    stage.orchestrator.sessions.kill(second)
    eventually(lambda: stage.types(second).count("all_complete") == 1)
    third = stage.working("three")
    stage.orchestrator.sessions.kill(third)
    eventually(lambda: stage.types(third).count("all_complete") == 1)
    stage.crash(REACTIONS)
    stage.look()
    everything = [kind for one in (first, second, third) for kind in stage.types(one)]
    assert everything.count("all_complete") == 2


def test_an_action_of_notify_never_types(play: Play) -> None:
    play.settings["project"] = {"reactions": {"ci-failed": {"action": ReactionAction.NOTIFY}}}
    with play.opened() as stage:
        session_id = stage.working()
        _red(stage, session_id, stage.pull(session_id))
        eventually(lambda: stage.notifiers.get("bell") and stage.notifiers["bell"].sent)
        assert not stage.told(session_id, "ci-failed")
