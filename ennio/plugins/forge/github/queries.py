"""Asks GitHub for pull requests: in batches, each list to its end, the words of
failing checks included.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ennio.model.errors import EnnioError, NotFound, Unreachable
from ennio.model.failpoints import asks
from ennio.model.pulls import CheckState, Mergeability, PullRequest
from ennio.plugins.forge.github.check_words import annotated, cut
from ennio.plugins.forge.github.conflicts import conflicting
from ennio.plugins.forge.github.graphql import (
    ENDED,
    FAILURES,
    OPEN,
    PullQuery,
    bases_of,
    survey_query,
)
from ennio.plugins.forge.github.parsing import Node, contexts, parse_pull
from ennio.plugins.forge.github.whole_lists import completed, pages
from ennio.plugins.github.client import GitHubClient
from ennio.plugins.web import as_published, sound

log = logging.getLogger(__name__)
BATCH = 50
LEAST = 10
_HELD = 500
_AT_ONCE = 50
_PATIENCE = timedelta(minutes=2)
"""How long words that cannot be read are waited for: a log is there some time after its job has
ended, and any server may be away.
"""


@dataclass(frozen=True, slots=True)
class BranchState:
    """What the forge says of one branch: its newest pull request of ours, its head, how far
    it is ahead of its base.

    ``unmerged``: the latest commits of its base that no merged pull request brought there.
    """

    pull: PullRequest | None
    head: str | None = None
    ahead: int | None = None
    unmerged: frozenset[str] = frozenset()


class PullQueries:
    """Reads pull requests of one repository. Calls block and raise what the client raises."""

    def __init__(
        self, client: GitHubClient, clone: Path, head_owner: str, *, include_own: bool
    ) -> None:
        self._client = client
        self._clone = clone
        self._head_owner = head_owner.lower()
        self._include_own = include_own
        self._failures = Failures(client)
        self._size = BATCH
        self._sound: dict[int, PullRequest] = {}
        self._conflicts: dict[tuple[str, str], tuple[str, ...]] = {}

    def branches(
        self, pulls: Sequence[PullQuery]
    ) -> Iterator[tuple[PullQuery, BranchState | EnnioError]]:
        """What became of each, asked in batches; all of a batch that failed
        are told with its error.

        A query that is too much for the server fails like any other, so the next one
        after trouble is smaller.
        """
        start = 0
        while start < len(pulls):
            batch = pulls[start : start + self._size]
            start += len(batch)
            try:
                found = self._batch(batch)
                self._size = min(BATCH, self._size * 2)
            except EnnioError as error:
                self._size = (
                    max(LEAST, self._size // 2) if isinstance(error, Unreachable) else self._size
                )
                found = dict.fromkeys((one.session_id for one in batch), error)
            yield from ((one, found[one.session_id]) for one in batch)

    @as_published("GitHub")
    def _batch(self, batch: Sequence[PullQuery]) -> dict[str, BranchState | EnnioError]:
        address = self._client.address
        repository = self._client.ask(*survey_query(batch, address.owner, address.name))[
            "repository"
        ]
        if repository is None:
            raise NotFound(
                f"{address.host} has no repository {address}, or the token may not see it"
            )
        nodes = {
            one.session_id: self._chosen(repository, index, one) for index, one in enumerate(batch)
        }
        shown = self._parsed([node for node in nodes.values() if node is not None])
        unmerged = {
            base: _unmerged(repository[f"h{index}"]) for index, base in enumerate(bases_of(batch))
        }
        found: dict[str, BranchState | EnnioError] = {}
        for index, one in enumerate(batch):
            node, ref = nodes[one.session_id], repository.get(f"r{index}")
            if node is None and one.number is not None:
                found[one.session_id] = NotFound(f"{address} has no pull request #{one.number}")
            else:
                pull = shown[node["number"]] if node is not None else None
                latest = unmerged.get(one.base, frozenset())
                found[one.session_id] = replace(_branch(pull, ref), unmerged=latest)
        return found

    def _chosen(self, repository: Node, index: int, one: PullQuery) -> Node | None:
        if one.number is not None:
            node: Node | None = repository[f"n{index}"]
            return node
        own = [node for node in repository[f"b{index}"]["nodes"] if self._is_ours(node)]
        return next((node for node in own if node["state"] == "OPEN"), own[0] if own else None)

    def _is_ours(self, node: Node) -> bool:
        """A stranger's fork may have a branch of the same name."""
        owner = node["headRepositoryOwner"]
        return (
            owner["login"].lower() == self._head_owner if owner else not node["isCrossRepository"]
        )

    @as_published("GitHub")
    def one(self, number: int) -> tuple[Node, PullRequest]:
        """One pull request with the answer it came from. Raises NotFound."""
        address = self._client.address
        query, values = survey_query([PullQuery("", "", "", number)], address.owner, address.name)
        repository = self._client.ask(query, values)["repository"]
        node = repository["n0"] if repository else None
        if node is None:
            raise NotFound(f"{address} has no pull request #{number}")
        return node, self._parsed([node])[number]

    @as_published("GitHub")
    def all(self) -> list[PullRequest]:
        """Every open pull request, and the twenty ended ones that changed last; by number."""
        values: dict[str, Any] = {
            "owner": self._client.address.owner,
            "name": self._client.address.name,
        }
        nodes = list(
            pages(
                lambda cursor: self._client.ask(OPEN, {**values, "after": cursor})["repository"][
                    "pullRequests"
                ]
            )
        )
        nodes += self._client.ask(ENDED, values)["repository"]["pullRequests"]["nodes"]
        return [found for _, found in sorted(self._parsed(nodes).items())]

    def _parsed(self, nodes: Sequence[Node]) -> dict[int, PullRequest]:
        whole = [completed(self._client, node) for node in nodes]
        read = {
            node["number"]: (node, parse_pull(node, include_own=self._include_own))
            for node in whole
        }
        shown = {
            number: self._with_conflicts(found)
            for number, found in self._failures.with_words(read).items()
        }
        fresh = {
            number: sound(found)
            for number, found in shown.items()
            if self._sound.get(number) != found
        }
        self._sound = {**dict(list(self._sound.items())[-_HELD:]), **fresh}
        return shown

    def _with_conflicts(self, found: PullRequest) -> PullRequest:
        """GitHub does not say which files conflict; the clone on this
        machine may know both commits.
        """
        if found.mergeability is not Mergeability.CONFLICTING or found.base_head is None:
            return found
        key = (found.head, found.base_head)
        if key not in self._conflicts:
            self._conflicts = {
                **dict(list(self._conflicts.items())[-100:]),
                key: conflicting(self._clone, *key),
            }
        return replace(found, conflicts=self._conflicts[key])


def _branch(pull: PullRequest | None, ref: Node | None) -> BranchState:
    head = ref["target"]["oid"] if ref and ref["target"] else None
    ahead = ref["compare"]["behindBy"] if ref and ref["compare"] else None
    return BranchState(pull, head, ahead)


def _unmerged(base: Node | None) -> frozenset[str]:
    """A base that is not there, or whose history is not told, has none."""
    history = ((base or {}).get("target") or {}).get("history") or {"nodes": ()}
    return frozenset(
        commit["oid"]
        for commit in history["nodes"]
        if all(
            pull["state"] != "MERGED"
            for pull in (commit["associatedPullRequests"] or {"nodes": ()})["nodes"]
        )
    )


class Failures:
    """The words of failing checks by run; a run never changes its words once it has ended."""

    def __init__(self, client: GitHubClient) -> None:
        self._client = client
        self._words: OrderedDict[str, str] = OrderedDict()
        self._unread: dict[str, datetime] = {}

    def with_words(self, pulls: Mapping[int, tuple[Node, PullRequest]]) -> dict[int, PullRequest]:
        """The pull requests with the words of their failing checks; one query for all that are new.

        Trouble in reading them leaves the check failing and unread for a while; then its words
        say what was the trouble.
        """
        failing = {
            context["id"]: context
            for node, pull in pulls.values()
            for context in _failed_runs(node, pull)
        }
        passing = self._read_new(
            {run: context for run, context in failing.items() if run not in self._words}
        )
        words = {**{run: self._words.get(run, "") for run in failing}, **passing}
        unread = self._waited_for(passing)
        return {number: _with_words(pull, words, unread) for number, (_, pull) in pulls.items()}

    def _waited_for(self, passing: Iterable[str]) -> set[str]:
        """Those of which something is missing and that are not given up yet; they are
        read again all the same.
        """
        now = self._client.now()
        # a time to come is one from before the clock was put back
        self._unread = {run: min(self._unread.get(run, now), now) for run in passing}
        return {run for run, since in self._unread.items() if now - since < _PATIENCE}

    def _read_new(self, new: Mapping[str, Node]) -> dict[str, str]:
        """Keep the words of these runs; returned are those in which something is missing
        that may be there next time.
        """
        passing = {}
        ids = list(new)
        for start in range(0, len(ids), _AT_ONCE):
            details = self._details(ids[start : start + _AT_ONCE])
            for run in ids[start : start + _AT_ONCE]:
                words, final = self._words_of(new[run], details)
                if final:
                    self._words[run] = words
                else:
                    passing[run] = words
        self._forget()
        return passing

    def _forget(self) -> None:
        while len(self._words) > _HELD:
            self._words.popitem(last=False)

    def _details(self, ids: Sequence[str]) -> Mapping[str, Node] | None:
        try:
            nodes = self._client.ask(FAILURES, {"ids": list(ids)})["nodes"]
        except EnnioError as error:
            log.info("annotations could not be read", extra={"error": str(error)})
            return None
        return {node["id"]: node for node in nodes if node}

    @asks("get.actions.jobs.logs", "get.elsewhere")
    def _words_of(self, run: Node, details: Mapping[str, Node] | None) -> tuple[str, bool]:
        """The words, and whether they are final; a log that is forbidden will not
        be there next time either.
        """
        annotations = annotated((details or {}).get(run["id"]))
        if (run["checkSuite"]["app"] or {}).get("slug") != "github-actions" or not run[
            "databaseId"
        ]:
            return annotations, details is not None
        final = details is not None
        try:
            tail = cut(
                self._client.text(
                    self._client.address.at("actions", "jobs", run["databaseId"], "logs")
                )
            )
        except EnnioError as error:
            tail, final = (
                f"(the log could not be read: {error})",
                final and not isinstance(error, Unreachable | NotFound),
            )
        return "\n".join(filter(None, [annotations, tail])), final


def _with_words(
    pull: PullRequest, words: Mapping[str, str], unread: Collection[str]
) -> PullRequest:
    runs = tuple(
        replace(run, log_tail=words.get(run.id, run.log_tail), unread=run.id in unread)
        for run in pull.check_runs
    )
    return replace(pull, check_runs=runs) if runs != pull.check_runs else pull


def _failed_runs(node: Node, pull: PullRequest) -> list[Node]:
    failing = {run.id for run in pull.check_runs if run.state is CheckState.FAILING}
    return [
        context
        for context in contexts(node)
        if context["__typename"] == "CheckRun" and context["id"] in failing
    ]
