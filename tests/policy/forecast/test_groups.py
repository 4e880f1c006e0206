"""From whose past a forecast is made."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ennio.model.forecast import FinishedTask, TaskGroup, TaskKind, TaskSize
from ennio.policy.forecast import LEAST, groups, likely_cost, sample, words_asked
from tests.policy.forecast.pasts import KIND, kinds, past, tasks


def test_the_closest_comes_first_and_everybody_last() -> None:
    assert groups(KIND) == (
        TaskGroup("shop", "claude-code", "opus", TaskSize.SMALL),
        TaskGroup("shop", "claude-code", "opus"),
        TaskGroup("shop", "claude-code"),
        TaskGroup("shop"),
        TaskGroup(),
    )


def test_what_is_not_known_of_a_session_is_left_out() -> None:
    assert groups(TaskKind("shop", "codex", None, TaskSize.LARGE)) == (
        TaskGroup("shop", "codex", None, TaskSize.LARGE),
        TaskGroup("shop", "codex"),
        TaskGroup("shop"),
        TaskGroup(),
    )


def test_nine_alike_are_too_few_and_the_wider_group_answers_and_says_so() -> None:
    others = past(3, replace(KIND, size=TaskSize.LARGE))
    group, values = sample(KIND, [*past(9), *others], lambda one: one.seconds)
    assert (group, len(values)) == (TaskGroup("shop", "claude-code", "opus"), 12)
    group, values = sample(KIND, [*past(10), *others], lambda one: one.seconds)
    assert (group, len(values)) == (TaskGroup("shop", "claude-code", "opus", TaskSize.SMALL), 10)


def test_what_is_not_known_of_a_past_session_does_not_count() -> None:
    group, values = sample(KIND, past(30, cost_usd=None) + past(4), lambda one: one.cost_usd)
    assert (group, len(values)) == (TaskGroup(), 4)


@given(kinds, st.lists(tasks, max_size=80))
def test_a_group_that_answers_has_enough_and_no_closer_one_has(
    kind: TaskKind, history: list[FinishedTask]
) -> None:
    group, values = sample(kind, history, lambda one: one.tokens)
    known = [one for one in history if one.tokens is not None]
    inside = [one for one in known if group.holds(one.kind)]
    assert values == [one.tokens for one in inside]
    assert group.holds(kind)
    for closer in groups(kind)[: groups(kind).index(group)]:
        assert sum(closer.holds(one.kind) for one in known) < LEAST


def test_what_is_likely_is_the_middle_and_nothing_below_ten() -> None:
    assert likely_cost(KIND, past(9)) is None
    assert likely_cost(KIND, past(11)) == Decimal(6)


def test_a_task_is_as_large_as_what_somebody_wrote_for_it() -> None:
    assert words_asked("Fix  the\nbug", None, "", "Title", "two words") == 6
    sizes = [TaskSize.of_words(words) for words in (0, 50, 51, 250, 251)]
    assert sizes == [*[TaskSize.SMALL] * 2, *[TaskSize.MEDIUM] * 2, TaskSize.LARGE]
