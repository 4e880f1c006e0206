"""A client of the WebSocket of a terminal, as the tests need it."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from ennio.http.terminal_messages import SUBPROTOCOL
from tests.e2e.house import Supervised

PROTOCOL = Subprotocol(SUBPROTOCOL)

WITHIN = 30.0
ACK_EACH = 64 << 10
_OFFSET = struct.Struct(">Q")


@dataclass
class Watcher:
    """One who watches; ``shown`` are the bytes since the last whole picture, ``told`` the words."""

    socket: ClientConnection
    acks: bool = True
    shown: bytes = b""
    told: list[dict[str, Any]] = field(default_factory=list)
    stream: str = ""
    offset: int = 0
    acked: int = -1
    pictures: int = 0
    state: dict[str, Any] = field(default_factory=dict)
    _whole: bool = False

    def say(self, kind: str, **words: object) -> None:
        self.socket.send(json.dumps({"type": kind, **words}))

    def take(self, timeout: float) -> bool:
        """Take one message; False when there is none in time."""
        try:
            message = self.socket.recv(timeout)
        except TimeoutError:
            return False
        if isinstance(message, str):
            self._hear(json.loads(message))
        else:
            self._see(message)
        return True

    def _hear(self, told: dict[str, Any]) -> None:
        self.told.append(told)
        if told["type"] == "state":
            self.state = told
        if told["type"] == "picture":
            self._whole, self.stream = True, told["stream"]

    def _see(self, frame: bytes) -> None:
        (offset,), data = _OFFSET.unpack(frame[:8]), frame[8:]
        if self._whole:
            self.shown, self.offset, self._whole = data, offset, False
            self.pictures += 1
            self.acked = -1
        else:
            assert offset == self.offset, "bytes are missing, or come twice"
            self.shown += data
            self.offset += len(data)
        if self.acks and not 0 <= self.offset - self.acked < ACK_EACH:
            self.acked = self.offset
            self.say("ack", offset=self.offset)

    def until(self, reached: Callable[[], object], what: str, within: float = WITHIN) -> None:
        """Take messages until something is so."""
        end = time.monotonic() + within
        while not reached():
            left = end - time.monotonic()
            assert left > 0, f"not within {within:g} s: {what}; last {self.shown[-300:]!r}"
            self.take(left)

    def sees(self, text: str, within: float = WITHIN) -> None:
        self.until(lambda: text.encode() in self.shown, f"{text!r} is shown", within)

    def hears(self, kind: str, **words: object) -> dict[str, Any]:
        """Wait for a word of this kind that says this; what came before it is forgotten."""

        def found() -> int | None:
            return next(
                (
                    at
                    for at, told in enumerate(self.told, 1)
                    if told["type"] == kind and words.items() <= told.items()
                ),
                None,
            )

        self.until(found, f"{kind} {words}; heard {self.told}")
        at = found()
        assert at is not None
        told, self.told = self.told[at - 1], self.told[at:]
        return told


def token(house: Supervised) -> str:
    return house.run_file("api_token").read_text().strip()


def address(house: Supervised, session_id: str, **other: object) -> dict[str, Any]:
    """Where the terminal of a session is, for ``connect``."""
    client = house.client
    return {
        "uri": f"{client.url.replace('http', 'ws')}/api/v1/sessions/{session_id}/terminal",
        "additional_headers": {"Authorization": f"Bearer {token(house)}"},
        "subprotocols": [PROTOCOL],
        "compression": None,
        "max_queue": None,  # what a test does not look at keeps nobody from closing
        "open_timeout": WITHIN,
        "close_timeout": 5,
        "proxy": None,
        **other,
    }


@contextmanager
def watching(
    house: Supervised, session_id: str, *, acks: bool = True, **hello: object
) -> Iterator[Watcher]:
    with connect(**address(house, session_id)) as socket:
        watcher = Watcher(socket, acks)
        watcher.stream = str(hello.get("stream", ""))
        watcher.offset = int(str(hello.get("offset", 0)))
        watcher.say("hello", **hello)
        yield watcher


def control(house: Supervised, session: str, by: str = "Lena") -> str:
    """Take control of a terminal: its secret."""
    taken: str = house.client.post(f"/sessions/{session}/control", {"by": by})["control"]
    return taken


@contextmanager
def typing(house: Supervised, session: str, by: str = "Lena") -> Iterator[Watcher]:
    """One who watches and has control."""
    secret = control(house, session, by)
    with watching(house, session, control=secret) as one:
        one.sees("$")
        yield one
