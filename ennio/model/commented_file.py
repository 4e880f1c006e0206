"""The file that a comment on a session's changes is about, on the side on which it counts lines."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CommentedFile:
    """Whether it is ``there``, is a ``folder``, and how many lines it has (None: nobody counts
    them).
    """

    there: bool
    lines: int | None = None
    folder: bool = False

    def has(self, line: int | None) -> bool:
        """Whether it may have this line, or is there at all (None)."""
        if line is None or not self.there:
            return self.there
        return not self.folder and (self.lines is None or line <= self.lines)


ABSENT = CommentedFile(there=False)
