"""Why each session had each of its statuses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ennio.model.evidence import Evidence, Ground
from ennio.model.session import SessionStatus
from ennio.store import tables
from ennio.store.columns import shape_of
from ennio.store.connection import Connection
from ennio.store.row_table import RowTable


@dataclass(frozen=True, slots=True)
class _EvidenceRow:
    session_id: str
    at: datetime
    status: SessionStatus
    rule: str
    facts: tuple[Ground, ...]

    def read(self) -> Evidence:
        return Evidence(self.at, self.status, self.rule, self.facts)


class EvidenceLog:
    """Keeps the evidence behind every status, in the order it was given."""

    def __init__(self, connection: Connection) -> None:
        self._rows = RowTable(
            connection, tables.EvidenceTable, shape_of(_EvidenceRow), key=("session_id",)
        )

    def add(self, session_id: str, evidence: Evidence) -> None:
        """Keep one more piece. Raises NotFound for an unknown session."""
        self._rows.insert(
            _EvidenceRow(session_id, evidence.at, evidence.status, evidence.rule, evidence.facts)
        )

    def list(self, session_id: str, limit: int = 50) -> tuple[Evidence, ...]:
        """A session's evidence, newest first."""
        return tuple(
            row.read()
            for row in self._rows.find(order=("-ordinal",), limit=limit, session_id=session_id)
        )

    def latest(self, session_id: str) -> Evidence | None:
        """The evidence behind the present status, or None."""
        return next(iter(self.list(session_id, 1)), None)
