"""How an answer comes through the proxy: the same bytes, none held back, none sent on its own that
came with others.
"""

from __future__ import annotations

import json
import os
import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest

from ennio.plugins.web.chunked_answer import Chunks
from ennio.proxy import journal, process
from ennio.proxy.directory import ProxyDirectory
from ennio.proxy.grants import grant
from ennio.proxy.journal import Ended
from tests.conftest import eventually

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
REQUEST = b"POST /%b/v1/messages HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\n{}"


def event(kind: str, **more: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **more})}\n\n".encode()


BEGUN = event(
    "message_start",
    message={"id": "msg_1", "model": "scripted", "usage": {"input_tokens": 10, "output_tokens": 1}},
)
WORDS = [event("content_block_delta", delta={"text": f"word {number}"}) for number in range(50)]
OVER = event("message_delta", usage={"output_tokens": 77})


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


class SlowModel:
    """Says what it is told to, when it is told to, to whoever asks."""

    def __init__(self) -> None:
        self.told: queue.Queue[bytes | None] = queue.Queue()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        ours, _ = self._listener.accept()
        with ours:
            ours.settimeout(30)
            asked = b""
            while not asked.endswith(b"\r\n\r\n{}"):
                asked += ours.recv(65536)
            while (words := self.told.get(timeout=60)) is not None:
                with suppress(BrokenPipeError, ConnectionResetError):  # who asked may have left
                    ours.sendall(words)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.told.put(None)
        self._listener.close()


@dataclass
class Passage:
    """A model, the proxy before it, and an agent that has asked."""

    model: SlowModel
    directory: ProxyDirectory
    agent: socket.socket
    raw: bytes = b""

    def say(self, *words: bytes) -> None:
        self.model.told.put(b"".join(words))

    def read(self, until: bytes) -> None:
        """Read on, until this has come."""
        while until not in self.raw:
            got = self.agent.recv(65536)
            assert got, f"it ended before {until!r}"
            self.raw += got

    @property
    def body(self) -> bytes:
        return Chunks().feed(self.raw.partition(b"\r\n\r\n")[2])

    @property
    def ended(self) -> list[Ended]:
        found, _ = journal.read(self.directory, "s-1", 0)
        return [one for one in found if isinstance(one, Ended)]


@pytest.fixture
def passage(tmp_path: Path) -> Iterator[Passage]:
    directory = ProxyDirectory(tmp_path / "proxy")
    directory.make()
    with SlowModel() as model:
        token = grant(directory, "s-1", 1, {"": model.url})[""]
        port = int(process.ensure(directory, dict(os.environ)).rpartition(":")[2])
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=30) as agent:
                agent.sendall(REQUEST % token.encode())
                yield Passage(model, directory, agent)
        finally:
            process.end(directory)


def test_what_comes_together_is_passed_on_together_and_is_the_same(passage: Passage) -> None:
    said = [BEGUN, *WORDS, OVER]
    passage.say(HEAD, *map(chunk, said), END)
    passage.read(END)
    assert passage.body == b"".join(said)
    assert passage.raw.count(b"\r\n", passage.raw.index(b"\r\n\r\n")) < len(said), "in few pieces"
    measured = passage.ended[0].measured
    assert (measured.answer_id, measured.input_tokens, measured.output_tokens) == ("msg_1", 10, 77)


def test_no_piece_waits_for_the_next(passage: Passage) -> None:
    passage.say(HEAD)
    for words in (BEGUN, *WORDS[:5]):
        passage.say(chunk(words))
        passage.read(words)
        assert passage.ended == []
    passage.say(chunk(OVER), END)
    passage.read(END)
    assert passage.body == b"".join((BEGUN, *WORDS[:5], OVER))
    assert [(one.whole, one.measured.output_tokens) for one in passage.ended] == [(True, 77)]


def test_what_it_cost_is_written_down_before_its_last_piece_is_given(passage: Passage) -> None:
    passage.say(HEAD, chunk(BEGUN), chunk(OVER), END)
    passage.read(OVER)
    assert [one.measured.output_tokens for one in passage.ended] == [77]


def test_of_an_answer_that_its_agent_leaves_stands_what_it_had_said(passage: Passage) -> None:
    passage.say(HEAD, chunk(BEGUN))
    passage.read(BEGUN)
    passage.agent.close()
    for words in WORDS:
        passage.say(chunk(words))
    passage.say(chunk(OVER))
    eventually(lambda: passage.ended, 30, "it is noticed")
    (ended,) = passage.ended
    assert (ended.whole, ended.measured.input_tokens) == (False, 10)


def test_an_answer_that_breaks_off_breaks_off_here_too(passage: Passage) -> None:
    passage.say(HEAD, chunk(BEGUN), b"400\r\nhalf a")
    passage.model.told.put(None)
    passage.read(b"half a")
    while got := passage.agent.recv(65536):
        passage.raw += got
    assert not passage.raw.endswith(END)
    (ended,) = passage.ended
    assert (ended.whole, ended.measured.input_tokens) == (False, 10)
