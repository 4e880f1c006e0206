"""One request to a model, as agents make them: at the address the environment names, and again
where the connection ends or the server is in trouble. The standard library only.
"""

from __future__ import annotations

import json
import os
import socket
import time

from ennio.plugins.agent.scripted.child import StepFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Wait = Callable[[float | None, int | None], None]

APIS = {
    "messages": (("ANTHROPIC_BASE_URL",), "/v1", "/messages"),
    "chat": (("OPENAI_BASE_URL", "OPENAI_API_BASE"), "", "/chat/completions"),
}
"""By its name: the variables that may name the base, and the path behind it."""
LIMIT = 600.0  # seconds an answer may take
_LATER = (429, 500, 502, 503, 504, 529)


class Lost(Exception):
    """The connection ended, or the server is in trouble: it is tried again."""


def asked(api: str, words: str, model: str, tries: int, every: float, wait: Wait) -> dict[str, Any]:
    """The answer as its API gives it; ``wait(seconds, fd)`` waits, and whatever it raises ends it.

    Raises StepFailed: with the server's own words where it refuses.
    """
    names, *path = APIS[api]
    base = next((os.environ[name] for name in names if os.environ.get(name)), None)
    if base is None:
        raise StepFailed(f"{names[0]} names no model")
    body = {
        "model": model,
        "max_tokens": 1000,
        "messages": [{"role": "user", "content": words}],
    }
    reason = ""
    for number in range(tries):
        if number:
            wait(every, None)
        try:
            return _once(base + "".join(path), json.dumps(body).encode(), wait)
        except (OSError, Lost) as error:
            reason = str(error)
    raise StepFailed(f"the model was asked {tries} times in vain: {reason}")


def _once(url: str, body: bytes, wait: Wait) -> dict[str, Any]:
    place, _, path = url.partition("://")[2].partition("/")
    host, _, port = place.partition(":")
    with socket.create_connection((host, int(port or 80)), 30) as line:
        line.sendall(
            f"POST /{path} HTTP/1.1\r\nHost: {place}\r\nContent-Type: application/json\r\n"
            f"x-api-key: {os.environ.get('ANTHROPIC_API_KEY', 'none')}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
            + body
        )
        head, told = _answer(line, wait)
    status = int(head[0].split(b" ")[1])
    try:
        document = json.loads(told)
    except ValueError:
        raise Lost(f"no answer that could be read (HTTP {status})") from None
    if status in _LATER:
        raise Lost(f"HTTP {status}: {_words(document)}")
    if status != 200:
        raise StepFailed(f"the model refuses (HTTP {status}): {_words(document)}")
    return dict(document)


def _answer(line: socket.socket, wait: Wait) -> tuple[list[bytes], bytes]:
    """The lines of its head, and the whole body. Raises Lost where it ends before."""
    raw, until = b"", time.monotonic() + LIMIT
    while True:
        wait(max(0.0, until - time.monotonic()), line.fileno())
        piece = line.recv(65536)
        raw += piece
        head, _, body = raw.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        length = next(
            (int(one.split(b":")[1]) for one in lines if one.lower().startswith(b"content-length")),
            None,
        )
        if length is not None and len(body) >= length:
            return lines, body
        if not piece:
            raise Lost("the connection ended before the answer was whole")


def _words(document: Any) -> str:
    error = document.get("error") if isinstance(document, dict) else None
    return str(error.get("message")) if isinstance(error, dict) else "no reason"


def usage_of(document: dict[str, Any]) -> tuple[str, int, int]:
    """Its id, and the tokens given and made."""
    usage = document.get("usage") or {}
    given = usage.get("input_tokens", usage.get("prompt_tokens", 0))
    made = usage.get("output_tokens", usage.get("completion_tokens", 0))
    return str(document.get("id", "")), int(given), int(made)
