"""A host on another machine, made when it is first asked for something: until then nobody
connects.

What needs no machine is answered without one, so that a session's actor never waits for a line:
what kind of agent it is, and where its working copy stands once that was written down.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from ennio.hosts.brief import Brief
from ennio.hosts.calls import CALLS
from ennio.hosts.interface import Host
from ennio.hosts.observation import MeterState, News
from ennio.hosts.session_results import Traits
from ennio.model.errors import Invalid
from ennio.policy.budgets.headroom import Headroom


class OpenHost(Host, Protocol):
    """A host that keeps something open."""

    def close(self) -> None:
        """Let go of it."""
        ...


class HostOnDemand:
    """See ``Host``. ``make`` connects and raises Unreachable where it cannot, and is tried again
    with the next call; ``near`` is the host of this machine, whose plugins are the same.

    Safe under threads: one makes it, and the others wait for that.
    """

    def __init__(self, name: str, make: Callable[[], OpenHost], near: Host) -> None:
        self.name = name
        self._make = make
        self._near = near
        self._made: OpenHost | None = None
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        if name not in CALLS:
            raise AttributeError(name)
        return partial(self._ask, name)  # to name a call connects nowhere

    def _ask(self, name: str, *args: Any, **kwargs: Any) -> Any:
        return getattr(self._host(), name)(*args, **kwargs)

    def _host(self) -> OpenHost:
        if self._made is None:
            with self._lock:
                if self._made is None:
                    self._made = self._make()
        return self._made

    def close(self) -> None:
        """Let go of what is open; agents go on."""
        made, self._made = self._made, None
        if made is not None:
            made.close()

    # --- what is known here -----------------------------------------------------------------------

    def check(self, brief: Brief) -> None:
        """See ``Host``."""
        self._near.check(brief)
        if brief.runtime == "process":
            raise Invalid(
                f"runtime: process cannot be had on {self.name}, which is reached over ssh: agents "
                "live in tmux there; leave the runtime out"
            )

    def traits(self, brief: Brief) -> Traits:
        """See ``Host``."""
        return self._near.traits(brief)

    def workspace_path(self, brief: Brief) -> str:
        """See ``Host``."""
        return brief.path or self._host().workspace_path(brief)

    def news(self, cursor: str, timeout: float) -> News:
        """See ``Host``; of one that nobody needed yet there is none."""
        if self._made is not None:
            return self._made.news(cursor, timeout)
        until = time.monotonic() + timeout
        while self._made is None and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 5.0))
        return News(cursor)

    # --- no proxy is kept over there --------------------------------------------------------------

    def meter(self) -> MeterState:
        """See ``Host``; there is none."""
        return MeterState(None)

    keep_meter = leave_meter = meter

    def stop_metered(self, session_id: str, reason: str) -> None:
        """See ``Host``; nobody goes past one."""

    def allow_metered(self, session_id: str) -> None:
        """See ``Host``; nobody goes past one."""

    def limit_metered(self, headroom: Headroom) -> None:
        """See ``Host``; nobody goes past one."""
