"""Connections that stay open: so many of a kind at once, and all of them ended by a stop."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from gevent import get_hub


class Endable(Protocol):
    """What is ended when the server closes."""

    def go_away(self) -> None:
        """End, or begin to; called in the hub, so it must not wait."""
        ...


C = TypeVar("C", bound=Endable)


class OpenConnections(Generic[C]):
    """Those of one kind in this process."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.connections: set[C] = set()
        self.closing = False

    @property
    def open(self) -> int:
        """How many there are."""
        return len(self.connections)

    @property
    def full(self) -> bool:
        """True when no further one is taken."""
        return self.closing or self.open >= self.most

    def close(self) -> None:
        """End all; the hub is asked to, so a signal handler may call it."""
        self.closing = True
        get_hub().loop.run_callback(self._end)

    def _end(self) -> None:
        for connection in tuple(self.connections):
            connection.go_away()
