"""Numbers of each session, in the documented table: how it went, and what it used by the books."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal

from ennio.model.clock import Clock, rfc3339
from ennio.model.money import plain
from ennio.policy.ledger.spending import Spending
from ennio.policy.metering import SessionMetrics
from ennio.store import tables
from ennio.store.columns import RowShape, Values, decode_fields, fields_of
from ennio.store.connection import Connection
from ennio.store.row_table import RowTable

_FIELDS = tuple(field.name for field in fields(SessionMetrics))
_encode_fields = fields_of(_FIELDS)


@dataclass(frozen=True, slots=True)
class _Charge:
    """What the books say that a session has used in all."""

    session_id: str
    spending: Spending
    at: datetime


def _encode(metrics: SessionMetrics) -> Values:
    return _encode_fields(metrics) | _cost(metrics.estimated_cost_usd)


def _cost(cost: Decimal | None) -> Values:
    # the documented column is a REAL that knows no unknown; the exact amount stands beside it
    return {
        "estimated_cost_usd": float(cost or 0),
        "cost_usd": None if cost is None else plain(cost),
    }


def _encode_charge(charge: _Charge) -> Values:
    spending = charge.spending
    return {
        "session_id": charge.session_id,
        "total_tokens_in": spending.tokens.given,
        "total_tokens_out": spending.tokens.output,
        "unpriced_requests": spending.unpriced,
        "updated_at": rfc3339(charge.at),
        **_cost(spending.known_cost),
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


def _unread(values: Values) -> _Charge:
    raise NotImplementedError(f"charges are read as numbers: {values}")


_CHARGE = RowShape(
    (
        *("session_id", "total_tokens_in", "total_tokens_out", "unpriced_requests"),
        *("updated_at", "estimated_cost_usd", "cost_usd"),
    ),
    _encode_charge,
    _unread,
)


class MetricsRepository:
    """Keeps the numbers of every session."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._clock = clock
        self._rows = RowTable(
            connection, tables.MetricsTable, RowShape((*_FIELDS, "cost_usd"), _encode, _decode)
        )
        self._charges = RowTable(connection, tables.MetricsTable, _CHARGE)

    def get(self, session_id: str) -> SessionMetrics:
        """A session's numbers, zeros before the first save."""
        return self._rows.get(session_id) or SessionMetrics(session_id)

    def save(self, metrics: SessionMetrics) -> None:
        """Keep these numbers as of now. Raises NotFound for an unknown session."""
        self._rows.save(replace(metrics, updated_at=self._clock.now()))

    def charge(self, session_id: str, spending: Spending) -> None:
        """Note what a session has used in all, by the books; how it went stays as it is. Raises
        NotFound for an unknown session.
        """
        self._charges.save(_Charge(session_id, spending, self._clock.now()))
