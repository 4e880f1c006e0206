"""Answers GraphQL by executing it against GitHub's published schema: what
does not fit it fails here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from graphql import DocumentNode, ExecutionResult, GraphQLError, execute_sync, parse, validate

from tests.github.published import graphql_schema
from tests.github.standin.hub import Hub, Pull, Run, Thread, actor

Node = dict[str, Any]


def answer(hub: Hub, query: str, variables: dict[str, Any]) -> Node:
    """The document GitHub would answer with; an invalid question is noted
    as a fault of the asker.
    """
    document, wrong = _read(query)
    result = (
        ExecutionResult(None, list(wrong))
        if document is None or wrong
        else execute_sync(graphql_schema(), document, Root(hub).fields(), variable_values=variables)
    )
    errors = []
    for error in result.errors or ():
        kind = (error.extensions or {}).get("type")
        if kind is None:
            hub.invalid.append(f"GraphQL: {error.message}")
        errors.append({"message": error.message, **({"type": kind} if kind else {})})
    return {"data": result.data, **({"errors": errors} if errors else {})}


@lru_cache(maxsize=64)
def _read(query: str) -> tuple[DocumentNode | None, tuple[GraphQLError, ...]]:
    """A question, and what the schema has against it; the same ones are asked again and again."""
    try:
        document = parse(query)
    except GraphQLError as error:
        return None, (error,)
    return document, tuple(validate(graphql_schema(), document))


def connection(items: Sequence[Any]) -> Callable[..., Node]:
    """A list by pages, as GitHub cuts them; cursors are positions."""

    def resolve(
        _info: Any,
        first: int | None = None,
        last: int | None = None,
        after: str | None = None,
        before: str | None = None,
        **_: Any,
    ) -> Node:
        if first is None and last is None:
            raise GraphQLError(
                "You must provide a `first` or `last` value to properly paginate the connection."
            )
        if max(first or 0, last or 0) > 100:
            raise GraphQLError(
                "Requesting more than 100 records on a connection exceeds the limit."
            )
        start, end = (int(after) + 1 if after else 0), (int(before) if before else len(items))
        low, high = (
            (start, min(end, start + first))
            if first is not None
            else (max(start, end - (last or 0)), end)
        )
        info = {
            "hasNextPage": high < len(items),
            "hasPreviousPage": low > 0,
            "startCursor": str(low),
            "endCursor": str(high - 1),
        }
        return {"totalCount": len(items), "nodes": list(items[low:high]), "pageInfo": info}

    return resolve


class Root:
    """The fields of queries and mutations over one hub."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.heads = hub.follow()

    def fields(self) -> Node:
        return {
            "rateLimit": self.rate_limit,
            "repository": self.repository,
            "node": lambda _info, id: self.node(id),  # noqa: A006
            "nodes": lambda _info, ids: [self.node(one) for one in ids],
            "addPullRequestReviewThreadReply": self.reply,
            "resolveReviewThread": self.resolve,
            "minimizeComment": self.minimize,
            "markPullRequestReadyForReview": self.ready,
            "enablePullRequestAutoMerge": self.auto_merge,
            "disablePullRequestAutoMerge": self.no_auto_merge,
            "enqueuePullRequest": self.enqueue,
            "dequeuePullRequest": self.dequeue,
        }

    def rate_limit(self, _info: Any, **_: Any) -> Node:
        quota = self.hub.quotas["graphql"]
        used = {
            "used": quota.limit - quota.remaining,
            "nodeCount": 0,
            "resetAt": quota.resets_at.isoformat(),
        }
        return {"cost": self.hub.cost, "remaining": quota.remaining, "limit": quota.limit, **used}

    def repository(self, _info: Any, owner: str, name: str, **_: Any) -> Node:
        hub = self.hub
        if (owner, name) != (hub.owner, hub.name) and (owner, name) not in hub.former:
            raise not_found(f"Could not resolve to a Repository with the name '{owner}/{name}'.")
        return {
            "nameWithOwner": f"{hub.owner}/{hub.name}",
            "pullRequest": self.by_number,
            "pullRequests": self.listed,
            "ref": self.ref,
        }

    def by_number(self, _info: Any, number: int) -> Node:
        if number not in self.hub.pulls:
            raise not_found(f"Could not resolve to a PullRequest with the number of {number}.")
        return self.pull(self.hub.pulls[number])

    def listed(
        self,
        info: Any,
        headRefName: str | None = None,  # noqa: N803
        states: Any = None,
        orderBy: Any = None,  # noqa: N803
        **page: Any,
    ) -> Node:
        found = [
            pull
            for pull in self.hub.pulls.values()
            if (headRefName is None or pull.branch == headRefName)
            and (states is None or pull.state in states)
        ]
        newest_first = bool(orderBy) and orderBy["direction"] == "DESC"
        found.sort(key=lambda pull: pull.number, reverse=newest_first)
        return connection([self.pull(pull) for pull in found])(info, **page)

    def ref(self, _info: Any, qualifiedName: str) -> Node | None:  # noqa: N803
        branch = qualifiedName.removeprefix("refs/heads/")
        if branch not in self.heads:
            return None
        target = {
            "__typename": "Commit",
            "oid": self.heads[branch],
            "history": lambda info, **page: self.latest(info, branch, page),
        }
        return {
            "target": target,
            "compare": lambda _info, **asked: self.compare(branch, asked["headRef"]),
        }

    def latest(self, info: Any, branch: str, page: Node) -> Node:
        return connection([self.commit(oid) for oid in self.hub.history(branch)])(info, **page)

    def commit(self, oid: str) -> Node:
        merged = [self.pull(pull) for pull in self.hub.brought(oid)]
        return {"__typename": "Commit", "oid": oid, "associatedPullRequests": connection(merged)}

    def compare(self, branch: str, base: str) -> Node | None:
        return {"behindBy": self.hub.ahead(branch, base)} if base in self.heads else None

    def node(self, node_id: str) -> Node | None:
        for pull in self.hub.pulls.values():
            if pull_id(pull) == node_id:
                return self.pull(pull)
            for thread in pull.threads:
                if thread.id == node_id:
                    return self.thread(pull, thread)
        runs = [run for runs in self.hub.runs.values() for run in runs]
        return next((self.run(run) for run in runs if run_id(run) == node_id), None)

    def pull(self, pull: Pull) -> Node:
        hub, base = self.hub, self.heads.get(pull.base)
        clean = pull.mergeable or (
            "MERGEABLE"
            if pull.owner != hub.owner or base is None or hub.merges(pull.head, base)
            else "CONFLICTING"
        )
        contexts = [self.run(run) for run in hub.runs.get(pull.head, ())]
        contexts += [
            {"__typename": "StatusContext", **row} for row in hub.statuses.get(pull.head, ())
        ]
        return {
            "__typename": "PullRequest",
            "id": pull_id(pull),
            "number": pull.number,
            "url": url(hub, pull),
            "title": pull.title,
            "author": actor(pull.author),
            "viewerDidAuthor": pull.author == hub.login,
            "state": pull.state,
            "isDraft": pull.draft,
            "isCrossRepository": pull.owner != hub.owner,
            "headRefName": pull.branch,
            "headRefOid": pull.head,
            "headRepositoryOwner": {"__typename": "User", "login": pull.owner}
            if pull.owner
            else None,
            "baseRefName": pull.base,
            "baseRefOid": base or "0" * 40,
            "baseRef": {"target": {"__typename": "Commit", "oid": base}} if base else None,
            "mergeable": clean if pull.state == "OPEN" else "UNKNOWN",
            "mergeStateStatus": pull.merge_state or hub.merge_state(pull, self.heads),
            "viewerCanMergeAsAdmin": hub.admin,
            "isInMergeQueue": pull.queued,
            "isMergeQueueEnabled": hub.merge_queue,
            "viewerCanEnableAutoMerge": hub.auto_merge_allowed,
            "autoMergeRequest": {"enabledAt": pull.auto_merge} if pull.auto_merge else None,
            "mergeCommit": {"oid": pull.merge_commit} if pull.merge_commit else None,
            "reviewDecision": self.decision(pull),
            "reviewRequests": connection(self.asked(pull)),
            "latestOpinionatedReviews": connection(
                [self.said(pull, row) for row in opinions(pull)]
            ),
            "reviews": lambda info, states=None, **page: self.reviews(pull, info, states, page),
            "comments": connection([self.said(pull, row) for row in pull.comments]),
            "reviewThreads": connection([self.thread(pull, thread) for thread in pull.threads]),
            "statusCheckRollup": {"contexts": connection(contexts)} if contexts else None,
        }

    def said(self, pull: Pull, row: Node) -> Node:
        more = {
            "viewerDidAuthor": row["author"]["login"] == self.hub.login,
            "isMinimized": row["id"] in self.hub.minimized,
        }
        return {**row, "url": f"{url(self.hub, pull)}#{row['id']}", **more}

    def asked(self, pull: Pull) -> list[Node]:
        """Who is asked for a review: people by name, and teams that are only counted."""
        people = [
            {"__typename": "User", "login": one, "isViewer": one == self.hub.login}
            for one in pull.reviewers
        ]
        teams = [{"__typename": "Team"} for _ in range(pull.requested)]
        return [{"requestedReviewer": one} for one in (*people, *teams)]

    def decision(self, pull: Pull) -> str | None:
        states = [row["state"] for row in opinions(pull)]
        if not self.hub.required_approvals:
            return None
        if "CHANGES_REQUESTED" in states:
            return "CHANGES_REQUESTED"
        return (
            "APPROVED"
            if states.count("APPROVED") >= self.hub.required_approvals
            else "REVIEW_REQUIRED"
        )

    def reviews(self, pull: Pull, info: Any, states: Any, page: Node) -> Node:
        rows = [
            self.said(pull, row) for row in pull.reviews if states is None or row["state"] in states
        ]
        return connection(rows)(info, **page)

    def thread(self, pull: Pull, thread: Thread) -> Node:
        comments = [self.said(pull, row) for row in thread.comments]
        place = {"path": thread.path, "line": thread.line, "originalLine": thread.line}
        state = {
            "__typename": "PullRequestReviewThread",
            "id": thread.id,
            "isResolved": thread.resolved,
        }
        return {**state, **place, "comments": connection(comments)}

    def run(self, run: Run) -> Node:
        workflow = {
            "databaseId": run.number + 500_000,
            "event": run.event,
            "workflow": {"name": run.workflow},
        }
        return {
            "__typename": "CheckRun",
            "id": run_id(run),
            "databaseId": run.number,
            "name": run.name,
            "status": run.status,
            "conclusion": run.conclusion if run.status == "COMPLETED" else None,
            "detailsUrl": f"https://github.example/{self.hub.owner}/{self.hub.name}/actions/runs/{run.number}",
            "startedAt": run.started_at or None,
            "title": run.title or None,
            "summary": run.summary or None,
            "text": None,
            "annotations": connection(run.annotations),
            "checkSuite": {
                "app": {"slug": run.app},
                "workflowRun": workflow if run.app == "github-actions" else None,
            },
        }

    # --- mutations --------------------------------------------------------------------------------

    def _thread(self, node_id: str) -> tuple[Pull, Thread]:
        for pull in self.hub.pulls.values():
            for thread in pull.threads:
                if thread.id == node_id:
                    return pull, thread
        raise not_found(f"Could not resolve to a node with the global id of '{node_id}'")

    def _pull(self, node_id: str) -> Pull:
        found = next((pull for pull in self.hub.pulls.values() if pull_id(pull) == node_id), None)
        if found is None:
            raise not_found(f"Could not resolve to a node with the global id of '{node_id}'")
        return found

    def reply(self, _info: Any, input: Node) -> Node:  # noqa: A002
        pull, thread = self._thread(input["pullRequestReviewThreadId"])
        self.hub.answer(thread, self.hub.login, input["body"])
        return {"comment": {**thread.comments[-1], "url": url(self.hub, pull)}}

    def resolve(self, _info: Any, input: Node) -> Node:  # noqa: A002
        pull, thread = self._thread(input["threadId"])
        thread.resolved = True
        return {"thread": self.thread(pull, thread)}

    def minimize(self, _info: Any, input: Node) -> Node:  # noqa: A002
        said = [
            row["id"] for pull in self.hub.pulls.values() for row in [*pull.comments, *pull.reviews]
        ]
        if input["subjectId"] not in said:
            raise not_found(
                f"Could not resolve to a node with the global id of '{input['subjectId']}'"
            )
        self.hub.minimized.add(input["subjectId"])
        return {"minimizedComment": {"__typename": "IssueComment", "isMinimized": True}}

    def ready(self, _info: Any, input: Node) -> Node:  # noqa: A002
        pull = self._pull(input["pullRequestId"])
        pull.draft = False
        return {"pullRequest": self.pull(pull)}

    def auto_merge(self, _info: Any, input: Node) -> Node:  # noqa: A002
        pull = self._pull(input["pullRequestId"])
        self._expect(pull, input["expectedHeadOid"])
        pull.auto_merge = self.hub.now()
        return {"pullRequest": self.pull(pull)}

    def no_auto_merge(self, _info: Any, input: Node) -> Node:  # noqa: A002
        pull = self._pull(input["pullRequestId"])
        pull.auto_merge = None
        return {"pullRequest": self.pull(pull)}

    def enqueue(self, _info: Any, input: Node) -> Node:  # noqa: A002
        pull = self._pull(input["pullRequestId"])
        self._expect(pull, input["expectedHeadOid"])
        pull.queued = True
        return {"mergeQueueEntry": {"id": "MQE_1", "position": 1}}

    def dequeue(self, _info: Any, input: Node) -> Node:  # noqa: A002
        pull = self._pull(input["id"])
        pull.queued = False
        return {"mergeQueueEntry": {"id": "MQE_1"}}

    def _expect(self, pull: Pull, head: str) -> None:
        if pull.head != head:
            raise GraphQLError(
                "Head sha didn't match expected", extensions={"type": "UNPROCESSABLE"}
            )


def opinions(pull: Pull) -> list[Node]:
    """The latest review of each author that says yes, no, or no longer."""
    latest = {
        row["author"]["login"]: row
        for row in pull.reviews
        if row["state"] in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED")
    }
    return list(latest.values())


def pull_id(pull: Pull) -> str:
    return f"PR_{pull.number}"


def run_id(run: Run) -> str:
    return f"CR_{run.number}"


def url(hub: Hub, pull: Pull) -> str:
    return f"https://github.example/{hub.owner}/{hub.name}/pull/{pull.number}"


def not_found(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"type": "NOT_FOUND"})
