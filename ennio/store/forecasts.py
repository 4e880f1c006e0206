"""What was forecast of each session when it was spawned, and what became of it.

The rows outlive their sessions: they are small, and what others are foretold from. Those of the
latest that ended are kept, and of all that have not.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from ennio.model.clock import rfc3339
from ennio.model.forecast import FinishedTask, TaskForecast, TaskKind, TaskSize
from ennio.store import tables
from ennio.store.columns import RowShape, Values, fields_of, shape_of
from ennio.store.connection import Connection
from ennio.store.row_table import RowTable

MOST = 2000
"""So many of the latest ended sessions count; what was long ago says little."""
_PLAIN = (
    *("session_id", "project_id", "agent", "model", "words", "silence", "outcome"),
    *("seconds", "tokens"),
)
_ANY = datetime.min.replace(tzinfo=UTC)
SUCCEEDED = frozenset({"merged", "finished"})


@dataclass(frozen=True, slots=True)
class ForecastRecord:
    """One session. ``words`` is how many its task was put in (None: not read yet), ``silence`` how
    long its agent was silent at work at the longest.

    What it came to is there once it has ended; what of that is not known is None.
    """

    session_id: str
    project_id: str
    agent: str
    made_at: datetime
    model: str | None = None
    words: int | None = None
    forecast: TaskForecast | None = None
    silence: int | None = None
    ended_at: datetime | None = None
    outcome: str | None = None
    seconds: int | None = None
    tokens: int | None = None
    cost_usd: Decimal | None = None

    @property
    def kind(self) -> TaskKind:
        """What it is like."""
        size = None if self.words is None else TaskSize.of_words(self.words)
        return TaskKind(self.project_id, self.agent, self.model, size)

    @property
    def finished(self) -> FinishedTask:
        """What it came to, for others to learn from."""
        return FinishedTask(
            self.kind,
            self.outcome in SUCCEEDED,
            self.seconds or 0,
            self.tokens,
            self.cost_usd,
            self.silence,
        )


class ForecastRepository:
    """Keeps one row a session."""

    def __init__(self, connection: Connection) -> None:
        self._rows = RowTable(connection, tables.ForecastTable, shape_of(ForecastRecord))
        learned = (*_PLAIN, "cost_usd")
        self._light = RowTable(
            connection,
            tables.ForecastTable,
            RowShape(learned, fields_of(learned), _finished),
        )
        self._connection = connection
        self._finished: tuple[FinishedTask, ...] | None = None
        self._known_until = connection.rolled_back

    def get(self, session_id: str) -> ForecastRecord | None:
        """That of one session, or None."""
        return self._rows.get(session_id)

    def of(self, sessions: Collection[str]) -> Sequence[ForecastRecord]:
        """Those of some sessions."""
        return self._rows.find(session_id=tuple(sorted(sessions))) if sessions else ()

    def save(self, record: ForecastRecord) -> None:
        """Keep it, in the place of what was kept of the session."""
        if record.ended_at is not None:
            self._finished = None
        self._rows.save(record)

    def silent(self, session_id: str, seconds: int) -> None:
        """Its agent was silent for so long; the longest counts. Fine where it has no row."""
        table, column = self._rows.table, self._rows.column
        longer = column("silence").is_null() | (column("silence") < seconds)
        update = table.update({column("silence"): seconds})
        self._rows.connection.change(update.where(column("session_id") == session_id, longer))

    def finished(self) -> tuple[FinishedTask, ...]:
        """What the latest sessions that have ended came to, the latest first: the very same until
        another one has ended. They are read once.
        """
        if self._known_until != self._connection.rolled_back:  # one of them may not have ended
            self._finished, self._known_until = None, self._connection.rolled_back
        if self._finished is not None:
            return self._finished
        there = self._light.column("ended_at").is_null(False)
        found = self._light.find(there, order=("-ended_at", "session_id"), limit=MOST)
        if not self._connection.guessing:  # what is known of them while it cannot be asked is none
            self._finished = found
        return found

    def ended(
        self, project_id: str | None, since: datetime | None, until: datetime | None
    ) -> Sequence[ForecastRecord]:
        """Those that have ended, the latest first: of one project, spawned from a moment on and
        before another.
        """
        made = self._rows.column("made_at")
        where = [] if since is None else [made >= rfc3339(since)]
        where += [] if until is None else [made < rfc3339(until)]
        equal: dict[str, Any] = {} if project_id is None else {"project_id": project_id}
        there = self._rows.column("ended_at").is_null(False)
        return self._rows.find(there, *where, order=("-ended_at", "session_id"), **equal)


def _finished(values: Values) -> FinishedTask:
    """A row without what was forecast of it: there are many, and reading that takes longest."""
    cost = values["cost_usd"]
    return ForecastRecord(
        **{name: values[name] for name in _PLAIN},
        made_at=_ANY,
        cost_usd=None if cost is None else Decimal(cost),
    ).finished
