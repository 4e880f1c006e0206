"""Merges, written down before they happen."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, fields, replace
from datetime import datetime

from ennio.model.delivery import DeliveryKind, DeliveryRecord, DeliveryState
from ennio.model.pulls import MergeMethod
from ennio.store import tables
from ennio.store.columns import RowShape, decode_fields, fields_of
from ennio.store.connection import Connection
from ennio.store.deliveries import DeliveryRepository
from ennio.store.row_table import RowTable


@dataclass(frozen=True, slots=True)
class Merge:
    """One merge of one head; it is given its ``id`` as it is written down. ``at``
    is when it was intended.

    While it is held back ``held`` names the kind of reason, ``held_since`` is since when there is
    one at all, and ``attempts`` how often it was tried for this one. ``handed``: the forge has
    taken it over and does it by itself. Its delivery tells the rest: ``state``, ``commit`` once it
    is done, ``error`` why it was not so far.
    """

    session_id: str
    number: int
    head: str
    method: MergeMethod
    fingerprint: str
    at: datetime
    state: DeliveryState = DeliveryState.INTENDED
    commit: str | None = None
    error: str | None = None
    attempts: int = 0
    held: str | None = None
    held_since: datetime | None = None
    handed: bool = False
    id: str = ""


_DELIVERED = ("state", "commit", "error")
_COLUMNS = tuple(one.name for one in fields(Merge) if one.name not in _DELIVERED)
_SHAPE = RowShape(
    _COLUMNS, fields_of(_COLUMNS), lambda values: Merge(**decode_fields(Merge, values))
)


class MergeRepository:
    """Keeps merges; a session merges each head once, in the lane of its project."""

    def __init__(self, connection: Connection, deliveries: DeliveryRepository) -> None:
        self._rows = RowTable(connection, tables.MergeTable, _SHAPE)
        self._deliveries = deliveries

    def intend(self, merge: Merge, project_id: str) -> bool:
        """Write a merge down; False when this head has one. Raises
        NotFound for an unknown session.
        """
        named = replace(merge, id=merge.id or str(uuid.uuid4()))
        with self._rows.connection.transaction():
            delivery = DeliveryRecord(DeliveryKind.MERGE, named.id, project_id)
            return self._rows.add(named) and self._deliveries.intend(delivery)

    def get(self, session_id: str, head: str) -> Merge | None:
        """The merge of a head, or None."""
        found = self._rows.get(session_id, head)
        if found is None:
            return None
        deliveries = self._deliveries.of(DeliveryKind.MERGE, [found.id])
        return _with(found, deliveries[0]) if deliveries else found

    def of(self, delivery: DeliveryRecord) -> Merge:
        """The merge that a delivery is about."""
        found = self._rows.find(id=delivery.subject)
        if not found:
            raise AssertionError(f"merge {delivery.subject} is not in the store")
        return _with(found[0], delivery)

    def save(self, merge: Merge) -> None:
        """Keep why a merge is held back; its end is its delivery's."""
        self._rows.save(merge)

    def open(self) -> tuple[Merge, ...]:
        """The merges of which nobody knows the end, by project, oldest first."""
        return tuple(self.of(delivery) for delivery in self._deliveries.open(DeliveryKind.MERGE))


def _with(merge: Merge, delivery: DeliveryRecord) -> Merge:
    return replace(merge, state=delivery.state, commit=delivery.result, error=delivery.error)
