"""What a pull request of the local forge changes, read from its
repository through plumbing only.
"""

from __future__ import annotations

from collections.abc import Iterator

from ennio.model.changes import LONGEST_DIFF, MOST_FILES, Diff, FileChange, Files, bounded
from ennio.model.errors import NotFound
from ennio.model.local_forge import PullRow
from ennio.model.pulls import PullState
from ennio.plugins.forge.local.repository import GitRepository
from ennio.plugins.git import readable

_EMPTY = (
    "4b825dc642cb6eb9a060e54bf8d69288fbee4904"  # the tree without files, which git knows everywhere
)
_COMPARE = ("diff-tree", "-r", "-M", "--no-ext-diff", "--no-textconv")
_STATUS = {
    "A": "added",
    "M": "modified",
    "D": "removed",
    "R": "renamed",
    "C": "copied",
    "T": "retyped",
}
_LONGEST_LIST = 4 * 1024 * 1024


def files(repository: GitRepository, row: PullRow, base_head: str | None) -> Files:
    """The files that it changes. Raises NotFound when its commits are gone."""
    base = parted(repository, row, base_head)
    listing, cut = repository.beginning(
        *_COMPARE, "--raw", "--numstat", "-z", base, row.head, longest=_LONGEST_LIST
    )
    found = tuple(_changes(listing))
    return Files(base, row.head, found[:MOST_FILES], cut or len(found) > MOST_FILES)


def diff(repository: GitRepository, row: PullRow, base_head: str | None) -> Diff:
    """The difference as text. Raises NotFound when its commits are gone."""
    base = parted(repository, row, base_head)
    text, cut = repository.beginning(
        *_COMPARE, "-p", "--no-color", base, row.head, longest=LONGEST_DIFF + 1
    )
    text, short = bounded([readable(text)])
    return Diff(base, row.head, text, cut or short)


def parted(repository: GitRepository, row: PullRow, base_head: str | None) -> str:
    """Where the branch left its base: for a merged one, the base as it was right before. Raises
    NotFound when its commits are gone.
    """
    onto = (
        f"{row.merge_commit}^" if row.state is PullState.MERGED and row.merge_commit else base_head
    )
    if not repository.present([row.head]):
        raise NotFound(
            f"the commits of #{row.number} are not in {repository.path} any more (head "
            f"{row.head[:10]})"
        )
    if onto is None:
        return _EMPTY
    return repository.merge_base(onto, row.head) or _EMPTY


def _changes(listing: str) -> Iterator[FileChange]:
    """Read ``--raw --numstat -z``: per file first how it changed, then all
    once more with the lines.
    """
    fields = iter(listing.split("\0"))
    kinds: dict[str, str] = {}
    for field in fields:
        if field.startswith(":"):
            letter = field.rsplit(" ", 1)[-1][:1]
            name = next(fields, "")
            kinds[next(fields, "") if letter in "RC" else name] = _STATUS.get(letter, "modified")
        elif field.count("\t") == 2:
            yield _counted(field, fields, kinds)


def _counted(field: str, fields: Iterator[str], kinds: dict[str, str]) -> FileChange:
    added, removed, name = field.split("\t")
    before, path = ("", name) if name else (next(fields, ""), next(fields, ""))
    lines = [int(count) if count.isdecimal() else None for count in (added, removed)]
    return FileChange(
        readable(path), kinds.get(path, "modified"), lines[0], lines[1], readable(before) or None
    )
