"""The events of the demo in words for people: one line for each thing that happened, none for what
only repeats it. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Event = Mapping[str, Any]

INTRODUCTION = (
    "Three agents set to work at once, each in a git worktree and a terminal of its own. One asks "
    "you something, a check fails, a reviewer wants changes, two branches conflict, a budget is "
    "used up, and one agent falls silent; meanwhile an actor crashes and the supervisor's worker "
    "is killed. "
    "Only what the agents say is played: git, the processes and the pull requests are real."
)
_TOLD = {
    "ci-failed": "is told which check failed, and why",
    "changes-requested": "is told what the reviewer wants",
    "merge-conflicts": "is told of the conflict",
    "budget-exceeded": "is told to go on",
}


def words(event: Event) -> str | None:
    """What happened, or None where another line tells it better."""
    said = _WORDS.get(event["event_type"])
    return str(event["message"]) if said is None else said(event)


def of_project(event: Event) -> bool:
    """Whether it is about a whole project, not about the session that stands in it."""
    return bool(event["event_type"] == "all_complete")


def _nothing(_event: Event) -> None:
    return None


def _same(text: str) -> Callable[[Event], str]:
    return lambda _event: text


def _step(event: Event) -> str | None:
    if event["data"].get("step") == "answered":
        return "has its answer, and goes on"
    found = re.fullmatch(r"works on branch (?P<branch>\S+)", event["message"])
    return f"gets a worktree of its own, on branch {found['branch']}" if found else None


def _delivered(event: Event) -> str | None:
    reaction = event["data"].get("reaction")
    return _TOLD.get(reaction, f"is told of {reaction}") if reaction else None


def _reaction(event: Event) -> str | None:
    """Messages to agents and notices have lines of their own when they arrive."""
    return (
        "will be merged by itself, as its rule says" if "auto_merge" in event["message"] else None
    )


def _notice(event: Event) -> str | None:
    """What a person is told; a channel that takes it later is no news, and the end of a project
    has a line of its own.
    """
    if event["data"].get("reaction") == "all-complete":
        return None
    how = "a person is called" if event.get("priority") == "urgent" else "you get a notice"
    return f"{how}: {event['message']}"


def _adopted(event: Event) -> str:
    why = re.sub(r" \(.*\)", "", event["message"])
    return f"{why[0].lower()}{why[1:]}"


_WORDS: Mapping[str, Callable[[Event], str | None]] = {
    "session_queued": _nothing,
    "session_step": _step,
    "session_spawned": _nothing,
    "session_working": _same("its agent begins"),
    "session_adopted": _adopted,
    "session_paused": _same("is paused"),
    "session_resumed": _same("goes on"),
    "status_changed": _nothing,
    "activity_changed": _nothing,
    "branch_changed": _nothing,
    "message_delivered": _delivered,
    "message_queued": _nothing,
    "reaction_triggered": _reaction,
    "reaction_escalated": _nothing,
    "notification_raised": _notice,
    "notification_sent": _nothing,
    "review_pending": _nothing,
    "review_approved": _nothing,
    "review_comments_sent": _nothing,
    "review_changes_requested": _nothing,
    "ci_fix_sent": _nothing,
    "pr_updated": lambda event: f"pushes again: {event['message']}",
    "merge_ready": _nothing,
    "merge_completed": _nothing,
    "budget_warning": _nothing,
    "budget_exceeded": _nothing,
    "budget_raised": _nothing,
}
