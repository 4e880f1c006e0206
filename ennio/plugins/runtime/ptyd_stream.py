"""What a terminal of the daemon puts out, asked for by where one stands in it: it answers as soon
as there is more, and keeps the newest of it by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

_FLOOD = 32 << 10
_BREATH = 0.1
_POLLED = 0.1  # seconds between two looks
_WITHIN = 10.0
_GONE: dict[str, Any] = {"error": "gone"}
Asked = tuple[dict[str, Any], bytes]


class PtydStream:
    """See ``TerminalStream``. ``ask`` asks the daemon within a time, or raises TimeoutError;
    ``name`` is the terminal's.
    """

    def __init__(
        self,
        ask: Callable[[Mapping[str, Any], float], Asked],
        name: str,
        size: tuple[int, int],
    ) -> None:
        self._ask = ask
        self._name = name
        self._offset = 0
        self._number: int | None = None
        self._follows = True
        self._floods = False
        self.missed = 0
        self.size = size

    def read(self, timeout: float) -> bytes | None:
        """See ``TerminalStream``; of a flood only so much is taken in a second."""
        if self._floods:
            time.sleep(_BREATH)
        answer = self._followed(timeout) if self._follows else self._looked()
        if answer is None:
            return b""
        head, data = answer
        if "error" in head:
            return None
        self.size = int(head["columns"]), int(head["rows"])
        self.missed = max(0, int(head["first"]) - self._offset) if self._offset else 0
        if self._number not in (None, head["number"]):
            self.missed = -1  # another launch begins on an empty screen
        self._number = head["number"]
        self._offset = int(head["first"]) + len(data)
        self._floods = len(data) >= _FLOOD
        return None if head.get("dead") and not data else data

    def picture(self) -> bytes | None:
        """See ``TerminalStream``: what was read of late is what the daemon remembers."""
        return None

    def close(self) -> None:
        """See ``TerminalStream``."""

    def _followed(self, timeout: float) -> Asked | None:
        request = {"op": "follow", "name": self._name, "since": self._offset}
        try:
            answer = self._ask(request, timeout)
        except TimeoutError:
            return None  # nothing came in time
        if answer[0].get("error") == "unknown":
            self._follows = False
            return self._looked()
        return answer

    def _looked(self) -> Asked | None:
        """One look at a daemon of an earlier version, which cannot be followed."""
        head, data = self._ask({"op": "read", "since": {self._name: self._offset}}, _WITHIN)
        if not head.get("shown"):
            return _GONE, b""
        if not data:
            time.sleep(_POLLED)
        return head["shown"][0], data
