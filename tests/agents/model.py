"""A scripted model on loopback: speaks the messages, responses and chat-completions APIs, and
writes down what it served.

What it does stands in the prompts (``script.py``). Trouble is put upon it from outside: ``trouble``
holds the HTTP codes of the next answers. Every request becomes one ``Served`` in ``log``: when it
came, how it ended, what it cost. That log is the second witness of a test: it knows what the agent
was doing without asking the agent or Ennio.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.agents.asking import Moves, read_chat, read_messages, read_responses
from tests.agents.script import STEP, Asked, Reacts, Step, helper, placed, step_of, steps
from tests.agents.telling import (
    Answer,
    Served,
    beats,
    tell_chat,
    tell_messages,
    tell_responses,
    whole_chat,
    whole_messages,
)
from tests.agents.used_up import UsedUp

__all__ = ["Model", "Served", "Step", "steps"]

NO_HEADERS: Mapping[str, str] = {}
Reader = Callable[[dict[str, Any], Moves], Asked]
Teller = Callable[[Answer], Iterator[str]]
Whole = Callable[[Answer], dict[str, Any]]
APIS: dict[str, tuple[str, Reader, Teller, Whole | None]] = {
    "/messages": ("messages", read_messages, tell_messages, whole_messages),
    "/responses": ("responses", read_responses, tell_responses, None),
    "/chat/completions": ("chat", read_chat, tell_chat, whole_chat),
}


class Model:
    """The server; used as a context. ``base`` is its address without a path; ``reacts`` makes steps
    of words that hold none. ``caches`` is whether it counts a cache, and reasoning, as well.
    """

    def __init__(self, port: int = 0) -> None:
        self.log: list[Served] = []
        self.trouble: list[int] = []
        self.used_up: UsedUp | None = None
        self.unknown: list[str] = []
        self.reacts: Reacts = lambda _: None
        self.caches = False
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", port), lambda *words: _Handler(self, *words)
        )
        self._server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def script(self, words: str) -> Sequence[Step]:
        """The steps of the words: those that stand in them, else those it reacts with."""
        return (None if STEP.search(words) else self.reacts(words)) or steps(words)

    def moves(self, words: str) -> bool:
        """Whether the words are for the model, and not an agent's own by-play."""
        return STEP.search(words) is not None or self.reacts(words) is not None

    def begin(self, api: str, asked: Asked) -> Served:
        """Write a request down; its numbers are its own, so that none
        can be taken for another's.
        """
        with self._lock:
            number = len(self.log) + 1
            code = self.trouble.pop(0) if self.trouble else 429 if self.used_up else 200
            scripted = self.moves(asked.words) and (bool(asked.tools) or api == "chat")
            served = Served(
                f"answer_{number:04d}",
                api,
                time.time(),
                asked.words[-400:],
                scripted,
                code=code,
                heard=asked.heard,
            )
            served.helper = helper(asked.words)
            served.input_tokens, served.output_tokens = 1000 + 7 * number, 10 + number
            if self.caches:
                served.cache_read, served.reasoning = 300 + 3 * number, 3 + number
            if self.caches and api != "chat":  # which does not count what is written
                served.cache_write = 100 + 2 * number
            if self.caches and api == "messages":
                served.cache_write_1h = 50 + number
            self.log.append(served)
            return served

    @property
    def good(self) -> list[Served]:
        """The answers that arrived whole."""
        return [served for served in self.log if served.end in ("final", "tool", "ask")]

    @property
    def tokens(self) -> tuple[int, int]:
        """What was served, in and out."""
        return sum(served.input_tokens for served in self.good), sum(
            served.output_tokens for served in self.good
        )

    @property
    def busy(self) -> bool:
        """Whether it is answering right now what moves a script; a title may take longer
        than the turn it is for.
        """
        return self.busy_for(0)

    def busy_for(self, seconds: float) -> bool:
        """Whether it has been so for a while: whatever it said before was taken note of."""
        now = time.time()
        return any(
            served.scripted and not served.ended and now - served.began >= seconds
            for served in self.log
        )

    def turns(self) -> int:
        """How many turns it has ended."""
        return sum(served.end == "final" and served.scripted for served in self.log)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, model: Model, *words: Any) -> None:
        self._model = model
        super().__init__(*words)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """The log is ours."""

    def do_HEAD(self) -> None:
        """Somebody asks whether it is there."""
        self._whole(200, {})

    def do_GET(self) -> None:
        """The list of models."""
        self._whole(
            200,
            {
                "object": "list",
                "data": [{"id": "scripted", "object": "model", "type": "model"}],
                "models": [],
            },
        )

    def do_POST(self) -> None:
        """An answer is asked for."""
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0]
        api = next((api for ending, api in APIS.items() if path.endswith(ending)), None)
        if api is None:
            self._model.unknown.append(path)
            self._whole(200, {"input_tokens": 1} if path.endswith("count_tokens") else {})
            return
        name, read, tell, whole = api
        asked = read(json.loads(raw), self._model.moves)
        served = self._model.begin(name, asked)
        step = placed(step_of(asked, self._model.script(asked.words)), raw.decode(errors="replace"))
        try:
            self._serve(served, Answer(served, asked, step), tell, whole)
            served.end = (
                "error"
                if served.code != 200
                else "ask"
                if step.asks
                else "final"
                if step.ends
                else "tool"
            )
        except OSError:
            served.end = "broken"
            self.close_connection = True
        finally:
            served.ended = time.time()

    def _serve(self, served: Served, answer: Answer, tell: Teller, whole: Whole | None) -> None:
        if served.code == 429 and self._model.used_up is not None:
            document, headers = self._model.used_up.refusal(served.api)
            self._whole(429, document, headers)
        elif served.code != 200:
            kind = "rate_limit_error" if served.code == 429 else "api_error"
            self._whole(
                served.code,
                {"type": "error", "error": {"type": kind, "message": "the model was told to fail"}},
            )
        elif answer.asked.stream or whole is None:
            self._stream(tell(answer))
        else:
            for _ in beats(answer.step.pause):
                pass
            self._whole(200, whole(answer))

    def _whole(
        self, code: int, document: dict[str, Any], headers: Mapping[str, str] = NO_HEADERS
    ) -> None:
        body = json.dumps(document).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _stream(self, pieces: Iterator[str]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in pieces:
            data = piece.encode()
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")


def main() -> None:
    """Serve until interrupted, printing the log as it grows: for trying an agent by hand."""
    parser = argparse.ArgumentParser(description="a scripted model on loopback")
    parser.add_argument("--port", type=int, default=8765)
    with Model(parser.parse_args().port) as model:
        print(f"listening on {model.base}", flush=True)
        told = 0
        while True:
            threading.Event().wait(0.2)
            while told < len(model.log) and model.log[told].ended:
                print(json.dumps(asdict(model.log[told])), flush=True)
                told += 1


if __name__ == "__main__":
    main()
