"""All sessions: list them, spawn one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import falcon

from ennio.actors.orchestrator import Orchestrator, SpawnRequest
from ennio.http.envelope import answer
from ennio.http.fields import ChoiceListField, FlagField, IdField, NumberField, RequestField, TextField
from ennio.http.idempotency import answer_once
from ennio.http.requests import BODY_LIMIT, read_body, read_query
from ennio.http.response_cache import ResponseCache, cached
from ennio.model.session import Session, SessionStatus

LIST: Mapping[str, RequestField] = {"project_id": IdField(), "status": ChoiceListField(tuple(SessionStatus)), "all": FlagField()}
DRY_RUN: Mapping[str, RequestField] = {"dry_run": FlagField()}
SPAWN: Mapping[str, RequestField] = {
    "project_id": IdField(required=True),
    "issue_id": TextField(),
    "prompt": TextField(longest=BODY_LIMIT),
    "branch": TextField(longest=250),
    "role": TextField(),
    "agent": IdField(),
    "runtime": IdField(),
    "workspace": IdField(),
    "priority": NumberField(-1000, 1000, default=0),
    "held": FlagField(),
}


class SessionsResource:
    """The sessions of the house."""

    def __init__(self, orchestrator: Orchestrator, cache: ResponseCache) -> None:
        self._orchestrator = orchestrator
        self.cache = cache

    @cached
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """List them, oldest first; the archived ones only with ``all``."""
        query = read_query(req, LIST)
        project_id = query["project_id"] and self._orchestrator.projects.known(query["project_id"])
        statuses = tuple(map(SessionStatus, query["status"])) or None
        sessions = self._orchestrator.sessions.list(project_id, archived=query["all"], statuses=statuses)
        answer(resp, sessions)

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Spawn one, or with ``dry_run`` show what would be spawned."""
        dry_run = read_query(req, DRY_RUN)["dry_run"]
        body = read_body(req, SPAWN)
        wanted = SpawnRequest(**body)
        if dry_run:
            answer(resp, self._orchestrator.sessions.preview(wanted))
        else:
            answer_once(self._orchestrator, req, resp, body, lambda once: self._shown(self._orchestrator.sessions.spawn(wanted, once)))

    def _shown(self, session: Session) -> Any:
        return self._orchestrator.sessions.detail(session.id)
