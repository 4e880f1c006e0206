"""Merges, written down before they happen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ennio.model.pulls import MergeMethod
from ennio.store import tables
from ennio.store.columns import shape_of
from ennio.store.connection import Connection
from ennio.store.row_table import RowTable


class MergeState(StrEnum):
    """How far a merge got; ``intended`` after a crash means: look before repeating.

    ``dropped``: what was to be merged is not there any more. ``failed`` was written by earlier versions only.
    """

    INTENDED = "intended"
    DONE = "done"
    DROPPED = "dropped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Merge:
    """One merge of one head. ``at`` is when it was intended.

    While it is held back ``error`` says why, ``held`` names the kind of reason, and ``held_since`` is since when there is
    one at all. ``handed``: the forge has taken it over and does it by itself.
    """

    session_id: str
    number: int
    head: str
    method: MergeMethod
    fingerprint: str
    at: datetime
    state: MergeState = MergeState.INTENDED
    commit: str | None = None
    error: str | None = None
    attempts: int = 0
    held: str | None = None
    held_since: datetime | None = None
    handed: bool = False


class MergeRepository:
    """Keeps merges; a session merges each head once."""

    def __init__(self, connection: Connection) -> None:
        self._rows = RowTable(connection, tables.MergeTable, shape_of(Merge))

    def intend(self, merge: Merge) -> bool:
        """Write a merge down; False when this head has one. Raises NotFound for an unknown session."""
        return self._rows.add(merge)

    def get(self, session_id: str, head: str) -> Merge | None:
        """The merge of a head, or None."""
        return self._rows.get(session_id, head)

    def save(self, merge: Merge) -> None:
        """Keep what became of a merge."""
        self._rows.save(merge)

    def open(self) -> tuple[Merge, ...]:
        """The merges of which nobody knows the end, oldest first."""
        return self._rows.find(order=("at",), state=MergeState.INTENDED)
