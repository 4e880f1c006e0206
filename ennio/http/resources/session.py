"""One session: look at it, speak to it, end it."""

from __future__ import annotations

from collections.abc import Mapping

import falcon

from ennio.actors.orchestrator import Orchestrator
from ennio.http.envelope import answer
from ennio.http.fields import FlagField, NumberField, RequestField, TextField, identifier
from ennio.http.idempotency import answer_once
from ennio.http.requests import BODY_LIMIT, read_body, read_query
from ennio.http.resources.events import PAGE, answer_page
from ennio.http.response_cache import ResponseCache, cached
from ennio.http.selection import EventSelection
from ennio.model.idempotency import IdempotentRequest

SEND: Mapping[str, RequestField] = {"message": TextField(required=True, longest=BODY_LIMIT)}
ANSWER: Mapping[str, RequestField] = {"answer": TextField(required=True, longest=BODY_LIMIT)}
CLEANUP: Mapping[str, RequestField] = {"force": FlagField(), "dry_run": FlagField()}
OUTPUT: Mapping[str, RequestField] = {"lines": NumberField(1, 10_000, default=200)}
LIMIT: Mapping[str, RequestField] = {"limit": NumberField(1, 1000, default=50)}
EVENTS: Mapping[str, RequestField] = {name: field for name, field in PAGE.items() if name not in ("session_id", "project_id")}


class SessionResource:
    """A session named by its id; every method raises NotFound when there is none."""

    def __init__(self, orchestrator: Orchestrator, cache: ResponseCache) -> None:
        self._orchestrator = orchestrator
        self.cache = cache

    def _known(self, session_id: str) -> str:
        return self._orchestrator.sessions.need(identifier("session id", session_id)).id

    @cached
    def on_get(self, req: falcon.Request, resp: falcon.Response, session_id: str) -> None:
        """Show it."""
        read_query(req, {})
        answer(resp, self._orchestrator.sessions.detail(identifier("session id", session_id)))

    def on_delete(self, req: falcon.Request, resp: falcon.Response, session_id: str) -> None:
        """Kill its agent; the workspace stays. ``killed`` is said only once nothing of it is left."""
        read_query(req, {})
        session = self._orchestrator.sessions.kill(self._known(session_id))
        answer(resp, "killed" if session.status.terminal else "ending")

    def on_post_send(self, req: falcon.Request, resp: falcon.Response, session_id: str) -> None:
        """Queue a message; it is typed when the agent can take it."""
        body = read_body(req, SEND)
        session_id = self._known(session_id)

        def send(once: IdempotentRequest | None) -> str:
            self._orchestrator.sessions.send(session_id, body["message"], once)
            return "sent"

        answer_once(self._orchestrator, req, resp, body, send)

    def on_post_look(self, req: falcon.Request, resp: falcon.Response, session_id: str) -> None:
        """Have it read now what its agent told; for the agent's hooks."""
        read_body(req, {})
        self._orchestrator.sessions.look(self._known(session_id))
        answer(resp, "looking")

    def on_post_restore(self, req: falcon.Request, resp: falcon.Response, session_id: str) -> None:
        """Start its agent again in the same workspace and conversation, when its turn in the queue comes."""
        read_body(req, {})
        restored = self._orchestrator.sessions.restore(self._known(session_id))
        answer(resp, self._orchestrator.sessions.detail(restored.id))

    def on_post_interrupt(self, req: falcon.Request, resp: falcon.Response, session_id: str) -> None:
        """Make its agent stop what it is doing."""
        read_body(req, {})
        self._orchestrator.sessions.interrupt(self._known(session_id))
        answer(resp, "interrupted")

    def on_post_answer(self, req: falcon.Request, resp: falcon.Response, session_id: str) -> None:
        """Answer the question its agent asks."""
        body = read_body(req, ANSWER)
        self._orchestrator.sessions.answer(self._known(session_id), body["answer"])
        answer(resp, "answered")

    def on_post_cleanup(self, req: falcon.Request, resp: falcon.Response, session_id: str) -> None:
        """Remove its workspace, saving what was only there."""
        body = read_body(req, CLEANUP)
        session_id = self._known(session_id)
        answer(resp, self._orchestrator.workspaces.cleanup(session_id, None, dry_run=body["dry_run"], force=body["force"]))

    def on_get_output(self, req: falcon.Request, resp: falcon.Response, session_id: str) -> None:
        """The last lines of its terminal."""
        lines = read_query(req, OUTPUT)["lines"]
        answer(resp, self._orchestrator.sessions.output(self._known(session_id), lines))

    def on_get_attach(self, req: falcon.Request, resp: falcon.Response, session_id: str) -> None:
        """The command that connects a person's terminal to it, as a list of arguments."""
        read_query(req, {})
        answer(resp, self._orchestrator.sessions.attach(self._known(session_id)))

    def on_get_messages(self, req: falcon.Request, resp: falcon.Response, session_id: str) -> None:
        """Every message to it, oldest first."""
        read_query(req, {})
        answer(resp, self._orchestrator.sessions.messages(identifier("session id", session_id)))

    def on_get_evidence(self, req: falcon.Request, resp: falcon.Response, session_id: str) -> None:
        """Why it has and had its statuses, newest first."""
        limit = read_query(req, LIMIT)["limit"]
        answer(resp, self._orchestrator.sessions.evidence(identifier("session id", session_id), limit))

    def on_get_reactions(self, req: falcon.Request, resp: falcon.Response, session_id: str) -> None:
        """What was done about its pull request and when, newest first."""
        limit = read_query(req, LIMIT)["limit"]
        answer(resp, self._orchestrator.sessions.reactions(identifier("session id", session_id), limit))

    def on_get_events(self, req: falcon.Request, resp: falcon.Response, session_id: str) -> None:
        """Its part of the event log."""
        query = read_query(req, EVENTS)
        chosen = EventSelection.of_query({**query, "session_id": self._known(session_id), "project_id": None})
        answer_page(resp, self._orchestrator.events, query, chosen)
