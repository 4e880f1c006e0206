"""Workspaces of ended sessions: removing them, and what removals saved."""

from __future__ import annotations

from dataclasses import dataclass

from ennio.actors import cleaning, preserved
from ennio.actors.cleaning import CleanupItem
from ennio.actors.dependencies import Dependencies
from ennio.model.failpoints import failpoint
from ennio.plugins.workspace.preserved import Contents, Preserved, Restored


@dataclass(frozen=True, slots=True)
class WorkspaceApi:
    """What can be asked of workspaces."""

    deps: Dependencies

    @failpoint("order.cleanup")
    def cleanup(
        self, session_id: str | None, project_id: str | None, *, dry_run: bool, force: bool
    ) -> list[CleanupItem]:
        """Remove the workspaces of ended sessions, preserving what is only
        there; never a live one's.
        """
        return cleaning.cleanup(self.deps, session_id, project_id, dry_run=dry_run, force=force)

    def preserved(self, project_id: str | None, host: str | None = None) -> list[Preserved]:
        """What removals saved, on one machine or all."""
        return preserved.everything(self.deps, project_id, host)

    def contents(self, item_id: str) -> Contents:
        """What is in one of it. Raises NotFound."""
        return preserved.contents(self.deps, item_id)

    @failpoint(
        "order.preserved_restore",
        because="makes one ref, which may be ordered again; what is saved stays",
    )
    def restore(self, item_id: str, branch: str | None) -> Restored:
        """Bring one back on a new branch. Raises NotFound, Refused."""
        return preserved.restore(self.deps, item_id, branch)
