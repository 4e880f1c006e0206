"""A PostgreSQL server: how it is connected to, what is read from it, and whether it answers."""

from __future__ import annotations

import importlib
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from ennio.model.errors import Refused
from ennio.store.dialect import Row

LIMIT = 15.0  # seconds within which any statement is answered
READERS = 4
PATIENCE = 2.0  # seconds for which a server that has just gone away is waited for
_PAUSE = 0.1
_AGAIN = 1.0  # seconds after a try that failed in which nobody else tries
_LOOK = 0.5
_WANTED = {
    # what the URL does not say itself: a server that hangs is noticed
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15000,
    "client_encoding": "utf8",
}
_REFUSALS = (
    # libpq gives no code for what a server answers to a beginning connection
    ("28000", ("authentication failed", "no password supplied", 'FATAL:  role "', "pg_hba.conf")),
    ("3D000", ('FATAL:  database "',)),
)


class Server:
    """Connections to one database of a server; up to ``READERS`` of them read."""

    def __init__(self, psycopg: Any, url: str, name: str) -> None:
        """``name`` is what the server shows of us. Raises Refused for an
        address it cannot understand.
        """
        self._psycopg = psycopg
        self._wait = _waiting()
        self._idle: list[Any] = []
        self._room = threading.BoundedSemaphore(READERS)
        self._again = 0.0
        self._closed = False
        self._since: float | None = None
        self.away_since: datetime | None = None
        self.away: BaseException | None = None
        try:
            given = psycopg.conninfo.conninfo_to_dict(url)
        except psycopg.Error:
            # without its words: they may repeat the password
            raise Refused(
                "database_url is no address that PostgreSQL understands: see docs/postgresql.md"
            ) from None
        self._address = _WANTED | {"application_name": name[:63]} | given

    def connect(self) -> Any:
        """A new connection, each of whose statements is a transaction.
        Raises what the driver raises.

        A server that went away a moment ago is waited for; of one that stays away
        it is asked once a second.
        """
        until = (time.monotonic() if self._since is None else self._since) + PATIENCE
        while True:
            try:
                return self._connected(throttled=time.monotonic() > until)
            except self._psycopg.Error as error:
                if time.monotonic() > until or not self.passes(error):
                    raise
                time.sleep(_PAUSE)

    def _connected(self, *, throttled: bool) -> Any:
        if self.away is not None and throttled and time.monotonic() < self._again:
            raise self._psycopg.OperationalError(str(self.away))
        try:
            connection = self._psycopg.connect(**self._address, autocommit=True)
        except self._psycopg.Error as error:
            self.lost(error)
            self._again = time.monotonic() + _AGAIN
            raise
        connection.wait = _Limited(self._psycopg, connection, self._wait)
        self.away = self._since = self.away_since = None
        return connection

    def lost(self, error: BaseException) -> None:
        """A connection was lost, or none could be had."""
        self.away = error
        if self._since is None:
            self._since, self.away_since = time.monotonic(), datetime.now(UTC)

    def passes(self, error: BaseException) -> bool:
        """Whether a connection was lost, or none can be had just now."""
        code = self.code(error)
        if code:
            return code.startswith(("08", "57P", "53300"))
        return isinstance(error, (self._psycopg.OperationalError, self._psycopg.InterfaceError))

    def read(self, statement: str, parameters: Sequence[Any]) -> list[Row]:
        """All rows of a query; a connection that was lost since it was last used is replaced."""
        with self._room:
            while self._idle:
                connection = self._idle.pop()
                try:
                    return self._rows(connection, statement, parameters)
                except (self._psycopg.OperationalError, self._psycopg.InterfaceError):
                    if not connection.closed:
                        raise
            return self._rows(self._reader(), statement, parameters)

    def _reader(self) -> Any:
        if self._closed:
            raise self._psycopg.InterfaceError("the connection is closed")
        connection = self.connect()
        connection.execute("SET default_transaction_read_only = on")
        return connection

    def _rows(self, connection: Any, statement: str, parameters: Sequence[Any]) -> list[Row]:
        try:
            found: list[Row] = connection.execute(statement, parameters).fetchall()
        finally:
            if self._closed or not self.at_rest(connection):
                connection.close()
            else:
                self._idle.append(connection)
        return found

    def at_rest(self, connection: Any) -> bool:
        """Whether it is connected, and nothing is under way."""
        return bool(connection.pgconn.transaction_status == self._psycopg.pq.TransactionStatus.IDLE)

    def in_transaction(self, connection: Any) -> bool:
        """Whether it is inside a transaction, be it one that failed."""
        status = self._psycopg.pq.TransactionStatus
        return connection.pgconn.transaction_status in (status.INTRANS, status.INERROR)

    def code(self, error: BaseException) -> str:
        """PostgreSQL's code for an error, as far as it can be known; empty where it cannot."""
        found = getattr(error, "sqlstate", None)
        if found is not None:
            return str(found)
        said = str(error)
        return next((code for code, words in _REFUSALS if any(word in said for word in words)), "")

    def said(self, error: BaseException) -> str:
        """The first line of what the driver says."""
        return str(error).strip().partition("\n")[0]

    def close(self) -> None:
        """Close what reads; fine if it is closed."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()


class _Limited:
    """How a connection waits for the server: not for ever; broken off
    half-way it is of no more use.
    """

    def __init__(self, psycopg: Any, connection: Any, wait: Any) -> None:
        self._psycopg, self._pgconn, self._wait = psycopg, connection.pgconn, wait

    def __call__(self, steps: Any, *_args: Any, **_options: Any) -> Any:
        """Take the steps of an exchange with the server."""
        try:
            return self._wait(steps, self._pgconn.socket, interval=_LOOK, timeout=LIMIT)
        except BaseException as error:
            if self._pgconn.transaction_status == self._psycopg.pq.TransactionStatus.ACTIVE:
                self._pgconn.finish()
            if isinstance(error, self._psycopg.errors._WaitTimeout):  # noqa: SLF001 - it has no other name
                raise self._psycopg.OperationalError(
                    f"no answer within {LIMIT:.0f} seconds"
                ) from error
            raise


def _waiting() -> Any:
    """How to wait for a socket: as gevent does where it runs, else the driver's own way."""
    waiting = importlib.import_module("psycopg.waiting")
    monkey = sys.modules.get("gevent.monkey")
    return (
        waiting.wait_selector
        if monkey is not None and monkey.is_module_patched("select")
        else waiting.wait
    )
