"""Numbers of each session, in the documented table."""

from __future__ import annotations

from dataclasses import fields, replace

from ennio.model.clock import Clock
from ennio.policy.metering import SessionMetrics
from ennio.store import tables
from ennio.store.columns import RowShape, Values, decode_fields, fields_of
from ennio.store.connection import Connection
from ennio.store.row_table import RowTable

_FIELDS = tuple(field.name for field in fields(SessionMetrics))
_encode_fields = fields_of(_FIELDS)


def _encode(metrics: SessionMetrics) -> Values:
    # the documented column is a REAL; the exact amount stands beside it
    cost = metrics.estimated_cost_usd
    return _encode_fields(metrics) | {
        "estimated_cost_usd": float(cost or 0),
        "cost_usd": None if cost is None else str(cost),
    }


def _decode(values: Values) -> SessionMetrics:
    cost = values["cost_usd"] or (
        str(values["estimated_cost_usd"]) if values["estimated_cost_usd"] else None
    )
    return SessionMetrics(
        **decode_fields(
            SessionMetrics, {name: values[name] for name in _FIELDS} | {"estimated_cost_usd": cost}
        )
    )


class MetricsRepository:
    """Keeps the numbers of every session."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._clock = clock
        self._rows = RowTable(
            connection, tables.MetricsTable, RowShape((*_FIELDS, "cost_usd"), _encode, _decode)
        )

    def get(self, session_id: str) -> SessionMetrics:
        """A session's numbers, zeros before the first save."""
        return self._rows.get(session_id) or SessionMetrics(session_id)

    def save(self, metrics: SessionMetrics) -> None:
        """Keep these numbers as of now. Raises NotFound for an unknown session."""
        self._rows.save(replace(metrics, updated_at=self._clock.now()))
