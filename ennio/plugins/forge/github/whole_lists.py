"""The lists of a pull request, each read to its end: GitHub gives them in pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ennio.model.errors import NotFound
from ennio.plugins.forge.github.graphql import MORE
from ennio.plugins.forge.github.parsing import Node
from ennio.plugins.github.client import GitHubClient

_MOST_PAGES = 20


def completed(client: GitHubClient, node: Node) -> Node:
    """The node with every list read to its end."""
    whole = {**node}
    for name in ("reviews", "comments", "reviewThreads"):
        whole[name] = node[name] and _rest(client, node["id"], name, node[name])
    threads = whole["reviewThreads"]["nodes"]
    whole["reviewThreads"] = {"nodes": [_whole_thread(client, thread) for thread in threads]}
    rollup = node["statusCheckRollup"]
    whole["statusCheckRollup"] = rollup and {
        "contexts": _rest(client, node["id"], "contexts", rollup["contexts"])
    }
    return whole


def _whole_thread(client: GitHubClient, thread: Node) -> Node:
    return {**thread, "comments": _rest(client, thread["id"], "replies", thread["comments"])}


def _rest(client: GitHubClient, node_id: str, name: str, first: Node) -> Node:
    """A list to its end, as one page; read backwards where the newest come first."""
    if not _following(first):
        return first

    def page(cursor: str | None) -> Node:
        node = client.ask(MORE[name], {"id": node_id, "cursor": cursor})["node"]
        if node is None:
            raise NotFound("it went away while it was read")
        return _list(node, name)

    nodes = list(first["nodes"])
    nodes += pages(page, _following(first))
    return {"nodes": nodes}


def pages(read: Callable[[str | None], Node], cursor: str | None = None) -> Iterator[Node]:
    """What is on the pages from this cursor on."""
    for _ in range(_MOST_PAGES):
        page = read(cursor)
        yield from page["nodes"]
        cursor = _following(page)
        if cursor is None:
            return


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
