"""Budgets that were set beside the file's, what they were raised by, what was told of them, and
what is kept for sessions that have begun.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from ennio.config.money import Budget
from ennio.model.session import SessionStatus
from ennio.policy.budgets.reserving import LikelyCost
from ennio.policy.budgets.standing import BudgetLevel, BudgetRaise, Spent
from ennio.store import tables
from ennio.store.columns import shape_of
from ennio.store.connection import Connection
from ennio.store.ledger import LedgerRepository, Selection
from ennio.store.row_table import RowTable
from ennio.store.statements import peewee
from ennio.store.totals import ENDED

T = TypeVar("T")
_IDLE = (*ENDED, SessionStatus.EXITED.value)


@dataclass(frozen=True, slots=True)
class SetBudget:
    """A budget that was set at run time, by its name."""

    name: str
    budget: Budget
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class BudgetNotice:
    """That a level of a budget was told; ``mark`` says of which window and limit."""

    budget: str
    mark: str
    level: BudgetLevel
    at: datetime


@dataclass(frozen=True, slots=True)
class Reservation:
    """What is kept for a session: what it will likely use in all."""

    session_id: str
    project_id: str
    likely: LikelyCost
    at: datetime


class _Kept(Generic[T]):
    """What a query gave, until something is written or rolled back."""

    def __init__(self, connection: Connection, read: Callable[[], T]) -> None:
        self._connection = connection
        self._read = read
        self._found: tuple[int, T] | None = None
        self._changes = 0

    def get(self) -> T:
        """All of it."""
        now = self._connection.rolled_back
        if self._found is not None and self._found[0] == now:
            return self._found[1]
        changes, found = self._changes, self._read()
        if changes == self._changes and not self._connection.guessing:
            self._found = (now, found)
        return found

    def forget(self) -> None:
        """It was changed."""
        self._changes += 1
        self._found = None


class BudgetRepository:
    """Keeps all that. Few change it and many ask: what is asked at every step is kept in memory."""

    def __init__(self, connection: Connection, ledger: LedgerRepository) -> None:
        self._connection = connection
        self._ledger = ledger
        self._rows = RowTable(connection, tables.BudgetTable, shape_of(SetBudget))
        self._raises = RowTable(connection, tables.BudgetRaiseTable, shape_of(BudgetRaise))
        self._notices = RowTable(connection, tables.BudgetNoticeTable, shape_of(BudgetNotice))
        self._reservations = RowTable(connection, tables.ReservationTable, shape_of(Reservation))
        self._known = _Kept(connection, lambda: self._rows.find(order=("name",)))
        self._known_raises = _Kept(connection, lambda: self._raises.find(order=("at", "id")))

    # --- budgets ----------------------------------------------------------------------------------

    def list(self) -> Sequence[SetBudget]:
        """Those that were set."""
        return self._known.get()

    def set(self, budget: SetBudget) -> None:
        """Set one, in place of the one of its name."""
        self._rows.save(budget)
        self._known.forget()

    def remove(self, name: str) -> bool:
        """Take one away; tells whether it was there."""
        self._known.forget()
        return self._rows.remove(name)

    # --- raises -----------------------------------------------------------------------------------

    def raises(self) -> Sequence[BudgetRaise]:
        """All there were, in their order."""
        return self._known_raises.get()

    def add_raise(self, more: BudgetRaise) -> None:
        """Raise one. Raises Conflict where this was done already."""
        self._raises.insert(more)
        self._known_raises.forget()

    # --- what was told ----------------------------------------------------------------------------

    def note(self, notice: BudgetNotice) -> bool:
        """Note that something is told; False where it was before."""
        return self._notices.add(notice)

    def noted(self, name: str) -> Sequence[BudgetNotice]:
        """What was told of a budget."""
        return self._notices.find(budget=name)

    # --- what is kept for sessions ----------------------------------------------------------------

    def reserve(self, reservation: Reservation) -> None:
        """Keep something for a session, inside the transaction that admits it."""
        self._reservations.save(reservation)

    def release(self, session_id: str) -> bool:
        """Keep nothing for it any more; tells whether anything was kept."""
        return self._reservations.remove(session_id)

    def reserved(self) -> Sequence[Reservation]:
        """What is kept for sessions that can still use it."""
        sessions = peewee.Table("sessions")
        key, status = peewee.Column(sessions, "id"), peewee.Column(sessions, "status")
        going = sessions.select(key).where(status.not_in(_IDLE))
        return self._reservations.find(self._reservations.column("session_id").in_(going))

    # --- what was spent ---------------------------------------------------------------------------

    def spent(self, which: Selection) -> Spent:
        """What was used, by who pays."""
        return self._ledger.running(which)

    def finished(self, project_id: str, since: datetime, most: int) -> Sequence[Spent]:
        """What each of the sessions of a project that have ended used, of the latest of them."""
        sessions = peewee.Table("sessions")
        key, project, status, created = (
            peewee.Column(sessions, name) for name in ("id", "project_id", "status", "created_at")
        )
        query = sessions.select(key).where(project == project_id, status.in_(ENDED))
        ended = self._connection.read(query.order_by(created.desc()).limit(most))
        by_session = self._ledger.by_session(Selection(project_id=project_id, since=since))
        return [by_session[str(row[0])] for row in ended if str(row[0]) in by_session]
