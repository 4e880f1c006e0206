"""The windows of agents' plans: what all sessions tell of each, and who is parked by it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ennio.actors.dependencies import Dependencies
from ennio.model.facts import AgentSeen
from ennio.model.plan_window import PlanWindow
from ennio.model.session import Session


@dataclass(frozen=True, slots=True)
class PlanWindowView:
    """A window of the plan that an agent works on.

    ``used_percent`` and ``resets_at`` are null where the agent does not say. ``used_up`` while it
    keeps an agent from its work; ``parked`` are the sessions that wait for it.
    """

    agent: str
    account: str
    name: str
    used_percent: float | None
    resets_at: datetime | None
    used_up: bool
    parked: Sequence[str]


def plans(deps: Dependencies) -> Sequence[PlanWindowView]:
    """Those of all sessions that have not ended."""
    living = [one for one in deps.store.sessions.list() if not one.status.terminal]
    return windows(living, deps.store.facts.agents(), deps.clock.now())


def windows(
    sessions: Iterable[Session], agents: Mapping[str, AgentSeen], now: datetime
) -> Sequence[PlanWindowView]:
    """One for each agent, account and name. Of what two sessions tell of one window the later
    counts, and in it what is more; what began anew since is told of by nobody.
    """
    told: dict[tuple[str, str, str], PlanWindow] = {}
    parked: dict[tuple[str, str, str], list[str]] = {}
    for session in sessions:
        seen = agents.get(session.id)
        for window in seen.windows if seen is not None else ():
            key = (session.agent_name or "", window.account, window.name)
            if window.used_up:
                parked.setdefault(key, []).append(session.id)
            elif window.resets_at is not None and window.resets_at <= now:
                continue
            if key not in told or _rank(window) > _rank(told[key]):
                told[key] = window
    return [_view(key, told[key], parked.get(key, ())) for key in sorted(told)]


def _rank(window: PlanWindow) -> tuple[bool, str, float]:
    until = window.resets_at.isoformat() if window.resets_at else ""
    return window.used_up, until, window.used_percent or 0.0


def _view(key: tuple[str, str, str], window: PlanWindow, parked: Sequence[str]) -> PlanWindowView:
    return PlanWindowView(
        *key, window.used_percent, window.resets_at, window.used_up, tuple(parked)
    )
