"""What is said between us and a NATS server, as bytes: lines, and messages behind some of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

END = b"\r\n"
_HEAD, _HEAD_END = b"NATS/1.0\r\nNats-Msg-Id: ", b"\r\n\r\n"
MOST_BYTES = 1024 * 1024
"""What a server takes of a message, where it does not say otherwise."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to be published; by its ``id`` a stream knows one that it has already. A server
    without headers is sent none.
    """

    subject: str
    payload: bytes
    id: str = ""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message from the server; ``status`` is that of its headers, such as
    503 where nobody listens.
    """

    subject: str
    payload: bytes
    reply: str = ""
    status: int | None = None

    def json(self) -> dict[str, Any]:
        """What it holds, where that is a mapping; else nothing."""
        try:
            found = json.loads(self.payload)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def error(self) -> str | None:
        """The error in an answer of JetStream."""
        found = self.json().get("error")
        return str(found.get("description") or found) if isinstance(found, dict) else None


@dataclass(frozen=True, slots=True)
class Said:
    """One thing the server said: its first word and the rest of the line, and the message that came
    with it for the subscription of this number.
    """

    word: str
    rest: bytes
    subscription: int = 0
    message: Incoming | None = None


class Hearing:
    """Takes in bytes as they come, and gives what was said as soon as it is whole."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def __bool__(self) -> bool:
        return bool(self._buffer)

    def feed(self, data: bytes) -> None:
        """These came."""
        self._buffer += data

    def next(self) -> Said | None:
        """The next whole thing, or None until more has come."""
        end = self._buffer.find(END)
        if end < 0:
            return None
        word, _, rest = bytes(self._buffer[:end]).partition(b" ")
        name = word.decode(errors="replace").upper()
        if name in ("MSG", "HMSG"):
            return self._message(name, rest, end + len(END))
        del self._buffer[: end + len(END)]
        return Said(name, rest)

    def _message(self, name: str, rest: bytes, begin: int) -> Said | None:
        words, headed = rest.split(), name == "HMSG"
        size = int(words[-1])
        if len(self._buffer) < begin + size + len(END):
            return None
        body = bytes(self._buffer[begin : begin + size])
        del self._buffer[: begin + size + len(END)]
        head = int(words[-2]) if headed else 0
        reply = words[2].decode() if len(words) > 3 + headed else ""
        message = Incoming(words[0].decode(), body[head:], reply, _status(body[:head]))
        return Said(name, rest, int(words[1]), message)


def publication(message: Outgoing, reply: str = "") -> bytes:
    """What publishes a message; its answer is wanted at ``reply``."""
    size = len(message.payload)
    if not message.id:
        return f"PUB {message.subject} {reply} {size}\r\n".encode() + message.payload + END
    head = _HEAD + message.id.encode() + _HEAD_END
    words = f"HPUB {message.subject} {reply} {len(head)} {len(head) + size}\r\n"
    return words.encode() + head + message.payload + END


def overhead(message_id: str) -> int:
    """How much of what a server takes of a message its headers are."""
    return len(_HEAD) + len(message_id.encode()) + len(_HEAD_END) if message_id else 0


def _status(headers: bytes) -> int | None:
    """The number in ``NATS/1.0 503``; None where there is none."""
    words = headers.partition(END)[0].split()
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else None
