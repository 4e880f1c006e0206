"""What a check printed, in parts, and where in it something first went wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ennio.model.pulls import CheckState

LONGEST_PART = 1024 * 1024
"""Bytes of a log that are given at once."""
LONGEST_LOG = 64 * 1024 * 1024
"""Bytes of a log that are looked through."""


@dataclass(frozen=True, slots=True)
class FailingLine:
    """The first line that tells of a failure: counted from 1, and the byte where it begins."""

    line: int
    offset: int


@dataclass(frozen=True, slots=True)
class CheckLog:
    """Whole lines of a log from the byte ``offset`` on, the first of them being line ``line``;
    ``size`` is bytes of all of it.

    ``next`` is where the next part begins, None at its end. ``failing`` is of the whole log.
    """

    id: str
    name: str
    state: CheckState
    head: str
    size: int
    offset: int
    line: int
    text: str
    next: int | None = None
    failing: FailingLine | None = None


@dataclass(frozen=True, slots=True)
class LogPart:
    """Which bytes of a log are wanted; a part ends with a whole line, unless one is longer."""

    offset: int = 0
    most: int = LONGEST_PART

    def of(self, id: str, name: str, state: CheckState, head: str, raw: bytes) -> CheckLog:  # noqa: A002 - the check's own name for it
        """This part of a log."""
        begin = min(self.offset, len(raw))
        line = raw.rfind(b"\n", 0, begin) + 1
        if begin - line < self.most:
            begin = line  # a line is told from its beginning, unless it is longer than a part
        end = min(begin + self.most, len(raw))
        if end < len(raw):
            end = raw.rfind(b"\n", begin, end) + 1 or end
        text = raw[begin:end].decode("utf-8", "replace")
        return CheckLog(
            id,
            name,
            state,
            head,
            len(raw),
            begin,
            raw.count(b"\n", 0, begin) + 1,
            text,
            end if end < len(raw) else None,
            failing_line(raw) if state is CheckState.FAILING else None,
        )


_CLEAR = re.compile(
    rb"^(?:\S+Z )?(?:##\[error\]|E   |not ok \d|--- FAIL|FAIL(?:ED)?\b|panic: |fatal: |Traceback "
    rb"\(most recent call last\)|error(?:\[\w+\])?: |\S+: (?:fatal )?error: |\s*(?:\xe2\x9c\x97|"
    rb"\xe2\x9c\x96|\xc3\x97) )",
    re.MULTILINE,
)
_LIKELY = re.compile(
    rb"\b(?!0 )(?:[A-Z]\w*(?:Error|Exception)\b|error\b|failed\b|failure\b|not found\b)",
    re.IGNORECASE,
)


def failing_line(raw: bytes) -> FailingLine | None:
    """The first line that tells of a failure by a form that test runners and compilers have; else
    the first with a word for it, unless that says that there are none.
    """
    clear = _CLEAR.search(raw, 0, LONGEST_LOG)
    at = clear.start() if clear is not None else _likely(raw)
    if at is None:
        return None
    begin = raw.rfind(b"\n", 0, at) + 1
    return FailingLine(raw.count(b"\n", 0, begin) + 1, begin)


def _likely(raw: bytes) -> int | None:
    for found in _LIKELY.finditer(raw, 0, LONGEST_LOG):
        before = raw[raw.rfind(b"\n", 0, found.start()) + 1 : found.start()].lower()
        says_none = before.endswith((b" 0 ", b"(0 ", b"no ", b"without ")) or before == b"0 "
        if not says_none and not before.startswith((b"$ ", b"+ ")):  # what was run
            return found.start()
    return None
