"""The keys of requests that may be sent again, with what was done and what was answered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from ennio.model.errors import Conflict
from ennio.model.idempotency import KEPT_FOR, IdempotentRequest
from ennio.store import tables
from ennio.store.columns import encode, shape_of
from ennio.store.connection import Connection
from ennio.store.row_table import RowTable


@dataclass(frozen=True, slots=True)
class DoneRequest:
    """A request that was carried out: ``subject`` is what it made; ``answer`` is None
    where a crash came before it.
    """

    key: str
    digest: str
    subject: str
    at: datetime
    answer: str | None = None


class RequestRepeatedError(Exception):
    """The request was carried out already, meanwhile; whoever began it again gives
    up what they have begun.
    """

    def __init__(self, done: DoneRequest) -> None:
        super().__init__(done.key)
        self.done = done


class IdempotencyRepository:
    """Keeps them for a day."""

    def __init__(self, connection: Connection) -> None:
        self._rows = RowTable(connection, tables.IdempotencyTable, shape_of(DoneRequest))

    def find(self, request: IdempotentRequest, now: datetime) -> DoneRequest | None:
        """What was done for this request, or None. Raises Conflict when its key was
        given to another request.
        """
        done = self._rows.get(request.key)
        if done is None or done.at < now - KEPT_FOR:
            return None
        if done.digest != request.digest:
            raise Conflict(
                f"Idempotency-Key: {request.key!r} was given to another request "
                f"({done.at:%Y-%m-%d %H:%M:%S} UTC); "
                "take a new key for a new request"
            )
        return done

    def begin(self, request: IdempotentRequest, subject: str, now: datetime) -> None:
        """Note what is made for a request, in the transaction that makes it.

        Raises RequestRepeatedError when it was made already, Conflict as ``find`` does. Forgets
        those whose day is over.
        """
        before = self._rows.column("at") < encode(now - KEPT_FOR)
        self._rows.connection.change(self._rows.table.delete().where(before))
        if not self._rows.add(DoneRequest(request.key, request.digest, subject, now)):
            done = self.find(request, now)
            if done is not None:
                raise RequestRepeatedError(done)

    def answer(self, request: IdempotentRequest, answer: str) -> None:
        """Keep what was answered, once; fine if its day is over."""
        done = self._rows.get(request.key)
        if done is not None and done.digest == request.digest and done.answer is None:
            self._rows.save(replace(done, answer=answer))
