"""What a supervisor asks of a machine through a node: the calls of ``Host``, as the data they are.

Two of them wait: for news, and for what a terminal puts out. As streams they are asked again and
again over here, so that what comes is on its way at once.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from ennio import __version__
from ennio.hosts.calls import CALLS, INTERFACE, done, packed, unpacked
from ennio.hosts.interface import Host
from ennio.model.errors import EnnioError, Invalid, Refused
from ennio.model.terminal_view import TerminalOutput
from ennio.node import ennio_node_pb2 as messages
from ennio.node.sessions import living

SLICE = 5.0
"""Seconds after which a stream looks whether anybody listens still."""


class HostCalls:
    """Each takes its request and returns its answer, or raises an error of ours."""

    def __init__(self, host: Host, root: str, idle_timeout: float) -> None:
        self._host = host
        self._root = root
        self._idle_timeout = idle_timeout
        self._begun = time.monotonic()
        self._instance = uuid.uuid4().hex

    @property
    def uptime(self) -> int:
        """Seconds since it began."""
        return int(time.monotonic() - self._begun)

    def describe(self, request: Any) -> Any:
        """See the protocol."""
        del request
        sessions = living(self._host)
        return messages.DescribeResponse(
            version=__version__,
            interface=INTERFACE,
            pid=os.getpid(),
            uptime_secs=self.uptime,
            root=self._root,
            sessions=sessions.number,
            sessions_known=sessions.known,
            free_memory_bytes=_known(self._host.free_memory),
            free_disk_bytes=_known(self._host.free_disk),
            idle_timeout_secs=int(self._idle_timeout),
            instance=self._instance,
        )

    def call(self, request: Any) -> Any:
        """One call, and its answer."""
        return _answer(done(self._host, _asked(request)))

    def watch(self, request: Any, listens: Callable[[], bool]) -> Iterator[Any]:
        """News, each time there is some, for as long as somebody listens."""
        asked = _of(request, "news")
        while listens():
            told = done(self._host, _within(asked, SLICE))
            news = told.get("answer")
            if news is None or news["sessions"] or news["everybody"] or news["trouble"]:
                yield _answer(told)
            if news is None:
                return
            asked["with"]["cursor"] = news["cursor"]

    def terminal(self, request: Any, listens: Callable[[], bool]) -> Iterator[Any]:
        """What a terminal puts out, each time it does, until it ends."""
        asked, size, wait = _of(request, "watch"), None, 0.0
        while listens():
            told = done(self._host, _within(asked, wait))
            if "error" in told:
                yield _answer(told)
                return
            piece: TerminalOutput = CALLS["watch"].answer(told["answer"])
            # the first one always: it says where it stands
            if piece.data or piece.whole or piece.ended or size != (piece.columns, piece.rows):
                yield _answer(told)
            if piece.ended:
                return
            asked["with"] |= {"stream": piece.stream, "offset": piece.following}
            size, wait = (piece.columns, piece.rows), SLICE


def _asked(request: Any) -> dict[str, Any]:
    if request.interface != INTERFACE:
        raise Refused(
            f"this node is of Ennio {__version__} and does not speak as the caller does: "
            "put the caller's version there"
        )
    try:
        return unpacked(request.call)
    except ValueError as error:
        raise Invalid(f"call: {error}") from error


def _of(request: Any, name: str) -> dict[str, Any]:
    asked = _asked(request)
    if asked.get("call") != name or not isinstance(asked.get("with"), dict):
        raise Invalid(f"call: only {name} is asked as this stream")
    return asked


def _within(asked: dict[str, Any], wait: float) -> dict[str, Any]:
    return {**asked, "with": {**asked["with"], "timeout": wait}}


def _answer(told: dict[str, Any]) -> Any:
    return messages.HostResponse(answer=packed(told))


def _known(ask: Callable[[], int]) -> int:
    try:
        return ask()
    except EnnioError:
        return 0
