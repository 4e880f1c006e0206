"""The text of reactions: what an agent is asked for, and what a person needs to look."""

from __future__ import annotations

from collections.abc import Sequence

from ennio.config.model import Reaction
from ennio.model.session import Session
from ennio.policy.reactions.summary import summary, summary_of_many

_SAID_WITH_WORD = ("agent-stuck", "agent-resting")
"""What is said of these tells nothing without where the session stands."""
_ASKS = {
    "ci-failed": "The checks of your pull request failed. Find the cause, fix it, commit and push.",
    "changes-requested": "A reviewer asks for changes. Answer each point by a change, commit and "
    "push.",
    "bugbot-comments": "Bots commented on your pull request. Look at each; fix what is right, "
    "commit and push.",
    "merge-conflicts": "Your branch conflicts with its base. Bring it up to date, resolve the "
    "conflicts, test, "
    "commit and push.",
    "approved-and-green": "Your pull request is approved and green.",
    "agent-stuck": "You have been silent for a while. Say where you stand and go on, or say what "
    "you need.",
    "agent-resting": "You have ended your turn, and there is no pull request. Commit and push what "
    "is done, or say what you need.",
    "agent-needs-input": "You are waiting for an answer.",
    "agent-exited": "You ended before the work was done. Look at what is there and go on.",
    "all-complete": "All sessions of the project have ended.",
    "budget-warning": "Most of your budget is used up. Bring what you began to an end, and begin "
    "nothing new.",
    "budget-exceeded": "Your budget is used up. Commit and push what is there.",
    "plan-window": "The window of your plan is used up. Go on where you were once it has begun "
    "anew.",
    "fan-out": "You start more agents of your own, or use more tokens, than this task is worth. "
    "Do it "
    "with fewer.",
    "anomaly": "This takes far more than tasks of this kind did before. Say where you stand, and "
    "what "
    "you need.",
    "workspace-gone": "Your working copy, or its branch, is gone. Change nothing, and say what you "
    "see.",
}


def words_of(key: str) -> str:
    """What an agent is asked for by a reaction whose configuration does not say it."""
    return _ASKS[key]


def notice(
    key: str,
    rule: Reaction,
    headline: str,
    session: Session,
    word: str,
    *,
    escalated: str | None = None,
) -> str:
    """One line for a person, with what the session did, cost and needs when the rule wants it.
    ``word`` is that of its turn.
    """
    said = f"{headline} ({word})" if key in _SAID_WITH_WORD else headline
    words = f"{session.id}: {rule.message if rule.message and not escalated else said}"
    if escalated:
        words = f"{session.id}: {said}; {escalated}"
    return "\n".join([words, *(summary(key, session, word) if rule.include_summary else ())])


def notice_of_project(rule: Reaction, headline: str, sessions: Sequence[Session]) -> str:
    """The same of all sessions of a project that have ended."""
    words = f"{sessions[0].project_id}: {rule.message or headline}"
    return "\n".join([words, *(summary_of_many(sessions) if rule.include_summary else ())])
