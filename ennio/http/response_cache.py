"""Answers that come from the store alone, given again as they were until something is written.

Boards and people ask the same again and again, and between two writes nothing in it is different.
Only what also depends on an actor, a terminal or a forge has to be made anew each time; what the
hour will change says when (``Timed``).

Each goes with a tag of its own bytes (``ETag``). Whoever shows the tag again (``If-None-Match``) is
told that nothing is different (304), also by a supervisor that was started since, and after writes
that changed nothing in this answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import wraps
from typing import Any, Protocol

import falcon

from ennio.http.envelope import give

ROOM = 8 * 1024 * 1024
_TAG_BYTES = 16


@dataclass(frozen=True, slots=True)
class TaggedAnswer:
    """The bytes of an answer, what they are known by, and until when they are good at most."""

    body: bytes
    tag: str
    until: datetime | None = None

    @classmethod
    def of(cls, body: bytes, until: datetime | None = None) -> TaggedAnswer:
        """An answer with its tag."""
        return cls(body, hashlib.blake2b(body, digest_size=_TAG_BYTES).hexdigest(), until)

    def give(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Send it, or only that it is what the caller has."""
        resp.etag = self.tag
        if self._is_known(req):
            resp.status, resp.data = 304, None
        else:
            give(resp, self.body)

    def _is_known(self, req: falcon.Request) -> bool:
        if "HTTP_IF_NONE_MATCH" not in req.env:  # most show none, and the header is taken apart
            return False
        return any(one in ("*", self.tag) for one in req.if_none_match or ())


class ResponseCache:
    """Keeps answers by what was asked, ``room`` bytes in all; none outlives the data
    version of the store it shows.
    """

    def __init__(
        self,
        data_version: Callable[[], object],
        now: Callable[[], datetime],
        room: int = ROOM,
    ) -> None:
        self._data_version = data_version
        self._now = now
        self._room = room
        self._shown: object = None
        self._kept: dict[str, TaggedAnswer] = {}
        self._size = 0

    def give(self, req: falcon.Request, resp: falcon.Response, make: Callable[[], None]) -> None:
        """Answer as this was answered before, or have the answer made, which is then kept."""
        version = (
            self._data_version()
        )  # before anything is read: what is written meanwhile counts as later
        if version != self._shown:
            self._forget(version)
        answer = self._kept.get(req.relative_uri)
        if answer is None or (answer.until is not None and self._now() >= answer.until):
            make()
            if resp.data is None:
                return
            answer = TaggedAnswer.of(resp.data, getattr(resp.context, "until", None))
            if version == self._shown:
                self._keep(req.relative_uri, answer)
        answer.give(req, resp)

    def _keep(self, asked: str, answer: TaggedAnswer) -> None:
        size = len(asked) + len(answer.body)
        if self._size + size > self._room:
            self._forget(self._shown)
        if size <= self._room:
            self._kept[asked] = answer
            self._size += size

    def _forget(self, version: object) -> None:
        self._shown, self._kept, self._size = version, {}, 0


class HasResponseCache(Protocol):
    """A resource with answers that are kept."""

    cache: ResponseCache


def tagged(responder: Callable[..., None]) -> Callable[..., None]:
    """Tag the answers of a GET that is made anew each time: who knows it already is not sent it."""

    @wraps(responder)
    def responder_or_known(
        self: Any, req: falcon.Request, resp: falcon.Response, **place: Any
    ) -> None:
        responder(self, req, resp, **place)
        if resp.data is not None:
            TaggedAnswer.of(resp.data).give(req, resp)

    said: Any = responder
    responder_or_known.operation = replace(said.operation, tagged=True)  # type: ignore[attr-defined]
    return responder_or_known


def cached(responder: Callable[..., None]) -> Callable[..., None]:
    """Keep and tag the answers of a GET: all in them comes from the store, from what never
    changes while the worker lives, or from an hour that is told with them.
    """

    @wraps(responder)
    def responder_or_kept(
        self: HasResponseCache, req: falcon.Request, resp: falcon.Response, **place: Any
    ) -> None:
        self.cache.give(req, resp, lambda: responder(self, req, resp, **place))

    said: Any = responder
    responder_or_kept.operation = replace(said.operation, tagged=True)  # type: ignore[attr-defined]
    return responder_or_kept
