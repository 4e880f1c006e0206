"""The issues of a Linear workspace: read for the prompt, told what became of the work."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ennio.model.branch import check_branch, issue_branch
from ennio.model.errors import Invalid, NotFound, Refused
from ennio.plugins.tracker.interface import Issue, Milestone, MilestoneKind
from ennio.plugins.tracker.linear import queries
from ennio.plugins.tracker.linear.client import LinearClient
from ennio.plugins.tracker.linear.settings import LinearSettings
from ennio.plugins.tracker.linear.workflow import OVER, WorkflowState, is_move, named, state_of
from ennio.plugins.web import as_published, sound

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9]*-[0-9]+\Z")
_LINK = re.compile(r"https?://[^/]+/[^/]+/issue/(?P<id>[A-Za-z][A-Za-z0-9]*-[0-9]+)(?:[/?#].*)?\Z")
_MOST = 500
_NO_URL = "ennio:none"
_ENDS = {
    MilestoneKind.PULL_OPENED: "open",
    MilestoneKind.MERGED: "merged",
    MilestoneKind.CLOSED: "closed unmerged",
}


class LinearTracker:
    """Issues go by their identifier (``ENG-42``); with a team set, ``42`` and ``#42`` do too."""

    name = "linear"

    def __init__(self, client: LinearClient, settings: LinearSettings) -> None:
        self.client = client
        self._settings = settings

    @as_published("Linear")
    def issue(self, issue_id: str) -> Issue:
        """See ``Tracker.issue``; all its comments, the oldest first, and its
        parent at the end of the body.
        """
        identifier = self._identifier(issue_id)
        found = self._asked(identifier, queries.ISSUE)
        comments = [
            *found["comments"]["nodes"],
            *self._more(identifier, found["comments"]["pageInfo"]),
        ]
        return _issue(found, comments)

    @as_published("Linear")
    def issues(self) -> Sequence[Issue]:
        """See ``Tracker.issues``; those of the team where one is set, up to
        500, without their comments.
        """
        wanted: dict[str, Any] = {"state": {"type": {"nin": list(OVER)}}}
        if self._settings.team:
            wanted["team"] = {"key": {"eq": self._settings.team}}
        found: list[Issue] = []
        after: str | None = None
        while len(found) < _MOST:
            page = self.client.ask(queries.ISSUES, {"filter": wanted, "after": after})["issues"]
            found += [_issue(node, ()) for node in page["nodes"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        return found[:_MOST]

    @as_published("Linear")
    def comment(self, issue_id: str, text: str) -> None:
        """See ``Tracker.comment``."""
        identifier = self._identifier(issue_id)
        with _about(identifier):
            self._say(identifier, text, str(uuid.uuid4()))

    @as_published("Linear")
    def close(self, issue_id: str) -> None:
        """See ``Tracker.close``: into the first state of type ``completed``."""
        identifier = self._identifier(issue_id)
        self._move(identifier, self._standing(identifier), "completed", MilestoneKind.MERGED)

    @as_published("Linear")
    def tell(self, issue_id: str, milestone: Milestone) -> None:
        """See ``Tracker.tell``: state, link and comment, each only where it is not there yet."""
        state = self._wanted_state(milestone.kind)
        link = self._link(milestone)
        comment = milestone.kind in self._settings.comment
        if not (state or link or comment):
            return
        identifier, own = self._identifier(issue_id), _comment_id(milestone)
        standing = self._standing(identifier, own, milestone.pull_url or _NO_URL)
        if link and link not in standing["attachments"]["nodes"]:
            self._do(
                queries.ATTACH,
                {"input": {"issueId": standing["id"], "url": milestone.pull_url, **link}},
            )
        if comment and not standing["comments"]["nodes"]:
            self._say(standing["id"], milestone.words, own)
        if state:
            self._move(identifier, standing, state, milestone.kind)

    def _wanted_state(self, kind: MilestoneKind) -> str | None:
        done = (
            "completed" if self._settings.close_on_merge and kind is MilestoneKind.MERGED else None
        )
        return self._settings.states.get(kind) or done

    def _link(self, milestone: Milestone) -> dict[str, str] | None:
        """What is attached: the pull request with its state, which Linear
        keeps once for each address.
        """
        url = milestone.pull_url or ""
        if (
            not self._settings.link
            or milestone.kind not in _ENDS
            or not url.startswith(("http://", "https://"))
        ):
            return None
        number = f" #{milestone.pull_number}" if milestone.pull_number is not None else ""
        return {
            "title": f"Pull request{number}",
            "subtitle": f"{_ENDS[milestone.kind]}, by session {milestone.session_id}",
        }

    def _standing(
        self, identifier: str, comment: str = str(uuid.UUID(int=0)), url: str = _NO_URL
    ) -> dict[str, Any]:
        return self._asked(identifier, queries.STANDING, comment=comment, url=url)

    def _move(
        self, identifier: str, standing: dict[str, Any], wanted: str, kind: MilestoneKind
    ) -> None:
        states: list[WorkflowState] = [
            state_of(node) for node in standing["team"]["states"]["nodes"]
        ]
        to = named(states, wanted)
        if is_move(state_of(standing["state"]), to, kind):
            self._do(queries.MOVE, {"id": identifier, "state": to.id})

    def _say(self, issue: str, text: str, comment_id: str) -> None:
        self._do(queries.COMMENT, {"input": {"id": comment_id, "issueId": issue, "body": text}})

    def _do(self, mutation: str, variables: dict[str, Any]) -> None:
        for name, payload in self.client.ask(mutation, variables, action=True).items():
            if not payload["success"]:
                raise Refused(f"Linear did not do it ({name}) and gave no reason")

    def _asked(self, identifier: str, query: str, **variables: str) -> dict[str, Any]:
        with _about(identifier):
            found: dict[str, Any] | None = self.client.ask(query, {"id": identifier, **variables})[
                "issue"
            ]
            if found is None:
                raise NotFound("null")
        return found

    def _more(self, identifier: str, page: dict[str, Any]) -> Iterator[dict[str, Any]]:
        while page["hasNextPage"]:
            comments = self._asked(identifier, queries.MORE_COMMENTS, after=page["endCursor"])[
                "comments"
            ]
            yield from comments["nodes"]
            page = comments["pageInfo"]

    def _identifier(self, issue_id: str) -> str:
        """The issue's identifier, from what a person may write. Raises
        NotFound when it cannot be one.
        """
        word = issue_id.strip().removeprefix("#")
        link = _LINK.match(word)
        if link:
            return link["id"].upper()
        if word.isdecimal() and self._settings.team:
            return f"{self._settings.team}-{word}"
        if not _IDENTIFIER.match(word):
            number = (
                "; set team in tracker_config.config to write numbers alone"
                if word.isdecimal()
                else ""
            )
            raise NotFound(
                f"there is no issue {issue_id!r} at Linear: issues are called like ENG-42{number}"
            )
        return word.upper()


@contextmanager
def _about(identifier: str) -> Iterator[None]:
    """Linear does not say which issue it does not find."""
    try:
        yield
    except NotFound as error:
        raise NotFound(f"there is no issue {identifier} at Linear that the key may see") from error


def _issue(node: dict[str, Any], comments: Sequence[dict[str, Any]]) -> Issue:
    said = [
        *reversed(comments)
    ]  # they come newest first; of two at the same moment the later one is told later
    said.sort(key=lambda comment: str(comment["createdAt"]))
    found = Issue(
        id=node["identifier"],
        title=node["title"],
        body=_body(node),
        url=node["url"],
        labels=tuple(label["name"] for label in node["labels"]["nodes"]),
        comments=tuple(f"{_author(comment)}: {comment['body']}" for comment in said),
        state="closed" if node["state"]["type"] in OVER else "open",
        branch=_branch(node),
    )
    return sound(found)


def _body(node: dict[str, Any]) -> str:
    """The description, and what it is part of."""
    parts = [node["description"] or ""]
    parent = node.get("parent")
    if parent:
        parts += [
            f"## Part of {parent['identifier']}: {parent['title']}",
            parent["description"] or "",
        ]
    return "\n\n".join(part.strip() for part in parts if part.strip())


def _author(comment: dict[str, Any]) -> str:
    for who, name in (
        ("user", "displayName"),
        ("externalUser", "displayName"),
        ("botActor", "name"),
    ):
        if comment.get(who) and comment[who].get(name):
            return str(comment[who][name])
    return "somebody"


def _branch(node: dict[str, Any]) -> str:
    """Linear's own name for the branch, by which it knows the pull request; ours
    where git would not take it.
    """
    try:
        check_branch(node["branchName"])
    except Invalid:
        return issue_branch(node["identifier"], node["title"])
    return str(node["branchName"])


def _comment_id(milestone: Milestone) -> str:
    """The id a milestone's comment gets: always the same, so that Linear
    itself keeps a second one out.
    """
    digest = hashlib.sha256(
        f"ennio:{milestone.session_id}:{milestone.kind}:{milestone.pull_number}".encode()
    ).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))
