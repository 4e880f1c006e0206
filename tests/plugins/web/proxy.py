"""A proxy of the tests: real HTTP on loopback, CONNECT and absolute addresses, with a
login where that is wanted.

Every host it is asked for leads to one server, so that names nobody resolves can be asked for.
"""

from __future__ import annotations

import base64
import http.client
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class ProxyServer:
    """Leads everything to ``port``; ``asked`` is what it was asked for, ``told`` the
    headers it was given itself.
    """

    def __init__(self, port: int, login: str = "") -> None:
        self.port, self.asked, self.told = port, [], []  # type: tuple[int, list[str], list[dict[str, str]]]
        self._login = f"Basic {base64.b64encode(login.encode()).decode()}" if login else ""
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                """Tests are quiet."""

            def do_CONNECT(self) -> None:
                if not proxy._let_in(self):
                    return
                self.send_response(200)
                self.end_headers()
                self.close_connection = True
                with socket.create_connection(("127.0.0.1", proxy.port)) as there:
                    ways = [
                        threading.Thread(target=_pipe, args=pair)
                        for pair in ((self.connection, there), (there, self.connection))
                    ]
                    for way in ways:
                        way.start()
                    for way in ways:
                        way.join()

            def _pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if not proxy._let_in(self):
                    return
                there = http.client.HTTPConnection("127.0.0.1", proxy.port)
                given = {
                    name: value
                    for name, value in self.headers.items()
                    if not name.lower().startswith("proxy-")
                }
                there.request(self.command, "/" + self.path.split("/", 3)[3], body, given)
                answer = there.getresponse()
                raw = answer.read()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(raw)
                there.close()

            do_GET = do_POST = do_PUT = do_DELETE = _pass_on  # noqa: N815

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def _let_in(self, request: BaseHTTPRequestHandler) -> bool:
        self.asked.append(f"{request.command} {request.path}")
        self.told.append(dict(request.headers))
        if not self._login or request.headers.get("Proxy-Authorization") == self._login:
            return True
        request.send_response(407)
        request.send_header("Content-Length", "0")
        request.end_headers()
        return False

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _pipe(one: socket.socket, other: socket.socket) -> None:
    try:
        while piece := one.recv(65536):
            other.sendall(piece)
        other.shutdown(socket.SHUT_WR)
    except OSError:
        return
