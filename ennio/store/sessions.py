"""Sessions as rows: the documented columns, and nullable ones for the rest."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import fields
from decimal import Decimal
from typing import Any

from ennio.model.codec import dumps
from ennio.model.errors import Away, Conflict, NotFound
from ennio.model.session import RuntimeHandle, Session, SessionStatus, Usage
from ennio.model.usage import UsageSource
from ennio.store import tables
from ennio.store.columns import RowShape, Values, decode_fields, differences_of, fields_of
from ennio.store.connection import Connection
from ennio.store.kept_query import KeptQuery
from ennio.store.row_table import RowTable, tallied
from ennio.store.statements import peewee

# runtime_handle, agent_info and metadata are JSON that v0.1 wrote more freely than our types say
_LOOSE = ("usage", "summary", "runtime_handle", "metadata")
_PLAIN = tuple(field.name for field in fields(Session) if field.name not in _LOOSE)
_COLUMNS = (*_PLAIN, "runtime_handle", "agent_info", "metadata")
_encode_plain = fields_of(_PLAIN)
_differing_plain = differences_of(_PLAIN)

# an agent may be running, or about to
_ENDED = (SessionStatus.EXITED, SessionStatus.MERGED, SessionStatus.DONE, SessionStatus.KILLED)
_LIVE = tuple(status for status in SessionStatus if status not in _ENDED)
_UNENDED = tuple(status for status in SessionStatus if not status.terminal)


class SessionRepository:
    """Keeps sessions. They are archived, never deleted."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        shape = RowShape(_COLUMNS, _encode, _decode, _differing)
        self._rows = RowTable(connection, tables.SessionTable, shape, remembers=True)
        self._branches_held = KeptQuery(connection, self._holding_branches)
        self._admitted = KeptQuery(connection, self._tallying_admitted)
        self._waiting_elsewhere = KeptQuery(connection, self._tallying_elsewhere)

    def insert(self, session: Session) -> None:
        """Keep a new session. Raises Conflict when the id is taken."""
        if not self._rows.add(session):
            raise Conflict(f"session {session.id} exists already")

    def get(self, session_id: str) -> Session | None:
        """One session, or None."""
        return self._rows.get(session_id)

    def need(self, session_id: str) -> Session:
        """One session. Raises NotFound."""
        session = self.get(session_id)
        if session is None:
            if self._connection.guessing:
                raise Away(f"session {session_id} is not known here: {self._connection.problem}")
            raise NotFound(f"no session {session_id}; `ennio session list` shows them")
        return session

    def list(
        self,
        project_id: str | None = None,
        *,
        archived: bool = False,
        statuses: Collection[SessionStatus] | None = None,
    ) -> tuple[Session, ...]:
        """Sessions, oldest first; archived ones only when asked for, beside the others."""
        if project_id is None and statuses is None and not archived:
            return _by_age(self._rows.of_sessions(None))
        equal: dict[str, Any] = {} if project_id is None else {"project_id": project_id}
        if not archived:
            equal["archived_at"] = None
        if statuses is not None:
            equal["status"] = tuple(statuses)
        return _by_age(self._rows.find(**equal))

    def these(self, ids: Collection[str]) -> tuple[Session, ...]:
        """Those of these sessions that there are, archived or not, oldest first."""
        return _by_age(self._rows.of_sessions(ids))

    def save(self, session: Session, before: Session | None = None) -> None:
        """Replace all that is kept of a session; where it is known what is kept ``before``, what
        differs from that. Raises NotFound.
        """
        if not self._rows.change(session, before):
            raise NotFound(f"no session {session.id}; `ennio session list` shows them")

    def on_branch(self, project_id: str, branch: str) -> tuple[Session, ...]:
        """The sessions on a branch that have not ended for good, oldest first."""
        return _by_age(self._rows.find(project_id=project_id, branch=branch, status=_UNENDED))

    def branches_held(self, project_id: str) -> Mapping[str, str]:
        """The branches of a project's sessions that have not ended for good, by session."""
        found = self._branches_held.read(project=project_id)
        return {str(session_id): str(branch) for session_id, branch in found}

    def _holding_branches(self) -> Any:
        column = self._rows.column
        return self._rows.table.select(column("id"), column("branch")).where(
            column("project_id") == "project",
            column("status").in_([str(status) for status in _UNENDED]),
            column("branch").is_null(False),
        )

    def merged(self) -> Mapping[str, str]:
        """Those whose pull request was merged, archived or not, each with its project."""
        columns = self._rows.column("id"), self._rows.column("project_id")
        query = self._rows.table.select(*columns).where(self._rows.column("outcome") == "merged")
        return {str(one): str(project) for one, project in self._rows.connection.read(query)}

    def count_live(self, project_id: str | None = None) -> int:
        """How many sessions have an agent or wait for one (neither ended
        nor exited, not archived).
        """
        equal: dict[str, Any] = {} if project_id is None else {"project_id": project_id}
        return self._rows.count(status=_LIVE, archived_at=None, **equal)

    def count_unended(self, project_id: str) -> int:
        """How many sessions of a project have not ended for good (not archived)."""
        return self._rows.count(status=_UNENDED, archived_at=None, project_id=project_id)

    def admitted(self) -> Mapping[tuple[str, str, SessionStatus], int]:
        """``count_live`` without those that wait in the queue, by project, host and
        status; one query whatever their number.
        """
        admitted: dict[tuple[str, str, SessionStatus], int] = {}
        for (project, host, status), many in tallied(self._admitted.read()).items():
            admitted[project, host or "", SessionStatus(status)] = many
        return admitted

    def _tallying_admitted(self) -> Any:
        by = ("project_id", "host", "status")
        return self._rows.tallying(by, ~self._waits(), status=_LIVE, archived_at=None)

    def waiting_elsewhere(self) -> Mapping[str, str]:
        """The hosts of those that wait in the queue for another machine than this one."""
        found = tallied(self._waiting_elsewhere.read())
        return {session_id: where for session_id, where in found if where}

    def _tallying_elsewhere(self) -> Any:
        host = self._rows.column("host")
        return self._rows.tallying(("id", "host"), self._waits(), host.is_null(False))

    def _waits(self) -> Any:
        queue = peewee.Table("queue")
        return self._rows.column("id").in_(queue.select(peewee.Column(queue, "session_id")))


def _by_age(sessions: tuple[Session, ...]) -> tuple[Session, ...]:
    # not left to the database: the times of v0.1 are texts in two formats
    return tuple(sorted(sessions, key=lambda session: (session.created_at, session.id)))


def _encode(session: Session) -> Values:
    return _encode_plain(session) | {
        "host": session.host or None,
        "runtime_handle": _encode_handle(session),
        "agent_info": _encode_info(session),
        "metadata": _encode_metadata(session),
    }


def _differing(before: Session, after: Session) -> Values:
    differing = _differing_plain(before, after)
    if after.host != before.host:
        differing["host"] = after.host or None
    if after.runtime_handle != before.runtime_handle:
        differing["runtime_handle"] = _encode_handle(after)
    if (after.usage, after.summary) != (before.usage, before.summary):
        differing["agent_info"] = _encode_info(after)
    if after.metadata != before.metadata:
        differing["metadata"] = _encode_metadata(after)
    return differing


def _encode_handle(session: Session) -> str | None:
    return None if session.runtime_handle is None else dumps(session.runtime_handle)


def _encode_info(session: Session) -> str | None:
    info = _agent_info(session)
    return None if info is None else dumps(info)


def _encode_metadata(session: Session) -> str:
    return dumps(session.metadata) if session.metadata else "{}"


def _agent_info(session: Session) -> Mapping[str, Any] | None:
    if session.usage is None and session.summary is None:
        return None
    return {
        "summary": session.summary,
        "cost": None if session.usage is None else _cost(session.usage),
    }


def _cost(usage: Usage) -> Mapping[str, Any]:
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        # a number for readers of v0.1, and the exact amount beside it
        "estimated_cost_usd": float(usage.cost_usd or 0),
        "cost_usd": None if usage.cost_usd is None else str(usage.cost_usd),
        "model": usage.model,
        "unpriced": usage.unpriced,
        "listed_usd": None if usage.listed_usd is None else str(usage.listed_usd),
        "source": usage.source,
    }


def _decode(values: Values) -> Session:
    info = json.loads(values["agent_info"] or "null") or {}
    return Session(
        **decode_fields(Session, {name: values[name] for name in _PLAIN}),
        runtime_handle=_handle(json.loads(values["runtime_handle"] or "null")),
        metadata=_texts(json.loads(values["metadata"]) or {}),
        summary=info.get("summary"),
        usage=_usage(info.get("cost")),
    )


def _handle(data: Mapping[str, Any] | None) -> RuntimeHandle | None:
    if data is None:
        return None
    return RuntimeHandle(str(data["id"]), str(data["runtime_name"]), _texts(data.get("data") or {}))


def _usage(cost: Mapping[str, Any] | None) -> Usage | None:
    if cost is None:
        return None
    amount = cost["cost_usd"] if "cost_usd" in cost else cost.get("estimated_cost_usd")
    return Usage(
        input_tokens=int(cost.get("input_tokens") or 0),
        output_tokens=int(cost.get("output_tokens") or 0),
        cost_usd=None if amount is None else Decimal(str(amount)),
        model=cost.get("model"),
        unpriced=int(cost.get("unpriced") or 0),
        listed_usd=None if cost.get("listed_usd") is None else Decimal(str(cost["listed_usd"])),
        source=UsageSource(cost.get("source") or UsageSource.LOCAL),
    )


def _texts(data: Mapping[str, Any]) -> dict[str, str]:
    """Values that are not text travel as their JSON text."""
    return {
        str(key): value if isinstance(value, str) else json.dumps(value)
        for key, value in data.items()
    }
