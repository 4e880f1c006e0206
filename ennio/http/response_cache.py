"""Answers that come from the store alone, given again as they were until something is written.

Boards and people ask the same again and again, and between two writes nothing in it is different. Only what also
depends on an actor, a terminal, a forge or the hour has to be made anew each time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol

import falcon

from ennio.http.envelope import give

ROOM = 8 * 1024 * 1024


class ResponseCache:
    """Keeps answers by what was asked, ``room`` bytes in all; none outlives the data version of the store it shows."""

    def __init__(self, data_version: Callable[[], object], room: int = ROOM) -> None:
        self._data_version = data_version
        self._room = room
        self._shown: object = None
        self._kept: dict[str, bytes] = {}
        self._size = 0

    def give(self, req: falcon.Request, resp: falcon.Response, make: Callable[[], None]) -> None:
        """Answer as this was answered before, or have the answer made, which is then kept."""
        version = self._data_version()  # before anything is read: what is written meanwhile counts as later
        if version != self._shown:
            self._forget(version)
        known = self._kept.get(req.relative_uri)
        if known is not None:
            give(resp, known)
            return
        make()
        if version == self._shown and resp.data is not None:
            self._keep(req.relative_uri, resp.data)

    def _keep(self, asked: str, body: bytes) -> None:
        size = len(asked) + len(body)
        if self._size + size > self._room:
            self._forget(self._shown)
        if size <= self._room:
            self._kept[asked] = body
            self._size += size

    def _forget(self, version: object) -> None:
        self._shown, self._kept, self._size = version, {}, 0


class HasResponseCache(Protocol):
    """A resource with answers that are kept."""

    cache: ResponseCache


def cached(responder: Callable[..., None]) -> Callable[..., None]:
    """Keep the answers of a GET: everything in them comes from the store, or from what never changes while the worker lives."""

    @wraps(responder)
    def responder_or_kept(self: HasResponseCache, req: falcon.Request, resp: falcon.Response, **place: Any) -> None:
        self.cache.give(req, resp, lambda: responder(self, req, resp, **place))

    return responder_or_kept
