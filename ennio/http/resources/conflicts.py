"""Conflicts that are expected between branches, before anybody merges one."""

from __future__ import annotations

from ennio.actors.orchestrator import ConflictReport
from ennio.http.operation import Resource, operation
from ennio.http.resources.workspaces import OfProject


class ConflictsResource(Resource):
    """Those of all projects."""

    @operation(
        "Conflicts expected between living branches, the longest expected first.",
        ConflictReport,
        query=OfProject,
    )
    def on_get(self, query: OfProject) -> ConflictReport:
        """Of one project or all, and how far they are known."""
        project_id = self._configured(query.project_id) if query.project_id else None
        return self._orchestrator.conflicts.report(project_id)
