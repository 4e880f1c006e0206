"""An answer that leaves in one piece: its head with its body, which gunicorn
sends one after the other.
"""

from __future__ import annotations

import time
from functools import lru_cache

from gunicorn.http.wsgi import Response
from gunicorn.util import http_date


class WholeResponse(Response):  # type: ignore[misc] # gunicorn is not typed
    """One write and one packet instead of two; what is streamed goes as gunicorn sends it."""

    headers_sent: bool

    def write(self, arg: bytes) -> None:
        """Send a piece of the body; the whole of it takes its head along."""
        if self.headers_sent or self._omits_body or self.response_length != len(arg):
            super().write(arg)
            return
        self.headers_sent, self.sent = True, len(arg)
        self.sock.sendall(self._head() + arg)

    def _head(self) -> bytes:
        """As gunicorn's own (``default_headers``), of an answer whose length is known."""
        major, minor = self.req.version
        lines = (
            f"HTTP/{major}.{minor} {self.status}\r\nServer: {self.version}\r\n",
            _date_line(int(time.time())),
            f"Connection: {'close' if self.should_close() else 'keep-alive'}\r\n",
            *(f"{name}: {value}\r\n" for name, value in self.headers),
            "\r\n",
        )
        return "".join(lines).encode("latin-1")


@lru_cache(maxsize=1)
def _date_line(second: int) -> str:
    """The hour of an answer, which is put into words once a second."""
    return f"Date: {http_date(second)}\r\n"
