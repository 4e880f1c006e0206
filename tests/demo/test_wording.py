"""What the demo says of events: words for people, and each thing once."""

from __future__ import annotations

from typing import Any

import pytest

from ennio.demo.wording import of_project, words
from ennio.model.events import EventType


def event(kind: str, message: str = "it happened", **data: Any) -> dict[str, Any]:
    return {"event_type": kind, "message": message, "data": data}


@pytest.mark.parametrize("kind", EventType)
def test_no_event_is_told_by_its_type(kind: EventType) -> None:
    told = words(event(kind))
    assert told is None or (told.strip() and "_" not in told)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (
            event("session_step", "works on branch sco-1"),
            "gets a worktree of its own, on branch sco-1",
        ),
        (event("session_step", "admitted"), None),
        (event("session_step", step="answered"), "has its answer, and goes on"),
        (event("message_delivered", reaction="ci-failed"), "is told which check failed, and why"),
        (event("message_delivered", reaction=None), None),
        (event("message_delivered", reaction="agent-exited"), "is told of agent-exited"),
        (
            event(
                "session_adopted",
                "its actor crashed (RuntimeError: told to crash (in Crash)) and was restarted",
            ),
            "its actor crashed and was restarted",
        ),
        (event("reaction_triggered", "x -> send_to_agent"), None),
        (
            event("reaction_triggered", "x -> auto_merge"),
            "will be merged by itself, as its rule says",
        ),
        (event("pr_merged", "#1 is merged"), "#1 is merged"),
    ],
)
def test_what_is_told_of_it(told: dict[str, Any], said: str | None) -> None:
    assert words(told) == said


def test_the_end_of_a_project_is_not_told_of_the_session_it_ended_with() -> None:
    assert of_project(event("all_complete"))
    assert not of_project(event("pr_merged"))


@pytest.mark.parametrize("kind", ["notification_sent", "reaction_escalated", "budget_exceeded"])
def test_what_a_notice_tells_has_no_second_line(kind: str) -> None:
    """Raised, taken by a channel, and what it is about: three events of one thing."""
    notice = event("notification_raised", "the budget is used up", reaction="budget-exceeded")
    assert words(notice) == "you get a notice: the budget is used up"
    assert words(event(kind, "the budget is used up", reaction="budget-exceeded")) is None


def test_a_notice_that_cannot_wait_calls_a_person() -> None:
    told = event("notification_raised", "no activity for 8 s") | {"priority": "urgent"}
    assert words(told) == "a person is called: no activity for 8 s"


def test_the_end_of_a_project_is_told_by_its_event_alone() -> None:
    assert words(event("notification_raised", "all have ended", reaction="all-complete")) is None
    assert words(event("all_complete", "all have ended")) == "all have ended"
