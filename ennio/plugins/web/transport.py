"""One request and its answer: pooled connections, the proxy and certificates that are set,
limits of size and time.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.util import Retry, Url, parse_url

from ennio.model.errors import TimedOut, Unreachable
from ennio.plugins.web.certificates import tls_context
from ennio.plugins.web.proxies import Proxy, proxy_of
from ennio.plugins.web.whole_request import in_one_piece

_CONNECT = 10.0
_SILENCE = 30.0  # seconds without a word
_PATIENCE = 90.0  # seconds for the whole of an answer, however steadily it trickles
_PIECE = 64 * 1024
_NEVER_AGAIN = Retry.from_int(False, redirect=False)
_parsed = lru_cache(maxsize=256)(parse_url)


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An answer as it came: status, headers in lower case, body."""

    status: int
    headers: Mapping[str, str]
    raw: bytes


class Transport:
    """Sends requests; ``most`` is how large an answer may be. Follows no
    redirects and repeats nothing.

    ``patience`` is how many seconds an answer may take as a whole, ``silence`` how many
    may pass without a word.
    """

    def __init__(
        self,
        most: int,
        environ: Mapping[str, str] | None = None,
        patience: float = _PATIENCE,
        silence: float = _SILENCE,
        connections: int = 4,
    ) -> None:
        self._most = most
        self._environ = os.environ if environ is None else environ
        self._patience = patience
        self._connections = connections
        self._timeout = urllib3.Timeout(connect=min(_CONNECT, silence), read=silence)
        self._pools: dict[tuple[Proxy | None, str], urllib3.PoolManager] = {}
        self._hosts: dict[tuple[str | None, str | None, int | None], HTTPConnectionPool] = {}
        self._lock = threading.Lock()

    def request(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]
    ) -> HttpResponse:
        """The whole answer, whatever its status. Raises Unreachable, TimedOut; Refused for a
        variable that cannot be used.
        """
        until = time.monotonic() + self._patience
        with self.opened(method, url, body, headers) as response:
            raw = self._read(response, until, self._what(url))
        return HttpResponse(
            response.status, {key.lower(): value for key, value in response.headers.items()}, raw
        )

    @contextmanager
    def opened(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        """The answer, its body still to be read as it comes, whatever its status. Raises as
        ``request`` does, also from within.
        """
        proxy = proxy_of(url, self._environ)
        try:
            response = self._asked(proxy, method, url, body, dict(headers))
            if response.status == 407 and proxy is not None:
                response.close()
                raise Unreachable(
                    f"{self._what(url)}: it wants a login (407); write "
                    "http://USER:PASSWORD@HOST:PORT into the variable that names it"
                )
            try:
                yield response
            except BaseException:
                response.close()  # half an answer is left on the line: nobody else can use it
                raise
            response.release_conn()
        except urllib3.exceptions.TimeoutError as error:
            raise TimedOut(f"{self._what(url)}: {_short(error)}") from error
        except (urllib3.exceptions.HTTPError, UnicodeError) as error:
            raise Unreachable(f"{self._what(url)}: {_short(error)}") from error

    def _asked(
        self,
        proxy: Proxy | None,
        method: str,
        url: str,
        body: bytes | None,
        headers: dict[str, str],
    ) -> urllib3.BaseHTTPResponse:
        """What is said first. Where there is no proxy the connections to a host are found by
        themselves: urllib3 works out anew for each request which they are.
        """
        if proxy is not None:
            pools = self._pool(proxy, urlsplit(url).scheme)
            return pools.request(
                method, url, body=body, headers=headers, redirect=False, preload_content=False
            )
        parts = _parsed(url)
        return self._host(parts).urlopen(
            method,
            parts.request_uri,
            body=body,
            headers=headers,
            retries=_NEVER_AGAIN,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
        )

    def _host(self, parts: Url) -> HTTPConnectionPool:
        """The connections to a host, until the pools have closed them for those to others."""
        key = parts.scheme, parts.host, parts.port
        known = self._hosts.get(key)
        if known is None or known.pool is None:
            pools = self._pool(None, parts.scheme or "")
            known = pools.connection_from_host(parts.host, parts.port, parts.scheme)
            self._hosts = {
                each: one for each, one in self._hosts.items() if one.pool is not None
            } | {key: known}
        return known

    def _what(self, url: str) -> str:
        proxy = proxy_of(url, self._environ)
        by = f" (asked through the proxy {proxy.url})" if proxy else ""
        return f"{urlsplit(url).hostname} did not answer{by}"

    def _read(self, response: urllib3.BaseHTTPResponse, until: float, what: str) -> bytes:
        pieces, size = [], 0
        while piece := response.read1(_PIECE, decode_content=True):
            pieces.append(piece)
            size += len(piece)
            if size > self._most:
                raise Unreachable(
                    f"{what} in {self._most // 1024**2} MiB: its answer is larger than that"
                )
            if time.monotonic() > until:
                raise TimedOut(f"{what} within {self._patience:g} s: it had not finished")
        return b"".join(pieces)

    def _pool(self, proxy: Proxy | None, scheme: str) -> urllib3.PoolManager:
        with self._lock:
            if (proxy, scheme) not in self._pools:
                self._pools[proxy, scheme] = self._made(proxy, scheme)
            return self._pools[proxy, scheme]

    def _made(self, proxy: Proxy | None, scheme: str) -> urllib3.PoolManager:
        secure = scheme == "https" or (proxy is not None and proxy.url.startswith("https:"))
        context = tls_context(self._environ) if secure else None
        common: dict[str, Any] = {
            "num_pools": 4,
            "maxsize": self._connections,
            "retries": False,
            "timeout": self._timeout,
            "ssl_context": context,
        }
        if proxy is None:
            return in_one_piece(urllib3.PoolManager(**common))
        login = urllib3.make_headers(proxy_basic_auth=proxy.login) if proxy.login else None
        return in_one_piece(
            urllib3.ProxyManager(
                proxy.url, proxy_headers=login, proxy_ssl_context=context, **common
            )
        )


_NOISE = re.compile(r"^Failed to establish a new connection: |\[Errno -?\d+\] ")


def _short(error: Exception) -> str:
    words = re.sub(r"^.*?: ", "", str(error), count=1)
    return _NOISE.sub("", words)[:200] or type(error).__name__
