"""What is said of budgets: to whoever is refused, to people, to agents. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ennio.config.money import Budget
from ennio.model.money import spoken
from ennio.model.plural import number_of
from ennio.policy.budgets.applied import own_name
from ennio.policy.budgets.ending import EndedRaise
from ennio.policy.budgets.standing import BudgetLevel, BudgetStanding, BudgetUse

_SHOWN = 3

GO_ON = (
    "You were interrupted because a budget was used up. There is some again: go on where you were."
)
"""What an agent is told that was interrupted in the middle of its turn."""
FINISH = (
    "You were interrupted because a budget is used up. You may bring what you were doing to an "
    "end: go on where you were, and begin nothing new."
)
"""What it is told where a person lets it end its turn, and no more."""


def way_out(at: BudgetStanding) -> str:
    """How more is given."""
    more = "--by USD" if at.limit_usd is not None else "--tokens NUMBER"
    return f"ennio budget raise {at.applied.name} {more}"


def refusal(at: BudgetStanding, more: BudgetUse) -> str:
    """Why nobody is spawned: the budget, what was used of what, until when, and the way out."""
    return _refusal(at, more, at.applied.name, way_out(at))


def refusal_for_each(at: BudgetStanding, more: BudgetUse, defined_in: str | None) -> str:
    """The same where a budget for each is too small for a session that is yet to be: the limit for
    all of them has to be another one, there where it is set or ``defined_in``.
    """
    budget = at.applied.budget
    limits = {"limit_usd": budget.limit_usd, "limit_tokens": budget.limit_tokens}
    keys = " and ".join(key for key, limit in limits.items() if limit is not None)
    way = _set_anew(budget) if defined_in is None else f"{keys} in {defined_in}, then: ennio reload"
    return _refusal(at, more, own_name(budget), way)


def _set_anew(budget: Budget) -> str:
    """The command that sets a limit anew, and leaves all else of a budget as it is."""
    plain = Budget(budget.scope)
    parts = [f"ennio budget set {budget.scope.value}"]
    parts += [] if budget.period is plain.period else [f"--period {budget.period.value}"]
    parts += [] if budget.limit_usd is None else ["--limit USD"]
    parts += [] if budget.limit_tokens is None else ["--tokens NUMBER"]
    parts += (
        [] if budget.on_exceed is plain.on_exceed else [f"--on-exceed {budget.on_exceed.value}"]
    )
    parts += [] if budget.warn_at == plain.warn_at else [f"--warn-at {budget.warn_at:g}"]
    return " ".join([*parts, *(["--count-plan"] if budget.count_plan else [])])


def _refusal(at: BudgetStanding, more: BudgetUse, name: str, way: str) -> str:
    if not at.within_budget:
        why = f"budget {name} is used up: {at.spelled}"
    else:
        kept = _amount(at, at.reserved)
        beside = f", {kept} more {_is(kept)} kept for sessions that have begun" if kept else ""
        used = f"{at.spelled} {_is(at.spelled)} used"
        why = (
            f"budget {name} has no room for another session: {used}"
            f"{beside}, and one more takes about {_amount(at, more) or 'that much'}"
        )
    return f"{why}; {at.reset}; more is given by: {way}"


def _amount(at: BudgetStanding, use: BudgetUse) -> str:
    usd = None if at.limit_usd is None else use.usd or None
    return amounts(usd, None if at.limit_tokens is None else use.tokens or None)


def amounts(usd: Decimal | None, tokens: int | None) -> str:
    """Dollars, tokens, or both: ``$5.00 and 1000 tokens``."""
    parts = [] if usd is None else [spoken(usd)]
    parts += [] if tokens is None else [number_of(tokens, "token")]
    return " and ".join(parts)


def over(raises: Sequence[EndedRaise]) -> str:
    """That raises are over, and which; of many the first few."""
    parts = [f"{one.budget} by {amounts(one.usd, one.tokens)}" for one in raises[:_SHOWN]]
    parts += [f"{len(raises) - _SHOWN} more"] if len(raises) > _SHOWN else []
    return f"raises given before are over: {', '.join(parts)}"


def _is(amount: str) -> str:
    """The verb for an amount: an amount of money is one thing, tokens are many."""
    return "are" if amount.endswith("tokens") else "is"


def headline(at: BudgetStanding, level: BudgetLevel) -> str:
    """What people are told when a budget reaches a level."""
    many = number_of(at.used.unpriced, "request")
    unknown = f", and what {many} cost is not known" if at.is_partly_unknown else ""
    if level is BudgetLevel.EXCEEDED:
        return f"budget {at.applied.name} is used up: {at.spelled}{unknown}; {at.reset}"
    return (
        f"budget {at.applied.name} is used to {at.percent_used:g} %: {at.spelled}{unknown}; "
        f"{at.reset}"
    )


def paused(at: BudgetStanding, session_id: str) -> str:
    """Why a session is paused, and the three ways on."""
    return (
        f"paused: budget {at.applied.name} is used up ({at.spelled}); {at.reset}. {way_out(at)} "
        f"gives more, ennio budget go-on {session_id} lets it end its turn, ennio session kill "
        f"{session_id} ends it"
    )


def left(at: BudgetStanding) -> str:
    """What an agent is told of it, where agents are told."""
    rest = amounts(at.remaining_usd, at.remaining_tokens)
    return f"{rest} {_is(rest)} left of the budget {at.applied.name}"
