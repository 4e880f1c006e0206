"""The GraphQL texts: one query for many pull requests, and the follow-ups
where a list was longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ennio.model.failpoints import declare, operation

THREADS = 30
WORDS = 50
LATEST = 10
"""Commits of a base that are read at each look: the newest."""

_AUTHOR = "author { __typename login }"
_ANSWER = f"id body createdAt url viewerDidAuthor {_AUTHOR}"
_THREAD = f"""
  id isResolved path line originalLine
  comments(first: {THREADS}) {{
    pageInfo {{ hasNextPage endCursor }}
    nodes {{ {_ANSWER} }}
  }}"""
_CONTEXT = """
  __typename
  ... on CheckRun {
    id databaseId name status conclusion detailsUrl startedAt
    checkSuite { app { slug } workflowRun { databaseId event workflow { name } } }
  }
  ... on StatusContext { id context state targetUrl description createdAt }"""
_REVIEW = f"id state body url submittedAt isMinimized {_AUTHOR}"
_REMARK = f"isMinimized {_ANSWER}"
# the name of a team takes a token that may read its organization; without one all is refused
_ASKED = "__typename ... on Actor { login } ... on User { isViewer }"

PULL = f"""
fragment Pull on PullRequest {{
  id number url title state isDraft isCrossRepository viewerDidAuthor {_AUTHOR}
  headRefName headRefOid headRepositoryOwner {{ login }}
  baseRefName baseRefOid baseRef {{ target {{ oid }} }}
  mergeable mergeStateStatus viewerCanMergeAsAdmin isInMergeQueue isMergeQueueEnabled viewerCanEnableAutoMerge
  autoMergeRequest {{ enabledAt }} mergeCommit {{ oid }}
  reviewDecision reviewRequests(first: 20) {{ totalCount nodes {{ requestedReviewer {{ {_ASKED} }} }} }}
  latestOpinionatedReviews(first: 50) {{ nodes {{ id state authorCanPushToRepository viewerDidAuthor commit {{ oid }} {_AUTHOR} }} }}
  reviews(last: {WORDS}, states: [CHANGES_REQUESTED, COMMENTED]) {{ pageInfo {{ hasPreviousPage startCursor }} nodes {{ {_REVIEW} }} }}
  comments(last: {WORDS}) {{ pageInfo {{ hasPreviousPage startCursor }} nodes {{ {_REMARK} }} }}
  reviewThreads(first: {THREADS}) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ {_THREAD} }} }}
  statusCheckRollup {{ contexts(first: 100) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ {_CONTEXT} }} }} }}
}}"""  # noqa: E501


@dataclass(frozen=True, slots=True)
class PullQuery:
    """What one session asks for: its pull request by number, its branch (for another
    or a first one), or both.
    """

    session_id: str
    branch: str
    base: str
    number: int | None = None


declare("request.query.Survey")


def survey_query(pulls: Sequence[PullQuery], owner: str, name: str) -> tuple[str, dict[str, Any]]:
    """One query for all of them. Answers: ``n<i>`` by number, ``b<i>`` by branch,
    ``r<i>`` the branch itself, ``h<i>`` the latest of the base ``bases_of`` has there.
    """
    kinds, fields = ["$owner: String!", "$name: String!"], []
    values: dict[str, Any] = {"owner": owner, "name": name}
    for index, one in enumerate(pulls):
        if one.number is not None:
            kinds.append(f"$n{index}: Int!")
            values[f"n{index}"] = one.number
            fields.append(f"n{index}: pullRequest(number: $n{index}) {{ ...Pull }}")
        else:
            kinds += [f"$b{index}: String!", f"$q{index}: String!", f"$o{index}: String!"]
            values |= {
                f"b{index}": one.branch,
                f"q{index}": f"refs/heads/{one.branch}",
                f"o{index}": one.base,
            }
            fields.append(_by_branch(index))
    for index, base in enumerate(bases_of(pulls)):
        kinds.append(f"$h{index}: String!")
        values[f"h{index}"] = f"refs/heads/{base}"
        fields.append(_latest(index))
    selections = "\n    ".join(fields)
    query = f"""
query Survey({", ".join(kinds)}) {{
  rateLimit {{ cost remaining limit resetAt }}
  repository(owner: $owner, name: $name) {{
    nameWithOwner
    {selections}
  }}
}}{PULL}"""
    return query, values


def _by_branch(index: int) -> str:
    newest = "first: 5, orderBy: {field: CREATED_AT, direction: DESC}"
    return f"""b{index}: pullRequests(headRefName: $b{index}, {newest}) {{ nodes {{ ...Pull }} }}
    r{index}: ref(qualifiedName: $q{index}) {{ target {{ oid }} compare(headRef: $o{index}) {{ behindBy }} }}"""  # noqa: E501


def bases_of(pulls: Sequence[PullQuery]) -> list[str]:
    """The bases of all of them, each once: mostly there is one."""
    return list(dict.fromkeys(one.base for one in pulls if one.base))


def _latest(index: int) -> str:
    by = "associatedPullRequests(first: 5) { nodes { state } }"
    history = f"history(first: {LATEST}) {{ nodes {{ oid {by} }} }}"
    return (
        f"h{index}: ref(qualifiedName: $h{index}) {{ target {{ ... on Commit {{ {history} }} }} }}"
    )


OPEN = operation(f"""
query Open($owner: String!, $name: String!, $after: String) {{
  repository(owner: $owner, name: $name) {{
    pullRequests(states: [OPEN], first: 25, after: $after, orderBy: {{field: CREATED_AT, direction: ASC}}) {{
      pageInfo {{ hasNextPage endCursor }} nodes {{ ...Pull }}
    }}
  }}
}}{PULL}""")  # noqa: E501

ENDED = operation(f"""
query Ended($owner: String!, $name: String!) {{
  repository(owner: $owner, name: $name) {{
    pullRequests(states: [CLOSED, MERGED], first: 20, orderBy: {{field: UPDATED_AT, direction: DESC}}) {{ nodes {{ ...Pull }} }}
  }}
}}{PULL}""")  # noqa: E501


def _more(name: str, field: str, nodes: str, *, backwards: bool) -> str:
    edge = "last: 100, before: $cursor" if backwards else "first: 100, after: $cursor"
    info = "hasPreviousPage startCursor" if backwards else "hasNextPage endCursor"
    connection = f"{field.format(edge)} {{ pageInfo {{ {info} }} nodes {{ {nodes} }} }}"
    if name == "contexts":
        connection = f"statusCheckRollup {{ {connection} }}"
    kind = "PullRequestReviewThread" if name == "replies" else "PullRequest"
    query = (
        f"query More($id: ID!, $cursor: String) {{ node(id: $id) {{ ... on {kind} {{ "
        f"{connection} }} }} }}"
    )
    return operation(query, because="the rest of a long list; those of a story are short")


MORE = {
    "reviews": _more(
        "reviews", "reviews({}, states: [CHANGES_REQUESTED, COMMENTED])", _REVIEW, backwards=True
    ),
    "comments": _more("comments", "comments({})", _REMARK, backwards=True),
    "reviewThreads": _more("reviewThreads", "reviewThreads({})", _THREAD, backwards=False).replace(
        "first: 100", "first: 50"
    ),
    "contexts": _more("contexts", "contexts({})", _CONTEXT, backwards=False),
    "replies": _more("replies", "comments({})", _ANSWER, backwards=False),
}
"""The rest of a list, by the name of the list; ``replies`` are the comments of one thread."""

FAILURES = operation("""
query Failures($ids: [ID!]!) {
  nodes(ids: $ids) {
    ... on CheckRun {
      id title summary text
      annotations(first: 20) { totalCount nodes { path message title annotationLevel location { start { line } } } }
    }
  }
}""")  # noqa: E501

REPLY = operation("""
mutation Reply($thread: ID!, $body: String!) {
  addPullRequestReviewThreadReply(input: {pullRequestReviewThreadId: $thread, body: $body}) { comment { id } }
}""")  # noqa: E501
RESOLVE = operation("""
mutation Resolve($thread: ID!) { resolveReviewThread(input: {threadId: $thread}) { thread { id isResolved } } }""")  # noqa: E501
SETTLE = operation(
    """
mutation Settle($comment: ID!) {
  minimizeComment(input: {subjectId: $comment, classifier: RESOLVED}) { minimizedComment { isMinimized } }
}""",  # noqa: E501
    because="settles a remark as request.mutation.Resolve does a thread",
)
READY = operation("""
mutation Ready($pull: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $pull}) { pullRequest { id } } }""")  # noqa: E501
AUTO_MERGE = operation(
    """
mutation AutoMerge($pull: ID!, $head: GitObjectID!, $method: PullRequestMergeMethod!) {
  enablePullRequestAutoMerge(input: {pullRequestId: $pull, expectedHeadOid: $head, mergeMethod: $method}) {
    pullRequest { id autoMergeRequest { enabledAt } }
  }
}""",  # noqa: E501
    because="no branch of a story requires anything",
)
NO_AUTO_MERGE = operation(
    """
mutation NoAutoMerge($pull: ID!) { disablePullRequestAutoMerge(input: {pullRequestId: $pull}) { pullRequest { id } } }""",  # noqa: E501
    because="no branch of a story requires anything",
)
DEQUEUE = operation(
    """
mutation Dequeue($pull: ID!) {
  dequeuePullRequest(input: {id: $pull}) { mergeQueueEntry { id } } }""",
    because="no branch of a story requires anything",
)
ENQUEUE = operation(
    """
mutation Enqueue($pull: ID!, $head: GitObjectID!) {
  enqueuePullRequest(input: {pullRequestId: $pull, expectedHeadOid: $head}) { mergeQueueEntry { id position } }
}""",  # noqa: E501
    because="no repository of a story has a merge queue",
)
