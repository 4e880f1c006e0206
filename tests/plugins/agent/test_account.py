"""Two witnesses: the agent's own word and its screen; who is believed when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ennio.model.facts import ProcessSeen, Sighting
from ennio.model.session import Activity
from ennio.plugins.agent.account import Account
from ennio.plugins.agent.asks import Ask, Item
from ennio.plugins.agent.dialog import Shown

NOW = datetime(2026, 3, 1, tzinfo=UTC)
T = NOW.timestamp()
REVIEW = "Review your answers ● Which colour? → Blue ● Which fruits? → Fig [1. Submit answers]"
ALIVE = ProcessSeen(Sighting.ALIVE, NOW, "test", pid=7, number=1)


def account() -> Account:
    made = Account()
    made.begins(ALIVE, NOW)
    return made


def activity(of: Account, after: float = 0.0) -> Activity | None:
    return of.seen(ALIVE, NOW + timedelta(seconds=after), "hooks").activity


def test_its_own_word_counts_over_a_screen_of_the_same_moment() -> None:
    told = account()
    told.tells(Activity.READY, T)
    told.shows(Shown(Activity.ACTIVE), NOW + timedelta(seconds=0.5))
    assert activity(told) is Activity.READY


def test_incident_12_a_lost_hook_is_healed_by_the_screen() -> None:
    told = account()
    told.tells(Activity.ACTIVE, T)
    told.shows(Shown(Activity.READY), NOW + timedelta(seconds=90))
    seen = told.seen(ALIVE, NOW + timedelta(seconds=90), "hooks")
    assert (seen.activity, seen.source, seen.since) == (Activity.READY, "screen", NOW + timedelta(seconds=90))


def test_incident_13_escape_that_no_hook_tells_is_seen_on_the_screen() -> None:
    told = account()
    told.tells(Activity.ACTIVE, T)
    told.shows(Shown(Activity.ACTIVE), NOW + timedelta(seconds=1))
    told.shows(Shown(Activity.READY), NOW + timedelta(seconds=2))
    assert activity(told) is Activity.READY
    told.tells(Activity.ACTIVE, T + 3)
    assert activity(told) is Activity.ACTIVE


def test_incident_14_a_question_stays_one_as_long_as_it_stands_there() -> None:
    told = account()
    told.tells(Activity.WAITING_INPUT, T, "may it use Bash: rm x")
    for seconds in range(0, 86400, 3600):
        told.shows(Shown(Activity.WAITING_INPUT, "Do you want to proceed?"), NOW + timedelta(seconds=seconds))
        seen = told.seen(ALIVE, NOW + timedelta(seconds=seconds), "hooks")
        assert (seen.activity, seen.question, seen.since) == (Activity.WAITING_INPUT, "may it use Bash: rm x", NOW)


def test_a_notification_without_words_leaves_the_question_of_the_screen() -> None:
    told = account()
    told.shows(Shown(Activity.WAITING_INPUT, "Do you want to proceed?"), NOW)
    told.tells(Activity.WAITING_INPUT, T + 0.1)
    assert told.seen(ALIVE, NOW, "hooks").question == "Do you want to proceed?"


def test_a_word_that_comes_late_changes_nothing() -> None:
    told = account()
    told.tells(Activity.READY, T + 5)
    told.tells(Activity.ACTIVE, T + 4)
    assert activity(told) is Activity.READY


def test_silence_of_both_witnesses_is_told_with_its_beginning_and_what_was_known_stays() -> None:
    told = account()
    told.tells(Activity.ACTIVE, T)
    told.shows(None, NOW + timedelta(hours=1))
    seen = told.seen(ALIVE, NOW + timedelta(hours=1), "hooks")
    assert (seen.activity, seen.silent_since) == (Activity.ACTIVE, NOW)
    told.shows(Shown(Activity.ACTIVE), NOW + timedelta(hours=1))
    assert told.seen(ALIVE, NOW + timedelta(hours=1), "hooks").silent_since is None


def test_a_screen_that_falls_silent_was_heard_until_then_however_seldom_it_was_taken_in() -> None:
    told = account()
    told.tells(Activity.READY, T)
    told.shows(Shown(Activity.READY), NOW)
    later = NOW + timedelta(hours=1)
    assert told.until(ALIVE, later) is None
    told.shows(None, later)
    assert told.seen(ALIVE, later, "hooks").silent_since is None
    silent = told.until(ALIVE, later)
    assert silent == later + timedelta(seconds=30)
    afterwards = silent + timedelta(milliseconds=1)
    assert told.seen(ALIVE, afterwards, "hooks").silent_since == later
    assert told.until(ALIVE, afterwards) is None


def test_a_screen_that_goes_on_showing_what_is_believed_changes_nothing() -> None:
    for first in (Activity.READY, Activity.ACTIVE):
        told = account()
        told.tells(first, T)
        told.shows(Shown(Activity.READY), NOW + timedelta(seconds=2))
        before = told.as_text()
        told.shows(Shown(Activity.READY), NOW + timedelta(hours=1))
        assert told.as_text() == before
        assert activity(told) is Activity.READY


def test_a_screen_that_contradicts_from_the_first_is_believed_once_it_has_done_so_for_a_second() -> None:
    told = account()
    told.shows(Shown(Activity.READY), NOW)
    told.tells(Activity.ACTIVE, T + 1)
    for after, believed in ((1.0, Activity.ACTIVE), (1.9, Activity.ACTIVE), (2.0, Activity.READY), (99.0, Activity.READY)):
        told.shows(Shown(Activity.READY), NOW + timedelta(seconds=after))
        assert activity(told) is believed


def test_who_was_never_heard_is_silent_since_its_start() -> None:
    seen = account().seen(ALIVE, NOW + timedelta(minutes=1), "hooks")
    assert (seen.activity, seen.ready, seen.silent_since) == (None, False, NOW)


def test_a_new_process_is_judged_by_what_it_does_itself() -> None:
    told = account()
    told.tells(Activity.ACTIVE, T)
    told.uses("a", 10, 5, "m")
    assert told.begins(ProcessSeen(Sighting.ALIVE, NOW, "test", pid=8, number=2), NOW)
    seen = told.seen(ALIVE, NOW, "hooks")
    assert (seen.activity, seen.ready) == (None, False)
    assert seen.usage is not None


def test_trouble_is_told_in_the_words_of_the_screen_and_ends_with_it() -> None:
    told = account()
    told.tells(Activity.ACTIVE, T)
    told.shows(Shown(Activity.BLOCKED, "retrying in 2s · attempt 3/10"), NOW + timedelta(seconds=3))
    seen = told.seen(ALIVE, NOW, "hooks")
    assert (seen.activity, seen.detail) == (Activity.BLOCKED, "retrying in 2s · attempt 3/10")
    told.shows(Shown(Activity.ACTIVE), NOW + timedelta(seconds=5))
    assert activity(told) is Activity.ACTIVE


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9999), st.integers(0, 999))))
def test_incident_39_every_answer_counts_once_with_what_was_told_of_it_last(lines: list[tuple[int, int, int]]) -> None:
    told = Account()
    last: dict[str, tuple[int, int]] = {}
    for answer, given_tokens, made in lines:
        told = Account.of(told.as_text())
        told.uses(str(answer), given_tokens, made, None)
        last[str(answer)] = (given_tokens, made)
    assert (told.input, told.output) == (sum(one for one, _ in last.values()), sum(two for _, two in last.values()))


@given(st.text())
def test_a_cursor_that_cannot_be_read_is_an_empty_one(text: str) -> None:
    assert isinstance(Account.of(text), Account)


def test_a_question_of_a_helper_is_asked_of_a_person_whatever_the_agent_itself_does() -> None:
    told = account()
    told.tells(Activity.READY, T)
    told.asked(Ask("helper", "k", T + 1, (Item("rm x", "may it use Bash: rm x"),)))
    seen = told.seen(ALIVE, NOW + timedelta(seconds=1), "hooks")
    assert (seen.activity, seen.question, seen.since) == (Activity.WAITING_INPUT, "may it use Bash: rm x", NOW + timedelta(seconds=1))
    told.answered("helper", "k")
    assert activity(told) is Activity.READY


def test_an_answer_given_in_the_terminal_ends_a_question_of_a_helper() -> None:
    told = account()
    told.tells(Activity.READY, T)
    told.asked(Ask("helper", "k", T + 1, (Item("rm x", "may it use Bash: rm x"),)))
    told.shows(Shown(Activity.WAITING_INPUT, "rm x", choices="[1. Yes / 2. No]"), NOW + timedelta(seconds=2))
    assert told.seen(ALIVE, NOW, "hooks").question == "may it use Bash: rm x [1. Yes / 2. No]"
    told.shows(Shown(Activity.READY), NOW + timedelta(seconds=3))
    assert activity(told, 3) is Activity.READY


def test_a_turn_that_is_over_while_helpers_work_says_so() -> None:
    told = account()
    told.helpers = {"a": "looks for tests", "b": ""}
    told.tells(Activity.READY, T)
    seen = told.seen(ALIVE, NOW, "hooks")
    assert (seen.activity, seen.helpers, seen.detail) == (Activity.READY, 2, "its turn is over, 2 helpers are at work: looks for tests")


def test_of_several_questions_the_one_that_stands_on_the_screen_is_told() -> None:
    told = account()
    told.asked(Ask("", "form", T, (Item("Which colour?", "Which colour?", "[1. Red / 2. Blue]"), Item("Which fruits?", "Which fruits?"))))
    assert told.seen(ALIVE, NOW, "hooks").question == "(1 of 2) Which colour? [1. Red / 2. Blue] (2 of 2) Which fruits?"
    shown = Shown(Activity.WAITING_INPUT, "Which fruits? [1. [ ] Fig]", choices="[1. [ ] Fig]")
    told.shows(shown, NOW + timedelta(seconds=1))
    assert told.seen(ALIVE, NOW, "hooks").question == "(2 of 2) Which fruits? [1. [ ] Fig]"
    told.shows(Shown(Activity.WAITING_INPUT, REVIEW, choices="[1. Submit answers]"), NOW)
    assert told.seen(ALIVE, NOW, "hooks").question == REVIEW


def test_a_cursor_of_another_version_keeps_what_is_known() -> None:
    assert Account.of('{"turns": 3, "meter": "0.1", "of tomorrow": 1}').turns == 3
