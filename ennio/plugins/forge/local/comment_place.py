"""Whether the place that a comment is about is in a pull request."""

from __future__ import annotations

from contextlib import suppress

from ennio.model.commented_file import ABSENT
from ennio.model.errors import Invalid, NotFound, Refused, TimedOut, Unreachable
from ennio.model.inline_comment import Side, beyond_end
from ennio.model.local_forge import PullRow
from ennio.plugins.forge.local.diffs import parted
from ennio.plugins.forge.local.repository import GitRepository


def check_place(
    repository: GitRepository,
    row: PullRow,
    base_head: str | None,
    path: str,
    line: int | None,
    side: Side = Side.NEW,
) -> None:
    """Raise Invalid, naming the field, for a file that is in neither its head nor what it was begun
    from, or a line beyond the end of the file. What cannot be read now is no reason to keep a
    comment back.
    """
    with suppress(NotFound, Refused, TimedOut, Unreachable):
        head, before = (row.head, parted(repository, row, base_head))
        versions = [repository.file(commit, path) for commit in (head, before)]
        there = next((one for one in versions if one.there), ABSENT)
        if side is Side.OLD and versions[1].there:
            there = versions[1]
        if not there.there:
            raise Invalid(
                f"path: there is no {path} in #{row.number}, neither at its head {row.head[:7]} "
                "nor before it"
            )
        if line is not None and there.folder:
            raise Invalid(f"line: {path} is a folder, and has no lines")
        if line is not None and there.lines is not None and not there.has(line):
            raise Invalid(f"line: {beyond_end(path, line, there.lines)}")
