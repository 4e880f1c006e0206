"""Every question to Linear is valid by its published schema; the gate is the
extract, and it has teeth.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from graphql import parse, validate

from ennio.model.errors import Refused, Unreachable
from ennio.plugins.tracker.linear import queries
from tests.linear.conftest import Tracker
from tests.linear.extract import extract
from tests.linear.standin import SCHEMA, Linear

EXTRACT = Path(__file__).parent / "schema.graphql"


@pytest.mark.parametrize("text", queries.ALL)
def test_every_question_is_valid_by_the_extract(text: str) -> None:
    assert validate(SCHEMA, parse(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "query Q { issue(id: 4) { identifier } }",
        'query Q { issue(id: "ENG-1") { name } }',
        "query Q($id: ID!) { issue(id: $id) { identifier } }",
        'mutation M { attachmentCreate(input: { issueId: "x", title: "y" }) { success } }',
        'mutation M { issueUpdate(id: "x", input: { state: "Done" }) { success } }',
    ],
)
def test_the_extract_refuses_what_the_published_schema_refuses(text: str) -> None:
    assert validate(SCHEMA, parse(text))


def test_a_wrong_question_and_a_wrong_answer_are_noted(
    linear: Linear, tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    linear.add("ENG-1")
    with pytest.raises(Refused, match="shoeSize"):
        tracker().client.ask('query Q { issue(id: "ENG-1") { shoeSize } }')
    assert "shoeSize" in "; ".join(linear.invalid)
    linear.invalid.clear()
    honest = linear._shown
    monkeypatch.setattr(linear, "_shown", lambda row: {**honest(row), "title": None})
    with pytest.raises(Unreachable):
        tracker().issue("ENG-1")
    assert "non-nullable field Issue.title" in "; ".join(linear.invalid)
    linear.invalid.clear()


def test_every_question_of_the_tracker_is_among_those_held_against_the_schema() -> None:
    texts = [
        value
        for name, value in vars(queries).items()
        if name.isupper() and isinstance(value, str) and not name.startswith("_")
    ]
    assert sorted(texts) == sorted(queries.ALL)


def test_the_extract_has_all_that_is_used_and_nothing_else() -> None:
    """With ``ENNIO_LINEAR_SCHEMA`` naming a copy of the whole schema it is cut anew out of
    that; else out of itself.
    """
    source = Path(os.environ.get("ENNIO_LINEAR_SCHEMA", EXTRACT))
    assert extract(source.read_text(encoding="utf-8")) == EXTRACT.read_text(encoding="utf-8")


def test_a_field_the_schema_does_not_have_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "ALL", ("query Q { viewer { shoeSize } }",))
    with pytest.raises(AssertionError, match=r"no User\.shoeSize"):
        extract(EXTRACT.read_text(encoding="utf-8"))
