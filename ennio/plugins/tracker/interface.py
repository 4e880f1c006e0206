"""The tracker slot: where issues come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue with what an agent needs to know of it. ``branch`` is the tracker's own name for one."""

    id: str
    title: str
    body: str
    url: str | None = None
    labels: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    state: str = "open"
    branch: str | None = None


class Tracker(Protocol):
    """Reads issues and tells them what became of the work."""

    name: str

    def issue(self, issue_id: str) -> Issue:
        """One issue. Raises NotFound naming where it was looked for; Unreachable."""
        ...

    def issues(self) -> Sequence[Issue]:
        """The open issues."""
        ...

    def comment(self, issue_id: str, text: str) -> None:
        """Add a comment. Raises NotFound."""
        ...

    def close(self, issue_id: str) -> None:
        """Mark it done; fine if it is. Raises NotFound."""
        ...
