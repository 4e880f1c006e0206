"""The table of the events, each with its subject; what each means is said here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from ennio.model.events import Event, EventType
from ennio.model.session import Priority
from ennio.model.subjects import subject
from tests.pages.markdown import table

E = EventType
MEANINGS: Mapping[EventType, str] = {
    E.SESSION_SPAWNED: "its working copy is there, and its agent is started",
    E.SESSION_WORKING: "its agent is ready and works",
    E.SESSION_EXITED: "its agent ended, or could not be started",
    E.SESSION_KILLED: "it was ended by a person, and nothing of its agent is left",
    E.SESSION_RESTORED: "a person had its agent started again",
    E.SESSION_CLEANED: "its working copy was removed; `data` names what was saved",
    E.STATUS_CHANGED: "it has another [status](lifecycle.md); `data` has both and the rule",
    E.ACTIVITY_CHANGED: "its agent does something else: works, rests, asks, is blocked",
    E.PR_CREATED: "it has a pull request",
    E.PR_UPDATED: "its pull request has a new head, or was opened again",
    E.PR_MERGED: "its pull request is merged, by whomever",
    E.PR_CLOSED: "its pull request was closed unmerged",
    E.CI_PASSING: "all checks of the head pass",
    E.CI_FAILING: "a check of the head fails",
    E.CI_FIX_SENT: "the agent pushed onto a red head, and checks run",
    E.CI_FIX_FAILED: "checks fail on what the agent pushed onto a red head",
    E.REVIEW_PENDING: "a review is asked for",
    E.REVIEW_APPROVED: "a reviewer approves",
    E.REVIEW_CHANGES_REQUESTED: "a reviewer asks for changes",
    E.REVIEW_COMMENTS_SENT: "the agent has taken what reviewers said",
    E.MERGE_READY: "it is approved, and its checks pass",
    E.MERGE_CONFLICTS: "it conflicts with its base",
    E.MERGE_COMPLETED: "Ennio has merged it",
    E.REACTION_TRIGGERED: "a [reaction](reactions.md) did something",
    E.REACTION_ESCALATED: "a reaction called a person",
    E.ALL_COMPLETE: "all sessions of a project are through",
    E.NODE_CONNECTED: "another machine answers",
    E.NODE_DISCONNECTED: "another machine does not answer, or a person disconnected it",
    E.NODE_LAUNCHED: "an `ennio-node` was started there",
    E.NODE_HEALTH_CHECK: "something is wrong with it, once for each reason",
    E.NODE_STEP: "a step of putting a node there",
    E.SESSION_QUEUED: "it was asked for, and waits for a place",
    E.SESSION_STEP: "something was done for it, or waits; `data.step` names what",
    E.SESSION_ADOPTED: "an agent that ran already was taken in",
    E.MESSAGE_QUEUED: "a message to its agent is written down",
    E.MESSAGE_DELIVERED: "its agent has taken a message",
    E.MESSAGE_FAILED: "a message could not be delivered, and is not tried again",
    E.NOTIFICATION_RAISED: "a person is to know something; its channels come next",
    E.NOTIFICATION_SENT: "a person was told, over the channels in `data`",
    E.NOTIFICATION_FAILED: "no channel took a notice; `data` says why",
    E.SIGNAL_LOST: "it cannot be seen; nothing is done until it can",
    E.SIGNAL_REGAINED: "it can be seen again",
    E.BASE_PUSHED: "somebody pushed to a protected branch past its pull request",
    E.MERGE_FORCED: "a person merged what was not fit for it, and said so",
    E.CONFIG_REFUSED: "the edited file is wrong, and the last good one holds",
    E.CONFIG_ACCEPTED: "the edited file holds",
    E.PLACE_LOST: "who follows the log was away too long, and events are gone for it",
    E.ANOMALY_DETECTED: "tokens, money or silence are far [out of the ordinary](forecasts.md)",
    E.DISK_LOW: "less than 2 GiB are free where Ennio keeps its files",
    E.DISK_FREED: "there is room again",
    E.USAGE_DIFFERS: "its agent tells of other usage than the [proxy](metering.md) counted",
    E.USAGE_UNKNOWN: "requests were cut off with the proxy; their usage nobody knows",
    E.BUDGET_WARNING: "a [budget](budgets.md) is used up to its `warn_at`",
    E.BUDGET_EXCEEDED: "a budget is used up",
    E.BUDGET_RAISED: "a person raised a budget",
    E.BUDGET_SET: "a person set a budget, or took it away",
    E.SESSION_PAUSED: "a budget holds it",
    E.SESSION_RESUMED: "it goes on after a pause",
    E.CONFLICT_EXPECTED: "two branches [will not merge](conflicts.md) with each other",
    E.CONFLICT_GONE: "they do again",
    E.BRANCH_CHANGED: "its branch changes another number of lines",
    E.CONTROL_TAKEN: "somebody types in its terminal from the [page](terminal.md)",
    E.CONTROL_RETURNED: "nobody does any more",
    E.ESCALATION_SEEN: "a person has seen what a reaction called for",
}
_NODES = ("node_connected", "node_disconnected", "node_launched", "node_health_check", "node_step")
_OF_NONE = ("config_refused", "config_accepted", "place_lost", "disk_low", "disk_freed")
"""What concerns neither a session nor a project."""


def events() -> Iterator[str]:
    """Every type, in the order in which they are declared."""
    yield from table(
        ("Type", "Subject", "Means"),
        ((f"`{one.value}`", f"`{_subject(one)}`", MEANINGS[one]) for one in EventType),
    )


def _subject(one: EventType) -> str:
    where = {"host": "HOST"} if one.value in _NODES else {}
    project = "" if one.value in (*_OF_NONE, *_NODES) else "PROJECT"
    now = datetime.now(UTC)
    return subject(Event(1, "", one.value, Priority.INFO, "", project, now, "", where))
