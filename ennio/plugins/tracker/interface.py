"""The tracker slot: where issues come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from ennio.model.failpoints import failpoint


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue with what an agent needs to know of it. ``branch`` is the
    tracker's own name for one.
    """

    id: str
    title: str
    body: str
    url: str | None = None
    labels: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    state: str = "open"
    branch: str | None = None


class MilestoneKind(StrEnum):
    """What a session has come to, seen from its issue."""

    SPAWNED = "spawned"
    PULL_OPENED = "pull_opened"
    MERGED = "merged"
    CLOSED = "closed"
    KILLED = "killed"


@dataclass(frozen=True, slots=True)
class Milestone:
    """One step of a session that works on an issue; the pull request is there
    from ``pull_opened`` on.
    """

    kind: MilestoneKind
    session_id: str
    agent: str | None = None
    branch: str | None = None
    pull_url: str | None = None
    pull_number: int | None = None

    @property
    def marker(self) -> str:
        """What a comment carries so that it is found again; Markdown does not show it."""
        return f"<!-- ennio:{self.session_id}:{self.kind} -->"

    @property
    def words(self) -> str:
        """One sentence for people."""
        pull = (
            f"pull request #{self.pull_number}"
            if self.pull_number is not None
            else "its pull request"
        )
        link = f": {self.pull_url}" if self.pull_url else ""
        match self.kind:
            case MilestoneKind.SPAWNED:
                who = f" ({self.agent})" if self.agent else ""
                return f"Session {self.session_id}{who} works on this" + (
                    f", on branch `{self.branch}`." if self.branch else "."
                )
            case MilestoneKind.PULL_OPENED:
                return f"Session {self.session_id} has opened {pull}{link}"
            case MilestoneKind.MERGED:
                return f"{pull[0].upper()}{pull[1:]} of session {self.session_id} is merged{link}"
            case MilestoneKind.CLOSED:
                return (
                    f"{pull[0].upper()}{pull[1:]} of session {self.session_id} was closed "
                    f"unmerged{link}"
                )
            case MilestoneKind.KILLED:
                return (
                    f"Session {self.session_id} was ended by a person; nobody works on this any "
                    "more."
                )


@runtime_checkable
class TakesIssues(Protocol):
    """A tracker to which new issues can be brought from here."""

    def add(self, title: str, body: str, labels: Sequence[str] = ()) -> Issue:
        """A new issue. Raises Invalid without a title, Unreachable."""
        ...


class Tracker(Protocol):
    """Reads issues and tells them what became of the work."""

    name: str

    @failpoint("tracker.issue")
    def issue(self, issue_id: str) -> Issue:
        """One issue. Raises NotFound naming where it was looked for; Unreachable."""
        ...

    @failpoint("tracker.issues")
    def issues(self) -> Sequence[Issue]:
        """The open issues."""
        ...

    @failpoint(
        "tracker.comment",
        because="the tracker calls it itself when it is told of a step: "
        "request.post.issues.comments",
    )
    def comment(self, issue_id: str, text: str) -> None:
        """Add a comment. Raises NotFound."""
        ...

    @failpoint(
        "tracker.close",
        because="the tracker calls it itself when it is told of a merge: request.patch.issues",
    )
    def close(self, issue_id: str) -> None:
        """Mark it done; fine if it is. Raises NotFound."""
        ...

    @failpoint("tracker.tell", files=True)
    def tell(self, issue_id: str, milestone: Milestone) -> None:
        """Tell the issue what its session has come to, as far as the settings want that.

        May come twice: it looks before it writes. Raises NotFound, Refused, Unreachable.
        """
        ...
