"""Raises that are over: a limit that is said is the limit from then on, whoever had more of the
one before, and whether a person sets it or the file says it.

What ends one is an entry as it is itself, of less than nothing: rows are added alone.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from ennio.actors.budgets import all_budgets
from ennio.actors.dependencies import Dependencies
from ennio.config.money import Budget, BudgetScope
from ennio.model import codec
from ennio.model.events import Draft, EventType
from ennio.policy.budgets import words
from ennio.policy.budgets.applied import own_name
from ennio.policy.budgets.ending import EndedRaise, ended
from ennio.policy.budgets.standing import BudgetRaise
from ennio.policy.budgets.windows import window
from ennio.store.transaction import Transaction

_READ = "file_budgets"  # under this name in the store: the budgets of the file as last read


def end(deps: Dependencies, budget: Budget, by: str) -> Sequence[EndedRaise]:
    """End what a budget is raised by, inside the transaction in which its limit is said anew or it
    is taken away; tells what that was.
    """
    now = deps.clock.now()
    found = ended(deps.store.budgets.raises(), budget, all_budgets(deps), now)
    for one in found:
        less = BudgetRaise(
            str(uuid.uuid4()),
            one.budget,
            window(budget.period, now).key,
            None if one.usd is None else -one.usd,
            None if one.tokens is None else -one.tokens,
            now,
            by,
        )
        deps.store.budgets.add_raise(less)
    return found


def follow_file(deps: Dependencies) -> None:
    """At a start: where the file says another limit than when it was last read, also while nobody
    was there, the raises of the one before are over.
    """
    text, before = codec.dumps(deps.config.budgets), deps.store.meta.get(_READ)
    if text == before:
        return
    with deps.store.transaction() as tx:
        deps.store.meta.set(_READ, text)
        read = _remembered(before)
        if read is not None:
            _compare(deps, tx, read)


def _remembered(text: str | None) -> Sequence[Budget] | None:
    """The budgets as they were read; None where there are none yet, or another version wrote them
    in a way that this one does not know, which is no reason not to start.
    """
    try:
        return None if text is None else codec.loads(tuple[Budget, ...], text)
    except ValueError:
        return None


def _compare(deps: Dependencies, tx: Transaction, read: Sequence[Budget]) -> None:
    before, now = _by_name(read), _by_name(deps.config.budgets)
    for name, budget in (before | now).items():
        if _limits(before.get(name)) == _limits(now.get(name)):
            continue
        if over := end(deps, budget, str(deps.config.source)):
            said = f"budget {name} is another one in {deps.config.source}; {words.over(over)}"
            tx.emit(
                "", project_of(budget), Draft(EventType.BUDGET_SET, said, data=told(name, over))
            )


def told(name: str, over: Sequence[EndedRaise]) -> Mapping[str, object]:
    """What the event that a budget is another one has of it, beside its words."""
    return {"budget": name} | ({"ended_raises": over} if over else {})


def project_of(budget: Budget) -> str:
    """The project that what is told of a budget belongs to; empty for one of several."""
    return budget.id or "" if budget.scope is BudgetScope.PROJECT else ""


def _by_name(budgets: Sequence[Budget]) -> dict[str, Budget]:
    return {own_name(one): one for one in budgets}


def _limits(budget: Budget | None) -> object:
    return None if budget is None else (budget.limit_usd, budget.limit_tokens)
