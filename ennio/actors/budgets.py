"""What budgets say of a session, and what is told when one is reached. Reads the store; what it
writes is written inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from ennio.actors import metered
from ennio.actors.dependencies import Dependencies
from ennio.actors.forecasting import Forecaster, kind_of
from ennio.actors.messages import NotificationDue, QueueChanged, Wake
from ennio.actors.reaction_cause import ReactionCause
from ennio.actors.registry import NOTICES, QUEUE, session_name
from ennio.actors.turns import word_of
from ennio.config.model import Reaction, ReactionAction
from ennio.config.money import Budget, BudgetScope, OnExceed
from ennio.model.errors import OverBudget
from ennio.model.events import Draft, EventType
from ennio.model.session import Session
from ennio.policy import reactions
from ennio.policy.budgets import words
from ennio.policy.budgets.applied import AppliedBudget, applied, own_name
from ennio.policy.budgets.reserving import (
    LikelyCost,
    expected,
    forecast_as,
    likely_cost,
    outstanding,
)
from ennio.policy.budgets.standing import (
    BudgetLevel,
    BudgetStanding,
    BudgetUse,
    gravest,
    standing,
)
from ennio.policy.budgets.windows import BudgetWindow, window
from ennio.policy.lifecycle.state import Stop
from ennio.store import Notice
from ennio.store.budgets import BudgetNotice, Reservation
from ennio.store.ledger import Selection
from ennio.store.transaction import Transaction

_HISTORY, _SESSIONS = timedelta(days=90), 50
EXCEEDED = "budget-exceeded"
_TOLD = {
    BudgetLevel.WARNED: (EventType.BUDGET_WARNING, "budget-warning"),
    BudgetLevel.EXCEEDED: (EventType.BUDGET_EXCEEDED, EXCEEDED),
}


def all_budgets(deps: Dependencies) -> Sequence[Budget]:
    """Those of the file, and those that were set beside them; the file's stand before."""
    known = {own_name(each): each for each in deps.config.budgets}
    extra = (each.budget for each in deps.store.budgets.list() if each.name not in known)
    return (*known.values(), *extra)


def defined_in(deps: Dependencies, name: str) -> str | None:
    """The file and line of a budget that stands in the file; None for one that was set."""
    config = deps.config
    for index, budget in enumerate(config.budgets):
        if own_name(budget) == name:
            lines = config.budget_lines
            return f"{config.source}:{lines[index]}" if index < len(lines) else str(config.source)
    return None


def standings(
    deps: Dependencies, project_id: str, session_id: str | None
) -> Sequence[BudgetStanding]:
    """Where every budget stands that holds for a session, the narrowest first; without what is
    reserved.
    """
    budgets = all_budgets(deps)
    return (
        [stands(deps, one) for one in applied(budgets, project_id, session_id)] if budgets else []
    )


def stands(deps: Dependencies, one: AppliedBudget) -> BudgetStanding:
    """Where one stands now."""
    now = window(one.budget.period, deps.clock.now())
    spent = deps.store.budgets.spent(_whose(one, now))
    return standing(one, now, spent, deps.store.budgets.raises())


def _whose(one: AppliedBudget, at: BudgetWindow) -> Selection:
    scope = one.budget.scope
    return Selection(
        session_id=one.subject if scope is BudgetScope.SESSION else None,
        project_id=one.subject if scope is BudgetScope.PROJECT else None,
        since=at.since,
        until=at.until,
    )


# --- before a spawn -------------------------------------------------------------------------------


def likely(deps: Dependencies, session: Session) -> LikelyCost:
    """What a new session will likely cost, which is kept of budgets for it: what the forecast says
    of sessions like it, shared between who pays as those of its project were.
    """
    if not all_budgets(deps):
        return LikelyCost()
    since = deps.clock.now() - _HISTORY
    own = likely_cost(deps.store.budgets.finished(session.project_id, since, _SESSIONS))
    told = Forecaster(deps).likely_cost(kind_of(deps, session))
    return own if told is None else forecast_as(told, own)


def insist_on_room(deps: Dependencies, session: Session, cost: LikelyCost) -> None:
    """Raise OverBudget where what a new session will likely cost is not left."""
    if not all_budgets(deps):
        return
    reserved = deps.store.budgets.reserved()
    for at in standings(deps, session.project_id, session.id):
        refuse(deps, with_reserved(deps, at, reserved), expected(cost, at))


def admit(deps: Dependencies, session: Session, cost: LikelyCost) -> None:
    """Keep for a session what it will likely cost, inside the transaction that makes it. Raises
    OverBudget where that is not left.
    """
    insist_on_room(deps, session, cost)
    if all_budgets(deps):
        deps.store.budgets.reserve(
            Reservation(session.id, session.project_id, cost, session.created_at)
        )


def refuse(deps: Dependencies, at: BudgetStanding, more: BudgetUse) -> None:
    """Raise OverBudget where so much more does not fit into a budget of a session that is yet to
    be; one that only warns refuses nobody.
    """
    budget = at.applied.budget
    if budget.on_exceed is OnExceed.WARN or at.admits(more):
        return
    if budget.scope is BudgetScope.SESSION and budget.id is None:
        # the session will never be there, so its own part of that for each cannot be raised
        raise OverBudget(words.refusal_for_each(at, more, defined_in(deps, own_name(budget))))
    raise OverBudget(words.refusal(at, more))


def with_reserved(
    deps: Dependencies, at: BudgetStanding, reserved: Iterable[Reservation]
) -> BudgetStanding:
    """The same with what is kept for sessions that it limits."""
    scope, subject = at.applied.budget.scope, at.applied.subject
    kept = BudgetUse()
    for one in reserved:
        mine = {BudgetScope.SESSION: one.session_id, BudgetScope.PROJECT: one.project_id}
        if mine.get(scope, subject) == subject:
            spent = deps.store.budgets.spent(Selection(session_id=one.session_id))
            kept = kept + outstanding(one.likely, spent, at)
    return replace(at, reserved=kept)


def obstacles(deps: Dependencies, waiting: Mapping[str, str]) -> Mapping[str, str]:
    """Why each of those who wait in the queue may not start, by session; given by project."""
    if not all_budgets(deps):
        return {}
    found = {one: gravest(standings(deps, project, one)) for one, project in waiting.items()}
    return {one: words.refusal(at, BudgetUse()) for one, at in found.items() if at is not None}


# --- while it runs --------------------------------------------------------------------------------


def stop_of(deps: Dependencies, session: Session) -> Stop | None:
    """What keeps a session from going on."""
    at = gravest(standings(deps, session.project_id, session.id))
    if at is None:
        return None
    ends = at.applied.budget.on_exceed is OnExceed.KILL
    return Stop(at.applied.name, words.paused(at, session.id), at.window.until, ends)


def exposed(deps: Dependencies, session: Session) -> Sequence[str]:
    """What its agent is told of budgets: nothing, unless that is asked for."""
    if not deps.config.expose_budget:
        return ()
    found = standings(deps, session.project_id, session.id)
    return [f"- {words.left(at)}." for at in found]


@dataclass(frozen=True, slots=True)
class BudgetsReached:
    """That budgets reached a level, and that it is written down."""

    told: bool = False
    budgets: tuple[BudgetStanding, ...] = ()


def reached(deps: Dependencies, tx: Transaction, session: Session) -> BudgetsReached:
    """Tell of every budget of a session that reached a level that was not told yet, inside the
    transaction of what it reached it by.
    """
    new = [
        at
        for at in standings(deps, session.project_id, session.id)
        if at.level is not BudgetLevel.WITHIN and _tell(deps, tx, session, at)
    ]
    exceeded = tuple(at for at in new if not at.within_budget)
    return BudgetsReached(bool(new), exceeded)


def pass_on(deps: Dependencies, session: Session, what: BudgetsReached) -> None:
    """After that transaction: those who tell people go on, and whoever else a budget limits looks
    what it says now.
    """
    if what.told:
        deps.actors.tell(NOTICES, NotificationDue())
    if any(at.applied.budget.scope is not BudgetScope.SESSION for at in what.budgets):
        wake(deps, besides=session.id)


def wake(deps: Dependencies, besides: str = "") -> None:
    """Have every session, the queue, the metering proxies, and who tells people look what budgets
    say now.
    """
    metered.moved(deps)
    for name in deps.actors.names():
        if name.startswith(session_name("")) and name != session_name(besides):
            deps.actors.tell(name, Wake())
    deps.actors.tell(QUEUE, QueueChanged())
    deps.actors.tell(NOTICES, NotificationDue())


def _tell(deps: Dependencies, tx: Transaction, session: Session, at: BudgetStanding) -> bool:
    """Tell of one level, once: a warning in each window, that it is used up at each limit."""
    level, now = at.level, deps.clock.now()
    event, key = _TOLD[level]
    mark = at.window.key if level is BudgetLevel.WARNED else at.key
    if not deps.store.budgets.note(BudgetNotice(at.applied.name, mark, level, now)):
        return False
    project = deps.config.project(session.project_id)
    rule = (project.reactions if project is not None else deps.config.reactions)[key]
    said = words.headline(at, level)
    data = {"budget": at.applied.name, "percent_used": at.percent_used, "reaction": key}
    tx.emit(session.id, session.project_id, Draft(event, said, rule.priority, data))
    if rule.enabled:
        _act(deps, session, rule, level, said, fingerprint(at, level))
    return True


def fingerprint(at: BudgetStanding, level: BudgetLevel) -> str:
    """What the notice of a level is known by."""
    mark = at.window.key if level is BudgetLevel.WARNED else at.key
    return f"budget:{at.applied.name}:{level.value}:{mark}"


def _act(
    deps: Dependencies, session: Session, rule: Reaction, level: BudgetLevel, said: str, mark: str
) -> None:
    event, key = _TOLD[level]
    cause = ReactionCause(key, session, mark, deps.clock.now())
    if rule.action is ReactionAction.SEND_TO_AGENT:
        deps.store.messages.add(cause.message(rule.message or reactions.words_of(key)))
        return
    told = reactions.notice(key, rule, said, session, word_of(deps, session))
    deps.store.notifications.add(cause.notice(event, rule.priority, told))


def settle(deps: Dependencies) -> None:
    """What was told of budgets and holds no more is resolved: there is more, its window is over, it
    was taken away, or its session has ended. What is raised by too little is still used up.
    """
    keys = [key for _, key in _TOLD.values()]
    for notice in deps.store.notifications.unresolved(keys):
        if not _still_holds(deps, notice):
            deps.store.notifications.resolve(str(notice.reaction), deps.clock.now(), id=notice.id)


def _still_holds(deps: Dependencies, notice: Notice) -> bool:
    session = deps.store.sessions.get(notice.session_id)
    is_over = session is None or session.status.terminal
    return any(
        _is_of(notice, at)
        for at in standings(deps, notice.project_id, notice.session_id)
        if not (is_over and at.applied.budget.scope is BudgetScope.SESSION)
    )


def _is_of(notice: Notice, at: BudgetStanding) -> bool:
    """Whether it tells of that budget, in this window, and of no more than holds."""
    if at.level is BudgetLevel.WITHIN:
        return False
    levels = [at.level, BudgetLevel.WARNED]
    marks = [f"budget:{at.applied.name}:{level.value}:{at.window.key}" for level in levels]
    said = f"{notice.fingerprint}:"  # which limit was reached may follow
    return any(said.startswith(f"{mark}:") for mark in marks)
