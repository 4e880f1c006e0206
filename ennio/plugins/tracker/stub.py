"""A tracker in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ennio.model.branch import issue_branch
from ennio.model.errors import EnnioError, NotFound
from ennio.plugins.registry import PluginContext
from ennio.plugins.tracker.interface import Issue, Milestone


class StubTracker:
    """Knows the issues it was given; ``trouble`` is raised by every call while it is set."""

    name = "stub"

    def __init__(self, issues: Iterable[Issue] = ()) -> None:
        self.trouble: EnnioError | None = None
        self.told: list[tuple[str, Milestone]] = []
        self._issues = {issue.id: issue for issue in issues}

    def add(self, title: str, body: str, labels: Sequence[str] = ()) -> Issue:
        """A new issue with the next number."""
        issue_id = str(len(self._issues) + 1)
        self._issues[issue_id] = Issue(
            issue_id, title, body, labels=tuple(labels), branch=issue_branch(issue_id, title)
        )
        return self._issues[issue_id]

    def issue(self, issue_id: str) -> Issue:
        """See ``Tracker.issue``."""
        if self.trouble is not None:
            raise self.trouble
        if issue_id not in self._issues:
            raise NotFound(f"the stub tracker has no issue {issue_id}")
        return self._issues[issue_id]

    def issues(self) -> Sequence[Issue]:
        """See ``Tracker.issues``."""
        if self.trouble is not None:
            raise self.trouble
        return [issue for issue in self._issues.values() if issue.state == "open"]

    def comment(self, issue_id: str, text: str) -> None:
        """See ``Tracker.comment``."""
        issue = self.issue(issue_id)
        self._issues[issue.id] = replace(issue, comments=(*issue.comments, text))

    def close(self, issue_id: str) -> None:
        """See ``Tracker.close``."""
        issue = self.issue(issue_id)
        self._issues[issue.id] = replace(issue, state="closed")

    def tell(self, issue_id: str, milestone: Milestone) -> None:
        """See ``Tracker.tell``; ``told`` has every milestone once."""
        told = (self.issue(issue_id).id, milestone)
        if told not in self.told:
            self.told.append(told)


def build(context: PluginContext) -> StubTracker:
    """A tracker without issues."""
    del context
    return StubTracker()
