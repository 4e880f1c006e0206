"""Budgets: where they stand, whether something fits, and what is done about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from ennio.actors.orchestrator import BudgetCheck, BudgetOrder, BudgetView, RaiseOrder
from ennio.http.operation import Resource, operation, word
from ennio.model.idempotency import IdempotentRequest
from ennio.model.money import NOTHING
from ennio.model.request_fields import AmountField, IdField, TextField


@dataclass(frozen=True, slots=True)
class BudgetCheckQuery:
    """An amount of dollars, for a project."""

    project_id: Annotated[str, IdField()]
    amount: Annotated[Decimal, AmountField()] = NOTHING


class BudgetsResource(Resource):
    """All budgets."""

    @operation("Every budget and where it stands.", list[BudgetView])
    def on_get(self) -> Sequence[BudgetView]:
        """List them."""
        return self._orchestrator.budgets.list()

    @operation("Set a budget beside those of the file.", BudgetView, body=BudgetOrder)
    def on_post(self, body: BudgetOrder) -> BudgetView:
        """Set one, in place of the one of its name."""
        return self._orchestrator.budgets.set(body)

    @operation(
        "Whether an amount fits into the budgets of a project.",
        BudgetCheck,
        query=BudgetCheckQuery,
    )
    def on_get_check(self, query: BudgetCheckQuery) -> BudgetCheck:
        """Check an amount."""
        return self._orchestrator.budgets.check(self._configured(query.project_id), query.amount)

    @operation("Take a budget away that was set.", word("removed"))
    def on_delete_one(self, name: str) -> str:
        """Take one away."""
        self._orchestrator.budgets.remove(_budget(name))
        return "removed"

    @operation(
        "Raise a budget until it begins anew; whoever it paused goes on.",
        BudgetView,
        body=RaiseOrder,
        once=True,
    )
    def on_post_raise(
        self, name: str, body: RaiseOrder, once: IdempotentRequest | None
    ) -> BudgetView:
        """Raise one."""
        return self._orchestrator.budgets.increase(_budget(name), body, once)

    @operation("Let a session that a budget paused end its turn.", word("going on"))
    def on_post_go_on(self, session_id: str) -> str:
        """Let it end its turn."""
        self._orchestrator.budgets.go_on(self._known(session_id))
        return "going on"


def _budget(name: str) -> str:
    return TextField().from_json("name", name)
