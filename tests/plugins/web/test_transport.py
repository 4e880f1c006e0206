"""Requests as they leave: through a real proxy, with certificates that are
believed, within limits.
"""

from __future__ import annotations

import gzip
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ennio.model.errors import Refused, TimedOut, Unreachable
from ennio.plugins.web import Transport
from tests.conftest import need
from tests.plugins.web.proxy import ProxyServer

NAME = "git.corp.example"


class Server:
    """Says hello, or what ``says`` makes of a request."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.says: Callable[[BaseHTTPRequestHandler], None] = lambda request: send(
            request, b"hello"
        )
        self.headers: list[dict[str, str]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server.headers.append(dict(self.headers))
                server.says(self)

            def log_message(self, *_: Any) -> None:
                """Tests are quiet."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        if context is not None:
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self.port = int(self._http.server_address[1])
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


def send(request: BaseHTTPRequestHandler, body: bytes, **headers: str) -> None:
    request.send_response(200)
    for name, value in {
        "Content-Length": str(len(body)),
        **{key.replace("_", "-"): value for key, value in headers.items()},
    }.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def proxy(server: Server) -> Iterator[ProxyServer]:
    proxy = ProxyServer(server.port, "me:s@cret")
    yield proxy
    proxy.close()


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    made = tmp_path / "cert.pem", tmp_path / "key.pem"
    argv = [
        need("openssl"),
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        f"/CN={NAME}",
    ]
    argv += ["-addext", f"subjectAltName=DNS:{NAME}", "-out", str(made[0]), "-keyout", str(made[1])]
    subprocess.run(argv, check=True, capture_output=True, timeout=60)
    return made


def get(transport: Transport, url: str) -> bytes:
    return transport.request("GET", url, None, {"Authorization": "Bearer token"}).raw


def test_a_request_goes_through_the_proxy_that_is_set_with_its_login(
    server: Server, proxy: ProxyServer
) -> None:
    environ = {"http_proxy": proxy.url.replace("://", "://me:s%40cret@")}
    assert get(Transport(1000, environ), f"http://{NAME}/api/v3") == b"hello"
    assert proxy.asked == [f"GET http://{NAME}/api/v3"]
    assert not any(name.lower().startswith("proxy-") for name in server.headers[0]), (
        "the login is the proxy's alone"
    )


def test_a_request_over_tls_is_tunnelled_and_the_proxy_sees_no_token(
    certificate: tuple[Path, Path],
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server = Server(context)
    proxy = ProxyServer(server.port)
    try:
        environ = {"HTTPS_PROXY": proxy.url, "SSL_CERT_FILE": str(certificate[0])}
        assert get(Transport(1000, environ), f"https://{NAME}/api/v3") == b"hello"
        assert proxy.asked == [f"CONNECT {NAME}:443"]
        assert "Authorization" not in proxy.told[0]
        assert server.headers[0]["Authorization"] == "Bearer token"
    finally:
        proxy.close()
        server.close()


def test_a_proxy_that_wants_another_login_is_said_without_showing_the_one_it_got(
    proxy: ProxyServer,
) -> None:
    environ = {
        "http_proxy": proxy.url.replace("://", "://me:wrong@"),
        "https_proxy": proxy.url.replace("://", "://me:wrong@"),
    }
    for scheme in ("http", "https"):
        with pytest.raises(Unreachable, match="407") as error:
            get(Transport(1000, environ), f"{scheme}://{NAME}/x")
        assert "wrong" not in str(error.value)


def test_a_proxy_that_is_not_there_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(
        Unreachable, match=f"{NAME} did not answer .asked through the proxy {url}."
    ) as error:
        get(Transport(1000, {"all_proxy": url.replace("://", "://me:secret@")}), f"http://{NAME}/x")
    assert "secret" not in str(error.value)


def test_this_machine_is_asked_without_a_proxy(server: Server, proxy: ProxyServer) -> None:
    environ = {"http_proxy": proxy.url, "all_proxy": proxy.url}
    assert get(Transport(1000, environ), f"http://127.0.0.1:{server.port}/") == b"hello"
    assert proxy.asked == []


@pytest.mark.parametrize(
    "variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NIX_SSL_CERT_FILE", ""]
)
def test_only_certificates_that_are_named_or_known_are_believed(
    certificate: tuple[Path, Path], variable: str
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server = Server(context)
    proxy = ProxyServer(server.port)
    try:
        transport = Transport(
            1000,
            {"https_proxy": proxy.url, **({variable: str(certificate[0])} if variable else {})},
        )
        if variable:
            assert get(transport, f"https://{NAME}/") == b"hello"
        else:
            with pytest.raises(Unreachable, match="certificate"):
                get(transport, f"https://{NAME}/")
    finally:
        proxy.close()
        server.close()


def test_a_variable_that_names_no_certificates_is_said(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"the variable REQUESTS_CA_BUNDLE names .*missing\.pem"):
        get(
            Transport(1000, {"REQUESTS_CA_BUNDLE": str(tmp_path / "missing.pem")}),
            f"https://{NAME}/",
        )


def test_an_answer_that_is_too_large_is_none_also_when_it_is_small_on_the_line(
    server: Server,
) -> None:
    url = f"http://127.0.0.1:{server.port}/"
    server.says = lambda request: send(request, b"x" * 1_000_000)
    assert len(get(Transport(1_000_000, {}), url)) == 1_000_000
    with pytest.raises(Unreachable, match="larger than that"):
        get(Transport(999_999, {}), url)
    server.says = lambda request: send(
        request, gzip.compress(b"x" * 50_000_000), Content_Encoding="gzip"
    )
    with pytest.raises(Unreachable, match="larger than that"):
        get(Transport(1_000_000, {}), url)
    assert len(get(Transport(50_000_000, {}), url)) == 50_000_000


def test_an_answer_that_trickles_for_ever_ends(server: Server) -> None:
    over = threading.Event()

    def trickle(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "100000")
        request.end_headers()
        while not over.wait(0.02):
            try:
                request.wfile.write(b"x")
            except OSError:
                return

    server.says = trickle
    with pytest.raises(TimedOut, match=r"within 0\.3 s"):
        get(Transport(1_000_000, {}, patience=0.3), f"http://127.0.0.1:{server.port}/")
    over.set()


def test_half_an_answer_is_none(server: Server) -> None:
    def half(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "100")
        request.end_headers()
        request.wfile.write(b"x" * 50)
        request.close_connection = True

    server.says = half
    with pytest.raises(Unreachable, match="did not answer"):
        get(Transport(1000, {}), f"http://127.0.0.1:{server.port}/")
