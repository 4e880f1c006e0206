"""The reactions to what becomes of a pull request: whether each holds, and what of it its agent is
told.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import datetime

from ennio.config.model import Reaction, ReactionAction
from ennio.model.facts import Presence
from ennio.model.pulls import CheckState, Comment, Mergeability, PullRequest, PullState, ReviewState
from ennio.model.session import SessionStatus
from ennio.policy.reactions.seen_item import SeenItem, item
from ennio.policy.reactions.situation import NOT_HERE, Case, Situation
from ennio.policy.reactions.text import words_of


def is_bot(comment: Comment, bots: tuple[str, ...]) -> bool:
    """A comment by a program: the forge says so, its name ends in
    ``[bot]``, or it is on the list.
    """
    return comment.bot or comment.author.endswith("[bot]") or comment.author in bots


def _open_pull(situation: Situation) -> tuple[PullRequest | None, Case | None]:
    """The open pull request, or the case there is without one."""
    forge = situation.facts.forge
    if forge is None:
        return None, NOT_HERE
    if forge.presence is Presence.UNKNOWN:
        return None, Case(None, forge.detail or "the forge was not seen")
    if forge.pull is None or forge.pull.state is not PullState.OPEN:
        return None, NOT_HERE
    return forge.pull, None


def ci_failed(_rule: Reaction, situation: Situation, _now: datetime) -> Case:
    """Checks are red, and the words of all of them are there."""
    pull, otherwise = _open_pull(situation)
    if pull is None:
        return otherwise or NOT_HERE
    if pull.checks is CheckState.FAILING:
        names = [check.name for check in pull.failing]
        unread = [check.name for check in pull.failing if check.unread]
        if unread:
            # told without it, the agent would have to guess, and nothing would tell it later
            return Case(
                None,
                f"checks failed on #{pull.number}, and the log of {', '.join(unread)} could not "
                "be read yet",
            )
        return Case(
            True,
            f"checks failed on #{pull.number}: {', '.join(names)}",
            (SeenItem(f"{pull.head}:{','.join(names)}"),),
        )
    if pull.checks is CheckState.PASSING:
        return NOT_HERE
    # a new head has no checks for a moment: that is no end of the episode
    return Case(None, "the checks are not through")


def changes_requested(_rule: Reaction, situation: Situation, _now: datetime) -> Case:
    """A reviewer asks for changes, or people said something."""
    pull, otherwise = _open_pull(situation)
    if pull is None:
        return otherwise or NOT_HERE
    said = tuple(
        item(comment)
        for comment in pull.comments
        if not comment.own and not is_bot(comment, situation.bots)
    )
    if pull.review is not ReviewState.CHANGES_REQUESTED:
        return (
            Case(True, f"people commented on #{pull.number}", said, lasting=False)
            if said
            else _only_own(pull)
        )
    who = ", ".join(one.author for one in pull.answered)
    answered = f"#{pull.number} is answered by {pull.head[:7]} and waits for another look by {who}"
    asks = f"a reviewer of #{pull.number} asks for changes"
    # a head says nothing of words that its agent had not been told when it was pushed
    return Case(
        True, answered if who else asks, said, round=pull.head, asks=asks if who and said else ""
    )


def _only_own(pull: PullRequest) -> Case:
    """Nobody else said anything; what the agent itself said is named, so that one can find
    out why it was not told.
    """
    own = tuple(SeenItem(comment.id) for comment in pull.comments if comment.own)
    return (
        Case(False, f"on #{pull.number} only the agent's own account answered", own)
        if own
        else NOT_HERE
    )


def bugbot_comments(_rule: Reaction, situation: Situation, _now: datetime) -> Case:
    """Programs said something."""
    pull, otherwise = _open_pull(situation)
    if pull is None:
        return otherwise or NOT_HERE
    said = tuple(
        item(comment)
        for comment in pull.comments
        if not comment.own and is_bot(comment, situation.bots)
    )
    return (
        Case(True, f"bots commented on #{pull.number}", said, round=pull.head) if said else NOT_HERE
    )


def merge_conflicts(rule: Reaction, situation: Situation, _now: datetime) -> Case:
    """It conflicts with its base."""
    pull, otherwise = _open_pull(situation)
    if pull is None:
        return otherwise or NOT_HERE
    if pull.mergeability is Mergeability.UNKNOWN:
        return Case(None, "the forge does not know yet whether it merges")
    if pull.mergeability is Mergeability.CLEAN:
        return NOT_HERE
    # the base's name, not its head: others are merged while the agent is at it, and that is no news
    # to it whoever is given a time has all of it: an agent that pushes in small steps rests between
    # them, and fails at none
    patient = rule.escalate_after is not None
    return Case(
        True,
        f"#{pull.number} conflicts with {pull.base}",
        (SeenItem(f"{pull.head}:{pull.base}"),),
        patient=patient,
    )


def approved_and_green(rule: Reaction, situation: Situation, _now: datetime) -> Case:
    """It can be merged at the head it has: it is approved, or the forge wants no review.

    What nobody approved is for a person to merge, whatever the rule does with what is approved: of
    it a person is told.
    """
    pull, otherwise = _open_pull(situation)
    if pull is None:
        return otherwise or NOT_HERE
    if situation.session.status is SessionStatus.CI_PASSING:
        return _unreviewed(rule, pull)
    if situation.session.status is not SessionStatus.APPROVED or situation.merge_ready != pull.head:
        return NOT_HERE
    green = "has no checks" if pull.unchecked else "green"
    seen = _ready(pull, told=rule.action is ReactionAction.NOTIFY)
    return Case(True, f"#{pull.number} is approved and {green}", (seen,), round=str(seen))


def _unreviewed(rule: Reaction, pull: PullRequest) -> Case:
    """One that nobody approved, and nobody has to."""
    if pull.merging:
        return NOT_HERE
    if pull.mergeability is not Mergeability.CLEAN:
        return Case(None, "the forge does not know yet whether it merges")
    checks = "there are no checks" if pull.unchecked else "its checks pass"
    headline = f"#{pull.number} can be merged: no review is required, and {checks}"
    tells = rule.action is not ReactionAction.NOTIFY
    seen = _ready(pull, told=True)
    return Case(True, headline, (seen,), round=str(seen), tells=tells)


def _ready(pull: PullRequest, *, told: bool) -> SeenItem:
    """A head that can be merged; to have told a person of it is not to have merged it. The head
    alone, as older versions have it, stands for both.
    """
    return SeenItem(pull.head, "told" if told else "")


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
    parts = [rule.message or words_of(key)]
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
