"""gunicorn's gevent worker, made to fit: one orchestrator in it, long streams over
it, errors in the envelope.

What differs from the worker it is made of: a stop wakes it, it ends its event streams first, gives
what is left a short time, limits how long a client may take to send or receive, and answers what it
cannot parse in JSON.
"""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from types import FrameType
from typing import Any

import gevent
from gevent.event import Event
from gevent.pool import Pool
from gevent.server import StreamServer
from gunicorn.http import errors, wsgi
from gunicorn.workers.ggevent import GeventWorker

from ennio.http.envelope import encode
from ennio.http.sse import SseConnections
from ennio.http.websocket import WebSocketConnections
from ennio.http.whole_response import WholeResponse

SOCKET_TIMEOUT = 30.0
DRAIN = 2.0
_TICK = 0.1
_BEAT = 0.5

_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (errors.LimitRequestLine, 414),
    (errors.LimitRequestHeaders, 431),
    (errors.UnsupportedTransferCoding, 501),
    (errors.ExpectationFailed, 417),
    (errors.ParseException, 400),
)


class Worker(GeventWorker):  # type: ignore[misc] # gunicorn is not typed
    """Serves the WSGI app in greenlets until told to stop, or until its arbiter is gone."""

    sse_connections = SseConnections()
    """Those of this process; a worker is a process of its own."""

    web_sockets = WebSocketConnections()
    """And those that were upgraded."""

    busy = 0
    """Requests being answered; connections that only wait for another one are none."""

    _stopping = Event()
    """Set by the hub once a stop is asked for; of this process, too."""

    def run(self) -> None:
        """Accept until a stop is asked for, then let go in good order."""
        servers = [self._server(listener) for listener in self.sockets]
        for server in servers:
            server.start()
        while self.alive:
            self.notify()  # ends the process when the arbiter is gone
            self._stopping.wait(_BEAT)
        self._drain(servers)

    def _server(self, listener: Any) -> StreamServer:
        listener.setblocking(1)
        return StreamServer(
            listener, handle=partial(self.handle, listener), spawn=Pool(self.worker_connections)
        )

    def _drain(self, servers: list[StreamServer]) -> None:
        self.sse_connections.close()
        self.web_sockets.close()
        for server in servers:
            server.close()
        until = time.monotonic() + DRAIN
        # what was upgraded is told to end, and not waited for
        while self.busy > self.web_sockets.open and time.monotonic() < until:
            self.notify()
            gevent.sleep(_TICK)
        for server in servers:
            server.stop(timeout=0.2)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM: stop; streams are told at once."""
        super().handle_exit(sig, frame)
        self.sse_connections.close()
        self.web_sockets.close()
        gevent.get_hub().loop.run_callback(self._stopping.set)

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """SIGINT and SIGQUIT end it in the same order; a Ctrl-C reaches
        arbiter and worker alike.
        """
        self.handle_exit(sig, frame)

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Serve one request; a client that stopped receiving is let go without a word.

        StopIteration is how the caller is told to end the connection. gunicorn's own does more for
        each: access log, hooks, two looks at the clock.
        """
        self.busy += 1
        sock.settimeout(SOCKET_TIMEOUT)  # the client must keep sending or receiving
        try:
            self._answer(*wsgi.create(req, sock, addr, listener_name, self.cfg, WholeResponse))
        except TimeoutError:
            self.log.debug("client %s took nothing for %s s", addr, SOCKET_TIMEOUT)
            raise StopIteration from None
        except (gevent.GreenletExit, SystemExit):
            raise StopIteration from None  # the server is stopping, and its patience is over
        finally:
            sock.settimeout(None)
            self.busy -= 1

    def _answer(self, resp: WholeResponse, environ: dict[str, Any]) -> None:
        environ["wsgi.multithread"] = True
        if not self.alive:
            resp.force_close()
        items = self.wsgi(environ, resp.start_response)
        if self.is_already_handled(items):
            raise StopIteration  # the connection was somebody else's, and is over
        try:
            for item in items:
                resp.write(item)
            resp.close()
        except Exception as error:
            if isinstance(error, OSError) or not resp.headers_sent:
                raise
            self.log.exception(
                "an answer broke off"
            )  # a second one would be taken for the rest of it
            raise StopIteration from None
        finally:
            if hasattr(items, "close"):
                items.close()
        if resp.should_close() or not self.alive:
            raise StopIteration

    def handle_error(self, _req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer what never became a request of the app, in the envelope."""
        if isinstance(exc, gevent.GreenletExit):
            return  # the server is stopping, and the connection was waiting for a further request
        status = next((status for kind, status in _STATUS if isinstance(exc, kind)), None)
        if status is None:
            self.log.error("connection of %s failed", addr, exc_info=exc)
        text = (
            "the server failed; `ennio logs` shows how"
            if status is None
            else f"this is no HTTP request: {exc}"
        )
        with suppress(OSError):
            client.sendall(plain_answer(status or 500, text))


def plain_answer(status: int, text: str) -> bytes:
    """A whole HTTP answer with an error in the envelope, after which the connection ends."""
    body = encode({"error": text, "code": status})
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n"
    )
    return f"{head}Connection: close\r\n\r\n".encode() + body
