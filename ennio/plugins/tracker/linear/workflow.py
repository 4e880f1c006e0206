"""Where an issue stands in its team's workflow, and whether a milestone moves it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ennio.model.errors import Refused
from ennio.plugins.tracker.interface import MilestoneKind

OVER = ("completed", "canceled", "duplicate")
_ORDER = ("triage", "backlog", "unstarted", "started", "completed", "canceled", "duplicate")
_BACK = (MilestoneKind.CLOSED, MilestoneKind.KILLED)


@dataclass(frozen=True, slots=True)
class WorkflowState:
    """One column of a team's board; ``type`` is Linear's kind of it."""

    id: str
    name: str
    type: str
    position: float

    @property
    def rank(self) -> tuple[int, float]:
        """How far along the workflow it is."""
        return (_ORDER.index(self.type) if self.type in _ORDER else 0, self.position)


def state_of(node: dict[str, Any]) -> WorkflowState:
    """A state as Linear tells it."""
    return WorkflowState(node["id"], node["name"], node["type"], float(node["position"]))


def named(states: Sequence[WorkflowState], wanted: str) -> WorkflowState:
    """The state of this name, or the first of this type. Raises Refused naming those there are."""
    word = wanted.casefold()
    found = [state for state in states if state.name.casefold() == word]
    found = found or sorted(
        (state for state in states if state.type == word), key=lambda state: state.position
    )
    if not found:
        names = ", ".join(state.name for state in sorted(states, key=lambda state: state.rank))
        raise Refused(f"states: the issue's team has no state {wanted!r}; it has {names}")
    return found[0]


def is_move(now: WorkflowState, to: WorkflowState, kind: MilestoneKind) -> bool:
    """Whether the issue is to be moved: never out of an end, and backwards only when
    the work came to nothing.
    """
    if now.id == to.id or now.type in OVER:
        return False
    return kind in _BACK or to.rank > now.rank
