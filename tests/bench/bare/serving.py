"""How the bare services of HTTP listen: what they say leaves at once, as a model's own does."""

from __future__ import annotations

import socket
from typing import Any

from gevent.pywsgi import WSGIServer


def serve(port: int, application: Any) -> None:
    """Answer on this port of the machine, until the process is ended."""
    server = WSGIServer(("127.0.0.1", port), application, log=None)
    server.init_socket()
    # else a small piece waits for the other side's word on the last one, which takes its time
    server.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server.serve_forever()
