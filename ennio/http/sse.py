"""Events as they happen, over Server-Sent Events.

    id: 42
    event: status_changed
    data: {"seq": 42, ...}

The id is the event's ``seq``: a client that was away names the last one it saw and misses nothing.
A connection keeps nothing in memory but that number. What it has not been sent yet is in the log,
so a slow one costs nothing; one that takes nothing for long is cut off by the server's send
timeout. A silent stream sleeps from one heartbeat to the next: what it waits for wakes it, and so
does its client's leaving or the server's closing.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Generator, Iterator
from types import TracebackType
from typing import Any, Self

from gevent import get_hub, getcurrent

from ennio.actors.orchestrator import Orchestrator
from ennio.http.open_connections import OpenConnections
from ennio.http.selection import EventSelection
from ennio.model.events import Event

HEARTBEAT = 15.0
RETRY = b"retry: 2000\nid: %d\n\n"
"""The first block: how soon to come back, and from where, should nothing else arrive."""
_BATCH = 200
_READABLE = 1


class _Woken(Exception):
    """Comes to a stream that waits, as a gevent.Timeout would."""


class SseConnections(OpenConnections["SseConnection"]):
    """The open streams; ``heartbeat`` is how many seconds one is silent at most."""

    def __init__(self, most: int = 256, heartbeat: float = HEARTBEAT) -> None:
        super().__init__(most)
        self.heartbeat = heartbeat


class SseConnection:
    """What connects one stream to its client; it is watched from the beginning
    to the end of the block.

    Without a socket to watch, the client counts as there until sending to it fails.
    """

    def __init__(
        self,
        orchestrator: Orchestrator,
        sse_connections: SseConnections,
        connection: socket.socket | None,
    ) -> None:
        self.orchestrator = orchestrator
        self.siblings = sse_connections
        self._connection = connection
        self._watcher: Any = None
        self._waiter: Any = None
        self._heard = False

    def __enter__(self) -> Self:
        self.siblings.connections.add(self)
        if self._connection is not None:
            self._watcher = get_hub().loop.io(self._connection.fileno(), _READABLE)
            self._watcher.start(self._hear)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.siblings.connections.discard(self)
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()

    @property
    def over(self) -> bool:
        """True once the client has left or the server closes."""
        return self.siblings.closing or (
            self._heard and self._connection is not None and _closed(self._connection)
        )

    def wait(self, after: int, timeout: float) -> list[Event]:
        """The events after this seq as soon as there are any; none when the time is up, or when
        the connection may be over.
        """
        self._waiter = getcurrent()
        try:
            return self.orchestrator.events.wait(after, timeout)
        except _Woken:
            return []
        finally:
            self._waiter = None

    def go_away(self) -> None:
        """What follows sees that the server closes."""
        self.wake()

    def wake(self) -> None:
        """End a wait that goes on; called by the hub, which alone may
        throw into another greenlet.
        """
        if self._waiter is not None:
            self._waiter.throw(_Woken())

    def _hear(self) -> None:
        """It has left, or it talks while it listens, and would be heard again and again until
        somebody reads it: once is enough.
        """
        self._watcher.stop()
        self._heard = True
        self.wake()


def frame(event: Event) -> bytes:
    """One event as a block of the stream; JSON has no line breaks, so one data line is enough."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (
        event.seq,
        event.event_type.encode(),
        event.encode(),
    )


def stream(
    orchestrator: Orchestrator,
    sse_connections: SseConnections,
    after: int,
    selection: EventSelection,
    connection: socket.socket | None = None,
) -> Iterator[bytes]:
    """The selected events after this seq, for as long as both sides stay.

    Ends when the client closes its side of the connection, or when the listeners are
    closed. A heartbeat also carries the seq up to which nothing was of interest, so that a
    reconnect need not search again.
    """
    with SseConnection(
        orchestrator, sse_connections, connection
    ) as sse:  # here: a generator that is never started is never closed either
        start = (
            after if after <= orchestrator.events.last_seq() else 0
        )  # a seq never reached is from another log
        yield RETRY % start
        cursor = yield from _backlog(sse, start, selection)
        yield from _live(sse, cursor, selection)


def _backlog(
    sse: SseConnection, cursor: int, selection: EventSelection
) -> Generator[bytes, None, int]:
    """What was written before, in batches from the store; returns the seq to go on from."""
    log = sse.orchestrator.events
    end = log.last_seq()
    while not sse.over:
        batch = log.after(cursor, limit=_BATCH, **selection.filters())
        if not batch:
            break
        yield b"".join(map(frame, batch))
        cursor = batch[-1].seq
    return max(cursor, end)


def _live(sse: SseConnection, cursor: int, selection: EventSelection) -> Iterator[bytes]:
    heartbeat = sse.siblings.heartbeat
    due = time.monotonic() + heartbeat
    while not sse.over:
        events = sse.wait(cursor, max(0.0, due - time.monotonic()))
        if events:
            cursor = events[-1].seq
        wanted = [frame(event) for event in events if selection.wants(event)]
        if wanted:
            yield b"".join(wanted)
        elif time.monotonic() >= due:
            yield b": still here\nid: %d\n\n" % cursor
        else:
            continue
        due = time.monotonic() + heartbeat


def connection_of(env: dict[str, Any]) -> socket.socket | None:
    """The socket on which this request came; None under a server that does not show it."""
    connection = env.get("gunicorn.socket")
    return connection if isinstance(connection, socket.socket) else None


def _closed(connection: socket.socket) -> bool:
    try:
        poller = select.poll()
        poller.register(connection, select.POLLIN)
        return bool(poller.poll(0)) and connection.recv(1, socket.MSG_PEEK) == b""
    except (OSError, ValueError):
        return True  # closed under our hands
