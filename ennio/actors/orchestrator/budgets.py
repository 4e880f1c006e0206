"""Budgets: where they stand, whether something fits, and what people do about them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from ennio.actors import budget_raises, budgets
from ennio.actors.budget_raises import project_of
from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import GoOn
from ennio.actors.orchestrator.budget_view import BudgetCheck, BudgetOrder, BudgetView, RaiseOrder
from ennio.actors.registry import session_name
from ennio.config.money import EACH, Budget, BudgetScope
from ennio.model.errors import Conflict, Invalid, NotFound, Refused
from ennio.model.events import Draft, EventType
from ennio.model.failpoints import declare, failpoint
from ennio.model.idempotency import IdempotentRequest
from ennio.model.session import SessionStatus
from ennio.policy.budgets import words
from ennio.policy.budgets.applied import AppliedBudget, own_name
from ennio.policy.budgets.ending import EndedRaise
from ennio.policy.budgets.standing import BudgetRaise, BudgetStanding, BudgetUse
from ennio.store.budgets import Reservation, SetBudget
from ennio.store.idempotency import RequestRepeatedError

_BEGUN = tuple(status for status in SessionStatus if not status.terminal)


declare("commit.budgets", because="written by an order that may be given again")


@dataclass(frozen=True, slots=True)
class BudgetApi:
    """What can be asked of budgets."""

    deps: Dependencies

    # --- looking ----------------------------------------------------------------------------------

    def list(self) -> Sequence[BudgetView]:
        """Every budget, and of those that name nobody each that holds for somebody."""
        reserved = self.deps.store.budgets.reserved()
        paused = self._paused()
        found = []
        for budget in budgets.all_budgets(self.deps):
            if _names_nobody(budget):
                found.append(self._view(budget, own_name(budget), None))
            for subject in self._subjects(budget):
                one = AppliedBudget(budget, subject)
                found.append(self._standing(one, reserved, paused))
        return found

    def check(self, project_id: str, amount: Decimal) -> BudgetCheck:
        """Whether an amount fits, beside what is kept for sessions that have begun."""
        reserved, paused = self.deps.store.budgets.reserved(), self._paused()
        found = [
            budgets.with_reserved(self.deps, at, reserved)
            for at in budgets.standings(self.deps, project_id, None)
            if at.applied.budget.scope is not BudgetScope.SESSION
        ]
        wanted = BudgetUse(usd=amount)
        refusing = [at for at in found if not at.admits(wanted)]
        tightest = min(refusing or found, key=_left, default=None)
        return BudgetCheck(
            within_budget=not refusing,
            used=tightest.used.usd if tightest else None,
            limit=tightest.limit_usd if tightest else None,
            remaining=tightest.remaining_usd if tightest else None,
            percent_used=tightest.percent_used if tightest else None,
            budget=tightest.applied.name if tightest else None,
            reason=words.refusal(refusing[0], wanted) if refusing else None,
            budgets=[self._standing(at.applied, reserved, paused) for at in found],
        )

    def _subjects(self, budget: Budget) -> Sequence[str]:
        """Whom a budget holds for, as far as they are there."""
        if not _names_nobody(budget):
            return [budget.id or ""]
        named = {
            other.id
            for other in budgets.all_budgets(self.deps)
            if (other.scope, other.period) == (budget.scope, budget.period)
        }
        if budget.scope is BudgetScope.PROJECT:
            there = [project.id for project in self.deps.config.projects]
        else:
            there = [one.id for one in self.deps.store.sessions.list(statuses=_BEGUN)]
        return [one for one in there if one not in named]

    def _paused(self) -> Sequence[tuple[str, str]]:
        """Every session that is paused, with the budget that holds it."""
        paused = [one for one in self.deps.store.sessions.list(statuses=_BEGUN) if one.paused]
        stops = ((one.id, budgets.stop_of(self.deps, one)) for one in paused)
        return [(who, stop.budget) for who, stop in stops if stop is not None]

    def _standing(
        self,
        one: AppliedBudget,
        reserved: Sequence[Reservation],
        paused: Sequence[tuple[str, str]],
    ) -> BudgetView:
        at = budgets.with_reserved(self.deps, budgets.stands(self.deps, one), reserved)
        held = [who for who, budget in paused if budget == one.name]
        return self._view(one.budget, one.name, one.subject or None).at(at, held)

    def _view(self, budget: Budget, name: str, subject: str | None) -> BudgetView:
        where = budgets.defined_in(self.deps, own_name(budget))
        return BudgetView.of(budget, name, subject, where or "set")

    # --- ordering ---------------------------------------------------------------------------------

    @failpoint("order.set_budget", because="writes at once, and may be given again")
    def set(self, order: BudgetOrder) -> BudgetView:
        """Set a budget beside those of the file; what it was raised by before is over. Raises
        Invalid, NotFound, and Refused for one that the file defines.
        """
        order = self._checked(order)
        name = own_name(order.budget)
        self._refuse_defined(name)
        now = self.deps.clock.now()
        with self.deps.store.transaction() as tx:
            over = budget_raises.end(self.deps, order.budget, order.by)
            self.deps.store.budgets.set(SetBudget(name, order.budget, now, order.by))
            tx.emit("", project_of(order.budget), _told_set(name, order, over))
        budgets.wake(self.deps)
        return replace(self._named(name), ended_raises=over)

    def _checked(self, order: BudgetOrder) -> BudgetOrder:
        if order.limit_usd is None and order.limit_tokens is None:
            raise Invalid("limit_usd: nothing is limited; give limit_usd, limit_tokens or both")
        if order.id == EACH:
            raise Invalid(f"id: {EACH} stands for each of them; leave it out")
        if order.scope is BudgetScope.GLOBAL and order.id is not None:
            raise Invalid("id: a global budget is everybody's; leave it out")
        if order.scope is BudgetScope.PROJECT and order.id is not None:
            return replace(order, id=self.deps.project(order.id).id)
        if order.scope is BudgetScope.SESSION and order.id is not None:
            self.deps.store.sessions.need(order.id)
        return order

    def _refuse_defined(self, name: str) -> None:
        where = budgets.defined_in(self.deps, name)
        if where is not None:
            raise Refused(
                f"budget {name} is defined in {where}: change it there, then: ennio reload"
            )

    @failpoint("order.remove_budget", because="takes one row away, and may be given again")
    def remove(self, name: str) -> None:
        """Take a budget away that was set. Raises NotFound, and Refused for one of the file."""
        self._refuse_defined(name)
        known = next((one for one in self.deps.store.budgets.list() if one.name == name), None)
        if known is None:
            raise self._unknown(name)
        with self.deps.store.transaction() as tx:
            over = budget_raises.end(self.deps, known.budget, "a person")
            self.deps.store.budgets.remove(name)
            tx.emit("", project_of(known.budget), _told_removed(name, over))
        budgets.wake(self.deps)

    @failpoint("order.raise_budget")
    def increase(
        self, name: str, order: RaiseOrder, once: IdempotentRequest | None = None
    ) -> BudgetView:
        """Raise a budget in its window; whoever it paused goes on. ``name`` may be that of a
        session, a project or everybody (``global``) that one budget alone holds. Raises Invalid,
        NotFound, Conflict.
        """
        one = self._applied(name)
        budget = one.budget
        if order.usd is None and order.tokens is None:
            raise Invalid("usd: give usd, tokens or both: by how much the budget is raised")
        if order.usd is not None and budget.limit_usd is None:
            raise Invalid(f"usd: budget {one.name} limits tokens; raise it by tokens")
        if order.tokens is not None and budget.limit_tokens is None:
            raise Invalid(f"tokens: budget {one.name} limits dollars; raise it by usd")
        before = budgets.stands(self.deps, one)
        try:
            self._raise(one, before, order, once)
        except RequestRepeatedError:
            return self._named(one.name)
        budgets.wake(self.deps)
        return self._named(one.name)

    def _raise(
        self,
        one: AppliedBudget,
        before: BudgetStanding,
        order: RaiseOrder,
        once: IdempotentRequest | None,
    ) -> None:
        now = self.deps.clock.now()
        more = BudgetRaise(
            str(uuid.uuid4()),
            one.name,
            before.window.key,
            order.usd,
            order.tokens,
            now,
            order.by,
        )
        with self.deps.store.transaction() as tx:
            if once is not None:
                self.deps.store.idempotency.begin(once, more.id, now)
            self.deps.store.budgets.add_raise(more)
            tx.emit("", project_of(one.budget), _told_raise(more))

    @failpoint("order.go_on", because="asks the session, as the orders that are played do")
    def go_on(self, session_id: str) -> None:
        """Let a paused session end its turn. Raises NotFound, Conflict."""
        session = self.deps.store.sessions.need(session_id)
        if session.status.terminal:
            raise Conflict(f"session {session_id} is {session.status}")
        self.deps.actors.ask(session_name(session_id), GoOn())

    # --- by name ----------------------------------------------------------------------------------

    def _named(self, name: str) -> BudgetView:
        found = next((view for view in self.list() if view.name == name), None)
        if found is None:
            raise self._unknown(name)
        return found

    def _applied(self, name: str) -> AppliedBudget:
        known = {one.name: one for one in self._all()}
        if name in known:
            return known[name]
        if EACH in name.split(":"):
            raise Invalid(
                f"budget {name} holds for each by itself: name one of them, or set another limit "
                "for all of them"
            )
        mine: Sequence[AppliedBudget] = [one for one in known.values() if _subject(one) == name]
        mine = mine or self._pausing(name)
        if len(mine) == 1:
            return mine[0]
        if mine:
            names = ", ".join(one.name for one in mine)
            raise Invalid(f"name: several budgets hold {name}: {names}; name one of them")
        raise self._unknown(name)

    def _pausing(self, session_id: str) -> Sequence[AppliedBudget]:
        """The budgets that are used up and hold a session."""
        session = self.deps.store.sessions.get(session_id)
        if session is None:
            return []
        found = budgets.standings(self.deps, session.project_id, session.id)
        return [at.applied for at in found if not at.within_budget]

    def _all(self) -> Sequence[AppliedBudget]:
        return [
            AppliedBudget(budget, subject)
            for budget in budgets.all_budgets(self.deps)
            for subject in self._subjects(budget)
        ]

    def _unknown(self, name: str) -> NotFound:
        names = ", ".join(own_name(one) for one in budgets.all_budgets(self.deps)) or "none"
        return NotFound(f"no budget {name}; there are: {names}")


def _names_nobody(budget: Budget) -> bool:
    return budget.scope is not BudgetScope.GLOBAL and budget.id is None


def _subject(one: AppliedBudget) -> str:
    """Whom it limits, as it is said where only one budget does."""
    return one.subject or one.budget.scope.value


def _left(at: BudgetStanding) -> Decimal:
    """By what the tightest is found: the part that is left."""
    return -Decimal(str(at.percent_used))


def _told_set(name: str, order: BudgetOrder, over: Sequence[EndedRaise]) -> Draft:
    limit = words.amounts(order.limit_usd, order.limit_tokens)
    said = f"budget {name} was set to {limit} by {order.by}{_too(over)}"
    data = {**budget_raises.told(name, over), "by": order.by}
    return Draft(EventType.BUDGET_SET, said, data=data)


def _told_removed(name: str, over: Sequence[EndedRaise]) -> Draft:
    said = f"budget {name} was taken away{_too(over)}"
    return Draft(EventType.BUDGET_SET, said, data=budget_raises.told(name, over))


def _too(over: Sequence[EndedRaise]) -> str:
    return f"; {words.over(over)}" if over else ""


def _told_raise(more: BudgetRaise) -> Draft:
    amounts = words.amounts(more.usd, more.tokens)
    said = f"budget {more.budget} was raised by {amounts} by {more.by}"
    data = {"budget": more.budget, "good_for": more.good_for, "by": more.by}
    return Draft(
        EventType.BUDGET_RAISED, said, data=data | {"usd": more.usd, "tokens": more.tokens}
    )
