"""Whoever reads along: ``nats-py`` in a thread of its own, which knows nothing of ours."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg

T = TypeVar("T")


@dataclass(slots=True)
class Read:
    """One message as it came."""

    subject: str
    data: dict[str, Any]
    headers: dict[str, str]
    reply: str = ""


@dataclass(slots=True)
class Reader:
    """A client; ``read`` is what it has read, in order."""

    client: Client
    loop: asyncio.AbstractEventLoop
    read: list[Read] = field(default_factory=list)

    def run(self, work: Coroutine[Any, Any, T], within: float = 20.0) -> T:
        """Do something with the client, in its thread."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(within)

    def follow(self, subject: str) -> None:
        """Read along from now on."""

        async def heard(message: Msg) -> None:
            self.read.append(_read(message))

        async def begin() -> None:
            await self.client.subscribe(subject, cb=heard)
            await self.client.flush()

        self.run(begin())

    def request(self, subject: str, payload: bytes, within: float = 30.0) -> dict[str, Any]:
        """Ask, and give the answer."""
        answer = self.run(self.client.request(subject, payload, timeout=within), within + 5)
        return json.loads(answer.data)

    def keep(self, stream: str, *subjects: str) -> None:
        """Have a stream of the server keep what is published there."""
        self.run(self.client.jetstream().add_stream(name=stream, subjects=list(subjects)))

    def kept(self, stream: str) -> list[Read]:
        """Everything in a stream, in order."""

        async def all_of_it() -> list[Read]:
            manager = self.client.jetstream()
            state = (await manager.stream_info(stream)).state
            found = []
            for seq in range(state.first_seq, state.last_seq + 1):
                raw = await manager.get_msg(stream, seq)
                found.append(
                    Read(raw.subject or "", json.loads(raw.data or b"{}"), raw.headers or {})
                )
            return found

        return self.run(all_of_it(), 60)

    @property
    def ids(self) -> list[str]:
        """The ids of the events read, in order."""
        return [one.data["id"] for one in self.read]


def _read(message: Msg) -> Read:
    return Read(message.subject, json.loads(message.data), message.headers or {}, message.reply)


@contextmanager
def reading(url: str, **options: Any) -> Iterator[Reader]:
    """A client until the end of the block; it comes back by itself when the server was away."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    again = {"reconnect_time_wait": 0.05, "max_reconnect_attempts": -1, "connect_timeout": 10}
    client = None
    try:
        connecting = nats.connect(url, **(again | options))
        client = asyncio.run_coroutine_threadsafe(connecting, loop).result(20)
        yield Reader(client, loop)
    finally:
        if client is not None:
            asyncio.run_coroutine_threadsafe(client.close(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()
