"""What the sessions of a host may still use past its metering proxy, as the books have it now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ennio.actors import budgets
from ennio.actors.dependencies import Dependencies
from ennio.config.money import OnExceed
from ennio.hosts.metering import KEY
from ennio.hosts.tally import Tally
from ennio.model import codec
from ennio.model.session import Session
from ennio.model.usage import Billing
from ennio.policy.budgets.headroom import Headroom, SessionHeadroom
from ennio.policy.budgets.standing import BudgetStanding
from ennio.policy.lifecycle import LifecycleState, pausing
from ennio.store.agents import AgentRecord


def headroom(deps: Dependencies, host: str) -> Headroom:
    """Where every budget stands that holds one of its sessions, and how far the books know what
    passed, both of one moment.
    """
    if all(one.on_exceed is OnExceed.WARN for one in budgets.all_budgets(deps)):
        return Headroom()
    found: dict[str, BudgetStanding] = {}
    held: dict[str, SessionHeadroom] = {}
    with deps.store.transaction():
        sessions = [
            one
            for one in deps.store.sessions.list()
            if one.host == host and not one.status.terminal
        ]
        records, let = deps.store.agents.all(), _let_go_on(deps, sessions)
        for session in sessions:
            standings = [
                at
                for at in budgets.standings(deps, session.project_id, session.id)
                if at.applied.budget.on_exceed is not OnExceed.WARN
            ]
            if standings:
                names = tuple(at.applied.name for at in standings)
                one = _session(records.get(session.id), names)
                held[session.id] = replace(one, held=session.id not in let)
                found.update(zip(names, standings, strict=True))
    return Headroom(tuple(found.values()), held, tuple(deps.config.prices))


def _let_go_on(deps: Dependencies, sessions: Sequence[Session]) -> frozenset[str]:
    """Those that a person has let end their turn, whatever budgets say."""
    texts = deps.store.memories.texts([one.id for one in sessions if one.paused is not None])
    states = {name: codec.loads(LifecycleState, text) for name, text in texts.items()}
    return frozenset(name for name, state in states.items() if not pausing.held(state))


def _session(record: AgentRecord | None, names: tuple[str, ...]) -> SessionHeadroom:
    tally = Tally.of(record.read_to.get(KEY) if record is not None else None)
    return SessionHeadroom(tally.at, Billing(tally.billing) if tally.billing else None, names)
