"""Requests that leave in one piece: the head with its body, which Python sends one after the other.

One packet, and the other side is woken once. Their answers are read as they come.
"""

from __future__ import annotations

import socket
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from ennio.plugins.web.chunked_answer import ChunkedAnswer

MOST = 64 << 10
"""Bytes of a body that are sent along; a larger one would be copied for nothing."""


class InOnePiece(HTTPConnection):
    """Holds what is said of a request until all of it is said."""

    response_class = ChunkedAnswer
    _held: bytearray | None = None

    @property
    def is_connected(self) -> bool:
        """Whether the other side has neither closed it nor said what nobody asked for. Asked of the
        socket itself: where greenlets run, to poll it takes a turn of their loop.
        """
        line = self.sock
        if not isinstance(line, socket.socket):
            return super().is_connected
        limit = line.gettimeout()
        line.settimeout(0)
        try:
            socket.socket.recv(line, 1, socket.MSG_PEEK)  # below TLS, which has no way to look
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            line.settimeout(limit)
        return False

    def request(self, method: str, url: str, body: Any = None, *more: Any, **named: Any) -> None:
        """See the base class."""
        self._held = bytearray() if isinstance(body, bytes) and len(body) <= MOST else None
        try:
            super().request(method, url, body, *more, **named)
        finally:
            held, self._held = self._held, None
        if held:
            self.send(held)

    def send(self, data: Any) -> None:
        """See the base class."""
        if self._held is None:
            super().send(data)
        else:
            self._held += data


class _TlsInOnePiece(InOnePiece, HTTPSConnection):
    """The same over TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = InOnePiece


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsInOnePiece


def in_one_piece(pools: urllib3.PoolManager) -> urllib3.PoolManager:
    """These pools, whose requests leave so from now on."""
    pools.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
    return pools
