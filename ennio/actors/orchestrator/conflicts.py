"""Conflicts that are expected between the branches of sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ennio.actors.conflict_radar import RadarState
from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import GetRadarState
from ennio.actors.registry import CONFLICTS
from ennio.model.conflicts import ConflictWith, ExpectedConflict, by_session
from ennio.model.errors import NotFound, Unreachable

Expected = tuple[ConflictWith, ...]


@dataclass(frozen=True, slots=True)
class ConflictReport:
    """What is expected now, the longest expected first.

    ``waiting`` counts the pairs of branches that are still to be tried, ``left_out`` those there
    were too many of; None while that cannot be told. ``problems`` say by project why some could not
    be tried: of these nobody knows.
    """

    conflicts: Sequence[ExpectedConflict]
    waiting: int | None = None
    left_out: int | None = None
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConflictApi:
    """What can be asked of them."""

    deps: Dependencies

    def report(self, project_id: str | None = None) -> ConflictReport:
        """Those of one project or all, and how far they are known."""
        found = self.deps.store.conflicts.list(project_id)
        state = self._state()
        if state is None:
            return ConflictReport(found)
        problems = {name: why for name, why in state.problems.items() if project_id in (None, name)}
        return ConflictReport(found, state.waiting, state.left_out, problems)

    def of_pulls(self, project_id: str | None = None) -> Mapping[tuple[str, int], Expected]:
        """What is expected of each pull request of a session, by project and number; those without
        any are not among them.
        """
        of_sessions = by_session(self.deps.store.conflicts.list(project_id))
        if not of_sessions:
            return {}
        return {
            (one.project_id, one.pr_number): of_sessions[one.id]
            for one in self.deps.store.sessions.list(project_id)
            if one.pr_number is not None and one.id in of_sessions
        }

    def _state(self) -> RadarState | None:
        try:
            state: RadarState = self.deps.actors.ask(CONFLICTS, GetRadarState())
        except (NotFound, Unreachable):
            return None
        return state
