"""Sums over the books that are asked for again and again: read once, then kept up with what
is posted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from ennio.model.usage import Billing
from ennio.policy.ledger.entry import LedgerEntry
from ennio.policy.ledger.spending import Spending
from ennio.store.connection import Connection

_MOST = 2000  # sums that are kept; beyond that all are read again


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries: of a session, a project, from a moment on, before
    another; None does not restrict.
    """

    session_id: str | None = None
    project_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def takes(self, entry: LedgerEntry) -> bool:
        """Whether an entry is one of them."""
        return (
            self.session_id in (None, entry.session_id)
            and self.project_id in (None, entry.project_id)
            and (self.since is None or entry.at >= self.since)
            and (self.until is None or entry.at < self.until)
        )


class RunningSums:
    """Sums by who pays. What was rolled back, or written while one was read, makes them be read
    again.
    """

    def __init__(
        self, connection: Connection, read: Callable[[Selection], Mapping[Billing, Spending]]
    ) -> None:
        self._connection = connection
        self._read = read
        self._kept: dict[Selection, dict[Billing, Spending]] = {}
        self._valid_at = connection.rolled_back
        self._posted = 0

    def of(self, which: Selection) -> Mapping[Billing, Spending]:
        """The sum of some entries."""
        self._check()
        if which not in self._kept:
            before = (self._posted, self._valid_at)
            found = dict(self._read(which))
            if self._connection.guessing or before != (self._posted, self._connection.rolled_back):
                return found
            self._kept[which] = found
        return self._kept[which]

    def add(self, entries: Iterable[LedgerEntry]) -> None:
        """These were posted, inside the transaction that is open."""
        self._check()
        self._posted += 1
        for entry in entries:
            for which, sums in self._kept.items():
                if which.takes(entry):
                    sums[entry.billing] = sums.get(entry.billing, Spending()).plus((entry,))

    def _check(self) -> None:
        if self._valid_at != self._connection.rolled_back or len(self._kept) > _MOST:
            self._kept.clear()
            self._valid_at = self._connection.rolled_back
