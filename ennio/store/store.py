"""The store: its nouns, its transactions, and whom it tells of committed events."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ennio.model.clock import Clock
from ennio.model.errors import EnnioError
from ennio.model.local_forge import ForgeStore
from ennio.store.agents import AgentRepository
from ennio.store.announcer import Announcer, Listener
from ennio.store.answer_links import AnswerLinkRepository
from ennio.store.branch_diffs import BranchDiffRepository
from ennio.store.budgets import BudgetRepository
from ennio.store.conflicts import ConflictRepository
from ennio.store.connection import Connection, LastKnown
from ennio.store.cursors import CursorRepository
from ennio.store.deliveries import DeliveryRepository
from ennio.store.dialect import DatabaseSize, Dialect
from ennio.store.events import EventLog
from ennio.store.evidence import EvidenceLog
from ennio.store.facts import FactsRepository
from ennio.store.forecasts import ForecastRepository
from ennio.store.forge import ForgeRepository
from ennio.store.idempotency import IdempotencyRepository
from ennio.store.ledger import LedgerRepository
from ennio.store.memories import MemoryRepository
from ennio.store.merges import MergeRepository
from ennio.store.messages import MessageRepository
from ennio.store.meta import MetaRepository
from ennio.store.metrics import MetricsRepository
from ennio.store.notifications import NotificationRepository
from ennio.store.projects import ProjectRepository
from ennio.store.queue import QueueRepository
from ennio.store.reactions import ReactionRepository
from ennio.store.remembered_stops import RememberedStops
from ennio.store.retention import RetentionRepository
from ennio.store.review_orders import ReviewOrderRepository
from ennio.store.sessions import SessionRepository
from ennio.store.totals import TotalsRepository
from ennio.store.transaction import Transaction


class _Own(threading.local):
    """The transaction that a greenlet (or thread) is in."""

    transaction: Transaction | None = None


class Store:
    """An open database. Every call is short, blocks, and may raise Unreachable or
    Refused (its file or disk).
    """

    def __init__(
        self, connection: Connection, clock: Clock, schema_version: int, stops: RememberedStops
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._announcer = Announcer()
        self._mine = _Own()
        self.schema_version = schema_version
        self.stops = stops
        self.sessions = SessionRepository(connection)
        self.memories = MemoryRepository(connection)
        self.agents = AgentRepository(connection)
        self.facts = FactsRepository(connection)
        self.events = EventLog(connection)
        self.evidence = EvidenceLog(connection)
        self.deliveries = DeliveryRepository(connection)
        self.messages = MessageRepository(connection, self.deliveries)
        self.reactions = ReactionRepository(connection)
        self.merges = MergeRepository(connection, self.deliveries)
        self.review_orders = ReviewOrderRepository(connection, self.deliveries)
        self.notifications = NotificationRepository(connection, self.deliveries)
        self.answer_links = AnswerLinkRepository(connection)
        self.projects = ProjectRepository(connection, clock)
        self.metrics = MetricsRepository(connection, clock)
        self.ledger = LedgerRepository(connection)
        self.forecasts = ForecastRepository(connection)
        self.budgets = BudgetRepository(connection, self.ledger)
        self.conflicts = ConflictRepository(connection)
        self.branch_diffs = BranchDiffRepository(connection)
        self.queue = QueueRepository(connection)
        self.forge: ForgeStore = ForgeRepository(connection)
        self.idempotency = IdempotencyRepository(connection)
        self.cursors = CursorRepository(connection)
        self.meta = MetaRepository(connection)
        self.totals = TotalsRepository(connection)
        self.retention = RetentionRepository(connection, self.events, self.totals, self.transaction)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Change several things at once, or none of them; inside another one it joins that.

        Nothing in it may yield but the store itself: no logging, no I/O. Listeners hear of its
        events once it is committed; an error rolls everything back and tells nobody. Where the
        commit itself fails it is looked whether it happened after all.
        """
        joined = self._mine.transaction
        if joined is not None:
            with self._connection.transaction():
                yield joined
            return
        own = Transaction(self._connection, self.events, self._clock)
        try:
            with (
                self._connection.lock
            ):  # until it is lined up: listeners hear in the order of commits
                try:
                    with self._connection.transaction() as outermost:
                        if not outermost:
                            raise RuntimeError(
                                "a transaction of the store was opened inside one of the connection"
                            )
                        self._mine.transaction = own
                        try:
                            yield own
                        finally:
                            self._mine.transaction = None
                            own.close()
                except EnnioError:
                    if not self._stands(own):
                        raise
                self._announcer.enqueue(own.emitted)
        finally:
            self._announcer.announce()

    def _stands(self, transaction: Transaction) -> bool:
        """Whether a transaction was committed although that failed: then what
        it emitted is in the log.
        """
        with suppress(EnnioError):
            self._connection.settle()
            return (
                bool(transaction.emitted)
                and self.events.get(transaction.emitted[-1].id) is not None
            )
        return False

    @property
    def problem(self) -> str | None:
        """Why nothing can be written any more and how it goes on; None while all is well."""
        return self._connection.problem

    @property
    def retry_after(self) -> float:
        """Seconds after which whoever cannot go on without the database tries again."""
        return self._connection.dialect.retry_after

    def last_known(self) -> LastKnown:
        """For who only looks: what this greenlet reads inside may be what was last known, while the
        database cannot be asked.

        Sessions, the queue, facts, numbers, and the latest events, messages and reasons are known;
        all else seems to be empty. So nothing may be decided on it.
        """
        return self._connection.last_known()

    def data_version(self) -> object:
        """What is different from now on once anything has been written, by whomever. Raises
        RuntimeError inside a transaction.
        """
        return self._connection.data_version()

    def listen(self, callback: Listener) -> Callable[[], None]:
        """Have the callback told of every committed batch of events, in the order of ``seq``.

        It is called where the transaction ended and must return soon. What it raises is logged.
        The function returned ends it.
        """
        return self._announcer.add(callback)

    def join(self, dialect: Dialect, schema_version: int) -> None:
        """From now on this is the store of that open database; it was one of none."""
        self._connection.join(dialect)
        self.schema_version = schema_version

    def size(self) -> DatabaseSize:
        """What the database takes."""
        return self._connection.size()

    def close(self) -> None:
        """Close the database; fine if it is closed. Using the store afterwards is an error."""
        self._connection.close()
