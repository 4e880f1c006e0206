"""Which reactions have called a person, and whether a person has seen that. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ennio.model.pulls import CheckState
from ennio.policy.reactions import ReactionState
from ennio.policy.turn_inputs import TurnInputs

_CALLS = frozenset(
    {
        "ci-failed",
        "changes-requested",
        "bugbot-comments",
        "merge-conflicts",
        "agent-stuck",
        "fan-out",
        "anomaly",
    }
)
"""Reactions that call a person also where they only notify: nobody else is told then."""


@dataclass(frozen=True, slots=True)
class Escalation:
    """A reaction that has called a person, and still does. ``mark`` names this very call."""

    key: str
    since: datetime
    mark: str


def escalations(inputs: TurnInputs) -> tuple[Escalation, ...]:
    """The reactions that have called a person and whose condition holds, as far as one can see."""
    found = ((key, state) for key, state in inputs.reactions.items() if _holds(key, state, inputs))
    return tuple(
        Escalation(key, state.escalated_at or state.since, _mark(state))
        for key, state in found
        if state.since is not None
        and (state.escalated_at is not None or _notified(key, state, inputs))
    )


def unseen(inputs: TurnInputs) -> tuple[Escalation, ...]:
    """Those that nobody has marked as seen."""
    return tuple(one for one in escalations(inputs) if inputs.seen.get(one.key) != one.mark)


def _notified(key: str, state: ReactionState, inputs: TurnInputs) -> bool:
    return key in _CALLS and key in inputs.rules.calls and state.attempts > 0


def _holds(key: str, state: ReactionState, inputs: TurnInputs) -> bool:
    if state.since is None or state.gone_at is not None:
        return False
    pull = inputs.pull
    # checks of a new head that run are neither red nor green
    return key != "ci-failed" or pull is None or pull.checks is CheckState.FAILING


def _mark(state: ReactionState) -> str:
    """This call of a person, and none after it. No time is in it: a clock that jumps moves those
    of an episode.
    """
    escalated = "escalated" if state.escalated_at is not None else "told"
    return f"{state.episode}.{state.rounds}.{state.attempts}.{escalated}"
