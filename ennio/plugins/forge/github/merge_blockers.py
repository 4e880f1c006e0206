"""What GitHub says when it does not merge, and what mends each: one row for
every word of its. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ennio.policy.merging import Remedy


@dataclass(frozen=True, slots=True)
class Blocker:
    """One row. ``kind`` names it, ``advice`` is for a person where one is
    needed or must wait too long.

    ``auto``: GitHub's own auto-merge waits for it.
    """

    kind: str
    remedy: Remedy
    advice: str = ""
    auto: bool = False


UNKNOWN = Blocker("unknown reason", Remedy.PERSON, "look at the pull request on GitHub")

_ROWS: tuple[tuple[tuple[str, ...], Blocker], ...] = (
    # races
    (("base branch was modified",), Blocker("base moved", Remedy.AGAIN)),
    (
        ("merge already in progress", "already being merged", "try (?:the merge )?again later"),
        Blocker("merge under way", Remedy.AGAIN),
    ),
    # the branch lacks what is on its base
    (
        (
            "(?:head branch|branch|pull request) (?:is|was) (?:out.of.date|behind)",
            "must be up.to.date",
            "not up.to.date",
        ),
        Blocker("behind", Remedy.UPDATE),
    ),
    # what machines still owe
    (
        (
            "required status checks?",
            "status checks? .*(?:expected|pending|in progress|queued|waiting|failing|succeeded)",
        ),
        Blocker(
            "required checks",
            Remedy.WAIT,
            "see which required check does not report, or take it off the branch's rules",
            auto=True,
        ),
    ),
    (
        ("deployment",),
        Blocker(
            "required deployments",
            Remedy.WAIT,
            "see which required deployment is missing",
            auto=True,
        ),
    ),
    (
        ("code scanning", "code quality", "security alert", "required workflow"),
        Blocker("required scans", Remedy.WAIT, "see which scan is missing", auto=True),
    ),
    (("merge queue",), Blocker("merge queue", Remedy.WAIT, "put it into the merge queue")),
    # what people still owe
    (
        (
            "approving review",
            "reviews? (?:is|are) required",
            "code owner",
            "requires? approval",
            "changes (?:were )?requested",
        ),
        Blocker("required review", Remedy.PERSON, "approve it, or ask whoever may", auto=True),
    ),
    (
        ("conversations? must be resolved", "comments must be resolved", "unresolved"),
        Blocker("open conversations", Remedy.PERSON, "resolve the conversations", auto=True),
    ),
    (("draft", "work in progress"), Blocker("draft", Remedy.WAIT, "take it out of draft")),
    # what the rules of the repository do not allow
    (
        (
            "(?:merges?|commits?) (?:are|is) not allowed",
            "must not contain merge commits",
            "linear history",
            "can(?:no|')t be rebased",
        ),
        Blocker("merge method", Remedy.PERSON, "set another merge_method"),
    ),
    (
        ("verified signatures?", "signed commits?"),
        Blocker("signatures", Remedy.PERSON, "sign the commits"),
    ),
    (
        (
            "not authorized",
            "not accessible by",
            "permission",
            "push access",
            "restricted",
            r"\blocked\b",
            "read.only",
            "archived",
        ),
        Blocker(
            "permission",
            Remedy.PERSON,
            "merge it yourself, or give the token's account the right to",
        ),
    ),
    # it does not merge, and GitHub found out before it told us
    (
        ("merge conflict", "conflicts? (?:with|must)", "cannot be cleanly"),
        Blocker("conflicts", Remedy.WAIT, "settle the conflicts"),
    ),
    (
        ("not mergeable", "not in a mergeable state", "cannot be merged"),
        Blocker("not mergeable", Remedy.WAIT, "look at it on GitHub"),
    ),
    (
        ("rule violations?", "protected branch", "hook declined", "pre-receive"),
        Blocker("rules", Remedy.PERSON, "see its base's rules"),
    ),
    (
        ("validation failed", "invalid"),
        Blocker("invalid", Remedy.PERSON, "look at the pull request on GitHub"),
    ),
)
_WORDS = tuple(
    (re.compile("|".join(words), re.IGNORECASE | re.DOTALL), row) for words, row in _ROWS
)

STATES: Mapping[str, Blocker | None] = {
    "BEHIND": Blocker("behind", Remedy.UPDATE),
    "BLOCKED": Blocker(
        "blocked", Remedy.WAIT, "see on GitHub which rule of its base is not met", auto=True
    ),
    "CLEAN": None,
    "DIRTY": Blocker("conflicts", Remedy.WAIT, "settle the conflicts"),
    "DRAFT": Blocker("draft", Remedy.WAIT, "take it out of draft"),
    "HAS_HOOKS": None,
    "UNKNOWN": None,
    "UNSTABLE": None,
}
"""Each ``mergeStateStatus``; None: nothing hinders, or GitHub says when it is tried. What is not
required may be red in ``UNSTABLE``; whether anything is, is decided from the checks themselves.
"""


def of_words(said: str) -> Blocker:
    """The row of a refusal in GitHub's words; words that nobody knows are a person's."""
    return next((row for words, row in _WORDS if words.search(said)), UNKNOWN)


def of_state(state: str | None) -> Blocker | None:
    """The row of a merge state. One that is not known yet hinders nothing: GitHub will say."""
    return STATES.get(state or "")
