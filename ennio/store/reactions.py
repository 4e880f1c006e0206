"""What the reactions remember, and what they did."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from ennio.store import tables
from ennio.store.columns import shape_of
from ennio.store.connection import Connection
from ennio.store.row_table import RowTable


@dataclass(frozen=True, slots=True)
class ReactionRecord:
    """One decision of a reaction. ``outcome`` is a word: sent, notified,
    merged, escalated, skipped ...

    ``session_id`` is empty for a reaction to a whole project. ``detail`` says why.
    """

    id: str
    session_id: str
    key: str
    at: datetime
    action: str
    attempt: int
    fingerprint: str | None
    outcome: str
    detail: str | None = ""


@dataclass(frozen=True, slots=True)
class _ReactionMemory:
    session_id: str
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class _ProjectReactionMemory:
    project_id: str
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class RememberedReaction:
    """The text of a reaction to a session, and the mark of the call that a person has seen."""

    session_id: str
    key: str
    value: str
    seen: str | None = None


@dataclass(frozen=True, slots=True)
class _SeenCall:
    session_id: str
    key: str
    seen: str


class ReactionRepository:
    """Keeps one opaque text per reaction and session or project, and the
    history of what was decided.
    """

    def __init__(self, connection: Connection) -> None:
        self._memories = RowTable(connection, tables.ReactionTable, shape_of(_ReactionMemory))
        self._of_projects = RowTable(
            connection, tables.ProjectReactionTable, shape_of(_ProjectReactionMemory)
        )
        self._seen = RowTable(connection, tables.ReactionTable, shape_of(_SeenCall))
        self._remembered = RowTable(
            connection, tables.ReactionTable, shape_of(RememberedReaction), remembers=True
        )
        self._history = RowTable(connection, tables.ReactionHistoryTable, shape_of(ReactionRecord))

    def get(self, session_id: str, key: str) -> str | None:
        """The text last saved, or None."""
        found = self._memories.get(session_id, key)
        return None if found is None else found.value

    def save(self, session_id: str, key: str, text: str) -> None:
        """Keep this text in place of the last."""
        self._memories.save(_ReactionMemory(session_id, key, text))

    def list(self, session_id: str) -> dict[str, str]:
        """A session's texts by reaction."""
        return {row.key: row.value for row in self._memories.find(session_id=session_id)}

    def all(self) -> dict[tuple[str, str], str]:
        """Every text by session and reaction."""
        return {(row.session_id, row.key): row.value for row in self._memories.find()}

    def remembered(self, ids: Collection[str] | None) -> tuple[RememberedReaction, ...]:
        """What is remembered of these sessions; None: of all that are not archived."""
        return self._remembered.of_sessions(ids)

    def mark_seen(self, session_id: str, key: str, mark: str) -> None:
        """Keep that a person has seen this call of a reaction."""
        self._seen.change(_SeenCall(session_id, key, mark))

    def save_of_project(self, project_id: str, key: str, text: str) -> None:
        """Keep this text of a whole project in place of the last."""
        self._of_projects.save(_ProjectReactionMemory(project_id, key, text))

    def of_projects(self, key: str) -> dict[str, str]:
        """What one reaction remembers of whole projects, by project."""
        return {row.project_id: row.value for row in self._of_projects.find(key=key)}

    def record(self, record: ReactionRecord) -> None:
        """Add to the history. Raises Conflict when the id is taken."""
        self._history.insert(record)

    def history(self, session_id: str | None = None, limit: int = 50) -> tuple[ReactionRecord, ...]:
        """What was decided, newest first, for one session or all."""
        equal = {} if session_id is None else {"session_id": session_id}
        return self._history.find(order=("-ordinal",), limit=limit, **equal)
