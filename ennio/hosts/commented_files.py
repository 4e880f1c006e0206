"""The files that comments on a session's changes are about, as they are where the session is.

A line of the new side is one of the working copy; where the file is not there any more, of the last
commit, or of the base. With the ``head`` that its reader saw it may be one of that commit, too. A
line of the old side is one of the base.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ennio.hosts.named_files import named_content
from ennio.machine import single
from ennio.machine.interface import Machine
from ennio.model.commented_file import ABSENT, CommentedFile
from ennio.model.errors import Invalid, NotFound, Refused
from ennio.model.inline_comment import InlineComment, Side
from ennio.model.workspace_changes import Until
from ennio.plugins.commit_file import commit_file
from ennio.plugins.git import readable
from ennio.plugins.workspace.changes import changed_files
from ennio.plugins.workspace.compared import Compared, SessionBranch, compared


def commented_files(
    machine: Machine, of: SessionBranch, comments: Sequence[InlineComment], head: str | None
) -> tuple[CommentedFile, ...]:
    """The file of each comment, in their order; of several versions one that has its line, if one
    does. Raises Invalid for a head that is no commit, NotFound when nothing is left to look at.
    """
    lying = [_lying(machine, of.path, one) for one in comments]
    if head is None and all(_has(one, found) for one, found in zip(comments, lying, strict=True)):
        return tuple(lying)
    with compared(machine, of, Until.WORKTREE) as ends:
        seen = None if head is None else ends.git.commit(head)
        if head is not None and seen is None:
            raise Invalid(
                f"head: {head!r} is no commit that session {of.session_id} has; its last one: "
                f"{(ends.head or 'none')[:12]}"
            )
        versions = _Versions(ends, seen)
        return tuple(versions.best(*both) for both in zip(comments, lying, strict=True))


def _has(comment: InlineComment, found: CommentedFile) -> bool:
    return found.has(comment.last)


def _lying(machine: Machine, root: Path, comment: InlineComment) -> CommentedFile:
    """As it lies in the working copy; what is there and cannot be read has any line."""
    if comment.side is Side.OLD:
        return ABSENT
    try:
        return CommentedFile(there=True, lines=named_content(machine, root, comment.path).lines)
    except NotFound:
        return ABSENT
    except Refused:
        return CommentedFile(there=True, folder=single.is_folder(machine, root / comment.path))


@dataclass(frozen=True, slots=True)
class _Versions:
    """The versions of files that git has of a session."""

    ends: Compared
    seen: str | None

    def best(self, comment: InlineComment, lying: CommentedFile) -> CommentedFile:
        """The first version that has its line, or else the first that there is."""
        if lying.there and (self.seen is None or _has(comment, lying)):
            return lying
        found = [one for one in (lying, *self._committed(comment)) if one.there]
        first = found[0] if found else self._renamed(comment.path)
        return next((one for one in found if _has(comment, one)), first)

    def _committed(self, comment: InlineComment) -> Iterator[CommentedFile]:
        """Those of the commits that its side is of; the base has it where they do not."""
        commits = (self.seen, self.ends.head) if comment.side is Side.NEW else ()
        newer = [self._of(commit, comment.path) for commit in dict.fromkeys(commits) if commit]
        yield from newer
        if not any(one.there for one in newer):
            yield self._of(self.ends.base, comment.path)

    def _of(self, commit: str, path: str) -> CommentedFile:
        return commit_file(self.ends.git, commit, path)

    def _renamed(self, path: str) -> CommentedFile:
        """One whose name is shown in other letters than it has, or that had another one before."""
        for file in changed_files(self.ends):
            if readable(file.path) == path and file.before is not None:
                return self._of(self.ends.base, file.before)
            if readable(file.path) == path != file.path:
                return CommentedFile(there=True)
        return ABSENT
