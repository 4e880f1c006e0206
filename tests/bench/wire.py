"""HTTP over one kept-alive connection, as cheap as Python allows: whoever measures must
not be what is measured.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from types import TracebackType
from typing import Self


class Wire:
    """A connection to a port of this machine."""

    def __init__(self, port: int, headers: Mapping[str, str] | None = None) -> None:
        self._headers = "".join(
            f"{name}: {value}\r\n"
            for name, value in {"Host": f"127.0.0.1:{port}", **(headers or {})}.items()
        )
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.socket.close()

    def request(self, method: str, path: str, body: bytes = b"") -> bytes:
        """A request as bytes."""
        length = (
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            if method == "POST"
            else ""
        )
        return f"{method} {path} HTTP/1.1\r\n{self._headers}{length}\r\n".encode() + body

    def send(self, request: bytes) -> None:
        """Send bytes."""
        self.socket.sendall(request)

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Status and body of an answer that has a length."""
        self.send(self.request(method, path, body))
        return self.answer()

    def answer(self) -> tuple[int, bytes]:
        """Read one answer."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, body = data.partition(b"\r\n\r\n")
        lengths = [
            line.split(b":")[1]
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        ]
        length = int(lengths[0]) if lengths else 0
        while len(body) < length:
            body += self._more()
        return int(head.split(b" ", 2)[1]), body

    def until(self, mark: bytes) -> bytes:
        """Read up to a mark; what came with it comes along."""
        data = b""
        while mark not in data:
            data += self._more()
        return data

    def _more(self) -> bytes:
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the connection was closed")
        return data
