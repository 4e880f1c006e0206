"""What sessions have changed, what their checks printed, and what a reader says about it."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, replace

import gevent

from ennio.actors import awaited_host, strays
from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import Wake
from ennio.actors.orchestrator.sessions import SessionApi
from ennio.actors.registry import REVIEWS
from ennio.actors.session_context import context
from ennio.model.check_log import CheckLog, LogPart
from ennio.model.delivery import DeliveryState
from ennio.model.errors import Conflict, Invalid, NotFound, Refused, Unreachable
from ennio.model.failpoints import failpoint
from ennio.model.idempotency import IdempotentRequest
from ennio.model.inline_comment import ReviewOrder
from ennio.model.message import Message
from ennio.model.request_fields import BODY_LIMIT
from ennio.model.session import Session
from ennio.model.workspace_changes import FilePatch, Until, WorkspaceDiff
from ennio.plugins.forge.interface import Forge, Logged, TakesRemarks
from ennio.policy import review_message
from ennio.store.review_orders import OrderedReview

WITHIN, AGAIN = 10.0, 0.1
"""Seconds that a forge is waited for before one is answered, and between two looks."""


@dataclass(frozen=True, slots=True)
class SentReview:
    """What became of a review: the message to the agent, and the pull request it is also on
    (None: it was not to be, could not, or is not yet). ``problem`` says why.
    """

    message: str
    comments: int
    pull: int | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class ChangesApi:
    """What can be asked of a session's changes; every method raises NotFound for a session there is
    none of. All of it is done beside mailboxes.
    """

    deps: Dependencies
    sessions: SessionApi

    def diff(self, session_id: str, until: Until, longest: int = 0) -> WorkspaceDiff:
        """The files it has changed, with so many bytes of their patches."""
        at = context(self.deps, self._there(session_id))
        return at.host.changes(at.brief, until, longest)

    def file(
        self, session_id: str, path: str, until: Until, context_lines: int, longest: int
    ) -> FilePatch:
        """One of them as git writes it."""
        at = context(self.deps, self._there(session_id))
        return at.host.changed_file(at.brief, path, until, context_lines, longest)

    def check_log(self, session_id: str, check: str, part: LogPart) -> CheckLog:
        """A part of the log of a check of its pull request, by the check's name or id."""
        session = self.sessions.need(session_id)
        forge, number = self._forge(session), self._number(session)
        if isinstance(forge, Logged):
            return forge.check_log(number, check, part)
        pull = forge.look(number)
        run = next((one for one in pull.check_runs if check in (one.id, one.name)), None)
        if run is None:
            raise NotFound(f"#{number} has no check {check!r}")
        return part.of(
            run.id, run.name, run.state, pull.head, run.log_tail.encode("utf-8", "replace")
        )

    @failpoint("order.send_review")
    def send_review(
        self, session_id: str, order: ReviewOrder, once: IdempotentRequest | None = None
    ) -> SentReview:
        """Give the agent all comments as one message, and say them on its pull request if they are
        to be there too: written down together, and said once. Raises Invalid naming the field; then
        nobody is told anything.
        """
        order.check()
        session = self.sessions.need(session_id)
        if self.sessions.done(once) is None:  # what was there when it was sent may be gone by now
            self._insist_on_places(session, order)
        forge = self._takes(session) if order.forge else None
        text = review_message.words(order)
        if len(text) > BODY_LIMIT:
            raise Invalid(f"comments: they make a message of {len(text)} characters; send fewer")
        if forge is None:
            message = self.sessions.send(session_id, text, once)
            return SentReview(message.id, len(order.comments))
        number = self._number(session)

        def also(message: Message) -> None:
            kept = OrderedReview(message.id, session.id, number, order, message.created_at)
            self.deps.store.review_orders.intend(kept, session.project_id)

        message = self.sessions.send(session_id, text, once, also)
        self.deps.actors.tell(REVIEWS, Wake())
        return self._said(SentReview(message.id, len(order.comments), number))

    def _insist_on_places(self, session: Session, order: ReviewOrder) -> None:
        """Raise Invalid for a file or a line that the session does not have, and for a head that is
        no commit. A comment with the code that its reader saw is about that; what cannot be read
        now is no reason to keep a comment back.
        """
        asked = {at: one for at, one in enumerate(order.comments) if not one.quote}
        if session.workspace_path is None or not (asked or order.head):
            return
        with suppress(NotFound, Refused, Unreachable):
            at = context(self.deps, session)
            found = at.host.commented_files(at.brief, tuple(asked.values()), order.head)
            for (index, comment), file in zip(asked.items(), found, strict=True):
                comment.check_file(f"comments[{index}]", file)

    def _said(self, review: SentReview) -> SentReview:
        """Once it is on the pull request, or the first try has failed; but not for ever. The agent
        has its message by now, and nothing takes that back.
        """
        until, delivery = time.monotonic() + WITHIN, None
        while time.monotonic() < until:
            delivery = self.deps.store.review_orders.delivery(review.message)
            if delivery is None or delivery.settled_at is not None or delivery.error:
                break
            gevent.sleep(AGAIN)
        if delivery is None or delivery.state is DeliveryState.DONE:
            return review
        if delivery.settled_at is not None:
            return replace(review, pull=None, problem=delivery.error)
        why = f" ({delivery.error})" if delivery.error else ""
        words = f"it is not there yet{why}, and is put there as soon as the forge takes it"
        return replace(review, pull=None, problem=words)

    def _there(self, session_id: str) -> Session:
        session = self.sessions.need(session_id)
        strays.refuse(self.deps, session)
        if session.workspace_path is None and not session.status.terminal:
            raise NotFound(f"session {session_id} has no working copy yet ({session.status})")
        awaited_host.hurry(self.deps, session)
        return session

    def _takes(self, session: Session) -> TakesRemarks:
        forge = self._forge(session)
        self._number(session)
        if not isinstance(forge, TakesRemarks):
            raise Refused(
                f"forge: {forge.name} takes no review from here; send the comments to the agent "
                "alone"
            )
        return forge

    def _forge(self, session: Session) -> Forge:
        forge = self.deps.plugins.forge(self.deps.project(session.project_id))
        if forge is None:
            raise NotFound(f"project {session.project_id} has no forge; add scm_config to it")
        return forge

    def _number(self, session: Session) -> int:
        if session.pr_number is None:
            raise Conflict(f"session {session.id} has no pull request yet")
        return session.pr_number
