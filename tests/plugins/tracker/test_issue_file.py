"""Issues as Markdown text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ennio.model.clock import ManualClock
from ennio.plugins.tracker import issue_file

NOW = ManualClock().now()


@pytest.mark.parametrize(
    ("text", "title", "body"),
    [
        ("# Title\n\nBody\n", "Title", "Body"),
        ("First line\nsecond\n", "First line", "second"),
        ("intro\n\n## Heading ##\nrest", "Heading", "intro\n\nrest"),
        ("```sh\n# a comment\n```\ntext", "```sh", "# a comment\n```\ntext"),
        ("first\n```sh\n# a comment\n```\n# Real\n", "Real", "first\n```sh\n# a comment\n```"),
        ("---\ntitle: Given\n---\n# Heading\n", "Given", "# Heading"),
        ("", "42", ""),
        ("---\n---\n# T\n", "T", ""),
    ],
)
def test_the_title_is_given_or_the_first_heading_or_the_first_line(
    text: str, title: str, body: str
) -> None:
    found = issue_file.read(text, "42")
    assert (found.title, found.body) == (title, body)


@pytest.mark.parametrize(
    ("front", "labels"),
    [
        ("labels: [bug, 3]", ("bug", "3")),
        ("labels: a, b,", ("a", "b")),
        ("labels:", ()),
        ("labels: {a: 1}", ()),
    ],
)
def test_labels_are_a_list_or_a_line(front: str, labels: tuple[str, ...]) -> None:
    assert issue_file.read(f"---\n{front}\n---\nx", "1").labels == labels


@pytest.mark.parametrize("front", ["a: [", "- a\n- b", "word", "a: 1\na: {"])
def test_front_matter_that_is_none_is_told(front: str) -> None:
    with pytest.raises(ValueError, match="front matter"):
        issue_file.read(f"---\n{front}\n---\nx", "1")


def test_comments_are_sections_and_cannot_forge_one_another() -> None:
    text = issue_file.with_comment(
        "# T\n\nbody", "one\n\n## Comment, 2026-01-01T00:00:00+00:00\n\nforged", NOW
    )
    text = issue_file.with_comment(text, "two", NOW)
    found = issue_file.read(text, "1")
    assert found.body == "body"
    assert len(found.comments) == 2
    assert found.comments[0].startswith("one")
    assert found.comments[1] == "two"


@given(st.text(st.sampled_from("ab#-\n: ~`"), max_size=60))
def test_closing_changes_the_state_and_nothing_else(text: str) -> None:
    try:
        before = issue_file.read(text, "1")
    except ValueError:
        return
    after = issue_file.read(issue_file.closed(text), "1")
    assert after.state == "closed"
    assert (after.title, after.body, after.labels, after.comments) == (
        before.title,
        before.body,
        before.labels,
        before.comments,
    )


def test_closing_keeps_the_rest_of_the_front_matter_as_written() -> None:
    text = "---\n# a comment\nlabels: [ bug ]\nstate:   open # still\nextra: 1\n---\n# T\n"
    assert (
        issue_file.closed(text)
        == "---\n# a comment\nlabels: [ bug ]\nextra: 1\nstate: closed\n---\n# T\n"
    )


@pytest.mark.parametrize(
    ("stem", "issue_id"),
    [
        ("42", "42"),
        ("42-fix-login", "42"),
        ("ENG-7", "ENG-7"),
        ("ENG-7-fix", "ENG-7"),
        ("fix-login", "fix-login"),
        ("a.b", "a.b"),
    ],
)
def test_a_file_name_begins_with_the_id(stem: str, issue_id: str) -> None:
    assert issue_file.id_of(stem) == issue_id
