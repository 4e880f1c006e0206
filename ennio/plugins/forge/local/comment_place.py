"""Whether the place that a comment is about is in a pull request."""

from __future__ import annotations

from contextlib import suppress

from ennio.model.errors import Invalid, NotFound, Refused, TimedOut, Unreachable
from ennio.model.inline_comment import beyond_end
from ennio.model.local_forge import PullRow
from ennio.plugins.forge.local.diffs import parted
from ennio.plugins.forge.local.repository import GitRepository

_LONGEST = 10 * 1024 * 1024
"""Bytes of a file whose lines are counted; of a longer one any line is believed."""


def check_place(
    repository: GitRepository, row: PullRow, base_head: str | None, path: str, line: int | None
) -> None:
    """Raise Invalid, naming the field, for a file that is in neither its head nor what it was begun
    from, or a line beyond the end of the file. What cannot be read now is no reason to keep a
    comment back.
    """
    with suppress(NotFound, Refused, TimedOut, Unreachable):
        commits = row.head, parted(repository, row, base_head)
        found = (repository.entry(commit, path) for commit in commits)
        there = next((one for one in found if one is not None), None)
        if there is None:
            raise Invalid(
                f"path: there is no {path} in #{row.number}, neither at its head {row.head[:7]} "
                "nor before it"
            )
        if line is not None and there[0] == "tree":
            raise Invalid(f"line: {path} is a folder, and has no lines")
        length = None if line is None else _length(repository, *there)
        if line is not None and length is not None and line > length:
            raise Invalid(f"line: {beyond_end(path, line, length)}")


def _length(repository: GitRepository, kind: str, name: str) -> int | None:
    """How many lines a file has; None where that is not known."""
    if kind != "blob":
        return None
    text, cut = repository.beginning("cat-file", "blob", name, longest=_LONGEST)
    # lines as they are counted of bytes: those of text end at more characters
    return None if cut else len(text.encode("utf-8", "surrogateescape").splitlines())
