"""What a reviewer wants to know of a pull request, on one page: checks, changes, cost, what the
agent says, and the files it named.

It is about the pull request; why a session has its status is told by its evidence.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from enum import StrEnum

from ennio.model.pulls import CheckState, PullState, ReviewState

MOST_NAMED = 20
"""Files that a pack shows of those an agent named."""
LARGEST_FILE = 10 * 1024 * 1024
"""Bytes of a file that is shown."""
LONGEST_WORDS = 16_000
"""Characters of what an agent says."""
LONGEST_LOG = 4000
"""Characters of the log of a check that fails, from its end."""
MOST_CHANGED = 200
"""Files whose lines are counted one by one; all are counted together."""


class NamedKind(StrEnum):
    """What a file is, by what is in it and never by its name.

    Only a picture of pixels is shown as one. Text, and that is HTML and SVG too, is shown as
    text; whatever else is saved and not opened.
    """

    IMAGE = "image"
    TEXT = "text"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file that an agent named, by its path in the working copy; ``refused`` says why it is not
    shown.
    """

    path: str
    kind: NamedKind = NamedKind.OTHER
    media: str = ""
    size: int | None = None
    refused: str = ""
    absent: bool = False


@dataclass(frozen=True, slots=True)
class NamedContent:
    """One of them whole; ``content`` is its bytes in base64."""

    file: NamedFile
    content: str

    @property
    def lines(self) -> int:
        """How many lines it has; the last one need not end."""
        return len(base64.b64decode(self.content).splitlines())


@dataclass(frozen=True, slots=True)
class PackPull:
    """The pull request as it was last seen."""

    number: int
    url: str
    title: str
    state: PullState
    draft: bool
    branch: str
    base: str
    head: str
    review: ReviewState


@dataclass(frozen=True, slots=True)
class PackCheck:
    """One check of its head, and of a failing one the last lines of its log."""

    name: str
    state: CheckState
    url: str | None
    log_tail: str


@dataclass(frozen=True, slots=True)
class PackFile:
    """One file that it changes. Of a binary file nobody counts lines."""

    path: str
    status: str
    added: int | None
    removed: int | None


@dataclass(frozen=True, slots=True)
class PackChanges:
    """What is committed since its base; ``count``, ``added`` and ``removed`` are of all files, also
    where not all are listed.
    """

    base: str
    head: str | None
    count: int
    added: int
    removed: int
    files: tuple[PackFile, ...]
