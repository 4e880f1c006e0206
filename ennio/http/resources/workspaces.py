"""Workspaces of ended sessions: their clean-up, and what it saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from ennio.actors.orchestrator import CleanupItem, Contents, Preserved, Restored
from ennio.http.operation import Resource, operation
from ennio.model.request_fields import FlagField, IdField, TextField, identifier


@dataclass(frozen=True, slots=True)
class CleanupBody:
    """Of which project, or of all; ``force`` also takes exited sessions."""

    project_id: Annotated[str | None, IdField()] = None
    force: Annotated[bool, FlagField()] = False
    dry_run: Annotated[bool, FlagField()] = False


class CleanupResource(Resource):
    """Of all sessions, or those of one project."""

    @operation("Remove workspaces of ended sessions.", list[CleanupItem], body=CleanupBody)
    def on_post(self, body: CleanupBody) -> Sequence[CleanupItem]:
        """Remove what has ended; ``force`` also takes exited ones, never
        those that have not ended.
        """
        project_id = body.project_id and self._orchestrator.projects.known(body.project_id)
        return self._orchestrator.workspaces.cleanup(
            None, project_id, dry_run=body.dry_run, force=body.force
        )


@dataclass(frozen=True, slots=True)
class OfProject:
    """Of one project, or of all."""

    project_id: Annotated[str | None, IdField()] = None


@dataclass(frozen=True, slots=True)
class PreservedQuery(OfProject):
    """The same; on one machine (``here`` for the supervisor's own), or on all."""

    host: Annotated[str | None, TextField()] = None


@dataclass(frozen=True, slots=True)
class BringBackBody:
    """The branch to bring it back on, or one of its own name."""

    branch: Annotated[str | None, TextField()] = None


class PreservedResource(Resource):
    """List it, look into one, bring one back."""

    @operation("What removals saved, latest first.", list[Preserved], query=PreservedQuery)
    def on_get(self, query: PreservedQuery) -> Sequence[Preserved]:
        """Of one project or all, the latest first."""
        project_id = query.project_id and self._orchestrator.projects.known(query.project_id)
        return self._orchestrator.workspaces.preserved(project_id, query.host)

    @operation("Its commits and files.", Contents)
    def on_get_one(self, item_id: str) -> Contents:
        """Its commits and files."""
        return self._orchestrator.workspaces.contents(identifier("id", item_id))

    @operation("Bring it back on a new branch.", Restored, body=BringBackBody)
    def on_post_restore(self, item_id: str, body: BringBackBody) -> Restored:
        """As a new branch of the project's repository; what is saved stays."""
        return self._orchestrator.workspaces.restore(identifier("id", item_id), body.branch)
