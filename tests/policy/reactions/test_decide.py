"""Decisions of reactions: one thing seen, one action; one escalation an episode; over every
interleaving and restart.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from ennio.config.model import Reaction, ReactionAction
from ennio.config.reactions import BUILT_IN
from ennio.model import codec
from ennio.policy.reactions import (
    Case,
    Decision,
    ReactionState,
    SeenItem,
    Verdict,
    decide,
    is_called_off,
    is_over,
)
from ennio.policy.reactions.decide import GONE

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RED = [Case(True, "red", (SeenItem(f"h{number}:test"),)) for number in range(8)]
GREEN, BLIND = Case(False, "", lingers=True), Case(None, "nobody can look")
OVER = GONE.total_seconds()
CI = BUILT_IN["ci-failed"]
AT_WORK = "the agent is still at what it was told last"


class Story:
    """One reaction's life: cases come, time goes by, its state is read back from its
    text before every decision.
    """

    def __init__(self, rule: Reaction) -> None:
        self.rule = rule
        self.now = NOW
        self.text = codec.dumps(ReactionState())
        self.decisions: list[Decision] = []

    def see(self, case: Case, after: float = 1.0) -> Verdict:
        self.now += timedelta(seconds=after)
        decision = decide(self.rule, case, codec.loads(ReactionState, self.text), self.now)
        self.text = codec.dumps(decision.state)
        self.decisions.append(decision)
        return decision.verdict

    def verdicts(self, *cases: Case) -> list[str]:
        return [self.see(case).value for case in cases]

    @property
    def state(self) -> ReactionState:
        return codec.loads(ReactionState, self.text)


A, B, C, D, E = ([SeenItem(name, f"{number:012x}") for number in range(10)] for name in "abcde")
"""Five comments, each in ten editions."""
heads = st.sampled_from(["h1", "h2", "h3"])
items = st.lists(
    st.sampled_from([*map(SeenItem, "abc"), D[1], D[2], D[3], E[1], E[2]]), max_size=4, unique=True
).map(tuple)
cases = st.one_of(
    st.just(GREEN),
    st.just(Case(False, "")),
    st.just(BLIND),
    st.builds(
        lambda seen, head, busy: Case(True, "it holds", seen, round=head, at_work=busy),
        items,
        heads | st.just(""),
        st.booleans(),
    ),
    st.builds(
        lambda seen, head: Case(True, "words", seen, lasting=False, round=head), items, heads
    ),
)
rules = st.builds(
    Reaction,
    enabled=st.booleans() | st.just(True),
    retries=st.integers(0, 3),
    rounds=st.none() | st.integers(1, 3),
    escalate_after=st.none() | st.floats(1, 100),
)
lives = st.lists(st.tuples(cases, st.floats(0, 60)), max_size=40)


def test_what_holds_anew_is_an_episode_of_its_own_once() -> None:
    story = Story(BUILT_IN["agent-needs-input"])
    asks = Case(True, "it asks")
    assert story.verdicts(asks, asks) == ["act", "quiet"]
    before, again = story.state, replace(asks, anew_after=story.now)
    assert story.verdicts(again, again, asks) == ["act", "quiet", "quiet"]
    assert is_over(before, story.state)


@settings(deadline=None)
@given(rules, lives)
def test_one_thing_seen_is_one_action_whatever_happens_in_between(
    rule: Reaction, life: list[tuple[Case, float]]
) -> None:
    story = Story(rule)
    for case, after in life:
        story.see(case, after)
    acted = Counter(
        item
        for decision in story.decisions
        if decision.verdict is Verdict.ACT
        for item in decision.items
    )
    assert all(count == 1 for count in acted.values())


@settings(deadline=None)
@given(rules, lives)
def test_a_round_of_an_episode_escalates_once_at_most_and_acts_no_more_than_it_may(
    rule: Reaction, life: list[tuple[Case, float]]
) -> None:
    story = Story(rule)
    for case, after in life:
        story.see(case, after)
    lasting = [(d, c) for d, (c, _) in zip(story.decisions, life, strict=True) if c.lasting]
    escalated = Counter(
        (d.state.episode, d.state.rounds) for d, _ in lasting if d.verdict is Verdict.ESCALATE
    )
    acted = Counter(
        (d.state.episode, d.state.rounds)
        for d, _ in lasting
        if d.verdict is Verdict.ACT and d.items != d.edited
    )
    assert all(count == 1 for count in escalated.values())
    assert all(count <= rule.retries + 1 for count in acted.values())


@settings(deadline=None)
@given(rules, lives)
def test_no_episode_has_more_rounds_than_it_may(
    rule: Reaction, life: list[tuple[Case, float]]
) -> None:
    story = Story(rule)
    for case, after in life:
        story.see(case, after)
    rounds = Counter(
        d.state.episode
        for d, (c, _) in zip(story.decisions, life, strict=True)
        if d.verdict is Verdict.ACT and c.lasting
    )
    heads = {
        (d.state.episode, d.state.rounds)
        for d, (c, _) in zip(story.decisions, life, strict=True)
        if d.verdict is Verdict.ACT and c.lasting
    }
    for episode in rounds:
        assert rule.rounds is None or sum(1 for one, _ in heads if one == episode) <= rule.rounds


@settings(deadline=None)
@given(rules.filter(lambda rule: rule.enabled), lives)
def test_what_holds_on_is_escalated_exactly_once(
    rule: Reaction, life: list[tuple[Case, float]]
) -> None:
    """Liveness: new failures of one episode end with exactly one call for a
    person, however it began.
    """
    story = Story(rule)
    for case, after in life:
        story.see(case, after)
    story.see(GREEN)
    story.see(GREEN, OVER)
    fresh = [
        Case(True, "it holds", (SeenItem(f"new-{number}"),)) for number in range(rule.retries + 5)
    ]
    verdicts = story.verdicts(*fresh)
    assert verdicts.count("escalate") == 1
    assert verdicts.count("act") == rule.retries + 1


@settings(deadline=None)
@given(rules, lives)
def test_the_same_case_twice_changes_nothing_the_second_time(
    rule: Reaction, life: list[tuple[Case, float]]
) -> None:
    """Nothing is written again on every tick."""
    story = Story(rule)
    for case, after in life:
        story.see(case, after)
        before = (story.state, len(story.decisions))
        if story.decisions[-1].verdict is Verdict.QUIET:
            assert story.see(case, 0.0) is Verdict.QUIET
            assert story.state == before[0]


@settings(deadline=None)
@given(rules, lives)
def test_what_cannot_be_seen_changes_nothing(
    rule: Reaction, life: list[tuple[Case, float]]
) -> None:
    story = Story(rule)
    for case, after in life:
        story.see(case, after)
    before = story.state
    assert story.see(BLIND, 10_000) is Verdict.QUIET
    assert story.state == before


def test_incident_22_six_red_heads_with_two_retries() -> None:
    story = Story(replace(CI, escalate_after=None))
    verdicts = [story.see(case).value for red in RED[:6] for case in (red, BLIND)]
    assert verdicts[::2] == ["act", "act", "act", "escalate", "quiet", "quiet"]


def test_a_flap_on_one_head_is_one_message() -> None:
    story = Story(CI)
    assert story.verdicts(RED[0], GREEN, RED[0], GREEN, RED[0]) == [
        "act",
        "quiet",
        "quiet",
        "quiet",
        "quiet",
    ]


def test_time_alone_escalates_and_says_when_to_look_again() -> None:
    story = Story(Reaction(escalate_after=60.0))
    story.see(RED[0])
    assert story.decisions[-1].wake_at == story.now + timedelta(seconds=60)
    assert story.see(RED[0], 59.0) is Verdict.QUIET
    assert story.see(RED[0], 1.0) is Verdict.ESCALATE
    assert story.decisions[-1].wake_at is None
    assert story.see(RED[0], 1000.0) is Verdict.QUIET


def test_an_episode_that_ended_and_came_back_may_escalate_again() -> None:
    story = Story(Reaction(retries=0))
    assert story.verdicts(RED[0], RED[1], GREEN) == ["act", "escalate", "quiet"]
    assert story.decisions[-1].wake_at == story.now + GONE
    assert story.see(GREEN, OVER) is Verdict.QUIET
    assert story.verdicts(RED[2], RED[3]) == ["act", "escalate"]


def test_red_green_and_red_again_is_one_episode() -> None:
    story = Story(replace(CI, retries=1, escalate_after=None))
    assert story.verdicts(RED[0], GREEN, RED[1], GREEN, RED[2]) == [
        "act",
        "quiet",
        "act",
        "quiet",
        "escalate",
    ]
    assert story.verdicts(GREEN, RED[3]) == ["quiet", "quiet"]


def test_an_episode_is_over_also_when_nobody_looked_while_it_was_gone() -> None:
    story = Story(Reaction(retries=0))
    story.verdicts(RED[0], GREEN)
    assert story.see(RED[1], OVER) is Verdict.ACT


def test_the_time_in_which_it_did_not_hold_is_no_time_that_it_held() -> None:
    story = Story(Reaction(retries=3, escalate_after=100.0))
    story.see(RED[0])
    story.see(GREEN, 60.0)
    story.see(RED[1], 200.0)
    assert story.see(RED[1], 39.0) is Verdict.QUIET
    assert story.see(RED[1], 2.0) is Verdict.ESCALATE


def test_what_is_news_each_time_does_not_wait_for_an_old_episode_to_end() -> None:
    story, asked, answered = (
        Story(BUILT_IN["agent-needs-input"]),
        Case(True, "it asks"),
        Case(False, ""),
    )
    assert story.verdicts(asked, answered, asked, answered) == ["act", "quiet", "act", "quiet"]


# --- rounds of review -----------------------------------------------------------------------------


def _said(head: str, *comments: str | SeenItem) -> Case:
    items = tuple(one if isinstance(one, SeenItem) else SeenItem(one) for one in comments)
    return Case(True, "a reviewer asks for changes", items, round=head)


def test_new_words_on_a_new_head_are_a_new_round() -> None:
    story = Story(BUILT_IN["changes-requested"])
    said = (_said("h1", "a"), _said("h2", "a"), _said("h2", "a", "b"), _said("h3", "b", "c"))
    assert story.verdicts(*said) == ["act", "quiet", "act", "act"]
    assert [d.items for d in story.decisions if d.verdict is Verdict.ACT] == [
        (SeenItem("a"),),
        (SeenItem("b"),),
        (SeenItem("c"),),
    ]


def test_new_words_on_the_same_head_are_not() -> None:
    story = Story(BUILT_IN["changes-requested"])
    assert story.verdicts(_said("h1", "a"), _said("h1", "a", "b")) == ["act", "escalate"]


def test_words_that_are_all_answered_are_no_new_ones_while_the_reviewer_has_not_looked_again() -> (
    None
):
    story = Story(BUILT_IN["changes-requested"])
    said = (_said("h1", "a"), _said("h1"), _said("h2"), _said("h2", "b"), _said("h3"))
    assert story.verdicts(*said) == ["act", "quiet", "quiet", "act", "quiet"]


def test_a_review_without_words_is_told_once() -> None:
    story = Story(BUILT_IN["changes-requested"])
    assert story.verdicts(_said("h1"), _said("h1"), _said("h2"), _said("h2", "a")) == [
        "act",
        "quiet",
        "quiet",
        "act",
    ]


def test_a_new_round_begins_its_deadline_anew() -> None:
    story = Story(Reaction(action=ReactionAction.SEND_TO_AGENT, escalate_after=100.0))
    story.see(_said("h1", "a"))
    story.see(_said("h2", "b"), 90.0)
    assert story.see(_said("h2", "b"), 90.0) is Verdict.QUIET
    assert story.see(_said("h2", "b"), 11.0) is Verdict.ESCALATE


def test_a_new_round_after_an_escalation_reaches_the_agent_again() -> None:
    story = Story(Reaction(action=ReactionAction.SEND_TO_AGENT))
    assert story.verdicts(_said("h1", "a"), _said("h1", "b"), _said("h2", "c")) == [
        "act",
        "escalate",
        "act",
    ]


def test_incident_a_bot_and_an_agent_answered_each_other_for_ever() -> None:
    story = Story(BUILT_IN["bugbot-comments"])
    said = [_said(f"h{number}", SeenItem(f"c{number}", f"{1:012x}")) for number in range(200)]
    verdicts = [story.see(case, 300.0).value for case in said]
    assert verdicts == ["act"] * 5 + ["escalate"] + ["quiet"] * 194
    assert story.decisions[5].reason == "it goes on after 5 rounds"
    assert "a person has been told" in story.decisions[-1].reason
    story.see(GREEN)
    story.see(GREEN, OVER)
    assert story.see(_said("h200", SeenItem("c200", f"{1:012x}"))) is Verdict.ACT


def test_rounds_with_people_are_not_counted_unless_that_is_configured() -> None:
    free, capped = (
        Story(BUILT_IN["changes-requested"]),
        Story(replace(BUILT_IN["changes-requested"], rounds=2)),
    )
    said = [_said(f"h{number}", SeenItem(f"c{number}", f"{1:012x}")) for number in range(9)]
    assert set(free.verdicts(*said)) == {"act"}
    assert capped.verdicts(*said) == ["act", "act", "escalate"] + ["quiet"] * 6


# --- words that are changed after they were said --------------------------------------------------


def test_incident_an_edited_comment_was_never_told() -> None:
    story = Story(BUILT_IN["bugbot-comments"])
    assert story.verdicts(_said("h1", C[1]), _said("h2", C[2]), _said("h2", C[2])) == [
        "act",
        "act",
        "quiet",
    ]
    assert [decision.edited for decision in story.decisions] == [(), (C[2],), ()]


def test_a_comment_that_is_edited_again_and_again_is_told_once_as_edited_on_each_head() -> None:
    story = Story(BUILT_IN["bugbot-comments"])
    said = [_said("h1", C[number]) for number in range(1, 6)]
    assert story.verdicts(*said) == ["act", "act", "quiet", "quiet", "quiet"]
    assert story.see(_said("h2", C[5])) is Verdict.ACT


def test_an_edit_is_no_attempt_that_failed() -> None:
    story = Story(BUILT_IN["changes-requested"])
    assert story.verdicts(_said("h1", A[1]), _said("h1", A[2]), _said("h1", A[2], B[1])) == [
        "act",
        "act",
        "escalate",
    ]


def test_a_comment_told_by_an_earlier_version_is_not_told_again() -> None:
    old = (
        '{"episode": 1, "since": "2026-01-01T00:00:00+00:00", "attempts": 1, "told": [{"about": "a"}], '
        '"escalated_at": null, "round": "h1"}'
    )
    state = codec.loads(ReactionState, old)
    assert (
        decide(BUILT_IN["changes-requested"], _said("h1", A[1]), state, NOW).verdict
        is Verdict.QUIET
    )


def test_failing_checks_have_no_rounds() -> None:
    assert all(case.round == "" for case in RED)
    story = Story(Reaction(retries=0))
    assert story.verdicts(RED[0], RED[1]) == ["act", "escalate"]


def test_a_memory_from_before_there_were_rounds_is_read() -> None:
    old = (
        '{"episode": 1, "since": "2026-01-01T00:00:00+00:00", "attempts": 1, "told": [{"about": "a"}], '
        '"escalated_at": null}'
    )
    state = codec.loads(ReactionState, old)
    assert (state.round, state.passed_over) == ("", ())
    assert (
        decide(BUILT_IN["changes-requested"], _said("h1", "a"), state, NOW).verdict is Verdict.QUIET
    )


# --- why nothing was done -------------------------------------------------------------------------


def test_incident_31_items_on_which_nothing_is_done_are_named_with_the_reason() -> None:
    story = Story(Reaction(retries=0))
    story.verdicts(RED[0], RED[1], RED[2])
    last = story.decisions[-1]
    assert (last.verdict, last.items, last.reason) == (
        Verdict.QUIET,
        RED[2].items,
        "a person has been told",
    )


def test_incident_31_a_rule_that_is_switched_off_names_what_it_missed() -> None:
    story = Story(Reaction(enabled=False))
    story.verdicts(RED[0], RED[0], BLIND, GREEN)
    first, second, blind, green = story.decisions
    assert (first.items, first.reason) == (RED[0].items, "it is switched off")
    assert second.state == first.state == blind.state
    assert green.items == green.state.passed_over == ()


def test_a_rule_that_is_switched_on_again_acts_on_what_it_missed() -> None:
    story = Story(Reaction(enabled=False))
    story.see(RED[0])
    story.rule = Reaction()
    assert story.see(RED[0]) is Verdict.ACT


def _busy(case: Case) -> Case:
    return replace(case, at_work=True)


def test_red_heads_pushed_within_one_turn_use_up_no_try_and_call_nobody() -> None:
    story = Story(Reaction(action=ReactionAction.SEND_TO_AGENT, retries=2))
    assert story.verdicts(RED[0], *map(_busy, RED[1:6])) == ["act", *["quiet"] * 5]
    assert (story.state.attempts, story.decisions[-1].reason) == (1, AT_WORK)
    assert story.see(RED[5]) is Verdict.ACT, "its turn has ended, and the head is red"
    assert story.decisions[-1].items == RED[5].items, (
        "the heads on its way are nobody's news any more"
    )
    assert story.verdicts(_busy(RED[6]), RED[6], _busy(RED[7]), RED[7]) == [
        "quiet",
        "act",
        "quiet",
        "escalate",
    ]


def test_the_first_message_of_an_episode_waits_for_no_turn() -> None:
    assert Story(CI).see(_busy(RED[0])) is Verdict.ACT


def test_a_deadline_that_passes_within_a_turn_calls_a_person_once_and_tells_the_agent_nothing() -> (
    None
):
    story = Story(CI)
    assert story.verdicts(RED[0], _busy(RED[1])) == ["act", "quiet"]
    assert story.decisions[-1].wake_at == NOW + timedelta(seconds=121)
    assert [story.see(_busy(RED[1]), after) for after in (120, 1)] == [
        Verdict.ESCALATE,
        Verdict.QUIET,
    ]
    assert story.see(RED[1]) is Verdict.ACT, "a try is left"


def test_new_words_within_one_turn_are_told_together_at_its_end_and_are_one_round() -> None:
    story = Story(Reaction(action=ReactionAction.SEND_TO_AGENT, rounds=2))
    heads = [
        Case(
            True,
            "bots commented",
            tuple(SeenItem(f"c{each}") for each in range(number + 1)),
            round=f"h{number}",
        )
        for number in range(5)
    ]
    assert story.verdicts(heads[0], *map(_busy, heads[1:])) == ["act", *["quiet"] * 4]
    assert story.see(heads[4]) is Verdict.ACT
    told = tuple(SeenItem(f"c{each}") for each in range(1, 5))
    assert (story.decisions[-1].items, story.state.rounds) == (told, 2)


def test_a_second_review_while_the_agent_is_at_the_first_is_told_and_calls_nobody() -> None:
    for key in ("changes-requested", "bugbot-comments"):
        story = Story(BUILT_IN[key])
        said = _said("h1", "first"), _said("h1", "first", "second")
        assert story.verdicts(said[0], _busy(said[1]), said[1]) == ["act", "quiet", "act"]
        assert story.decisions[-1].items == (SeenItem("second"),)
        assert story.decisions[-1].reason == "attempt 1 of 1"
        assert story.see(_said("h1", "third")) is Verdict.ESCALATE, "it has had its try at these"
        assert story.decisions[-1].reason == "it still holds after 1 attempt"


def test_two_who_answer_each_other_on_one_head_are_ended_by_rounds_or_by_time() -> None:
    """Words are told and answered while the agent is at them, again and again."""

    def verdicts(rule: Reaction) -> list[str]:
        story = Story(rule)
        said = [_said("h1", *(f"c{each}" for each in range(upto + 1))) for upto in range(20)]
        told = [story.see(said[0], 60.0)]
        for case in said[1:]:
            assert story.see(_busy(case), 60.0) is not Verdict.ACT
            told.append(story.decisions[-1].verdict)
            told.append(story.see(case, 60.0))
        return [one.value for one in told if one is not Verdict.QUIET]

    people, bots = BUILT_IN["changes-requested"], BUILT_IN["bugbot-comments"]
    assert verdicts(bots) == ["act"] * 5 + ["escalate"]
    assert verdicts(people) == ["act"] * 15 + ["escalate"], "half an hour from the first on"
    endless = replace(people, escalate_after=None)
    assert verdicts(endless) == ["act", "escalate"], "nothing else would end it"


def test_an_edit_while_the_agent_is_at_the_words_is_told_once_as_edited() -> None:
    story = Story(BUILT_IN["changes-requested"])
    first, second, third = (_said("h1", A[number]) for number in (1, 2, 3))
    assert story.verdicts(first, _busy(second), second, _busy(third), third) == [
        *("act", "quiet", "act", "quiet", "quiet")
    ]
    assert (story.state.rounds, story.decisions[2].reason) == (1, "it was edited")


def test_what_a_person_was_called_for_is_over_when_the_agent_is_told_anew() -> None:
    story = Story(BUILT_IN["changes-requested"])
    states = [story.state]
    for case in (_said("h1", "a"), _said("h1", "b"), _said("h2", "c")):
        story.see(case)
        states.append(story.state)
    pairs = list(pairwise(states))
    assert [is_called_off(*pair) for pair in pairs] == [False, False, True]
    assert not any(is_over(*pair) for pair in pairs)


def test_who_tells_a_person_of_red_heads_waits_for_no_turn() -> None:
    story = Story(Reaction(action=ReactionAction.NOTIFY, retries=2))
    assert story.verdicts(*map(_busy, RED[:3])) == ["act"] * 3


def test_a_conflict_that_the_agent_is_at_calls_nobody_before_it_has_ended_its_try() -> None:
    rule = Reaction(action=ReactionAction.SEND_TO_AGENT, escalate_after=900.0)

    def conflict(head: str, *, at_work: bool) -> Case:
        return Case(True, "#1 conflicts with main", (SeenItem(f"{head}:main"),), at_work=at_work)

    told = decide(rule, conflict("h1", at_work=True), ReactionState(), NOW)
    assert told.verdict is Verdict.ACT, "it is told at once, and hears it when it can"
    pushed = decide(rule, conflict("h2", at_work=True), told.state, NOW + timedelta(seconds=60))
    assert (pushed.verdict, pushed.reason, pushed.wake_at) == (
        Verdict.QUIET,
        AT_WORK,
        NOW + timedelta(seconds=900),
    )
    rested = decide(rule, conflict("h2", at_work=False), pushed.state, NOW + timedelta(seconds=90))
    assert (rested.verdict, rested.reason) == (Verdict.ESCALATE, "it still holds after 1 attempt")
    for_ever = decide(
        rule, conflict("h3", at_work=True), pushed.state, NOW + timedelta(seconds=901)
    )
    assert (for_ever.verdict, for_ever.reason) == (Verdict.ESCALATE, "it has held for 900 s")
