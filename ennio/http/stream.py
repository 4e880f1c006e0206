"""Events as they happen, over Server-Sent Events.

    id: 42
    event: status_changed
    data: {"seq": 42, ...}

The id is the event's ``seq``: a client that was away names the last one it saw and misses nothing.
A listener keeps nothing in memory but that number. What it has not been sent yet is in the log, so
a slow one costs nothing; one that takes nothing for long is cut off by the server's send timeout.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Generator, Iterator
from typing import Any

from ennio.actors.house import House
from ennio.events import Event
from ennio.http.selection import Selection

HEARTBEAT = 15.0
RETRY = b"retry: 2000\nid: %d\n\n"
"""The first block: how soon to come back, and from where, should nothing else arrive."""
_BATCH = 200
_TICK = 1.0  # how soon a listener notices that the server closes or its client has left


class Listeners:
    """Counts the open streams, bounds their number, and ends them all when the server closes.

    ``heartbeat`` is how many seconds a stream is silent at most.
    """

    def __init__(self, most: int = 256, heartbeat: float = HEARTBEAT) -> None:
        self.most = most
        self.heartbeat = heartbeat
        self.open = 0
        self.closing = False

    @property
    def full(self) -> bool:
        """True when no further one is taken."""
        return self.closing or self.open >= self.most

    def close(self) -> None:
        """Let every stream end within a second; only sets a flag, so a signal handler may call it."""
        self.closing = True


def frame(event: Event) -> bytes:
    """One event as a block of the stream; JSON has no line breaks, so one data line is enough."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.seq, event.event_type.encode(), event.encode())


def stream(
    house: House,
    listeners: Listeners,
    after: int,
    selection: Selection,
    gone: Callable[[], bool],
) -> Iterator[bytes]:
    """The selected events after this seq, for as long as both sides stay.

    Ends when ``gone()`` says that the client left, or when the listeners are closed. A heartbeat
    also carries the seq up to which nothing was of interest, so that a reconnect need not search again.
    """
    listeners.open += 1  # in here: a generator that is never started is never closed either
    try:
        start = after if after <= house.store.events.last_seq() else 0  # a seq never reached is from another log
        yield RETRY % start
        cursor = yield from _backlog(house, listeners, start, selection)
        yield from _live(house, listeners, cursor, selection, gone)
    finally:
        listeners.open -= 1


def _backlog(house: House, listeners: Listeners, cursor: int, selection: Selection) -> Generator[bytes, None, int]:
    """What was written before, in batches from the store; returns the seq to go on from."""
    end = house.store.events.last_seq()
    while not listeners.closing:
        batch = house.store.events.after(cursor, limit=_BATCH, **selection.filters())
        if not batch:
            break
        yield b"".join(map(frame, batch))
        cursor = batch[-1].seq
    return max(cursor, end)


def _live(house: House, listeners: Listeners, cursor: int, selection: Selection, gone: Callable[[], bool]) -> Iterator[bytes]:
    spoke = time.monotonic()
    while not listeners.closing and not gone():
        events = house.wait_for_events(cursor, min(_TICK, listeners.heartbeat))
        if events:
            cursor = events[-1].seq
        wanted = [frame(event) for event in events if selection.wants(event)]
        if wanted:
            yield b"".join(wanted)
            spoke = time.monotonic()
        elif time.monotonic() - spoke >= listeners.heartbeat:
            yield b": still here\nid: %d\n\n" % cursor
            spoke = time.monotonic()


def client_gone(env: dict[str, Any]) -> Callable[[], bool]:
    """Tells whether the client of this request has closed its side; False where that cannot be seen."""
    connection = env.get("gunicorn.socket")

    def gone() -> bool:
        return isinstance(connection, socket.socket) and _closed(connection)

    return gone


def _closed(connection: socket.socket) -> bool:
    try:
        poller = select.poll()
        poller.register(connection, select.POLLIN)
        return bool(poller.poll(0)) and connection.recv(1, socket.MSG_PEEK) == b""
    except (OSError, ValueError):
        return True  # closed under our hands
