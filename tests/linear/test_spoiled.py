"""Answers that are JSON and yet none of Linear's end in an error of ours."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest

from ennio.model.errors import EnnioError
from ennio.plugins.tracker.interface import Milestone, MilestoneKind
from tests.linear.conftest import Tracker
from tests.linear.standin import Linear

JUNK = (
    None,
    True,
    1,
    "words",
    [],
    {},
    [None],
    {"nodes": None},
    {"nodes": [{}], "pageInfo": {}},
    {"comments": {"nodes": [1]}},
)
STEP = Milestone(MilestoneKind.MERGED, "s", "command", "fix", "https://github.example/1", 1)


@pytest.mark.parametrize("part", JUNK, ids=repr)
@pytest.mark.parametrize("place", ["", "issue", "issues", "commentCreate"])
def test_a_spoiled_answer_is_an_error_of_ours_and_no_crash(
    linear: Linear, tracker: Tracker, part: object, place: str
) -> None:
    document = {"data": {place: part} if place else part}
    linear.before = lambda: (200, json.dumps(document))
    made = tracker(comment=True, states={"merged": "Done"})
    for call in (
        lambda: made.issue("ENG-1"),
        made.issues,
        lambda: made.comment("ENG-1", "x"),
        lambda: made.tell("ENG-1", STEP),
    ):
        with suppress(EnnioError):
            call()
