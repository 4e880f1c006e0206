"""Reviews that are to be on pull requests, written down before they are said there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ennio.model.delivery import DeliveryKind, DeliveryRecord
from ennio.model.inline_comment import ReviewOrder
from ennio.store import tables
from ennio.store.columns import shape_of
from ennio.store.connection import Connection
from ennio.store.deliveries import DeliveryRepository
from ennio.store.row_table import RowTable


@dataclass(frozen=True, slots=True)
class OrderedReview:
    """A review of a session's pull request; ``id`` is that of the message its agent got."""

    id: str
    session_id: str
    number: int
    review: ReviewOrder
    at: datetime


class ReviewOrderRepository:
    """Keeps them; they are said in the lane of their project."""

    def __init__(self, connection: Connection, deliveries: DeliveryRepository) -> None:
        self._rows = RowTable(connection, tables.ReviewOrderTable, shape_of(OrderedReview))
        self._deliveries = deliveries

    def intend(self, order: OrderedReview, project_id: str) -> None:
        """Write one down. Raises NotFound for an unknown session."""
        with self._rows.connection.transaction():
            self._rows.insert(order)
            self._deliveries.intend(DeliveryRecord(DeliveryKind.REVIEW, order.id, project_id))

    def get(self, order_id: str) -> OrderedReview | None:
        """One of them; None where its session is no longer kept."""
        return self._rows.get(order_id)

    def delivery(self, order_id: str) -> DeliveryRecord | None:
        """What became of one; None where there is none."""
        found = self._deliveries.of(DeliveryKind.REVIEW, [order_id])
        return found[0] if found else None
