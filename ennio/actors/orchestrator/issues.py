"""Issues, as a project's tracker tells them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ennio.actors.dependencies import Dependencies
from ennio.model.errors import NotFound, Refused
from ennio.model.failpoints import failpoint
from ennio.plugins.tracker.interface import Issue, TakesIssues, Tracker


@dataclass(frozen=True, slots=True)
class IssueApi:
    """What can be asked of issues; raises NotFound for a project without a tracker."""

    deps: Dependencies

    def list(self, project_id: str) -> Sequence[Issue]:
        """The open issues of a project's tracker."""
        return self._tracker(project_id).issues()

    @failpoint(
        "order.add_issue", because="hands on to the tracker, where it is played, and writes nothing"
    )
    def add(self, project_id: str, title: str, body: str, labels: Sequence[str] = ()) -> Issue:
        """A new issue, where the tracker can."""
        tracker = self._tracker(project_id)
        if not isinstance(tracker, TakesIssues):
            raise Refused(f"issues on {tracker.name} are made there, not from here")
        return tracker.add(title, body, tuple(labels))

    def _tracker(self, project_id: str) -> Tracker:
        tracker = self.deps.plugins.tracker(self.deps.project(project_id))
        if tracker is None:
            raise NotFound(f"project {project_id} has no tracker; add tracker_config to it")
        return tracker
