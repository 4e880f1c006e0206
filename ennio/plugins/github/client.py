"""One careful client of one server: REST and GraphQL over pooled connections,
within the token's budget.

Every request asks the budget first and tells it what came of it. A GET is conditional where the
answer to an earlier one is still held; an ETag lives and dies with its answer.
"""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import ennio
from ennio.machine.untrusted import json_value
from ennio.model.clock import Clock
from ennio.model.errors import Conflict, EnnioError, NotFound, Refused, Unreachable
from ennio.model.failpoints import named_by, operation_of
from ennio.plugins.github.address import GitHubAddress, Place, url
from ennio.plugins.github.counters import CORE, GRAPHQL, quota_of
from ennio.plugins.github.token import TokenSource
from ennio.plugins.quota import Allowance, Refusal, allowance_of
from ennio.plugins.web import HttpResponse, Transport

_HELD = 1000
_REDIRECTS = (301, 302, 307, 308)
_HOPS = 4
_LARGEST = 32 * 1024 * 1024
_NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')
_VERSION = "2022-11-28"


@dataclass(frozen=True, slots=True)
class GitHubResponse:
    """An answer as it came: status, headers in lower case, body."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    def json(self) -> Any:
        """The body. Raises Unreachable when it is no JSON: what was asked is not known then."""
        try:
            return json_value(self.raw) if self.raw else None
        except ValueError:
            raise Unreachable(f"the server's answer ({self.status}) is no JSON") from None


def name_of(method: str, url: str, body: bytes | None = None) -> str:
    """What a request is: ``put.pulls.merge``, ``query.Survey``, ``mutation.Reply``; to another
    server ``get.elsewhere``.
    """
    path = re.sub(r"/heads/.*", "", urlsplit(url).path)
    if path.endswith("/graphql"):
        return operation_of(json.loads(body or b"{}")["query"])
    _, repository, rest = path.partition("/repos/")
    if not repository:
        return f"{method.lower()}.elsewhere"
    words = [word for word in rest.split("/")[2:] if not word.isdecimal()]
    return ".".join([method.lower(), *(words or ["repository"])])


class GitHubClient:
    """Asks one server in the name of one token. Calls block; they raise Unreachable,
    Refused, NotFound, Conflict.
    """

    def __init__(self, address: GitHubAddress, tokens: TokenSource, clock: Clock) -> None:
        self.address = address
        self._tokens = tokens
        self._clock = clock
        self._web = Transport(_LARGEST)
        self._held: OrderedDict[str, tuple[str, GitHubResponse, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The hour by the clock that everything here goes by."""
        return self._clock.now()

    @property
    def is_authorized(self) -> bool:
        """Whether there is a token at all."""
        return self._tokens.token() is not None

    @property
    def missing(self) -> str:
        """Why there is no token, and the way out; for when there is none."""
        return self._tokens.missing

    @property
    def allowance(self) -> Allowance:
        """The budget of the token."""
        return allowance_of(self.address.api, self._tokens.token())

    def get(self, place: Place, query: Mapping[str, str | int] | None = None) -> Any:
        """The JSON at a place; conditional when it was read before."""
        return self._read(url(self.address.api, place, query))[1]

    def pages(
        self, place: Place, query: Mapping[str, str | int] | None = None, most: int = 1000
    ) -> list[Any]:
        """Every item of a list, page by page, up to ``most``."""
        where: str | None = url(self.address.api, place, {"per_page": 100, **(query or {})})
        items: list[Any] = []
        while where is not None and len(items) < most:
            reply, page = self._read(where)
            items += page
            following = _NEXT.search(reply.headers.get("link", ""))
            where = following[1] if following and self._is_ours(following[1]) else None
        return items[:most]

    def send(self, method: str, place: Place, body: Mapping[str, Any] | None = None) -> Any:
        """Act: POST, PUT, PATCH or DELETE. May use the reserve; nothing is repeated."""
        raw = None if body is None else json.dumps(body).encode()
        return self._allowed(
            method, url(self.address.api, place), raw, bucket=CORE, action=True
        ).json()

    def text(self, place: Place) -> str:
        """A text that lies behind a redirect to another server, which does not get the token."""
        return self._allowed(
            "GET", url(self.address.api, place), None, bucket=CORE, action=False
        ).raw.decode("utf-8", "replace")

    def ask(
        self, query: str, variables: Mapping[str, Any], *, action: bool = False
    ) -> dict[str, Any]:
        """The data of a GraphQL answer; parts that are not there are None.
        Raises when all of it failed.
        """
        raw = json.dumps({"query": query, "variables": variables}).encode()
        reply = self._allowed("POST", self.address.graphql, raw, bucket=GRAPHQL, action=action)
        document = reply.json()
        errors = (
            document.get("errors") or []
            if isinstance(document, dict)
            else [{"message": "no object"}]
        )
        if any(error.get("type") == "RATE_LIMITED" for error in errors):
            raise self._exhausted(GRAPHQL, reply)
        # what does not exist is None in the data; any other error leaves it open
        # whether None means that
        grave = [error for error in errors if error.get("type") != "NOT_FOUND"]
        data = document.get("data") if isinstance(document, dict) else None
        if grave or not isinstance(data, dict):
            raise _graphql_error(grave or errors)
        return data

    def _read(self, url: str) -> tuple[GitHubResponse, Any]:
        with self._lock:
            held = self._held.get(url)
        extra = {"If-None-Match": held[0]} if held else {}
        reply = self._allowed("GET", url, None, bucket=CORE, action=False, extra=extra)
        if reply.status == 304 and held is not None:
            return held[1], held[2]
        document = reply.json()
        self._hold(url, reply, document)
        return reply, document

    def _hold(self, url: str, reply: GitHubResponse, document: Any) -> None:
        etag = reply.headers.get("etag")
        with self._lock:
            self._held.pop(url, None)
            if etag:
                self._held[url] = (etag, reply, document)
            while len(self._held) > _HELD:
                self._held.popitem(last=False)

    def _allowed(
        self,
        method: str,
        url: str,
        raw: bytes | None,
        *,
        bucket: str,
        action: bool,
        extra: Mapping[str, str] | None = None,
    ) -> GitHubResponse:
        """One request if the budget allows it; an answer that is an error is raised as one."""
        if bucket == GRAPHQL and not self.is_authorized:
            raise Refused(self.missing)
        refusal = self.allowance.budget.refusal(bucket, self._clock.now(), action=action)
        if refusal is not None:
            raise Unreachable(f"{self.address.host} was not asked: {refusal}", until=refusal.until)
        reply, where = self._follow(method, url, raw, bucket, extra or {})
        if reply.status < 400:
            return reply
        raise (
            self._problem(method, url, reply, bucket)
            if self._is_ours(where)
            else _elsewhere(where, reply.status)
        )

    def _follow(
        self, method: str, url: str, raw: bytes | None, bucket: str, extra: Mapping[str, str]
    ) -> tuple[GitHubResponse, str]:
        for _ in range(_HOPS):
            reply = self._once(method, url, raw, bucket, extra)
            location = reply.headers.get("location")
            if reply.status not in _REDIRECTS or not location:
                return reply, url
            url = self._led(method, urljoin(url, location))
        raise Unreachable(f"{self.address.host} redirects in a ring (at {urlsplit(url).hostname})")

    def _led(self, method: str, url: str) -> str:
        """Where a redirect leads. Another server is read from, without the
        token; it is told nothing.
        """
        if urlsplit(url).scheme not in ("http", "https") or (
            method != "GET" and not self._is_ours(url)
        ):
            raise Unreachable(
                f"{self.address.host} sends a {method} on to another server "
                f"({urlsplit(url).hostname}), where it is not for"
            )
        return url

    def _once(
        self, method: str, url: str, raw: bytes | None, bucket: str, extra: Mapping[str, str]
    ) -> GitHubResponse:
        ours = self._is_ours(url)
        try:
            answer = self._request(method, url, raw, self._headers(url, raw, extra))
        except Unreachable as error:
            if ours:
                self._fail(str(error))
            raise
        reply = GitHubResponse(answer.status, answer.headers, answer.raw)
        if ours and reply.status < 400:
            if not _is_understood(reply, bucket):
                raise self._unintelligible(reply)
            quota = quota_of(reply.headers)
            self.allowance.change(lambda budget: budget.answered(bucket, quota))
        return reply

    @named_by(lambda _, method, url, raw, __: f"request.{name_of(method, url, raw)}")
    def _request(
        self, method: str, url: str, raw: bytes | None, headers: Mapping[str, str]
    ) -> HttpResponse:
        return self._web.request(method, url, raw, headers)

    def _headers(self, url: str, raw: bytes | None, extra: Mapping[str, str]) -> dict[str, str]:
        headers = {"User-Agent": f"ennio/{ennio.__version__}", "Accept-Encoding": "gzip", **extra}
        if raw is not None:
            headers["Content-Type"] = "application/json"
        if not self._is_ours(url):
            return headers
        headers |= {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": _VERSION}
        token = self._tokens.token()
        return headers if token is None else headers | {"Authorization": f"Bearer {token}"}

    def _is_ours(self, url: str) -> bool:
        return urlsplit(url)[:2] == urlsplit(self.address.api)[:2]

    def _unintelligible(self, reply: GitHubResponse) -> Unreachable:
        words = (
            f"{self.address.host} answered {reply.status} with something that is no answer of a "
            "GitHub"
        )
        self._fail(words)
        return Unreachable(words)

    def _fail(self, words: str) -> None:
        now = self._clock.now()
        self.allowance.change(lambda budget: budget.failed(words, now))

    def _exhausted(self, bucket: str, reply: GitHubResponse) -> Unreachable:
        now, quota, pause = (
            self._clock.now(),
            quota_of(reply.headers),
            _seconds(reply.headers.get("retry-after")),
        )
        budget = self.allowance.change(lambda budget: budget.exhausted(bucket, quota, now, pause))
        return self._limited(budget.refusal(bucket, now, action=True))

    def _limited(self, refusal: Refusal | None) -> Unreachable:
        return Unreachable(
            f"{self.address.host}: {refusal}", until=refusal.until if refusal else None
        )

    def _problem(self, method: str, url: str, reply: GitHubResponse, bucket: str) -> EnnioError:
        """The error an answer amounts to; the budget learns of limits and trouble."""
        said, now = _said(reply), self._clock.now()
        what = f"{method} {urlsplit(url).path}"
        if reply.status in (403, 429) and reply.headers.get("x-ratelimit-remaining") == "0":
            return self._exhausted(bucket, reply)
        if reply.status == 429 or (
            reply.status == 403
            and ("retry-after" in reply.headers or "secondary rate" in said.lower())
        ):
            budget = self.allowance.change(
                lambda budget: budget.rate_limited(_seconds(reply.headers.get("retry-after")), now)
            )
            return self._limited(budget.refusal(bucket, now, action=True))
        if reply.status >= 500 or reply.status == 401:
            # a refused token is trouble too: asking with it again and again gets it locked
            self._fail(f"{self.address.host} answered {reply.status} to {what}")
        if reply.status >= 500:
            return Unreachable(f"{self.address.host} answered {reply.status} to {what}")
        if reply.status == 401:
            return self._refusal(what, 401, said)
        self.allowance.change(lambda budget: budget.answered(bucket, quota_of(reply.headers)))
        return self._refusal(what, reply.status, said)

    def _refusal(self, what: str, status: int, said: str) -> EnnioError:
        host = self.address.host
        if status == 401:
            self._tokens.forget()
            return Refused(
                f"{host} refuses the token ({said}): set token in the configuration, or run `gh "
                f"auth login --hostname {host}`"
            )
        if status == 404:
            return NotFound(f"{host} has no {what}, or the token may not see it")
        if status in (405, 409):
            return Conflict(f"{host} did not do it: {said}")
        return Refused(f"{host} refused {what} ({status}): {said}")


def _elsewhere(url: str, status: int) -> EnnioError:
    """The error of another server that GitHub sent us to; it says nothing of GitHub, and its
    address may hold a signature.
    """
    host = urlsplit(url).hostname
    return (
        NotFound(f"{host} does not have it")
        if status in (404, 410)
        else Unreachable(f"{host} answered {status}")
    )


def _is_understood(reply: GitHubResponse, bucket: str) -> bool:
    """Whether it can be an answer at all: a proxy's page, or half of one, is
    trouble however it is numbered.
    """
    if bucket != GRAPHQL and (not reply.raw or "json" not in reply.headers.get("content-type", "")):
        return True
    try:
        document = reply.json()
    except Unreachable:
        return False
    if bucket != GRAPHQL:
        return True
    errors = document.get("errors") or [] if isinstance(document, dict) else None
    return (
        isinstance(errors, list)
        and all(isinstance(error, dict) for error in errors)
        and bool(errors or "data" in document)
    )


def _said(reply: GitHubResponse) -> str:
    """The server's own words, with the fields they are about."""
    try:
        document = json_value(reply.raw)
    except ValueError:
        return "it did not say why"
    if not isinstance(document, dict):
        return "it did not say why"
    details = [_detail(error) for error in document.get("errors") or []]
    return "; ".join([str(document.get("message") or "it did not say why"), *details])[:500]


def _detail(error: Any) -> str:
    if not isinstance(error, dict):
        return str(error)
    return str(error.get("message") or f"{error.get('field')}: {error.get('code')}")


def _graphql_error(errors: list[dict[str, Any]]) -> EnnioError:
    kinds = {str(error.get("type") or "") for error in errors}
    words = "; ".join(str(error.get("message")) for error in errors[:3])[:500]
    if kinds and kinds <= {"NOT_FOUND"}:
        return NotFound(words)
    if kinds & {"FORBIDDEN", "INSUFFICIENT_SCOPES"}:
        return Refused(f"the token may not do that: {words}")
    return (
        Refused(words)
        if "UNPROCESSABLE" in kinds
        else Unreachable(f"the question was not answered: {words}")
    )


def _seconds(value: str | None) -> float | None:
    return float(value) if value is not None and value.isdecimal() else None
