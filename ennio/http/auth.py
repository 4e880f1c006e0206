"""The gate: every request shows a token, names a host that is ours, and comes from no foreign page.

A page in a browser can make that browser send requests to this port. So the Host must be one of our
own names (a rebound DNS name is none), an Origin must be ours or configured, and a cookie counts
only together with our own Origin.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

import falcon

from ennio.http.browser import Browsers
from ennio.http.dashboard_files import DashboardFiles, give
from ennio.model.errors import Unauthorized

WEBHOOKS = frozenset({"/api/v1/webhooks/github"})
"""Paths a forge asks, under whatever name it reaches us; a signature of the body is their token."""
OPEN = frozenset({"/api/v1/health", "/api/v1/answers", "/auth"}) | WEBHOOKS
"""Paths that need no token: ``/auth`` takes a one-time code instead, ``answers`` a link of a
notice.
"""

_HOOK = re.compile(r"/api/v1/sessions/([A-Za-z0-9_-]{1,128})/look\Z")
"""What an agent's hook may ask for with the token of its session, and nothing else."""

_TERMINAL = re.compile(r"/api/v1/sessions/[^/]+/terminal\Z")
"""Where a WebSocket is opened, which browsers do for any page that asks."""

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(?::[0-9]{1,5})?\Z")
_ANY_ADDRESS = ("0.0.0.0", "::", "*")  # noqa: S104 - compared with, not bound to
_ASKED_BY_US = (None, "same-origin", "none")
"""What a browser says of who made it ask: our own page, or a person. Older ones do not say it."""
_SCHEMES = ("http", "https")
_METHODS = "GET, POST, DELETE"
_HEADERS = "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID"
_EXPOSED = "ETag, Ennio-Last-Known"


def same_secret(given: str, expected: bytes) -> bool:
    """Whether a secret is the one of this digest, in a time that tells nothing about where they
    differ.
    """
    return hmac.compare_digest(digest_of(given), expected)


def digest_of(secret: str) -> bytes:
    """What a secret is compared by: of one length, whatever that of the secret is."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


@dataclass(frozen=True, slots=True)
class HostNames:
    """The names this server answers to: the loopback's, the one it is bound to, and the one of the
    address (``public_url``) to which its links lead.

    Bound to every address it also answers to its host name and to any literal address: a browser
    only names one of those when a person typed it.
    """

    bound: str
    public: str | None = None

    def answer_to(self, header: str | None) -> bool:
        """Whether a Host header names us, on whatever port (it may be forwarded)."""
        match = _HOST.match(header or "")
        if match is None:
            return False
        name = match[1].strip("[]").lower().rstrip(".")
        own = {"localhost", "127.0.0.1", "::1", self.bound.lower(), self._public}
        return name in own or (
            self.bound in _ANY_ADDRESS and (name == socket.gethostname().lower() or _literal(name))
        )

    @property
    def _public(self) -> str:
        return (urlsplit(self.public or "").hostname or "localhost").rstrip(".")


def _literal(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class Gate:
    """Falcon middleware that lets a request in, or raises why not."""

    def __init__(
        self,
        token: str,
        hosts: HostNames,
        origins: Collection[str],
        browsers: Browsers,
        is_hook_token: Callable[[str, str], bool] | None = None,
        dashboard: DashboardFiles | None = None,
        ports: Collection[int] = (),
    ) -> None:
        self._dashboard = dashboard
        self._is_hook_token = is_hook_token or (lambda _session, _token: False)
        self._token = digest_of(token)
        self._hosts = hosts
        self._let_in: str | None = None  # the name that was found ours last
        self._origins = frozenset(origin.rstrip("/").lower() for origin in origins)
        self._browsers = browsers
        self._ports = frozenset(ports)  # all that this server listens on, where it has several

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Check host, origin and token, in this order; answers by itself a preflight, and whoever
        asks for a file of the dashboard, which is the same for everybody.
        """
        if req.path not in WEBHOOKS:
            self._check_host(req)
        self._check_origin(req)
        if _TERMINAL.match(req.path):
            self._check_page(req)
        if self._is_preflight(req):
            self._answer_preflight(resp)
        elif self._dashboard is not None and (file := self._dashboard.find(req)) is not None:
            give(req, resp, file)
        elif req.path not in OPEN:
            self._check_token(req)

    def process_response(
        self, req: falcon.Request, resp: falcon.Response, _resource: object, _succeeded: bool
    ) -> None:
        """Keep answers out of caches, and let a configured foreign page read them."""
        if resp.get_header("Cache-Control") is None:  # a file whose name is its hash may be kept
            resp.set_header("Cache-Control", "no-store")
        resp.set_header("X-Content-Type-Options", "nosniff")
        if self._origins:
            resp.append_header("Vary", "Origin")
            origin = _origin(req)
            if origin is not None and self._configured(origin):
                resp.set_header("Access-Control-Allow-Origin", origin)
                resp.set_header("Access-Control-Expose-Headers", _EXPOSED)

    def _check_host(self, req: falcon.Request) -> None:
        host = req.env.get("HTTP_HOST")
        if host == self._let_in:
            return
        if not self._hosts.answer_to(host):
            raise falcon.HTTPError(
                421,
                description=f"this server does not answer to the host name {host!r}; use "
                "localhost or "
                "set `host` in the configuration",
            )
        self._let_in = host

    def _check_origin(self, req: falcon.Request) -> None:
        origin = _origin(req)
        if origin is not None and not self._is_ours(req) and not self._configured(origin):
            raise falcon.HTTPForbidden(
                description=f"pages of {origin!r} may not ask this server; `cors_origins` lists "
                "those "
                "that may"
            )

    def _check_page(self, req: falcon.Request) -> None:
        """A browser lets any page open a WebSocket, and sends our cookie along."""
        by_cookie = bool(req.cookies) and req.auth is None
        if by_cookie and (_origin(req) is None or not self._is_ours(req)):
            raise falcon.HTTPForbidden(
                description="a terminal is opened by a page of this server, or with the API token"
            )

    def _is_ours(self, req: falcon.Request) -> bool:
        """Whether its page is of this server, on this port or the other one of it."""
        if _same_origin(req):
            return True
        page, asked = urlsplit(_origin(req) or ""), urlsplit(f"//{req.get_header('Host') or ''}")
        try:
            ports = {page.port or 80, asked.port or 80}
        except ValueError:  # a port that is none
            return False
        return page.scheme in _SCHEMES and page.hostname == asked.hostname and ports <= self._ports

    def _configured(self, origin: str) -> bool:
        return "*" in self._origins or origin.lower() in self._origins

    @staticmethod
    def _is_preflight(req: falcon.Request) -> bool:
        return (
            req.method == "OPTIONS"
            and _origin(req) is not None
            and req.get_header("Access-Control-Request-Method") is not None
        )

    def _answer_preflight(self, resp: falcon.Response) -> None:
        resp.status = 204
        if self._origins:
            resp.set_header("Access-Control-Allow-Methods", _METHODS)
            resp.set_header("Access-Control-Allow-Headers", _HEADERS)
            resp.set_header("Access-Control-Max-Age", "600")
        resp.complete = True

    def _check_token(self, req: falcon.Request) -> None:
        scheme, _, token = (req.get_header("Authorization") or "").partition(" ")
        if scheme.lower() == "bearer" and same_secret(token.strip(), self._token):
            return
        if not scheme and self._browser_known(req):
            return
        hook = (
            _HOOK.match(req.path) if req.method == "POST" and scheme.lower() == "bearer" else None
        )
        if hook is not None and self._is_hook_token(hook[1], token.strip()):
            return
        wrong = "the token is wrong" if scheme else "there is no token"
        raise Unauthorized(
            f"{wrong}; send Authorization: Bearer <api_token> (`ennio` reads it by itself)"
        )

    def _browser_known(self, req: falcon.Request) -> bool:
        # SameSite keeps the cookie from foreign sites, but another port of
        # localhost is the same site
        ours = self._is_ours(req) if _origin(req) is not None else req.method in ("GET", "HEAD")
        return (
            ours
            and req.get_header("Sec-Fetch-Site") in _ASKED_BY_US
            and self._browsers.knows(req.cookies)
        )


def _origin(req: falcon.Request) -> str | None:
    header: str | None = req.env.get(
        "HTTP_ORIGIN"
    )  # asked several times of each request: the shortest way there
    return header


def _same_origin(req: falcon.Request) -> bool:
    scheme, _, place = (_origin(req) or "").partition("://")
    return scheme in _SCHEMES and place.lower() == (req.get_header("Host") or "").lower()
