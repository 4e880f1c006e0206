"""An answer that leaves in one piece: its head with its body, which gunicorn
sends one after the other.
"""

from __future__ import annotations

from gunicorn.http.wsgi import Response


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
        lines = (
            *self.default_headers(),
            *(f"{name}: {value}\r\n" for name, value in self.headers),
            "\r\n",
        )
        return "".join(lines).encode("latin-1")
