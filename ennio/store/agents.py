"""What is kept of each session's agent beside what was seen of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ennio.policy.ledger.totals import RunningTotal
from ennio.store import tables
from ennio.store.columns import encode, shape_of
from ennio.store.connection import Connection
from ennio.store.row_table import RowTable


@dataclass(frozen=True, slots=True)
class AgentRecord:
    """``read_to``: how far its own files were read, as its plugin has it. ``hook_digest`` is
    of the token of its hooks.

    ``draft`` is what a person had begun to type in its terminal, put aside and not back yet.
    ``running_total`` is how far its own count of what it used is in the books.
    """

    session_id: str
    read_to: Mapping[str, str] = field(default_factory=dict)
    hook_digest: str | None = None
    draft: str | None = None
    running_total: RunningTotal | None = None


class AgentRepository:
    """Keeps one row per session. Every column is written alone: they have different writers."""

    def __init__(self, connection: Connection) -> None:
        self._rows = RowTable(connection, tables.AgentTable, shape_of(AgentRecord))
        self._texts: dict[str, str] = {}

    def get(self, session_id: str) -> AgentRecord:
        """What is kept; of an agent that nothing is known of, nothing."""
        return self._rows.get(session_id) or AgentRecord(session_id)

    def all(self) -> Mapping[str, AgentRecord]:
        """The same of every session that is not archived and of whose agent something is known."""
        return {row.session_id: row for row in self._rows.of_sessions(None)}

    def save_read_to(self, session_id: str, read_to: Mapping[str, str]) -> None:
        """Keep how far its files were read. Raises NotFound for an unknown session."""
        self._save(session_id, "read_to", read_to)

    def save_hook_digest(self, session_id: str, digest: str | None) -> None:
        """Keep which token its hooks have (None: none). Raises NotFound for an unknown session."""
        self._save(session_id, "hook_digest", digest)

    def save_draft(self, session_id: str, draft: str | None) -> None:
        """Keep what was put aside (None: nothing is). Raises NotFound for an unknown session."""
        self._save(session_id, "draft", draft)

    def save_running_total(self, session_id: str, total: RunningTotal) -> None:
        """Keep how far its own count is in the books. Raises NotFound for an unknown session."""
        self._save(session_id, "running_total", total)

    def forget(self, session_id: str) -> None:
        """Keep nothing any more; fine if nothing is."""
        self._rows.remove(session_id)

    def _save(self, session_id: str, name: str, value: Any) -> None:
        text, values = self._update(name), (encode(value), session_id)
        connection = self._rows.connection
        if connection.change_text(text, values) == 0:
            with connection.transaction():
                self._rows.add(AgentRecord(session_id))
                connection.change_text(text, values)

    def _update(self, name: str) -> str:
        """The statement that writes one column; its text is made once."""
        if name not in self._texts:
            update = self._rows.table.update({self._rows.column(name): ""})
            query = update.where(self._rows.column("session_id") == "")
            self._texts[name] = self._rows.connection.text_of(query)[0]
        return self._texts[name]
