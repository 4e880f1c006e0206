"""What was last seen of each session, one row per kind of fact.

The hour of an observation is a column of its own: seeing the same thing again is not worth a
write each time, so it is only noted once a minute.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ennio.model.clock import parse_time, rfc3339
from ennio.model.codec import dumps, from_json, unfolded
from ennio.model.errors import Refused
from ennio.model.facts import AgentSeen, Facts, ForgeSeen, PlaceSeen, ProcessSeen, WorkspaceSeen
from ennio.store import tables
from ennio.store.columns import shape_of
from ennio.store.connection import Connection
from ennio.store.row_table import RowTable

Seen = ProcessSeen | AgentSeen | WorkspaceSeen | ForgeSeen | PlaceSeen
_KINDS: Mapping[str, Any] = {
    "process": ProcessSeen,
    "agent": AgentSeen,
    "workspace": WorkspaceSeen,
    "forge": ForgeSeen,
    "place": PlaceSeen,
}
_SAME_AGAIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _Fact:
    session_id: str
    kind: str
    value: str
    source: str
    observed_at: str

    @classmethod
    def of(cls, session_id: str, kind: str, seen: Seen) -> _Fact:
        value = unfolded(seen)
        del value["at"]
        source = getattr(seen, "source", kind)
        return cls(session_id, kind, dumps(value), source, rfc3339(seen.at))

    def read(self) -> Seen:
        data = json.loads(self.value) | {"at": self.observed_at}
        try:
            return from_json(_KINDS[self.kind], data)  # type: ignore[no-any-return]
        except ValueError as error:
            raise Refused(
                f"what is stored of session {self.session_id} cannot be read ({self.kind}): {error}"
            ) from error

    def adds_to(self, value: str, observed_at: str) -> bool:
        """Whether it says anything new: something else was seen, or the same long enough after."""
        if value != self.value:
            return True
        try:
            return abs(parse_time(self.observed_at) - parse_time(observed_at)) >= _SAME_AGAIN
        except ValueError:
            return True  # an hour that nobody can read gives way to one that can be


class FactsRepository:
    """Keeps the last facts of every session."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows = RowTable(connection, tables.FactTable, shape_of(_Fact), remembers=True)
        self._read: dict[tuple[str, ...], dict[tuple[str, str], tuple[_Fact, Seen]]] = {}

    def get(self, session_id: str) -> Facts:
        """What was last seen of a session; empty when nothing was."""
        return _together(self._rows.find(session_id=session_id))

    def load_all(self) -> dict[str, Facts]:
        """The facts of every session that has some."""
        rows: dict[str, list[_Fact]] = defaultdict(list)
        for row in self._rows.find():
            rows[row.session_id].append(row)
        return {session_id: _together(found) for session_id, found in rows.items()}

    def seen(
        self, kinds: tuple[str, ...], ids: Collection[str] | None
    ) -> Mapping[tuple[str, str], Seen]:
        """These kinds of fact by session and kind, of these sessions or (None) of all that are not
        archived. What was read before is not read again.
        """
        found = self._rows.of_sessions(ids, kind=kinds)
        before, now = self._read.get(kinds, {}), dict[tuple[str, str], tuple[_Fact, Seen]]()
        for row in found:
            key = (row.session_id, row.kind)
            known = before.get(key)
            now[key] = known if known is not None and known[0] is row else (row, row.read())
        if ids is None:
            self._read[kinds] = now
        return {key: seen for key, (_, seen) in now.items()}

    def agents(self) -> dict[str, AgentSeen]:
        """What every agent was last seen to tell, of sessions that are not archived; those whose
        agent has told nothing are not in it.
        """
        found = self.seen(("agent",), None)
        return {who: seen for (who, _), seen in found.items() if isinstance(seen, AgentSeen)}

    def save(self, session_id: str, facts: Facts) -> None:
        """Write the kinds of fact that changed; one that is None is forgotten.

        When only the hour of an observation moved, it is written once it is a minute ahead.
        Raises NotFound for an unknown session.
        """
        with self._connection.transaction():
            found = self._rows.stored("kind", "value", "observed_at", session_id=session_id)
            stored = {kind: (value, at) for kind, value, at in found}
            for kind in _KINDS:
                seen, before = getattr(facts, kind), stored.get(kind)
                if seen is not None:
                    self._save_kind(_Fact.of(session_id, kind, seen), before)
                elif before is not None:
                    self._rows.remove(session_id, kind)

    def _save_kind(self, fact: _Fact, before: tuple[str, str] | None) -> None:
        if before is None or fact.adds_to(*before):
            self._rows.save(fact)


def _together(rows: list[_Fact] | tuple[_Fact, ...]) -> Facts:
    return Facts(**{row.kind: row.read() for row in rows if row.kind in _KINDS})  # type: ignore[arg-type]
