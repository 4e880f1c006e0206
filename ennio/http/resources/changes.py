"""What a session has changed, what its checks printed, and a reader's comments on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from ennio.actors.orchestrator import SentReview
from ennio.http.operation import Resource, operation
from ennio.http.response_cache import tagged
from ennio.model.check_log import LONGEST_LOG, LONGEST_PART, CheckLog, LogPart
from ennio.model.idempotency import IdempotentRequest
from ennio.model.inline_comment import ReviewOrder
from ennio.model.request_fields import ChoiceField, FlagField, NumberField, TextField
from ennio.model.workspace_changes import (
    LONGEST_DOWNLOAD,
    LONGEST_PATCH,
    FilePatch,
    Until,
    WorkspaceDiff,
)

_CHECK = TextField(longest=200)


@dataclass(frozen=True, slots=True)
class DiffQuery:
    """Up to the working copy as it lies there, or up to the last commit; ``patch``: with the patch
    of all files.
    """

    until: Annotated[Until, ChoiceField(Until)] = Until.WORKTREE
    patch: Annotated[bool, FlagField()] = False


@dataclass(frozen=True, slots=True)
class DiffFileQuery:
    """Which file, how many lines around each change; ``whole``: for a download, 16 MiB of it."""

    path: Annotated[str, TextField(longest=4096)]
    until: Annotated[Until, ChoiceField(Until)] = Until.WORKTREE
    context: Annotated[int, NumberField(0, 1_000_000)] = 3
    whole: Annotated[bool, FlagField()] = False


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which bytes of it."""

    offset: Annotated[int, NumberField(0, LONGEST_LOG)] = 0
    bytes: Annotated[int, NumberField(1, LONGEST_PART)] = LONGEST_PART


class ChangesResource(Resource):
    """Of a session named by its id; every method raises NotFound when there is none."""

    @tagged
    @operation("The files it has changed since its base.", WorkspaceDiff, query=DiffQuery)
    def on_get_diff(self, session_id: str, query: DiffQuery) -> WorkspaceDiff:
        """The files it has changed, as git tells them where the session is."""
        return self._orchestrator.changes.diff(
            self._known(session_id), query.until, LONGEST_DOWNLOAD if query.patch else 0
        )

    @tagged
    @operation("One file it has changed, as git writes it.", FilePatch, query=DiffFileQuery)
    def on_get_diff_file(self, session_id: str, query: DiffFileQuery) -> FilePatch:
        """One of them, by the path that the list has."""
        longest = LONGEST_DOWNLOAD if query.whole else LONGEST_PATCH
        return self._orchestrator.changes.file(
            self._known(session_id), query.path, query.until, query.context, longest
        )

    @tagged
    @operation(
        "The log of a check of its pull request, part by part; by the check's name or id.",
        CheckLog,
        query=LogQuery,
    )
    def on_get_check_log(self, session_id: str, check: str, query: LogQuery) -> CheckLog:
        """The log of a check, and where it first tells of a failure."""
        return self._orchestrator.changes.check_log(
            self._known(session_id),
            _CHECK.from_text("check", check),
            LogPart(query.offset, query.bytes),
        )

    @operation(
        "Give its agent comments on lines as one message; with `forge` they are also a review.",
        SentReview,
        body=ReviewOrder,
        once=True,
    )
    def on_post_review(
        self, session_id: str, body: ReviewOrder, once: IdempotentRequest | None
    ) -> SentReview:
        """Queue all comments as one message to its agent."""
        return self._orchestrator.changes.send_review(self._known(session_id), body, once)
