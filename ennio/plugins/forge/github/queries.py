"""Asks GitHub for pull requests: in batches, each list to its end, the words of
failing checks included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ennio.machine.local import LocalMachine
from ennio.model.errors import EnnioError, NotFound, Unreachable
from ennio.model.pulls import Mergeability, PullRequest
from ennio.plugins.forge.github.failures import Failures
from ennio.plugins.forge.github.graphql import (
    ENDED,
    MORE,
    OPEN,
    PullQuery,
    bases_of,
    survey_query,
)
from ennio.plugins.forge.github.parsing import Node, parse_pull
from ennio.plugins.git import Git
from ennio.plugins.github.client import GitHubClient
from ennio.plugins.web import as_published, sound

BATCH = 50
LEAST = 10
_MOST_PAGES = 20
_HELD = 500


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
            _pages(
                lambda cursor: self._client.ask(OPEN, {**values, "after": cursor})["repository"][
                    "pullRequests"
                ]
            )
        )
        nodes += self._client.ask(ENDED, values)["repository"]["pullRequests"]["nodes"]
        return [found for _, found in sorted(self._parsed(nodes).items())]

    def _parsed(self, nodes: Sequence[Node]) -> dict[int, PullRequest]:
        whole = [self._completed(node) for node in nodes]
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

    def _completed(self, node: Node) -> Node:
        """The node with every list read to its end."""
        whole = {**node}
        for name in ("reviews", "comments", "reviewThreads"):
            whole[name] = node[name] and self._rest(node["id"], name, node[name])
        whole["reviewThreads"] = {
            "nodes": [self._whole_thread(thread) for thread in whole["reviewThreads"]["nodes"]]
        }
        rollup = node["statusCheckRollup"]
        whole["statusCheckRollup"] = rollup and {
            "contexts": self._rest(node["id"], "contexts", rollup["contexts"])
        }
        return whole

    def _whole_thread(self, thread: Node) -> Node:
        return {**thread, "comments": self._rest(thread["id"], "replies", thread["comments"])}

    def _rest(self, node_id: str, name: str, first: Node) -> Node:
        """A list to its end, as one page; read backwards where the newest come first."""
        if not _following(first):
            return first

        def page(cursor: str | None) -> Node:
            node = self._client.ask(MORE[name], {"id": node_id, "cursor": cursor})["node"]
            if node is None:
                raise NotFound("it went away while it was read")
            return _list(node, name)

        nodes = list(first["nodes"])
        nodes += _pages(page, _following(first))
        return {"nodes": nodes}

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


def conflicting(clone: Path, head: str, base: str) -> tuple[str, ...]:
    """The files in which two commits conflict, by a trial merge in a clone;
    empty when it cannot tell.
    """
    git = Git(LocalMachine(), clone)
    try:
        if not all(
            git.run("cat-file", "-e", f"{commit}^{{commit}}", check=False).ok
            for commit in (head, base)
        ):
            # an empty refmap: the person's remote-tracking branches stay where they are
            options = (
                "--progress",
                "--no-tags",
                "--no-write-fetch-head",
                "--no-recurse-submodules",
                "--refmap=",
            )
            git.run("fetch", *options, "origin", base, head, timeout=60, check=False)
        trial = git.run(
            "merge-tree",
            "--write-tree",
            "--name-only",
            "--no-messages",
            "-z",
            base,
            head,
            check=False,
        )
    except EnnioError:
        return ()
    return tuple(dict.fromkeys(trial.fields[1:])) if trial.code == 1 else ()


def _following(page: Node) -> str | None:
    """The cursor of the next page, or None."""
    info = page.get("pageInfo") or {}
    if info.get("hasNextPage"):
        return str(info["endCursor"])
    return str(info["startCursor"]) if info.get("hasPreviousPage") else None


def _list(node: Node, name: str) -> Node:
    if name == "contexts":
        return node["statusCheckRollup"]["contexts"] if node["statusCheckRollup"] else {"nodes": ()}
    found: Node = node["comments" if name == "replies" else name]
    return found


def _pages(read: Callable[[str | None], Node], cursor: str | None = None) -> Iterator[Node]:
    for _ in range(_MOST_PAGES):
        page = read(cursor)
        yield from page["nodes"]
        cursor = _following(page)
        if cursor is None:
            return
