"""Agents that live on and that the database does not know: taken in again by what
their launches wrote down.

The database may have been deleted, or be a copy of last week. Each launch leaves a record beside
the session's prompt, and the runtimes say whose terminals there are.
"""

from __future__ import annotations

import logging
import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from ennio.actors.dependencies import Dependencies
from ennio.config import database
from ennio.hosts.interface import Host
from ennio.model import codec
from ennio.model.errors import ConfigError, EnnioError, Unreachable
from ennio.model.events import Draft, EventType
from ennio.model.session import ID_PATTERN, Priority, RuntimeHandle, Session, SessionStatus
from ennio.policy.lifecycle import LifecycleState
from ennio.policy.lifecycle.state import Desired, Phase
from ennio.store import Store

log = logging.getLogger(__name__)
_RUNS = (
    "its agent runs: found by the record of its launch and its terminal; what else is known of "
    "it stands in the database, which is away"
)
_NO_TERMINAL = "its terminal is gone: what became of it is told once the database is back"


@dataclass(frozen=True, slots=True)
class LaunchRecord:
    """A session as it was when its agent was last launched, and whose it is: of which file and
    which database, on which supervisor's machine (empty in older records). On another machine
    supervisors of several may have files of one name.
    """

    config: str
    database: str
    session: Session
    machine: str = ""


@dataclass(frozen=True, slots=True)
class TakenIn:
    """A session that was taken in; ``runs``: its agent has not ended in its terminal."""

    session_id: str
    runs: bool


def record(deps: Dependencies, session: Session) -> str:
    """What a launch leaves beside itself, so that a database that does not know it can be told."""
    source, kept = str(deps.config.source), database.shown(deps.config.database_url)
    return codec.dumps(LaunchRecord(source, kept, session, platform.node()))


def adopt(deps: Dependencies, host: Host | None = None) -> tuple[TakenIn, ...]:
    """Take in whom the database does not know and who has a terminal on a host (None: this
    machine), also one whose agent has ended in it. To be called before anybody looks after
    sessions there. Raises Unreachable for another host that cannot be asked.
    """
    at = host or deps.this_machine
    adopted: list[TakenIn] = []
    strangers = {session.id: session for session in _strangers(deps, at)}
    for session, handle in _running(deps, strangers):
        taken = TakenIn(session.id, runs=bool(handle.data.get("started")))
        _take_in(deps, session, handle)
        adopted.append(taken)
    return tuple(adopted)


def show_running(deps: Dependencies, known: Store) -> None:
    """Fill the store of what is shown while the database is away: with whom the records of launches
    name, and who has a terminal.
    """
    here = deps.this_machine  # one elsewhere may be silent for long, and nobody waits for it
    recorded = {record.session.id: record.session for record in _records(deps, here)}
    running = {session.id: _seen(session, handle) for session, handle in _running(deps, recorded)}
    for session in running.values():
        _show(known, session)
    for session in known.sessions.list():
        if session.id not in running and session.reason != _NO_TERMINAL:
            known.sessions.save(replace(session, status=SessionStatus.EXITED, reason=_NO_TERMINAL))


def _seen(session: Session, handle: RuntimeHandle) -> Session:
    return replace(
        session,
        runtime_handle=handle,
        tmux_name=_tmux(handle),
        status=SessionStatus.WORKING,
        reason=_RUNS,
    )


def _tmux(handle: RuntimeHandle) -> str | None:
    return handle.id if handle.runtime_name == "tmux" else None


def _show(known: Store, session: Session) -> None:
    if known.sessions.get(session.id) is None:
        known.sessions.insert(session)
    else:
        known.sessions.save(session)


def _running(
    deps: Dependencies, sessions: Mapping[str, Session]
) -> Iterator[tuple[Session, RuntimeHandle]]:
    """Those of the sessions that have a terminal."""
    places = {(each.host, each.runtime_name) for each in sessions.values() if each.runtime_name}
    for host, name in sorted(places):
        for session_id, handle in _terminals(deps, host, name).items():
            session = sessions.get(session_id)
            if session is not None and (session.host, session.runtime_name) == (host, name):
                yield session, handle


def _strangers(deps: Dependencies, host: Host) -> Iterator[Session]:
    """The recorded sessions that are in no row, and whose project there is."""
    for record in _records(deps, host):
        if deps.store.sessions.get(record.session.id) is None:
            if deps.config.project(record.session.project_id) is not None:
                yield record.session
            else:
                log.warning(
                    "agent not taken in: its project is not in the configuration",
                    extra={"session": record.session.id},
                )


def _records(deps: Dependencies, host: Host) -> Iterator[LaunchRecord]:
    """The records of this file's or this database's sessions."""
    for session_id, text in _recorded(host):
        record = _read(text)
        if (
            record is None
            or not ID_PATTERN.match(record.session.id)
            or record.session.id != session_id
        ):
            continue
        ours = record.config == str(deps.config.source) or record.database == database.shown(
            deps.config.database_url
        )
        mine = not host.name or record.machine in ("", platform.node())
        if ours and mine:  # it is where its record is
            yield replace(record, session=replace(record.session, host=host.name))


def _recorded(host: Host) -> Sequence[tuple[str, str]]:
    try:
        return host.records()
    except EnnioError as error:
        if host.name:
            raise
        log.warning("agents not looked for", extra={"host": host.name, "error": str(error)})
        return ()


def _read(text: str) -> LaunchRecord | None:
    with suppress(ValueError, TypeError, KeyError):
        return codec.loads(LaunchRecord, text)
    return None


def _terminals(deps: Dependencies, name: str, runtime: str) -> Mapping[str, RuntimeHandle]:
    host = deps.host_of_name(name)
    try:
        return host.terminals(runtime) if host is not None else {}
    except (EnnioError, ConfigError) as error:
        if name and isinstance(error, Unreachable):
            raise
        told = {"host": name, "runtime": runtime, "error": str(error)}
        log.warning("agents not looked for", extra=told)
        return {}


def _take_in(deps: Dependencies, session: Session, handle: RuntimeHandle) -> None:
    now, number = deps.clock.now(), int(handle.data["number"])
    memory = LifecycleState(
        session.status,
        now,
        desired=Desired.WATCH,
        phase=Phase.LAUNCHED,
        begun=True,
        launches=number,
        launched_at=session.created_at,
    )
    words = "the database did not know it: found by its own record and its terminal, and taken in"
    with deps.store.transaction() as tx:
        deps.store.projects.upsert(deps.project(session.project_id))
        deps.store.sessions.insert(replace(session, runtime_handle=handle, tmux_name=_tmux(handle)))
        deps.store.memories.save(session.id, codec.dumps(memory))
        tx.emit(
            session.id,
            session.project_id,
            Draft(EventType.SESSION_ADOPTED, words, Priority.ACTION, {"launch": number}),
        )
    log.warning(
        "agent taken in that the database did not know",
        extra={"session": session.id, "runtime": handle.runtime_name},
    )
