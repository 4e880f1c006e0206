"""Clean-up of the workspaces of ended sessions."""

from __future__ import annotations

from collections.abc import Mapping

import falcon

from ennio.actors.orchestrator import Orchestrator
from ennio.http.envelope import answer
from ennio.http.fields import FlagField, IdField, RequestField
from ennio.http.requests import read_body

CLEANUP: Mapping[str, RequestField] = {"project_id": IdField(), "force": FlagField(), "dry_run": FlagField()}


class CleanupResource:
    """Of all sessions, or those of one project."""

    def __init__(self, orchestrator: Orchestrator) -> None:
        self._orchestrator = orchestrator

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Remove what has ended; ``force`` also takes exited ones, never those that have not ended."""
        body = read_body(req, CLEANUP)
        project_id = body["project_id"] and self._orchestrator.projects.known(body["project_id"])
        answer(resp, self._orchestrator.workspaces.cleanup(None, project_id, dry_run=body["dry_run"], force=body["force"]))
