"""Numbers of each session, in the documented table."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal

from ennio.clock import Clock
from ennio.store.connection import Connection
from ennio.store.rows import Rows, Shape, Values, decode_fields, encode_fields


@dataclass(frozen=True, slots=True)
class SessionMetrics:
    """What a session has used and how it went; durations in whole seconds from its spawn.

    ``updated_at`` is given by the store, None before the first save.
    """

    session_id: str
    total_tokens_in: int = 0
    total_tokens_out: int = 0
    estimated_cost_usd: Decimal = Decimal(0)
    ci_runs: int = 0
    ci_failures: int = 0
    review_rounds: int = 0
    time_to_first_pr_secs: int | None = None
    time_to_merge_secs: int | None = None
    updated_at: datetime | None = None


_FIELDS = tuple(field.name for field in fields(SessionMetrics))


def _encode(metrics: SessionMetrics) -> Values:
    # the documented column is a REAL; the exact amount stands beside it
    cost = metrics.estimated_cost_usd
    return encode_fields(metrics, _FIELDS) | {"estimated_cost_usd": float(cost), "cost_usd": str(cost)}


def _decode(values: Values) -> SessionMetrics:
    cost = values["cost_usd"] or str(values["estimated_cost_usd"])
    return SessionMetrics(**decode_fields(SessionMetrics, {name: values[name] for name in _FIELDS} | {"estimated_cost_usd": cost}))


class Metrics:
    """Keeps the numbers of every session."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._clock = clock
        self._rows = Rows(connection, "session_metrics", Shape((*_FIELDS, "cost_usd"), _encode, _decode), ("session_id",))

    def get(self, session_id: str) -> SessionMetrics:
        """A session's numbers, zeros before the first save."""
        return self._rows.get(session_id) or SessionMetrics(session_id)

    def save(self, metrics: SessionMetrics) -> None:
        """Keep these numbers as of now. Raises NotFound for an unknown session."""
        self._rows.save(replace(metrics, updated_at=self._clock.now()))
