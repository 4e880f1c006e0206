"""The conditions: when each holds, when it does not, and when nobody can tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ennio.config.model import Reaction, ReactionAction
from ennio.config.reactions import BUILT_IN, KEYS
from ennio.model.facts import AgentSeen, Facts, ForgeSeen, Place, PlaceSeen, Presence, ProcessSeen
from ennio.model.message import Message, MessageState, Origin
from ennio.model.pulls import (
    Check,
    CheckState,
    Comment,
    Mergeability,
    Opinion,
    PullRequest,
    PullState,
    ReviewState,
)
from ennio.model.session import Activity, Session, SessionStatus, Usage
from ennio.policy.lifecycle.state import LastAnswer
from ennio.policy.reactions import (
    Case,
    ReactionState,
    SeenItem,
    Situation,
    Verdict,
    all_complete,
    case,
    decide,
    notice,
    notice_of_project,
    on_its_way,
    to_agent,
)
from ennio.policy.reactions.cases import ASKS_STILL, BEGINS_WITHIN, SESSION_KEYS, SETTLES
from ennio.policy.reactions.seen_item import item
from tests.policy.lifecycle.world import pull_request

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OF_PULLS = (
    "ci-failed",
    "changes-requested",
    "bugbot-comments",
    "merge-conflicts",
    "approved-and-green",
)


def _session(status: SessionStatus = SessionStatus.WORKING, **more: Any) -> Session:
    return Session("p-1", "play", status, NOW, NOW, "beef", **more)


def _situation(
    pull: PullRequest | None = None,
    session: Session | None = None,
    merge_ready: str = "",
    **facts: Any,
) -> Situation:
    forge = ForgeSeen(Presence.GONE if pull is None else Presence.ALIVE, NOW, "forge", pull)
    seen = Facts(process=ProcessSeen(Presence.ALIVE, NOW, "survey"), forge=forge)
    return Situation(
        session or _session(),
        replace(seen, **facts),
        merge_ready,
        ("review-robot",),
        launched_at=NOW,
    )


def _holds(key: str, situation: Situation, now: datetime = NOW) -> bool | None:
    return case(key, BUILT_IN[key], situation, now).holds


def _names(found: Case) -> list[str]:
    return [each.about for each in found.items]


def _comment(name: str, author: str = "ada", **more: Any) -> Comment:
    return Comment(name, author, f"words of {author}", NOW, **more)


def test_the_nine_documented_reactions_are_all_there() -> None:
    assert {*SESSION_KEYS, "all-complete"} >= set(KEYS[:9])


@pytest.mark.parametrize("key", SESSION_KEYS)
@pytest.mark.parametrize("status", [SessionStatus.MERGED, SessionStatus.DONE, SessionStatus.KILLED])
def test_nothing_holds_for_a_session_that_has_ended(key: str, status: SessionStatus) -> None:
    pull = pull_request(
        checks=CheckState.FAILING, mergeability=Mergeability.CONFLICTING, comments=(_comment("1"),)
    )
    assert _holds(key, _situation(pull, _session(status, activity=Activity.WAITING_INPUT))) is False


@pytest.mark.parametrize("key", OF_PULLS)
def test_a_forge_that_was_not_seen_says_nothing(key: str) -> None:
    forge = ForgeSeen(
        Presence.UNKNOWN, NOW, "forge", pull_request(checks=CheckState.FAILING), "503"
    )
    assert _holds(key, _situation(forge=forge)) is None


@pytest.mark.parametrize("key", OF_PULLS)
@pytest.mark.parametrize("state", [PullState.CLOSED, PullState.MERGED])
def test_a_pull_request_that_is_decided_asks_for_nothing(key: str, state: PullState) -> None:
    pull = pull_request(
        state=state,
        checks=CheckState.FAILING,
        mergeability=Mergeability.CONFLICTING,
        comments=(_comment("1"),),
    )
    assert _holds(key, _situation(pull)) is False


@pytest.mark.parametrize(
    ("checks", "holds"),
    [
        (CheckState.FAILING, True),
        (CheckState.PASSING, False),
        (CheckState.PENDING, None),
        (CheckState.NONE, None),
        (CheckState.UNKNOWN, None),
    ],
)
def test_checks_that_are_not_through_are_no_end_of_a_failure(
    checks: CheckState, holds: bool | None
) -> None:
    assert _holds("ci-failed", _situation(pull_request(checks=checks))) is holds


def test_a_failure_is_known_by_its_head_and_its_checks() -> None:
    def items(head: str, *names: str) -> tuple[SeenItem, ...]:
        runs = tuple(Check(name, name, CheckState.FAILING) for name in names)
        pull = pull_request(head=head, checks=CheckState.FAILING, check_runs=runs)
        return case("ci-failed", BUILT_IN["ci-failed"], _situation(pull), NOW).items

    assert items("h1", "lint", "test") == items("h1", "test", "lint")
    assert len({items("h1", "lint"), items("h1", "test"), items("h2", "lint")}) == 3


def test_words_of_people_and_of_bots_go_different_ways() -> None:
    comments = (
        _comment("1"),
        _comment("2", "lint[bot]"),
        _comment("3", "review-robot"),
        _comment("4", "ci", bot=True),
    )
    situation = _situation(pull_request(review=ReviewState.CHANGES_REQUESTED, comments=comments))
    assert _names(case("changes-requested", Reaction(), situation, NOW)) == ["1"]
    assert _names(case("bugbot-comments", Reaction(), situation, NOW)) == ["2", "3", "4"]


def test_comments_without_a_request_for_changes_are_passed_on_and_not_retried() -> None:
    found = case(
        "changes-requested", Reaction(), _situation(pull_request(comments=(_comment("1"),))), NOW
    )
    assert (found.holds, found.lasting, _names(found)) == (True, False, ["1"])


def test_a_conflict_is_known_by_head_and_base() -> None:
    def found(**more: Any) -> Any:
        return case(
            "merge-conflicts",
            Reaction(),
            _situation(pull_request(mergeability=Mergeability.CONFLICTING, **more)),
            NOW,
        )

    assert found(base_head="b1").items == found(base_head="b2").items, (
        "what others merge meanwhile is no news"
    )
    assert found(base="main").items != found(base="next").items
    assert (
        _holds("merge-conflicts", _situation(pull_request(mergeability=Mergeability.UNKNOWN)))
        is None
    )


def test_an_agent_that_settles_a_conflict_in_small_pushes_calls_nobody_before_its_time_is_over() -> (
    None
):
    rule, state, verdicts = BUILT_IN["merge-conflicts"], ReactionState(), []
    for minute, head in enumerate(("h1", "h2", "h2", "h3", "h4")):
        resting = _situation(
            pull_request(head=head, mergeability=Mergeability.CONFLICTING),
            _session(activity=Activity.READY),
        )
        now = NOW + timedelta(minutes=minute)
        decision = decide(rule, case("merge-conflicts", rule, resting, now), state, now)
        state = decision.state
        verdicts.append(decision.verdict)
    assert verdicts == [Verdict.ACT, *[Verdict.QUIET] * 4]
    late = NOW + timedelta(minutes=15)
    assert (
        decide(rule, case("merge-conflicts", rule, resting, late), state, late).verdict
        is Verdict.ESCALATE
    )


@pytest.mark.parametrize(
    ("ready", "status", "holds"),
    [("h1", "approved", True), ("h0", "approved", False), ("h1", "pr_open", False)],
)
def test_only_the_very_head_that_was_found_ready_is_approved_and_green(
    ready: str, status: str, holds: bool
) -> None:
    assert (
        _holds(
            "approved-and-green", _situation(pull_request(), _session(SessionStatus(status)), ready)
        )
        is holds
    )


GREEN = _session(SessionStatus.CI_PASSING)


@pytest.mark.parametrize("action", ReactionAction)
def test_what_needs_no_review_is_told_to_a_person_whatever_is_done_with_what_is_approved(
    action: ReactionAction,
) -> None:
    rule = replace(BUILT_IN["approved-and-green"], action=action)
    found = case("approved-and-green", rule, _situation(pull_request(), GREEN), NOW)
    assert found.holds
    assert found.headline == "#1 can be merged: no review is required, and its checks pass"
    assert found.tells is (action is not ReactionAction.NOTIFY)


@pytest.mark.parametrize(
    ("changes", "holds"),
    [
        ({"mergeability": Mergeability.UNKNOWN}, None),
        ({"merging": True}, False),
        ({"checks": CheckState.NONE, "check_runs": ()}, True),
    ],
)
def test_it_is_the_forge_that_says_whether_what_needs_no_review_can_be_merged(
    changes: dict[str, Any], holds: bool | None
) -> None:
    assert _holds("approved-and-green", _situation(pull_request(**changes), GREEN)) is holds


def test_what_can_be_merged_is_told_once_for_each_head_also_when_it_is_approved_later() -> None:
    rule, state, verdicts = BUILT_IN["approved-and-green"], ReactionState(), []
    approved = _session(SessionStatus.APPROVED)
    for head, session in (("h1", GREEN), ("h1", GREEN), ("h1", approved), ("h2", approved)):
        seen = _situation(pull_request(head=head), session, head)
        decision = decide(rule, case("approved-and-green", rule, seen, NOW), state, NOW)
        state = decision.state
        verdicts.append(decision.verdict)
    assert verdicts == [Verdict.ACT, Verdict.QUIET, Verdict.QUIET, Verdict.ACT]


@pytest.mark.parametrize("before", [ReactionAction.NOTIFY, ReactionAction.AUTO_MERGE])
def test_to_have_told_of_a_head_does_not_keep_it_from_being_merged_once_it_is_approved(
    before: ReactionAction,
) -> None:
    rule, merges = (
        replace(BUILT_IN["approved-and-green"], action=action)
        for action in (before, ReactionAction.AUTO_MERGE)
    )
    told = case("approved-and-green", rule, _situation(pull_request(), GREEN), NOW)
    state = decide(rule, told, ReactionState(), NOW).state
    approved = _situation(pull_request(), _session(SessionStatus.APPROVED), "h1")
    found = case("approved-and-green", merges, approved, NOW)
    decision = decide(merges, found, state, NOW)
    assert (decision.verdict, found.tells) == (Verdict.ACT, False)


def test_what_an_older_version_told_of_is_not_told_again() -> None:
    rule, approved = BUILT_IN["approved-and-green"], _session(SessionStatus.APPROVED)
    state = ReactionState(1, NOW, 1, (SeenItem("h1"),))
    found = case("approved-and-green", rule, _situation(pull_request(), approved, "h1"), NOW)
    assert decide(rule, found, state, NOW).verdict is Verdict.QUIET


def test_who_is_paused_by_a_budget_is_not_called_silent() -> None:
    held = _situation()
    held = replace(held, session=replace(held.session, paused="paused: a budget is used up"))
    assert _holds("agent-stuck", held, NOW + timedelta(days=2)) is False


def test_stuck_is_a_matter_of_time_and_says_when_to_look() -> None:
    found = case("agent-stuck", BUILT_IN["agent-stuck"], _situation(), NOW)
    assert (found.holds, found.wake_at) == (False, NOW + timedelta(seconds=600))
    assert _holds("agent-stuck", _situation(), NOW + timedelta(seconds=600)) is True


@pytest.mark.parametrize("activity", [Activity.READY, Activity.IDLE])
def test_who_ended_a_turn_and_handed_nothing_in_rests_and_is_not_stuck(activity: Activity) -> None:
    situation = _situation(session=_session(activity=activity))
    found = case("agent-resting", BUILT_IN["agent-resting"], situation, NOW)
    assert (found.holds, found.wake_at) == (False, NOW + timedelta(seconds=120))
    found = case("agent-resting", BUILT_IN["agent-resting"], situation, NOW + timedelta(hours=1))
    assert found.headline == "at rest, with no pull request, for 60 min"
    assert _holds("agent-stuck", situation, NOW + timedelta(days=2)) is False


@pytest.mark.parametrize("activity", [None, Activity.ACTIVE])
def test_who_should_be_moving_and_is_not_is_stuck_and_does_not_rest(
    activity: Activity | None,
) -> None:
    for status in (SessionStatus.WORKING, SessionStatus.SPAWNING):
        situation = _situation(session=_session(status, activity=activity))
        assert _holds("agent-resting", situation, NOW + timedelta(days=2)) is False
        assert _holds("agent-stuck", situation, NOW + timedelta(days=2)) is True


def test_who_has_handed_in_may_rest_as_long_as_they_like() -> None:
    for status in (SessionStatus.PR_OPEN, SessionStatus.REVIEW_PENDING, SessionStatus.CI_PASSING):
        situation = _situation(session=_session(status, activity=Activity.IDLE))
        assert _holds("agent-resting", situation, NOW + timedelta(days=2)) is False


@pytest.mark.parametrize("since", ["launched_at", "resumed_at"])
def test_time_before_the_launch_or_that_the_machine_slept_is_no_silence(since: str) -> None:
    later = NOW + timedelta(hours=1)
    situation = replace(_situation(), **{since: later})  # type: ignore[arg-type]
    assert _holds("agent-stuck", situation, later) is False
    found = case("agent-stuck", BUILT_IN["agent-stuck"], situation, later + timedelta(minutes=11))
    assert (found.holds, found.headline) == (True, "no activity for 11 min")


def test_what_was_never_launched_cannot_be_silent() -> None:
    assert (
        _holds("agent-stuck", replace(_situation(), launched_at=None), NOW + timedelta(days=2))
        is False
    )


def test_a_clock_that_was_put_back_does_not_keep_a_silent_agent_from_being_noticed() -> None:
    early = NOW - timedelta(hours=1)
    situation = replace(_situation(), resumed_at=early)
    assert _holds("agent-stuck", situation, early) is False
    assert _holds("agent-stuck", situation, early + timedelta(minutes=11)) is True


@pytest.mark.parametrize(
    "status", sorted(set(SessionStatus) - {SessionStatus.WORKING, SessionStatus.SPAWNING})
)
def test_incident_16_only_who_works_can_be_stuck(status: SessionStatus) -> None:
    assert (
        _holds("agent-stuck", _situation(session=_session(status)), NOW + timedelta(days=2))
        is False
    )


def test_who_waits_for_an_answer_is_not_stuck_but_waiting() -> None:
    session = _session(activity=Activity.WAITING_INPUT)
    agent = AgentSeen(NOW, "hook", Activity.WAITING_INPUT, question="May I?")
    situation = _situation(session=session, agent=agent)
    assert _holds("agent-stuck", situation, NOW + timedelta(days=2)) is False
    assert case("agent-needs-input", Reaction(), situation, NOW).headline.endswith("May I?")


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("Which way?", "Which way? [1. left / 2. right]"),
        ("Which way? [1. left / 2. right]", "Which way? [1. left / 2. right]"),
        (None, "(it does not say to what)"),
    ],
)
def test_a_person_is_told_what_the_answers_are(question: str | None, told: str) -> None:
    session = _session(activity=Activity.WAITING_INPUT)
    waiting = AgentSeen(NOW, "hook", Activity.WAITING_INPUT, question=question)
    situation = _situation(session=session, agent=replace(waiting, options=("left", "right")))
    found = case("agent-needs-input", Reaction(), situation, NOW)
    assert found.headline == f"the agent waits for an answer: {told}"


@pytest.mark.parametrize(
    ("question", "since", "tells_after"),
    [
        ("And why?", NOW, SETTLES),  # another one
        (
            "May I?",
            NOW + timedelta(seconds=2),
            SETTLES,
        ),  # the same words, and by its own word later
        ("May I?", NOW, ASKS_STILL),  # on its screen: the same, or the next one in the same words
    ],
)
def test_what_is_asked_right_after_an_answer_is_a_question_of_its_own(
    question: str, since: datetime, tells_after: timedelta
) -> None:
    """Nobody saw that it did not ask for a moment."""
    answered = LastAnswer("May I?", NOW + timedelta(seconds=1), NOW + timedelta(seconds=3))
    agent = AgentSeen(NOW, "hook", Activity.WAITING_INPUT, since=since, question=question)
    asks = replace(
        _situation(session=_session(activity=Activity.WAITING_INPUT), agent=agent),
        answered=answered,
    )
    at = answered.at + tells_after
    before = case("agent-needs-input", Reaction(), asks, at - timedelta(milliseconds=1))
    assert (before.anew_after, before.wake_at) == (None, at)
    assert case("agent-needs-input", Reaction(), asks, at).anew_after == answered.at
    away = ProcessSeen(Presence.UNKNOWN, NOW, "survey", detail="away")
    unseen = replace(asks, facts=replace(asks.facts, process=away))
    assert case("agent-needs-input", Reaction(), unseen, at).anew_after is None


def test_who_cannot_be_seen_is_not_called_stuck() -> None:
    process = ProcessSeen(Presence.UNKNOWN, NOW, "survey", detail="away")
    assert _holds("agent-stuck", _situation(process=process), NOW + timedelta(days=2)) is None


def test_all_complete_counts_the_ends() -> None:
    ends = [
        _session(SessionStatus.DONE, outcome="merged"),
        _session(SessionStatus.DONE, outcome="merged"),
        _session(SessionStatus.KILLED),
    ]
    assert all_complete(ends).headline == "all 3 sessions of play have ended: 1 killed, 2 merged"
    assert all_complete([*ends, _session()]).holds is False
    assert all_complete([]).holds is False


# --- words ----------------------------------------------------------------------------------------


def test_only_the_comments_that_are_new_are_passed_on() -> None:
    pull = pull_request(
        comments=(_comment("1", path="a.py", line=3), _comment("2", "bob")),
        review=ReviewState.CHANGES_REQUESTED,
    )
    text = to_agent("changes-requested", Reaction(), _situation(pull), [item(pull.comments[1])])
    assert "words of bob" in text
    assert "words of ada" not in text


@pytest.mark.parametrize("review", [ReviewState.NONE, ReviewState.CHANGES_REQUESTED])
def test_incident_29_what_the_agent_said_itself_is_not_told_back(review: ReviewState) -> None:
    pull = pull_request(
        comments=(
            _comment("1"),
            _comment("2", "me", own=True),
            _comment("3", "bot", bot=True, own=True),
        ),
        review=review,
    )
    found = case("changes-requested", Reaction(), _situation(pull), NOW)
    assert (found.holds, _names(found)) == (True, ["1"])
    assert not _holds("bugbot-comments", _situation(pull))


def test_incident_31_that_only_the_agent_said_something_is_a_reason_to_be_found() -> None:
    found = case(
        "changes-requested",
        Reaction(),
        _situation(pull_request(comments=(_comment("2", own=True),))),
        NOW,
    )
    assert (found.holds, found.items) == (False, (SeenItem("2"),))
    assert "own account" in found.headline


def test_each_comment_comes_with_the_command_that_answers_it_and_each_thread_with_the_one_that_settles_it() -> (
    None
):
    threaded = (
        _comment("c-1", path="a.py", line=3, thread="t-1"),
        _comment("c-2", "bob", path="a.py", line=3, thread="t-1"),
    )
    comments = (*threaded, _comment("c 3"))
    pull = pull_request(comments=comments, review=ReviewState.CHANGES_REQUESTED)
    text = to_agent(
        "changes-requested",
        Reaction(),
        _situation(pull),
        list(map(item, comments)),
        "/opt/ennio --config /e.yaml",
    )
    assert "ada at a.py:3 [comment c-1, thread t-1]:\nwords of ada" in text
    lines = [line for line in text.splitlines() if line.startswith("/opt")]
    replies = [
        f'/opt/ennio --config /e.yaml pr reply p-1 {name} -m "..."'
        for name in ("c-1", "c-2", "'c 3'")
    ]
    assert lines == [*replies, "/opt/ennio --config /e.yaml pr resolve p-1 t-1"]
    assert "pr reply" not in to_agent(
        "changes-requested", Reaction(), _situation(pull), [item(comments[0])]
    )
    assert "pr reply" not in to_agent(
        "changes-requested", Reaction(), _situation(pull), [SeenItem("told-before")], "/opt/ennio"
    )


def test_other_words_are_another_item_and_are_called_edited() -> None:
    first, second = _comment("c-1"), replace(_comment("c-1"), body="other words")
    assert item(first) != item(second)
    assert item(first) == item(replace(first, body=f"  {first.body}\n")), (
        "blanks are no other words"
    )
    pull = pull_request(comments=(second,), review=ReviewState.CHANGES_REQUESTED)
    text = to_agent(
        "changes-requested", Reaction(), _situation(pull), [item(second)], edited=[item(second)]
    )
    assert "ada [comment c-1, edited since you were told of it]:\nother words" in text


def test_incident_28_a_check_without_a_log_says_so() -> None:
    pull = pull_request(
        checks=CheckState.FAILING,
        check_runs=(Check("1", "build", CheckState.FAILING, "https://ci/1"),),
    )
    text = to_agent("ci-failed", Reaction(), _situation(pull), [])
    assert "Failed check: build (https://ci/1)\nIt left no log." in text


def test_a_notice_is_one_line_unless_more_is_wanted() -> None:
    session = _session(summary="half done")
    assert notice("anomaly", Reaction(), "it holds", session, "works") == "p-1: it holds"
    assert (
        notice("anomaly", Reaction(message="Look!"), "it holds", session, "works") == "p-1: Look!"
    )
    look = Reaction(message="Look!")
    told = notice("anomaly", look, "it holds", session, "works", escalated="after 3 attempts")
    assert told == "p-1: it holds; after 3 attempts"


def test_a_notice_names_where_a_session_stands_by_the_word_of_its_turn() -> None:
    session = _session()
    told = notice("agent-stuck", Reaction(include_summary=True), "silent", session, "rests")
    assert told.splitlines()[:2] == ["p-1: silent (rests)", "Did: nothing it told of (rests)"]


def test_a_summary_of_a_project_is_of_all_its_sessions() -> None:
    usage = Usage(input_tokens=1000, output_tokens=10, cost_usd=Decimal("0.42"))
    done = [
        replace(_session(), id=f"ma-{n}", summary=f"part {n}", usage=usage if n else None)
        for n in range(3)
    ]
    told = notice_of_project(Reaction(include_summary=True), "all have ended", done)
    first, did, *lines, cost = told.splitlines()
    assert first == f"{done[0].project_id}: all have ended"
    assert did == "Did:"
    assert [line.partition(" (")[0] for line in lines] == [f"- ma-{n}: part {n}" for n in range(3)]
    assert cost == "Cost: $0.84 + ?, 2,020 tokens"
    assert notice_of_project(Reaction(), "all have ended", done) == first
    many = notice_of_project(Reaction(include_summary=True), "over", done * 5)
    assert "- and 5 more" in many


def test_a_summary_says_what_was_done_what_it_cost_and_what_it_needs() -> None:
    usage = Usage(12_000, 345, Decimal("0.4249"))
    session = replace(_session(summary="half\n done"), pr_number=7, usage=usage)
    told = notice("agent-needs-input", Reaction(include_summary=True), "it asks", session, "asks")
    assert told.splitlines() == [
        "p-1: it asks",
        "Did: half done (on #7)",
        "Cost: $0.42, 12,345 tokens",
        "Needs: an answer: ennio answer p-1 TEXT",
    ]


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        (None, "Cost: $?, tokens unknown"),
        (Usage(), "Cost: $?, tokens unknown"),
        (Usage(10, 5), "Cost: $?, 15 tokens"),
        (Usage(10, 5, Decimal(0)), "Cost: $0.00, 15 tokens"),
    ],
)
def test_what_is_not_known_of_money_is_said_to_be_and_never_zero(
    usage: Usage | None, words: str
) -> None:
    session = replace(_session(), usage=usage)
    assert words in notice("anomaly", Reaction(include_summary=True), "it holds", session, "works")


@pytest.mark.parametrize("key", KEYS)
def test_every_reaction_says_what_it_needs(key: str) -> None:
    told = notice(key, Reaction(include_summary=True), "it holds", _session(), "works")
    assert "\nNeeds: " in told
    assert "{" not in told


def test_a_review_that_a_new_head_has_answered_calls_for_the_reviewer() -> None:
    def headline(head: str) -> str:
        opinions = (Opinion("ada", ReviewState.CHANGES_REQUESTED, head),)
        pull = pull_request(
            head="ef85dac00", review=ReviewState.CHANGES_REQUESTED, opinions=opinions
        )
        return case("changes-requested", Reaction(), _situation(pull), NOW).headline

    assert headline("ef85dac00") == "a reviewer of #1 asks for changes"
    assert headline("ab12cde00") == "#1 is answered by ef85dac and waits for another look by ada"


def test_words_of_a_head_that_was_replaced_still_ask_for_changes() -> None:
    opinions = (Opinion("ada", ReviewState.CHANGES_REQUESTED, "ab12cde00"),)

    def asks(*comments: Comment) -> str:
        review = ReviewState.CHANGES_REQUESTED
        pull = pull_request(head="ef85dac00", review=review, opinions=opinions, comments=comments)
        return case("changes-requested", Reaction(), _situation(pull), NOW).asks

    assert asks(_comment("1")) == "a reviewer of #1 asks for changes"
    assert asks() == "", "nothing of it can be told for the first time"


@pytest.mark.parametrize(
    ("activity", "goes_on"),
    [
        (Activity.ACTIVE, True),
        (Activity.WAITING_INPUT, True),
        (Activity.READY, False),
        (None, False),
    ],
)
@pytest.mark.parametrize("key", ["ci-failed", "changes-requested", "merge-conflicts"])
def test_an_agent_is_at_work_until_its_turn_has_ended(
    key: str, activity: Activity | None, goes_on: bool
) -> None:
    pull = pull_request(
        checks=CheckState.FAILING,
        mergeability=Mergeability.CONFLICTING,
        review=ReviewState.CHANGES_REQUESTED,
        comments=(_comment("1"),),
    )
    found = case(key, BUILT_IN[key], _situation(pull, _session(activity=activity)), NOW)
    assert (found.holds, found.at_work) == (True, goes_on)


def _told(state: MessageState, delivered_at: datetime | None = None) -> Message:
    return Message(
        "m",
        "p-1",
        "fix it",
        Origin.REACTION,
        NOW,
        state,
        reaction="ci-failed",
        delivered_at=delivered_at,
    )


HOLDS, SECOND = Case(True, "red"), timedelta(seconds=1)


@pytest.mark.parametrize("state", [state for state in MessageState if state.pending])
def test_what_the_agent_has_not_taken_yet_is_no_try_that_failed(state: MessageState) -> None:
    assert on_its_way(HOLDS, _told(state), None, NOW).at_work


@pytest.mark.parametrize("state", [MessageState.FAILED, MessageState.DROPPED])
def test_what_never_reaches_the_agent_is_waited_for_by_nobody(state: MessageState) -> None:
    assert on_its_way(HOLDS, _told(state), None, NOW) == HOLDS


def test_an_agent_that_took_words_is_given_a_moment_to_be_seen_at_work() -> None:
    last, rested = (
        _told(MessageState.DELIVERED, NOW),
        AgentSeen(NOW, "files", Activity.READY, since=NOW - SECOND),
    )
    held = on_its_way(HOLDS, last, rested, NOW + SECOND)
    assert (held.at_work, held.wake_at) == (True, NOW + BEGINS_WITHIN)
    assert on_its_way(HOLDS, last, rested, NOW + BEGINS_WITHIN) == HOLDS, (
        "one that tells so little is not waited for"
    )
    assert on_its_way(HOLDS, last, replace(rested, since=NOW + SECOND), NOW + SECOND) == HOLDS, (
        "it has been at work since"
    )
    assert on_its_way(HOLDS, last, None, NOW + SECOND) == HOLDS


@pytest.mark.parametrize("place", Place)
def test_a_person_is_told_of_a_working_copy_that_no_agent_can_mend(place: Place) -> None:
    situation = _situation(place=PlaceSeen(NOW, place, "what is wrong with it"))
    mine = (Place.GONE, Place.MOVED, Place.CUT_OFF, Place.BRANCHLESS)
    assert _holds("workspace-gone", situation) is (place in mine)
