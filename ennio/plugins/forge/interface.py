"""The scm slot: the forge where pull requests live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from ennio.model.changes import Diff, Files
from ennio.model.check_log import CheckLog, LogPart
from ennio.model.errors import Conflict
from ennio.model.facts import ForgeSeen
from ennio.model.failpoints import failpoint
from ennio.model.inline_comment import Remark
from ennio.model.pulls import MergeMethod, PullRequest, ReviewState


@dataclass(frozen=True, slots=True)
class Watch:
    """One session whose branch is to be looked for.

    ``number`` is the pull request it is known to have. ``idle`` is True when the agent has
    nothing in hand (ready, idle, exited): a forge that opens pull requests by itself does it then.
    ``workspace`` is the session's working copy.
    """

    session_id: str
    branch: str
    base: str
    number: int | None = None
    idle: bool = False
    title: str = ""
    body: str = ""
    workspace: str | None = None


@dataclass(frozen=True, slots=True)
class Merged:
    """A merge that happened: the commit on the base that holds it.

    An empty ``commit`` means that the forge was told to merge and does it
    later; ``message`` says how.
    """

    commit: str
    message: str = ""


class HeadMoved(Conflict):
    """The head of a pull request is not the one that was looked at."""


@runtime_checkable
class Paced(Protocol):
    """A forge that leaves some time between two looks, so that a survey may
    come too soon for a nudge.
    """

    def next_due(self) -> float | None:
        """After how many seconds another survey will look at what was nudged;
        None: nothing waits for that.
        """
        ...


@runtime_checkable
class Revocable(Protocol):
    """A forge that merges later what it was told to merge, so that it has to be told
    when that no longer holds.
    """

    @failpoint("forge.withdraw", because="no base of a story merges later by itself")
    def withdraw(self, number: int) -> None:
        """Merge it no more by itself; fine if it would not. Raises NotFound."""
        ...


@runtime_checkable
class Readable(Protocol):
    """A forge that tells what a pull request changes, so that nobody has to approve it blind."""

    def files(self, number: int) -> Files:
        """The files it changes, as many as are told. Raises NotFound."""
        ...

    def diff(self, number: int) -> Diff:
        """The difference from where its branch left the base to its head, as much as
        is told. Raises NotFound.
        """
        ...


@runtime_checkable
class Rerunnable(Protocol):
    """A forge that runs checks again when it is told to."""

    def rerun(self, number: int) -> PullRequest:
        """Run the checks of its head again, or those that failed. Raises NotFound, Conflict, and
        Refused where there are none that it could run.
        """
        ...


@runtime_checkable
class RemindsReviewers(Protocol):
    """A forge that tells reviewers that they are waited for."""

    def remind(self, number: int) -> PullRequest:
        """Tell them again. Raises NotFound, and Refused where nobody is asked."""
        ...


@runtime_checkable
class Logged(Protocol):
    """A forge that gives the whole log of a check, and not its last lines alone."""

    def check_log(self, number: int, check: str, part: LogPart) -> CheckLog:
        """A part of the log of one check of the head, by its name or id. Raises NotFound."""
        ...


@runtime_checkable
class TakesRemarks(Protocol):
    """A forge that takes a review of several remarks at once, and knows those that
    the agent has been told already.
    """

    @failpoint("forge.remark")
    def remark(
        self,
        number: int,
        author: str,
        body: str,
        remarks: Sequence[Remark],
        *,
        key: str,
        head: str | None = None,
    ) -> PullRequest:
        """Say all of it in one review that decides nothing; none of it is told to the agent.

        ``key`` names it: said again under the same one it is not there twice. ``head`` is the
        commit the reviewer saw. Raises NotFound, Invalid, Conflict, Refused (a line that is not
        part of what the pull request changes).
        """
        ...


class Forge(Protocol):
    """One repository on one forge. Calls may raise Unreachable; then nothing is known."""

    name: str
    repository: str
    """What names the repository on the forge, for people and for sharing one poller."""

    @failpoint("forge.survey")
    def survey(self, watches: Sequence[Watch]) -> Mapping[str, ForgeSeen]:
        """What became of every watched branch, by session id, in a number of requests that
        does not grow with them.

        ``gone`` is a proof that there is no pull request. Logs of failing checks are included.
        """
        ...

    @failpoint(
        "forge.nudge", because="sets a mark in memory; a webhook does it, which may be lost as any"
    )
    def nudge(self, number: int | None, ref: str | None = None) -> None:
        """Something happened to this pull request, or to this branch or commit
        (neither: to any): look soon.

        For a forge that paces its looks by itself; asks nothing now.
        """
        ...

    @failpoint("forge.look")
    def look(self, number: int) -> PullRequest:
        """One pull request, read afresh. Raises NotFound."""
        ...

    @failpoint("forge.pulls")
    def pulls(self) -> Sequence[PullRequest]:
        """Every open pull request, and those ended lately."""
        ...

    @failpoint("forge.open")
    def open(
        self, branch: str, base: str, title: str, body: str, *, draft: bool = False
    ) -> PullRequest:
        """Open a pull request, or find the one that is open. Raises Refused when
        there is nothing to merge.
        """
        ...

    @failpoint("forge.merge", files=True)
    def merge(
        self,
        number: int,
        expected_head: str,
        method: MergeMethod | None = None,
        *,
        force: bool = False,
    ) -> Merged:
        """Merge if the head is still the expected one; merged already with that head is success.

        A person's ``force`` passes over a review or checks that the forge itself would
        want first, where it can.

        Raises Conflict (head moved, conflicts), Refused (closed, draft, policy, a person's
        checked-out branch). ``merging.Held`` is a Conflict that says what mends it,
        ``merging.Superseded`` one after which nothing is left to merge.
        """
        ...

    @failpoint("forge.review")
    def review(
        self,
        number: int,
        author: str,
        decision: ReviewState,
        body: str,
        *,
        path: str | None = None,
        line: int | None = None,
        head: str | None = None,
    ) -> PullRequest:
        """Review as a person: approve, ask for changes, or (``none``) comment.
        Raises NotFound, Invalid.

        ``head`` is the commit the reviewer saw, or its beginning; Conflict when
        it is another one by now.
        """
        ...

    @failpoint("forge.reply")
    def reply(self, number: int, comment_id: str, body: str) -> PullRequest:
        """Answer a comment, in its thread where it has one. The answer is not told to the agent.
        Raises NotFound, Invalid.
        """
        ...

    @failpoint("forge.resolve")
    def resolve(self, number: int, thread_id: str) -> PullRequest:
        """Settle a thread, named by itself or by a comment in it; a comment in no thread is
        settled alone. Raises NotFound.
        """
        ...

    @failpoint("forge.close")
    def close(self, number: int) -> PullRequest:
        """Close without merging; fine if it is closed. Raises Conflict when merged."""
        ...

    @failpoint("forge.ready")
    def ready(self, number: int) -> PullRequest:
        """Take it out of draft; fine if it is."""
        ...

    def check(self) -> str | None:
        """Why this forge could not be used right now, or None; for doctor."""
        ...
