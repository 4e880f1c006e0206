"""The words given to an agent."""

from __future__ import annotations

import pytest

from ennio.plugins.tracker.interface import Issue
from ennio.policy.prompt import FORGOTTEN, Layers, begun_again, compose, system

ISSUE = Issue(
    "42",
    "Signup crashes",
    "It crashes\non submit.",
    "https://tracker.test/42",
    ("bug", "signup"),
    ("Me too.", "  ", "Since Monday."),
)


def test_every_layer_is_in_the_prompt_in_its_order() -> None:
    text = compose(Layers("SYSTEM", "PROJECT", ISSUE, ("RULE ONE", "RULE TWO"), "USER"))
    places = [
        text.index(word)
        for word in (
            "SYSTEM",
            "PROJECT",
            "Issue 42: Signup crashes",
            "RULE ONE",
            "RULE TWO",
            "USER",
        )
    ]
    assert places == sorted(places)


def test_the_issue_comes_with_body_labels_link_and_what_was_said() -> None:
    text = compose(Layers(issue=ISSUE))
    for words in (
        "It crashes\non submit.",
        "bug, signup",
        "https://tracker.test/42",
        "Me too.",
        "Since Monday.",
    ):
        assert words in text
    assert text.count("## Comment") == 2


def test_an_empty_layer_leaves_no_heading() -> None:
    text = compose(Layers(project="  ", issue=Issue("7", "Title", ""), rules=("", " "), user=""))
    assert text == "# Issue 7: Title"


def test_words_of_a_person_alone_stay_as_they_are() -> None:
    assert compose(Layers(user="fix the $(typo)\n")) == "fix the $(typo)"


def test_nothing_at_all_is_an_empty_prompt() -> None:
    assert compose(Layers()) == ""


def test_rules_are_bullets_and_a_long_rule_stays_one() -> None:
    assert "- one\n  and more\n- two" in compose(Layers(rules=("one\nand more", "two")))


def test_an_agent_learns_where_it_works_and_what_is_not_its_business() -> None:
    text = system("ma-1a2b3c4d", "my-app", "issue-42-signup", "develop")
    for words in (
        "ma-1a2b3c4d",
        "my-app",
        "`issue-42-signup`",
        "`develop`",
        "git push -u origin HEAD",
        "Never merge",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("first", "message", "told"),
    [
        ("Build it", None, "Build it"),
        ("Build it", "Build it", "Build it"),
        ("Build it", "And test it", f"Build it\n\n{FORGOTTEN}\n\nAnd test it"),
        ("", "And test it", "And test it"),
        ("", None, ""),
    ],
)
def test_who_remembers_nothing_is_told_the_first_words_before_the_new_ones(
    first: str, message: str | None, told: str
) -> None:
    assert begun_again(first, message) == told
