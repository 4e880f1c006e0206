"""Sessions: list them, spawn one; look at one, speak to it, end it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import falcon

from ennio.actors.orchestrator import (
    CleanupItem,
    Preview,
    ReactionRecord,
    SessionDetail,
    SessionPhase,
    SessionRow,
    SessionView,
    SpawnRequest,
    row_of,
)
from ennio.http.envelope import answer
from ennio.http.idempotency import answer_once, key_of
from ennio.http.openapi.schemas import TEXT
from ennio.http.operation import Operation, Resource, Timed, described, operation, word
from ennio.http.requests import read_body, read_query
from ennio.http.resources.events import Page, SessionEventsQuery, page_of
from ennio.http.response_cache import cached
from ennio.http.selection import EventSelection
from ennio.model.errors import Invalid
from ennio.model.events import Event
from ennio.model.evidence import Evidence
from ennio.model.id_list_field import IdListField
from ennio.model.idempotency import IdempotentRequest
from ennio.model.message import Message
from ennio.model.name_field import NameField
from ennio.model.request_fields import (
    BODY_LIMIT,
    ChoiceField,
    ChoiceListField,
    FlagField,
    IdField,
    NumberField,
    TextField,
    identifier,
)
from ennio.model.session import SessionStatus
from ennio.model.verbs import SESSION_VERBS, SessionVerb
from ennio.policy.lifecycle.parked import ResumeWhen

_ENDED = {"enum": ["killed", "ending"]}


class SessionShape(StrEnum):
    """How much of a session is shown: all of it, or a row without prompts and nulls."""

    FULL = "full"
    ROW = "row"


@dataclass(frozen=True, slots=True)
class SessionsQuery:
    """Of a project, in some statuses; ``all`` has the archived ones too. ``ids`` alone: just these,
    as many of them as there are. ``view``: as a row, without what only fills.
    """

    project_id: Annotated[str | None, IdField()] = None
    status: Annotated[tuple[SessionStatus, ...], ChoiceListField(SessionStatus)] = ()
    all: Annotated[bool, FlagField()] = False
    ids: Annotated[tuple[str, ...], IdListField()] = ()
    view: Annotated[SessionShape, ChoiceField(SessionShape)] = SessionShape.FULL


@dataclass(frozen=True, slots=True)
class SpawnQuery:
    """Whether to do nothing, and only show what would be done."""

    dry_run: Annotated[bool, FlagField()] = False


@dataclass(frozen=True, slots=True)
class SendBody:
    """Words for the agent."""

    message: Annotated[str, TextField(longest=BODY_LIMIT)]


@dataclass(frozen=True, slots=True)
class AnswerBody:
    """The answer to its question. ``question`` is the one that is meant, as the session's view has
    it: another one, that is asked by now, is not answered.
    """

    answer: Annotated[str, TextField(longest=BODY_LIMIT)]
    question: Annotated[str | None, TextField(longest=BODY_LIMIT, blank=True)] = None


@dataclass(frozen=True, slots=True)
class ResumeBody:
    """When a session goes on that is parked for its plan."""

    when: Annotated[ResumeWhen, ChoiceField(ResumeWhen)] = ResumeWhen.AT_RESET


@dataclass(frozen=True, slots=True)
class SeenBody:
    """Who has seen it."""

    by: Annotated[str, NameField()] = "a person"


@dataclass(frozen=True, slots=True)
class CleanUpBody:
    """``force`` also takes an exited session."""

    force: Annotated[bool, FlagField()] = False
    dry_run: Annotated[bool, FlagField()] = False


@dataclass(frozen=True, slots=True)
class OutputQuery:
    """How many lines."""

    lines: Annotated[int, NumberField(1, 10_000)] = 200


@dataclass(frozen=True, slots=True)
class LimitQuery:
    """How many of them."""

    limit: Annotated[int, NumberField(1, 1000)] = 50


class SessionsResource(Resource):
    """All sessions."""

    @cached
    @operation(
        "List sessions, oldest first; archived ones with `all`.",
        list[SessionDetail] | list[SessionRow],
        query=SessionsQuery,
    )
    def on_get(self, query: SessionsQuery) -> Timed:
        """List them, oldest first; the archived ones only with ``all``, or by their ids."""
        others = query.project_id or query.status or query.all
        if query.ids and others:
            raise Invalid("ids: give ids alone; project_id, status and all choose by themselves")
        project_id = query.project_id and self._orchestrator.projects.known(query.project_id)
        views = self._orchestrator.sessions.list(
            project_id, archived=query.all, statuses=query.status or None, ids=query.ids or None
        )
        as_row = query.view is SessionShape.ROW
        return _timed([row_of(view) for view in views] if as_row else views, views)

    @operation("What can be done about a session; a row's `wants` names them.", list[SessionVerb])
    def on_get_verbs(self) -> Sequence[SessionVerb]:
        """The table of verbs."""
        return SESSION_VERBS

    @described(
        Operation(
            "Spawn a session; with `dry_run` only show what it would be.",
            SessionDetail | Preview,
            query=SpawnQuery,
            body=SpawnRequest,
            once=True,
        )
    )
    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Spawn one, or with ``dry_run`` show what would be spawned."""
        dry_run = read_query(req, SpawnQuery).dry_run
        wanted = read_body(req, SpawnRequest)
        if dry_run:
            key_of(
                req, wanted
            )  # nothing is done that could be repeated; a key that is none is told
            answer(resp, self._orchestrator.sessions.preview(wanted))
        else:
            answer_once(
                self._orchestrator,
                req,
                resp,
                wanted,
                lambda once: self._shown(self._orchestrator.sessions.spawn(wanted, once).id),
            )

    def _shown(self, session_id: str) -> SessionDetail:
        return self._orchestrator.sessions.detail(session_id)


class SessionResource(Resource):
    """A session named by its id; every method raises NotFound when there is none."""

    @cached
    @operation("Show a session.", SessionDetail)
    def on_get(self, session_id: str) -> Timed:
        """Show it."""
        found = self._orchestrator.sessions.detail(identifier("session id", session_id))
        return _timed(found, [found])

    @operation(
        "Kill its agent; the workspace stays. `killed` once nothing of it is left, else `ending`.",
        _ENDED,
    )
    def on_delete(self, session_id: str) -> str:
        """Kill its agent; the workspace stays. ``killed`` is said only
        once nothing of it is left.
        """
        with self._orchestrator.last_known():
            session_id = self._known(session_id)
        session = self._orchestrator.sessions.kill(session_id)
        return "killed" if session.status.terminal else "ending"

    @operation(
        "Send a message; delivered when the agent can take it.",
        word("sent"),
        body=SendBody,
        once=True,
    )
    def on_post_send(self, session_id: str, body: SendBody, once: IdempotentRequest | None) -> str:
        """Queue a message; it is typed when the agent can take it."""
        self._orchestrator.sessions.send(self._known(session_id), body.message, once)
        return "sent"

    @operation(
        "Read now what its agent told; also open to the session's own token.", word("looking")
    )
    def on_post_look(self, session_id: str) -> str:
        """Have it read now what its agent told; for the agent's hooks."""
        self._orchestrator.sessions.look(self._known(session_id))
        return "looking"

    @operation("Answer the question its agent asks.", word("answered"), body=AnswerBody, once=True)
    def on_post_answer(
        self, session_id: str, body: AnswerBody, once: IdempotentRequest | None
    ) -> str:
        """Answer the question its agent asks."""
        session_id = self._known(session_id)
        self._orchestrator.sessions.answer(session_id, body.answer, once, body.question)
        return "answered"

    @operation("Start its agent again where it left off, once it is admitted.", SessionDetail)
    def on_post_restore(self, session_id: str) -> SessionDetail:
        """Start its agent again in the same workspace and conversation, when its
        turn in the queue comes.
        """
        restored = self._orchestrator.sessions.restore(self._known(session_id))
        return self._orchestrator.sessions.detail(restored.id)

    @operation(
        "Let it go on, at once or when its plan window resets; one that is parked for its plan.",
        SessionDetail,
        body=ResumeBody,
    )
    def on_post_resume(self, session_id: str, body: ResumeBody) -> SessionDetail:
        """Let a session go on that is parked because its agent's plan is used up."""
        resumed = self._orchestrator.sessions.resume(self._known(session_id), body.when)
        return self._orchestrator.sessions.detail(resumed.id)

    @operation("Mark what its reactions called a person for as seen.", word("seen"), body=SeenBody)
    def on_post_seen(self, session_id: str, body: SeenBody) -> str:
        """A person has seen what its reactions called for."""
        self._orchestrator.sessions.seen(self._known(session_id), body.by)
        return "seen"

    @operation("Make its agent stop what it is doing.", word("interrupted"))
    def on_post_interrupt(self, session_id: str) -> str:
        """Make its agent stop what it is doing."""
        self._orchestrator.sessions.interrupt(self._known(session_id))
        return "interrupted"

    @operation(
        "Remove its workspace, saving what was only there.", list[CleanupItem], body=CleanUpBody
    )
    def on_post_cleanup(self, session_id: str, body: CleanUpBody) -> Sequence[CleanupItem]:
        """Remove its workspace, saving what was only there."""
        return self._orchestrator.workspaces.cleanup(
            self._known(session_id), None, dry_run=body.dry_run, force=body.force
        )

    @operation("The last lines of its terminal.", TEXT, query=OutputQuery)
    def on_get_output(self, session_id: str, query: OutputQuery) -> str:
        """The last lines of its terminal."""
        return self._orchestrator.sessions.output(self._known(session_id), query.lines)

    @operation("The command that connects a terminal to it.", list[str])
    def on_get_attach(self, session_id: str) -> Sequence[str]:
        """The command that connects a person's terminal to it, as a list of arguments."""
        return self._orchestrator.sessions.attach(self._known(session_id))

    @cached
    @operation("Every message to it, oldest first.", list[Message])
    def on_get_messages(self, session_id: str) -> Sequence[Message]:
        """Every message to it, oldest first."""
        return self._orchestrator.sessions.messages(identifier("session id", session_id))

    @cached
    @operation("Why it has its status, newest first.", list[Evidence], query=LimitQuery)
    def on_get_evidence(self, session_id: str, query: LimitQuery) -> Sequence[Evidence]:
        """Why it has and had its statuses, newest first."""
        return self._orchestrator.sessions.evidence(
            identifier("session id", session_id), query.limit
        )

    @cached
    @operation("Its life as a line of phases, oldest first.", list[SessionPhase])
    def on_get_phases(self, session_id: str) -> Sequence[SessionPhase]:
        """Its life as a line of phases, oldest first."""
        return self._orchestrator.sessions.phases(identifier("session id", session_id))

    @cached
    @operation("What reactions did, newest first.", list[ReactionRecord], query=LimitQuery)
    def on_get_reactions(self, session_id: str, query: LimitQuery) -> Sequence[ReactionRecord]:
        """What was done about its pull request and when, newest first."""
        return self._orchestrator.sessions.reactions(
            identifier("session id", session_id), query.limit
        )

    @cached
    @operation("Its part of the event log.", Event, query=SessionEventsQuery, page=True)
    def on_get_events(self, session_id: str, query: SessionEventsQuery) -> Page:
        """Its part of the event log."""
        chosen = EventSelection(
            session_id=self._known(session_id),
            type=query.type,
            priority=query.priority,
            text=query.text,
        )
        return page_of(self._orchestrator.events, query, chosen)


def _timed(shown: Any, views: Sequence[SessionView]) -> Timed:
    """What is shown of these, until the hour changes whose turn it is in one of them."""
    return Timed(shown, min((one.until for one in views if one.until is not None), default=None))
