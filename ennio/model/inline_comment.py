"""What a reader says about places in a session's changes, one by one and all at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from ennio.model.commented_file import CommentedFile
from ennio.model.errors import Invalid
from ennio.model.name_field import NameField
from ennio.model.object_field import ObjectListField
from ennio.model.plural import number_of
from ennio.model.request_fields import (
    ChoiceField,
    FlagField,
    NumberField,
    TextField,
)

MOST_COMMENTS = 100
_LINE = NumberField(1, 10_000_000)
_COMMIT = re.compile("[0-9a-fA-F]{4,64}")


def beyond_end(path: str, line: int, length: int) -> str:
    """That a file of so many lines does not have one, in words."""
    return f"{path} has {number_of(length, 'line')}, and no line {line}"


class Side(StrEnum):
    """Which side of a difference a line is counted on."""

    NEW = "new"
    OLD = "old"


@dataclass(frozen=True, slots=True)
class InlineComment:
    """Words about a file, a line of it, or the lines from ``line`` to ``end_line``; ``quote`` is
    the code as the reader saw it.
    """

    path: Annotated[str, TextField(longest=4096)]
    body: Annotated[str, TextField(longest=20_000)]
    line: Annotated[int | None, _LINE] = None
    end_line: Annotated[int | None, _LINE] = None
    side: Annotated[Side, ChoiceField(Side)] = Side.NEW
    quote: Annotated[str, TextField(longest=20_000, blank=True)] = ""

    def check(self, name: str) -> None:
        """Raise Invalid, naming the field, for a place that is none."""
        wrong = (
            (
                self.path.startswith("/") or ".." in self.path.split("/"),
                f"path: {self.path!r} is not a path inside the repository, such as src/main.py",
            ),
            (
                ".git" in self.path.split("/"),
                f"path: {self.path!r} belongs to git, and is not shown",
            ),
            (
                self.end_line is not None and self.line is None,
                "line: is missing; end_line alone is no range",
            ),
            (
                self.end_line is not None and self.end_line < (self.line or 0),
                f"end_line: {self.end_line} is before line {self.line}",
            ),
        )
        for broken, words in wrong:
            if broken:
                raise Invalid(f"{name}.{words}")

    @property
    def last(self) -> int | None:
        """The last line it is about; None: it is about the file."""
        return self.end_line or self.line

    def check_file(self, name: str, found: CommentedFile) -> None:
        """Raise Invalid, naming the field, where its file or its line is not there."""
        if not found.there:
            when = "was not there before the change" if self.side is Side.OLD else "is not there"
            raise Invalid(f"{name}.path: {self.path} {when}; paths begin at the repository's root")
        field = "end_line" if self.end_line is not None else "line"
        if self.last is not None and found.folder:
            raise Invalid(f"{name}.{field}: {self.path} is a folder, and has no lines")
        if self.last is not None and found.lines is not None and not found.has(self.last):
            raise Invalid(f"{name}.{field}: {beyond_end(self.path, self.last, found.lines)}")

    @property
    def place(self) -> str:
        """Where it is, in words: ``src/app.py:12-14 (as it was before)``."""
        lines = "" if self.line is None else f":{self.line}"
        if self.end_line is not None and self.end_line != self.line:
            lines += f"-{self.end_line}"
        return f"{self.path}{lines}{' (as it was before)' if self.side is Side.OLD else ''}"


@dataclass(frozen=True, slots=True)
class ReviewOrder:
    """Comments that belong together, and what is said of all of them. ``forge``: they are also to
    be a review of the pull request, whose ``head`` the reader saw; ``author`` is in whose name.
    """

    comments: Annotated[
        tuple[InlineComment, ...], ObjectListField(InlineComment, most=MOST_COMMENTS)
    ]
    body: Annotated[str, TextField(longest=20_000, blank=True)] = ""
    forge: Annotated[bool, FlagField()] = False
    head: Annotated[str | None, TextField(longest=64)] = None
    author: Annotated[str, NameField()] = "person"

    def check(self) -> None:
        """Raise Invalid for the first comment that cannot stand, naming its field."""
        if self.head is not None and _COMMIT.fullmatch(self.head) is None:
            raise Invalid(f"head: {self.head!r} is no commit; give 4 or more digits of its name")
        for index, comment in enumerate(self.comments):
            comment.check(f"comments[{index}]")


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment as a forge takes it: from ``first`` (None: it is one line) to ``line`` (None: it is
    about the file).
    """

    path: str
    body: str
    line: int | None = None
    first: int | None = None
    side: Side = Side.NEW

    @classmethod
    def of(cls, comment: InlineComment) -> Remark:
        """The remark of a comment."""
        last = comment.last
        first = comment.line if last != comment.line else None
        return cls(comment.path, comment.body, last, first, comment.side)
