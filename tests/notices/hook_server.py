"""A real HTTP server that keeps what it is told, and misbehaves as it is ordered to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Told:
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        """Its JSON."""
        return json.loads(self.raw)


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered. ``promised``: how many bytes it says that it has.
    ``silent``: it says nothing at all.

    ``drip``: it sends a byte now and then, and never comes to an end. ``hang_up``: it
    closes without an answer.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    promised: int | None = None
    silent: bool = False
    drip: bool = False
    hang_up: bool = False
    garbage: bytes | None = None


class HookServer:
    """Answers ``replies`` in turn, and then ``otherwise``; ``told`` is everything it was asked.

    ``judge`` may find a fault with a request: then it is answered 400 with these words.
    """

    def __init__(
        self, *replies: Reply, judge: Callable[[Told], str | None] = lambda _: None
    ) -> None:
        self.replies = list(replies)
        self.otherwise = Reply()
        self.told: list[Told] = []
        self.faults: list[str] = []
        self.judge = judge
        self.lock = threading.Lock()
        self.over = threading.Event()
        server = self

        class Handler(_Handler):
            hooks = server

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.port = self._http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        serve = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        serve.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._http.shutdown()
        self._http.server_close()

    def posts(self) -> list[Told]:
        """What was sent to it."""
        return [one for one in self.told if one.method in ("POST", "PUT")]

    def next(self, told: Told) -> Reply:
        with self.lock:
            self.told.append(told)
            reply = self.replies.pop(0) if self.replies else self.otherwise
            fault = self.judge(told) if reply == Reply() else None
            if fault is not None:
                self.faults.append(fault)
                return Reply(400, fault.encode())
            return reply


class _Handler(BaseHTTPRequestHandler):
    hooks: HookServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""

    def _any(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.hooks.next(Told(self.command, self.path, headers, raw))
        if reply.silent:
            self.hooks.over.wait(60)
        if reply.silent or reply.hang_up:
            self.close_connection = True
            return
        if reply.garbage is not None:
            self.wfile.write(reply.garbage)
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        length = len(reply.body) if reply.promised is None else reply.promised
        self.send_header("Content-Length", str(length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)
        while reply.drip and not self.hooks.over.wait(0.05):
            self.wfile.write(b".")
            self.wfile.flush()
        self.close_connection = self.close_connection or length != len(reply.body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _any  # noqa: N815
