"""A pull request as Ennio sees it, parsed from GitHub's answer. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ennio.model.clock import parse_time
from ennio.model.pulls import (
    TOLD,
    Check,
    CheckState,
    Comment,
    Mergeability,
    Opinion,
    PullRequest,
    PullState,
    ReviewState,
    roll_up,
)

Node = Mapping[str, Any]

MARK = "<!-- ennio:"
"""Begins a hidden line in whatever Ennio writes there; what carries it
is never told to an agent.
"""
PERSON = f"{MARK}person -->"
"""A hidden line in what a person says through Ennio, with the token's account: that is told."""

_HIDDEN = re.compile(rf"^{MARK}[^\n]*-->$\n?", re.MULTILINE)
_PASSING = frozenset({"SUCCESS", "NEUTRAL", "SKIPPED"})
_MERGEABLE = {"MERGEABLE": Mergeability.CLEAN, "CONFLICTING": Mergeability.CONFLICTING}
_DECISIONS = {
    "APPROVED": ReviewState.APPROVED,
    "CHANGES_REQUESTED": ReviewState.CHANGES_REQUESTED,
    "REVIEW_REQUIRED": ReviewState.REQUIRED,
}


def parse_pull(node: Node, *, include_own: bool = False) -> PullRequest:
    """One pull request; conflicting files and logs are not in the answer and are
    added by whoever knows them.

    ``include_own``: answers given with the account of the token, or of who opened it, are
    words for the agent too.
    """
    state = PullState(node["state"].lower())
    runs = checks(node)
    base = (node["baseRef"] or {}).get("target") or {}
    merge_commit = (node["mergeCommit"] or {}).get("oid") if state is PullState.MERGED else None
    return PullRequest(
        number=node["number"],
        url=node["url"],
        title=node["title"],
        branch=node["headRefName"],
        base=node["baseRefName"],
        head=node["headRefOid"],
        state=state,
        draft=node["isDraft"],
        base_head=base.get("oid") or node["baseRefOid"],
        mergeability=_MERGEABLE.get(node["mergeable"], Mergeability.UNKNOWN)
        if state is PullState.OPEN
        else Mergeability.UNKNOWN,
        checks=roll_up(runs),
        check_runs=runs,
        review=review(node),
        comments=tuple(
            sorted(_comments(node, include_own=include_own), key=lambda comment: comment.at)
        ),
        merging=state is PullState.OPEN
        and bool(node["isInMergeQueue"] or node["autoMergeRequest"]),
        merge_commit=merge_commit,
        opinions=tuple(_opinions(node)),
        # every merge on GitHub makes a commit of its own
        merged_by_push=merge_commit == node["headRefOid"] if state is PullState.MERGED else None,
        asked=_asked(node),
        asks_you=any(one.get("isViewer") for one in _reviewers(node)),
        own=node["viewerDidAuthor"],
    )


def contexts(node: Node) -> Sequence[Node]:
    """The check runs and commit statuses of the head, the superseded ones left out."""
    rollup = node["statusCheckRollup"]
    newest: dict[tuple[str, ...], Node] = {}
    for context in rollup["contexts"]["nodes"] if rollup else ():
        key = _identity(context)
        if key not in newest or _start_order(context) >= _start_order(newest[key]):
            newest[key] = context
    ended = {_twin(key) for key, context in newest.items() if not _is_cancelled(context)}
    return [
        context
        for key, context in newest.items()
        if not (_is_cancelled(context) and _twin(key) in ended)
    ]


def _twin(key: tuple[str, ...]) -> tuple[str, ...]:
    """What a check has in common with the same check of the same workflow for another kind of
    event, such as push and pull_request.

    Where one of the two cancels the other (``concurrency``), the one that
    was let run is what counts.
    """
    return (*key[:3], key[4]) if key[0] == "run" else key


def _is_cancelled(context: Node) -> bool:
    return bool(context["__typename"] == "CheckRun" and context["conclusion"] == "CANCELLED")


def _identity(context: Node) -> tuple[str, ...]:
    """What a run replaces: the same check of the same workflow for the same kind of event."""
    if context["__typename"] == "StatusContext":
        return ("status", context["context"])
    suite = context["checkSuite"]
    workflow = suite["workflowRun"]
    app = (suite["app"] or {}).get("slug") or ""
    return (
        "run",
        app,
        workflow["workflow"]["name"] if workflow else "",
        workflow["event"] if workflow else "",
        context["name"],
    )


def _start_order(context: Node) -> tuple[str, int]:
    """Later runs are greater; a run that waits has no time yet and is newer than any that has."""
    waits = (
        "" if _is_cancelled(context) else "~"
    )  # what was cancelled before it began waits for nothing
    return (
        context.get("startedAt") or context.get("createdAt") or waits,
        context.get("databaseId") or 0,
    )


def checks(node: Node) -> tuple[Check, ...]:
    """The checks of the head."""
    return tuple(_check(context) for context in contexts(node))


def _check(context: Node) -> Check:
    if context["__typename"] == "StatusContext":
        state = {
            "SUCCESS": CheckState.PASSING,
            "ERROR": CheckState.FAILING,
            "FAILURE": CheckState.FAILING,
        }
        words = context["description"] or ""
        known = state.get(context["state"], CheckState.PENDING)
        return Check(
            context["id"],
            context["context"],
            known,
            context["targetUrl"],
            words if known is CheckState.FAILING else "",
        )
    return Check(context["id"], context["name"], _of_run(context), context["detailsUrl"])


def _of_run(run: Node) -> CheckState:
    if run["status"] != "COMPLETED" or run["conclusion"] is None:
        return CheckState.PENDING
    return CheckState.PASSING if run["conclusion"] in _PASSING else CheckState.FAILING


def review(node: Node) -> ReviewState:
    """What the reviewers decided: by the branch's rules where it has some, else
    by the reviews that count.
    """
    decided = _DECISIONS.get(node["reviewDecision"] or "")
    states = {item["state"] for item in _counted_reviews(node)}
    if decided is ReviewState.APPROVED or decided is ReviewState.CHANGES_REQUESTED:
        return decided
    if "CHANGES_REQUESTED" in states:
        return ReviewState.CHANGES_REQUESTED
    if decided is not None:
        return decided
    asked = (node["reviewRequests"] or {"totalCount": 0})["totalCount"]
    if "APPROVED" in states:
        return ReviewState.APPROVED
    return ReviewState.REQUIRED if asked else ReviewState.NONE


def _counted_reviews(node: Node) -> Iterator[Node]:
    """The reviews that count: on a public repository anybody may approve, and
    it is worth nothing there.
    """
    for item in (node["latestOpinionatedReviews"] or {"nodes": ()})["nodes"]:
        if item["state"] != "APPROVED" or item["authorCanPushToRepository"]:
            yield item


def _reviewers(node: Node) -> Iterator[Node]:
    for item in (node["reviewRequests"] or {"nodes": ()})["nodes"]:
        if item["requestedReviewer"] is not None:  # a team that the token may not see
            yield item["requestedReviewer"]


def _asked(node: Node) -> tuple[str, ...]:
    """By name; that of a team is not told to every token."""
    people = sorted(one["login"] for one in _reviewers(node) if "login" in one)
    many = (node["reviewRequests"] or {"totalCount": 0})["totalCount"] - len(people)
    return (*people, *(("a team",) if many == 1 else (f"{many} teams",) if many else ()))


def _opinions(node: Node) -> Iterator[Opinion]:
    for item in _counted_reviews(node):
        decision = _DECISIONS.get(item["state"])
        if decision is not None:
            yield Opinion(
                _login(item),
                decision,
                (item["commit"] or {}).get("oid") or "",
                item["viewerDidAuthor"],
            )


def _comments(node: Node, *, include_own: bool) -> Iterator[Comment]:
    """What the agent should answer: open threads, the conversation, and what those ask for who
    want changes, also where they asked for one thing after the other.

    Who has the token's account may be a person or an agent with ``gh``. A review is a person's;
    words in the conversation and replies in a thread are taken for the agent's own.
    """
    opener = (node["author"] or {}).get("login")

    def own(item: Node) -> bool:
        ours = item["viewerDidAuthor"] or (
            opener is not None and (item["author"] or {}).get("login") == opener
        )
        return bool(ours) and not include_own and PERSON not in item["body"]

    asking = {
        _login(item)
        for item in (node["latestOpinionatedReviews"] or {"nodes": ()})["nodes"]
        if item["state"] == "CHANGES_REQUESTED"
    }
    for item in (node["reviews"] or {"nodes": ()})["nodes"]:
        asks = item["state"] == "CHANGES_REQUESTED"
        if (
            item["submittedAt"]
            and not item["isMinimized"]
            and _has_words(item)
            and (not asks or _login(item) in asking)
        ):
            yield _comment(
                item, item["submittedAt"], decision=ReviewState.CHANGES_REQUESTED if asks else None
            )
    for item in node["comments"]["nodes"]:
        if not item["isMinimized"] and _has_words(item):
            yield _comment(item, item["createdAt"], own=own(item))
    for thread in node["reviewThreads"]["nodes"]:
        for place, item in enumerate(thread["comments"]["nodes"]):
            if not thread["isResolved"] and _has_words(item):
                yield _comment(item, item["createdAt"], thread=thread, own=place > 0 and own(item))


def _login(item: Node) -> str:
    return (item["author"] or {}).get("login") or "ghost"


def _has_words(item: Node) -> bool:
    body = item["body"]
    return bool(body.strip()) and (MARK not in body or PERSON in body or TOLD in body)


def _comment(
    item: Node,
    at: str,
    *,
    decision: ReviewState | None = None,
    thread: Node | None = None,
    own: bool = False,
) -> Comment:
    author = item["author"] or {"login": "ghost", "__typename": "User"}
    place = thread or {}
    line = place.get("line") or place.get("originalLine")
    login, bot = author["login"], author["__typename"] == "Bot"
    # GraphQL leaves the ending out that people and every configuration know a bot by
    name = f"{login}[bot]" if bot and not login.endswith("[bot]") else login
    told = TOLD in item["body"]
    body = _HIDDEN.sub("", item["body"]).rstrip() if MARK in item["body"] else item["body"]
    return Comment(
        item["id"],
        name,
        body,
        parse_time(at),
        bot,
        place.get("path"),
        line,
        item["url"],
        place.get("id"),
        decision,
        own or told,
        told,
    )
