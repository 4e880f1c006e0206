"""The text of reactions: what the agent needs to know to act, and what a person needs to look."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from ennio.config.model import Reaction
from ennio.model.pulls import Comment, PullRequest
from ennio.model.session import Session
from ennio.policy.reactions.cases import Situation, is_bot
from ennio.policy.reactions.seen_item import SeenItem, item
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
}


def words_of(key: str) -> str:
    """What an agent is asked for by a reaction whose configuration does not say it."""
    return _ASKS[key]


def to_agent(
    key: str,
    rule: Reaction,
    situation: Situation,
    items: Sequence[SeenItem],
    ennio: str = "",
    *,
    edited: Sequence[SeenItem] = (),
) -> str:
    """The message for the agent: the configured words or ours, then all it
    needs to act on these items.

    ``edited`` are those it was told before in other words. ``ennio`` is how its shell calls this
    Ennio, where the forge takes answers; empty: it is told of no way to give any.
    """
    pull = situation.facts.forge.pull if situation.facts.forge is not None else None
    parts = [rule.message or _ASKS[key]]
    if pull is not None:
        parts.append(
            f"Pull request #{pull.number} ({pull.url}), branch {pull.branch}, head "
            f"{pull.head[:12]}, base {pull.base}."
        )
        parts.extend(_details(key, situation, pull, items, edited))
        parts.extend(
            _ways_to_answer(situation.session.id, _told(key, situation, pull, items), ennio)
        )
    return "\n\n".join(parts)


def _details(
    key: str,
    situation: Situation,
    pull: PullRequest,
    items: Sequence[SeenItem],
    edited: Sequence[SeenItem],
) -> list[str]:
    if key == "ci-failed":
        return [_check(check.name, check.url, check.log_tail) for check in pull.failing]
    if key == "merge-conflicts":
        files = "\n".join(f"- {path}" for path in pull.conflicts)
        return [f"Conflicting files:\n{files}"] if files else []
    return [
        _comment(comment, edited=item(comment) in edited)
        for comment in _told(key, situation, pull, items)
    ]


def _told(
    key: str, situation: Situation, pull: PullRequest, items: Sequence[SeenItem]
) -> list[Comment]:
    if key not in ("changes-requested", "bugbot-comments"):
        return []
    return [
        c
        for c in pull.comments
        if item(c) in items and is_bot(c, situation.bots) is (key == "bugbot-comments")
    ]


def _ways_to_answer(session_id: str, comments: Sequence[Comment], ennio: str) -> list[str]:
    """A command for each comment, and one for each thread, that can be called as it stands."""
    if not ennio or not comments:
        return []
    replies = [
        f'{ennio} pr reply {session_id} {shlex.quote(comment.id)} -m "..."' for comment in comments
    ]
    threads = dict.fromkeys(comment.thread for comment in comments if comment.thread)
    settled = [f"{ennio} pr resolve {session_id} {shlex.quote(thread)}" for thread in threads]
    parts = ["\n".join(["Where words are needed too, answer a comment by its command:", *replies])]
    return (
        [*parts, "\n".join(["Settle a thread once all it asks for is pushed:", *settled])]
        if settled
        else parts
    )


def _check(name: str, url: str | None, log_tail: str) -> str:
    where = f" ({url})" if url else ""
    tail = (
        f"\nLast lines of its log:\n```\n{log_tail.rstrip()}\n```"
        if log_tail.strip()
        else "\nIt left no log."
    )
    return f"Failed check: {name}{where}{tail}"


def _comment(comment: Comment, *, edited: bool) -> str:
    at = (
        f" at {comment.path}{f':{comment.line}' if comment.line is not None else ''}"
        if comment.path
        else ""
    )
    thread = f", thread {comment.thread}" if comment.thread else ""
    link = f" ({comment.url})" if comment.url else ""
    again = ", edited since you were told of it" if edited else ""
    return (
        f"{comment.author}{at}{link} [comment {comment.id}{thread}{again}]:\n"
        f"{comment.body.strip() or '(no words)'}"
    )


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
