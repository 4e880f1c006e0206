"""Two witnesses: the agent's own word and its screen; who is believed when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ennio.model.facts import Presence, ProcessSeen
from ennio.model.session import Activity
from ennio.model.usage import RequestUsage, Tokens
from ennio.plugins.agent.agent_state import AgentState
from ennio.plugins.agent.asks import Ask, Item
from ennio.plugins.agent.screen_state import ScreenState

NOW = datetime(2026, 3, 1, tzinfo=UTC)
T = NOW.timestamp()
REVIEW = "Review your answers ● Which colour? → Blue ● Which fruits? → Fig [1. Submit answers]"
ALIVE = ProcessSeen(Presence.ALIVE, NOW, "test", pid=7, number=1)


def begun() -> AgentState:
    made = AgentState()
    made.begin(ALIVE, NOW)
    return made


def activity(of: AgentState, after: float = 0.0) -> Activity | None:
    return of.facts(ALIVE, NOW + timedelta(seconds=after), "hooks").activity


def test_its_own_word_counts_over_a_screen_of_the_same_moment() -> None:
    state = begun()
    state.report(Activity.READY, T)
    state.update_screen(ScreenState(Activity.ACTIVE), NOW + timedelta(seconds=0.5))
    assert activity(state) is Activity.READY


def test_incident_12_a_lost_hook_is_healed_by_the_screen() -> None:
    state = begun()
    state.report(Activity.ACTIVE, T)
    state.update_screen(ScreenState(Activity.READY), NOW + timedelta(seconds=90))
    seen = state.facts(ALIVE, NOW + timedelta(seconds=90), "hooks")
    assert (seen.activity, seen.source, seen.since) == (
        Activity.READY,
        "screen",
        NOW + timedelta(seconds=90),
    )


def test_incident_13_escape_that_no_hook_tells_is_seen_on_the_screen() -> None:
    state = begun()
    state.report(Activity.ACTIVE, T)
    state.update_screen(ScreenState(Activity.ACTIVE), NOW + timedelta(seconds=1))
    state.update_screen(ScreenState(Activity.READY), NOW + timedelta(seconds=2))
    assert activity(state) is Activity.READY
    state.report(Activity.ACTIVE, T + 3)
    assert activity(state) is Activity.ACTIVE


def test_incident_14_a_question_stays_one_as_long_as_it_stands_there() -> None:
    state = begun()
    state.report(Activity.WAITING_INPUT, T, "may it use Bash: rm x")
    for seconds in range(0, 86400, 3600):
        state.update_screen(
            ScreenState(Activity.WAITING_INPUT, "Do you want to proceed?"),
            NOW + timedelta(seconds=seconds),
        )
        seen = state.facts(ALIVE, NOW + timedelta(seconds=seconds), "hooks")
        assert (seen.activity, seen.question, seen.since) == (
            Activity.WAITING_INPUT,
            "may it use Bash: rm x",
            NOW,
        )


def test_a_notification_without_words_leaves_the_question_of_the_screen() -> None:
    state = begun()
    state.update_screen(ScreenState(Activity.WAITING_INPUT, "Do you want to proceed?"), NOW)
    state.report(Activity.WAITING_INPUT, T + 0.1)
    assert state.facts(ALIVE, NOW, "hooks").question == "Do you want to proceed?"


def test_a_word_that_comes_late_changes_nothing() -> None:
    state = begun()
    state.report(Activity.READY, T + 5)
    state.report(Activity.ACTIVE, T + 4)
    assert activity(state) is Activity.READY


def test_silence_of_both_witnesses_is_told_with_its_beginning_and_what_was_known_stays() -> None:
    state = begun()
    state.report(Activity.ACTIVE, T)
    state.update_screen(None, NOW + timedelta(hours=1))
    seen = state.facts(ALIVE, NOW + timedelta(hours=1), "hooks")
    assert (seen.activity, seen.silent_since) == (Activity.ACTIVE, NOW)
    state.update_screen(ScreenState(Activity.ACTIVE), NOW + timedelta(hours=1))
    assert state.facts(ALIVE, NOW + timedelta(hours=1), "hooks").silent_since is None


def test_a_screen_that_falls_silent_was_heard_until_then_however_seldom_it_was_taken_in() -> None:
    state = begun()
    state.report(Activity.READY, T)
    state.update_screen(ScreenState(Activity.READY), NOW)
    later = NOW + timedelta(hours=1)
    assert state.until(ALIVE, later) is None
    state.update_screen(None, later)
    assert state.facts(ALIVE, later, "hooks").silent_since is None
    silent = state.until(ALIVE, later)
    assert silent == later + timedelta(seconds=30)
    afterwards = silent + timedelta(milliseconds=1)
    assert state.facts(ALIVE, afterwards, "hooks").silent_since == later
    assert state.until(ALIVE, afterwards) is None


def test_a_screen_that_goes_on_showing_what_is_believed_changes_nothing() -> None:
    for first in (Activity.READY, Activity.ACTIVE):
        state = begun()
        state.report(first, T)
        state.update_screen(ScreenState(Activity.READY), NOW + timedelta(seconds=2))
        before = state.as_text()
        state.update_screen(ScreenState(Activity.READY), NOW + timedelta(hours=1))
        assert state.as_text() == before
        assert activity(state) is Activity.READY


def test_a_screen_that_contradicts_from_the_first_is_believed_once_it_has_done_so_for_a_second() -> (
    None
):
    state = begun()
    state.update_screen(ScreenState(Activity.READY), NOW)
    state.report(Activity.ACTIVE, T + 1)
    for after, believed in (
        (1.0, Activity.ACTIVE),
        (1.9, Activity.ACTIVE),
        (2.0, Activity.READY),
        (99.0, Activity.READY),
    ):
        state.update_screen(ScreenState(Activity.READY), NOW + timedelta(seconds=after))
        assert activity(state) is believed


def test_who_was_never_heard_is_silent_since_its_start() -> None:
    seen = begun().facts(ALIVE, NOW + timedelta(minutes=1), "hooks")
    assert (seen.activity, seen.ready, seen.silent_since) == (None, False, NOW)


def test_a_new_process_is_judged_by_what_it_does_itself() -> None:
    state = begun()
    state.report(Activity.ACTIVE, T)
    state.add_usage(RequestUsage("a", NOW, Tokens(10, 5), "m"))
    assert state.begin(ProcessSeen(Presence.ALIVE, NOW, "test", pid=8, number=2), NOW)
    seen = state.facts(ALIVE, NOW, "hooks")
    assert (seen.activity, seen.ready) == (None, False)
    assert seen.usage is not None


def test_trouble_is_told_in_the_words_of_the_screen_and_ends_with_it() -> None:
    state = begun()
    state.report(Activity.ACTIVE, T)
    state.update_screen(
        ScreenState(Activity.BLOCKED, "retrying in 2s · attempt 3/10"), NOW + timedelta(seconds=3)
    )
    seen = state.facts(ALIVE, NOW, "hooks")
    assert (seen.activity, seen.detail) == (Activity.BLOCKED, "retrying in 2s · attempt 3/10")
    state.update_screen(ScreenState(Activity.ACTIVE), NOW + timedelta(seconds=5))
    assert activity(state) is Activity.ACTIVE


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9999), st.integers(0, 999))))
def test_incident_39_every_answer_counts_once_with_what_was_told_of_it_last(
    lines: list[tuple[int, int, int]],
) -> None:
    state = AgentState()
    last: dict[str, tuple[int, int]] = {}
    for answer, given_tokens, made in lines:
        state = AgentState.of(state.as_text())
        state.add_usage(RequestUsage(str(answer), NOW, Tokens(given_tokens, made)))
        last[str(answer)] = (given_tokens, made)
    assert (state.input, state.output) == (
        sum(one for one, _ in last.values()),
        sum(two for _, two in last.values()),
    )


@given(st.text())
def test_a_cursor_that_cannot_be_read_is_an_empty_one(text: str) -> None:
    assert isinstance(AgentState.of(text), AgentState)


def test_a_question_of_a_helper_is_asked_of_a_person_whatever_the_agent_itself_does() -> None:
    state = begun()
    state.report(Activity.READY, T)
    state.open_ask(Ask("helper", "k", T + 1, (Item("rm x", "may it use Bash: rm x"),)))
    seen = state.facts(ALIVE, NOW + timedelta(seconds=1), "hooks")
    assert (seen.activity, seen.question, seen.since) == (
        Activity.WAITING_INPUT,
        "may it use Bash: rm x",
        NOW + timedelta(seconds=1),
    )
    state.close_asks("helper", "k")
    assert activity(state) is Activity.READY


def test_an_answer_given_in_the_terminal_ends_a_question_of_a_helper() -> None:
    state = begun()
    state.report(Activity.READY, T)
    state.open_ask(Ask("helper", "k", T + 1, (Item("rm x", "may it use Bash: rm x"),)))
    state.update_screen(
        ScreenState(Activity.WAITING_INPUT, "rm x", choices="[1. Yes / 2. No]"),
        NOW + timedelta(seconds=2),
    )
    assert state.facts(ALIVE, NOW, "hooks").question == "may it use Bash: rm x [1. Yes / 2. No]"
    state.update_screen(ScreenState(Activity.READY), NOW + timedelta(seconds=3))
    assert activity(state, 3) is Activity.READY


def test_a_turn_that_is_over_while_helpers_work_says_so() -> None:
    state = begun()
    state.helpers = {"a": "looks for tests", "b": ""}
    state.report(Activity.READY, T)
    seen = state.facts(ALIVE, NOW, "hooks")
    assert (seen.activity, seen.helpers, seen.detail) == (
        Activity.READY,
        2,
        "its turn is over, 2 helpers are at work: looks for tests",
    )


def test_of_several_questions_the_one_that_stands_on_the_screen_is_told() -> None:
    state = begun()
    items = (
        Item("Which colour?", "Which colour?", "[1. Red / 2. Blue]"),
        Item("Which fruits?", "Which fruits?"),
    )
    state.open_ask(Ask("", "form", T, items))
    assert (
        state.facts(ALIVE, NOW, "hooks").question
        == "(1 of 2) Which colour? [1. Red / 2. Blue] (2 of 2) Which fruits?"
    )
    shown = ScreenState(
        Activity.WAITING_INPUT, "Which fruits? [1. [ ] Fig]", choices="[1. [ ] Fig]"
    )
    state.update_screen(shown, NOW + timedelta(seconds=1))
    assert state.facts(ALIVE, NOW, "hooks").question == "(2 of 2) Which fruits? [1. [ ] Fig]"
    state.update_screen(
        ScreenState(Activity.WAITING_INPUT, REVIEW, choices="[1. Submit answers]"), NOW
    )
    assert state.facts(ALIVE, NOW, "hooks").question == REVIEW


def test_a_cursor_of_another_version_keeps_what_is_known() -> None:
    assert AgentState.of('{"turns": 3, "meter": "0.1", "of tomorrow": 1}').turns == 3


def test_a_cursor_of_an_earlier_version_is_read_with_its_names() -> None:
    told = '"told": "active", "told_at": 5.0, "heard": 7.0, "turns": 2, "of_no_version": 1'
    earlier = f'{{{told}, "shown": "ready", "shown_question": "q", "showing": true}}'
    found = AgentState.of(earlier)
    assert (found.reported, found.reported_at, found.on_screen, found.screen_question) == (
        "active",
        5.0,
        "ready",
        "q",
    )
    assert (found.still_on_screen, found.last_signal, found.turns) == (True, 7.0, 2)
    assert AgentState.of(found.as_text()) == found
