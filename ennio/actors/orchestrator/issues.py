"""Issues, as a project's tracker tells them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ennio.actors.dependencies import Dependencies
from ennio.model.errors import NotFound, Refused
from ennio.model.failpoints import failpoint
from ennio.plugins.tracker.interface import Issue


@dataclass(frozen=True, slots=True)
class IssueApi:
    """What can be asked of issues; raises NotFound for a project without a tracker."""

    deps: Dependencies

    def list(self, project_id: str) -> Sequence[Issue]:
        """The open issues of a project's tracker."""
        found: Sequence[Issue] = self._tracker(project_id).issues()
        return found

    @failpoint(
        "order.add_issue", because="hands on to the tracker, where it is played, and writes nothing"
    )
    def add(self, project_id: str, title: str, body: str, labels: Sequence[str] = ()) -> Issue:
        """A new issue, where the tracker can."""
        tracker = self._tracker(project_id)
        add = getattr(tracker, "add", None)
        if add is None:
            raise Refused(f"issues on {tracker.name} are made there, not from here")
        return add(title, body, tuple(labels))  # type: ignore[no-any-return]

    def _tracker(self, project_id: str) -> Any:
        tracker = self.deps.plugins.tracker(self.deps.project(project_id))
        if tracker is None:
            raise NotFound(f"project {project_id} has no tracker; add tracker_config to it")
        return tracker
