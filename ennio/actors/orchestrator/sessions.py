"""Sessions: what there is to know of them, and everything a person or a
program may have them do.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ennio.actors import (
    answer_links,
    awaited_host,
    ending,
    forecasting,
    hook_token,
    preserved,
    spawning,
    strays,
)
from ennio.actors.dependencies import Dependencies
from ennio.actors.feed import Feed
from ennio.actors.messages import (
    AnswerQuestion,
    Interrupt,
    LookNow,
    MessageQueued,
    RestartChild,
    Restore,
    ResumeParked,
)
from ennio.actors.orchestrator.session_rows import rows
from ennio.actors.orchestrator.session_view import SessionDetail, SessionView
from ennio.actors.registry import ASK_TIMEOUT, ROOT, agents_name, session_name
from ennio.actors.session_context import context
from ennio.actors.spawning import Preview, SpawnRequest
from ennio.actors.turns import inputs_of
from ennio.actors.waiting_orders import PATIENCE
from ennio.model.branch import refuse_protected
from ennio.model.errors import Conflict, NotFound, Unreachable
from ennio.model.events import Draft, EventType
from ennio.model.evidence import Evidence
from ennio.model.failpoints import failpoint
from ennio.model.idempotency import IdempotentRequest
from ennio.model.message import Message, Origin, with_reasons
from ennio.model.session import Session, SessionStatus
from ennio.policy import phases, turn_verbs
from ennio.policy.lifecycle.parked import ResumeWhen
from ennio.policy.phases import SessionPhase
from ennio.policy.turn_calls import unseen
from ennio.store.idempotency import DoneRequest, RequestRepeatedError
from ennio.store.reactions import ReactionRecord

_WAITED = ASK_TIMEOUT + PATIENCE
_TOLD_PHASES = 2000
"""Of so many events a line of phases is made."""


@dataclass(frozen=True, slots=True)
class AnsweredByLink:
    """What a link has answered, and whom."""

    session: str
    answer: str


@dataclass(frozen=True, slots=True)
class SessionApi:
    """What can be asked of sessions; every method raises NotFound for one there is none of."""

    deps: Dependencies
    feed: Feed

    # --- looking ----------------------------------------------------------------------------------

    def need(self, session_id: str) -> Session:
        """One session."""
        return self.deps.store.sessions.need(session_id)

    def list(
        self,
        project_id: str | None = None,
        *,
        archived: bool = False,
        statuses: Collection[SessionStatus] | None = None,
        ids: Collection[str] | None = None,
    ) -> Sequence[SessionView]:
        """Sessions, oldest first; the archived ones only when asked for, or by their ids."""
        sessions = self.deps.store.sessions
        if ids is not None:
            return self._rows(sessions.these(ids))
        return self._rows(sessions.list(project_id, archived=archived, statuses=statuses))

    def detail(self, session_id: str) -> SessionDetail:
        """One session with since when it has its status, its numbers, and what it may come to."""
        store, session = self.deps.store, self.need(session_id)
        evidence = store.evidence.latest(session_id)
        since = evidence.at if evidence is not None and evidence.status is session.status else None
        made = store.forecasts.get(session_id)
        known = ending.remembered(self.deps, session)
        return rows(self.deps, [known])[0].with_detail(
            since,
            store.metrics.get(session_id),
            made.forecast if made is not None else None,
            forecasting.estimated(self.deps, session),
            turn_verbs.accepted(inputs_of(self.deps, known)),
        )

    def _rows(self, sessions: Iterable[Session]) -> Sequence[SessionView]:
        return rows(self.deps, [ending.remembered(self.deps, session) for session in sessions])

    def messages(self, session_id: str) -> Sequence[Message]:
        """Every message to it, oldest first; each that waits says what for."""
        return with_reasons(self.deps.store.messages.list(self.need(session_id).id))

    def evidence(self, session_id: str, limit: int) -> Sequence[Evidence]:
        """Why it has and had its statuses, newest first."""
        return self.deps.store.evidence.list(self.need(session_id).id, limit=limit)

    def phases(self, session_id: str) -> Sequence[SessionPhase]:
        """Its life as a line of phases, oldest first, from its latest events."""
        known = self.need(session_id)
        told = self.deps.store.events.before(
            None, _TOLD_PHASES, session_id=known.id, types=phases.TYPES
        )
        return phases.phases(reversed(told))

    def reactions(self, session_id: str, limit: int) -> Sequence[ReactionRecord]:
        """What was done about its pull request and when, newest first."""
        return self.deps.store.reactions.history(self.need(session_id).id, limit)

    # --- ordering ---------------------------------------------------------------------------------

    @failpoint("order.spawn")
    def spawn(self, request: SpawnRequest, once: IdempotentRequest | None = None) -> Session:
        """A new session in ``spawning``, admitted by the queue or with what it waits for
        there; its steps are events.

        The one there is, where it was spawned ``once`` already.
        """
        return spawning.begin(self.deps, request, once)

    @failpoint("order.preview", because="answers what a spawn would do, and does nothing")
    def preview(self, request: SpawnRequest) -> Preview:
        """What a spawn would do."""
        return spawning.preview(self.deps, request)

    @failpoint("order.kill")
    def kill(self, session_id: str, by: str = "a person") -> Session:
        """End a session for good; its workspace stays until it is cleaned up. It is ``killed`` once
        nothing of its agent is left.
        """
        with self.deps.store.last_known():
            session = self.deps.store.sessions.need(session_id)
        try:
            return self._kill(session, by)
        except Unreachable:
            if self.deps.store.problem is None:
                raise
            return ending.end_without_database(self.deps, session, by)

    def _kill(self, session: Session, by: str) -> Session:
        if strays.why(self.deps, session) is not None:
            return strays.kill(self.deps, session, by)
        self._watched(session.id)
        return ending.end(self.deps, self.feed, session.id, by)

    @failpoint("order.restore")
    def restore(self, session_id: str) -> Session:
        """Start an exited session again in the workspace it has, when its turn comes; also revives
        an actor that was given up.
        """
        session = self.deps.store.sessions.need(session_id)
        strays.refuse(self.deps, session)
        if session.archived_at is None and self.deps.actors.ref(session_name(session_id)) is None:
            self.deps.actors.tell(ROOT, RestartChild(session_name(session_id)))
            return session
        project = self.deps.project(session.project_id)
        refuse_protected(
            session.branch or session.id, project.default_branch, project.protected_branches
        )
        return spawning.in_its_place(self.deps, self._ask(session_id, Restore()))

    @failpoint("order.send")
    def send(
        self,
        session_id: str,
        text: str,
        once: IdempotentRequest | None = None,
        also: Callable[[Message], None] | None = None,
    ) -> Message:
        """Queue words for the agent; they are typed when it can take them. Those there are, where
        they were sent ``once`` already. ``also`` writes what is to be written with them.
        """
        done = self.done(once)
        if done is not None:
            return self._message(done.subject)
        session = self.deps.store.sessions.need(session_id)
        if session.status.terminal:
            raise Conflict(
                f"session {session_id} is {session.status}; nobody is there to read a message"
            )
        strays.refuse(self.deps, session)
        message = Message(str(uuid.uuid4()), session_id, text, Origin.PERSON, self.deps.clock.now())
        try:
            self._queue(session, message, once, also)
        except RequestRepeatedError as repeated:
            return self._message(repeated.done.subject)
        self.deps.actors.tell(session_name(session_id), MessageQueued())
        awaited_host.hurry(self.deps, session)
        return message

    def _message(self, message_id: str) -> Message:
        message = self.deps.store.messages.get(message_id)
        if message is None:
            raise NotFound(f"no message {message_id}")
        return message

    def _queue(
        self,
        session: Session,
        message: Message,
        once: IdempotentRequest | None,
        also: Callable[[Message], None] | None,
    ) -> None:
        with self.deps.store.transaction() as tx:
            if once is not None:
                self.deps.store.idempotency.begin(once, message.id, message.created_at)
            self.deps.store.messages.add(message)
            if also is not None:
                also(message)
            words = Draft(
                EventType.MESSAGE_QUEUED,
                "a person's message waits for the agent",
                data={"message": message.id},
            )
            tx.emit(session.id, session.project_id, words)

    def done(self, once: IdempotentRequest | None) -> DoneRequest | None:
        """What was done for a request that has a key; None where nothing was yet."""
        return (
            None if once is None else self.deps.store.idempotency.find(once, self.deps.clock.now())
        )

    @failpoint("order.resume", because="told to the session, whose next step writes it down")
    def resume(self, session_id: str, when: ResumeWhen) -> Session:
        """Let a session go on that is parked for its agent's plan. Raises Conflict for one that
        is not.
        """
        self._live(session_id)
        session: Session = self._ask(session_id, ResumeParked(when))
        return session

    @failpoint("order.seen", because="writes one transaction, and may be given again")
    def seen(self, session_id: str, by: str = "a person") -> Session:
        """Keep that a person has seen what its reactions called for: it is nobody's turn to look
        until one of them calls anew. Raises Conflict where nobody is called.
        """
        session = self._live(session_id)
        calls = unseen(inputs_of(self.deps, session))
        if not calls:
            raise Conflict(
                f"session {session_id} calls nobody just now; there is nothing to mark as seen"
            )
        with self.deps.store.transaction() as tx:
            for call in calls:
                self.deps.store.reactions.mark_seen(session_id, call.key, call.mark)
            names = [call.key for call in calls]
            told = Draft(
                EventType.ESCALATION_SEEN,
                f"{by} has seen it: {', '.join(names)}",
                data={"reactions": names, "by": by},
            )
            tx.emit(session_id, session.project_id, told)
        return session

    @failpoint("order.interrupt", because="presses a key; nothing is written and nothing follows")
    def interrupt(self, session_id: str) -> None:
        """Press Escape in the agent's terminal."""
        awaited_host.hurry(self.deps, self._live(session_id))
        self._ask(session_id, Interrupt(), _WAITED)

    @failpoint("order.answer")
    def answer(
        self,
        session_id: str,
        text: str,
        once: IdempotentRequest | None = None,
        question: str | None = None,
    ) -> None:
        """Answer the question its agent asks; ``once`` is the request, where it has a key. Raises
        Refused with the choices when the text fits none, Conflict when nothing is asked, or
        another question than the one that is meant.
        """
        awaited_host.hurry(self.deps, self._live(session_id))
        self._ask(session_id, AnswerQuestion(text, once=once, question=question), _WAITED)

    @failpoint("order.answer_by_link")
    def answer_by_link(self, link: str) -> AnsweredByLink:
        """Answer by a link of a notice, which is used up by it. Raises as ``answer`` does, and
        Unauthorized for a link that holds no more.
        """
        found = answer_links.find(self.deps, link)
        awaited_host.hurry(self.deps, self._live(found.session_id))
        self._ask(found.session_id, AnswerQuestion(found.answer, found), _WAITED)
        return AnsweredByLink(found.session_id, found.answer)

    @failpoint("order.look", because="a hint that may be lost")
    def look(self, session_id: str) -> None:
        """Have the session read now what its agent told; many of these cost little,
        and a lost one only time.
        """
        for host in (
            self.deps.hosts
        ):  # who does not have it takes no notice; to ask the database which has it would cost more
            self.deps.actors.tell(agents_name(host.name), LookNow(session_id))

    def verify_hook_token(self, session_id: str, token: str) -> bool:
        """Whether this is the session's hook token, which opens ``look`` and nothing else."""
        return hook_token.verify(self.deps.store, session_id, token)

    def output(self, session_id: str, lines: int) -> str:
        """The last lines of the agent's terminal. Raises NotFound when there is none."""
        session = self.deps.store.sessions.need(session_id)
        if session.runtime_handle is None:
            raise NotFound(f"session {session_id} has no terminal (status {session.status})")
        awaited_host.hurry(self.deps, session)
        at = context(self.deps, session)
        return at.host.output(at.brief, lines)

    def attach(self, session_id: str) -> tuple[str, ...]:
        """The command that connects a person's terminal to the agent's. Raises
        NotFound when that is closed.
        """
        self.output(session_id, 1)  # one that is closed is told here, in words of ours
        at = context(self.deps, self.deps.store.sessions.need(session_id))
        return at.host.attach_command(at.brief)

    def _live(self, session_id: str) -> Session:
        session = self.deps.store.sessions.need(session_id)
        if session.status.terminal:
            raise Conflict(f"session {session_id} is {session.status}")
        return session

    def _ask(self, session_id: str, message: Any, within: float = ASK_TIMEOUT) -> Any:
        self._watched(session_id)
        return self.deps.actors.ask(session_name(session_id), message, within)

    def _watched(self, session_id: str) -> None:
        """Raises, saying the way out, where no actor is there to be asked."""
        session = self.deps.store.sessions.need(session_id)
        if self.deps.actors.ref(session_name(session_id)) is not None:
            return
        strays.refuse(self.deps, session)
        if session.archived_at is not None:
            left = (
                preserved.left_of(self.deps, session)
                or "there is nothing left of it but its record"
            )
            raise Conflict(f"session {session_id} is {session.status} and cleaned up; {left}")
        raise Unreachable(
            f"nobody watches session {session_id}; `ennio session restore {session_id}` tries again"
        )
