"""What a pull request on GitHub changes: its list of files, with the patch of each.
Pure but for the reading.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ennio.model.changes import Diff, FileChange, Files, bounded
from ennio.model.failpoints import asks
from ennio.plugins.github.client import GitHubClient

_MOST = 300
"""Files that are asked for: three requests."""
_STATUS = {"changed": "modified", "unchanged": "modified"}


def files(client: GitHubClient, number: int, head: str) -> Files:
    """The files it changes."""
    found = _asked(client, number)
    return Files("", head, tuple(_change(entry) for entry in found[:_MOST]), len(found) > _MOST)


def diff(client: GitHubClient, number: int, head: str) -> Diff:
    """The difference, put together from the patches; GitHub leaves out those of
    binary and very long files.
    """
    found = _asked(client, number)
    text, cut = bounded("".join(_lines(entry)) for entry in found[:_MOST])
    return Diff(
        "",
        head,
        text,
        cut
        or len(found) > _MOST
        or any("patch" not in entry and entry["changes"] for entry in found),
    )


@asks("get.pulls.files", because="a person reads what it changes; nothing follows")
def _asked(client: GitHubClient, number: int) -> Sequence[Mapping[str, Any]]:
    return client.pages(client.address.at("pulls", number, "files"), most=_MOST + 1)


def _change(entry: Mapping[str, Any]) -> FileChange:
    counted = "patch" in entry or entry["changes"]  # of a binary file neither is told
    added, removed = (entry["additions"], entry["deletions"]) if counted else (None, None)
    return FileChange(
        entry["filename"],
        _STATUS.get(entry["status"], entry["status"]),
        added,
        removed,
        entry.get("previous_filename"),
    )


def _lines(entry: Mapping[str, Any]) -> Iterator[str]:
    """One file as git would write it."""
    new, old = entry["filename"], entry.get("previous_filename") or entry["filename"]
    yield f"diff --git a/{old} b/{new}\n"
    if entry["status"] == "renamed":
        yield f"rename from {old}\nrename to {new}\n"
    if "patch" not in entry:
        yield f"(the patch of {new} is not told)\n" if entry["changes"] else ""
        return
    yield f"--- {'/dev/null' if entry['status'] == 'added' else f'a/{old}'}\n"
    yield f"+++ {'/dev/null' if entry['status'] == 'removed' else f'b/{new}'}\n"
    yield entry["patch"].rstrip("\n") + "\n"
