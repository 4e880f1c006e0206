"""A model's service: ``python -m tests.bench.bare.model PORT``. Answers everything with one stream.
Its one process must be quicker than whatever stands before it.
"""

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import sys  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from typing import Any  # noqa: E402

from tests.bench.bare.serving import serve  # noqa: E402

PIECES = 20


def _event(kind: str, **more: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **more})}\n\n".encode()


def _stream() -> list[bytes]:
    usage = {"input_tokens": 10, "output_tokens": 1}
    delta = {"type": "text_delta", "text": "a few words of an answer, as they come "}
    return [
        _event("message_start", message={"id": "msg_1", "model": "scripted", "usage": usage}),
        *(_event("content_block_delta", index=0, delta=delta) for _ in range(PIECES)),
        _event("message_delta", delta={}, usage={"output_tokens": 200}),
        _event("message_stop"),
    ]


STREAM = _stream()


def answer(environ: Any, start: Any) -> Iterator[bytes]:
    """The same events every time."""
    environ["wsgi.input"].read()
    start("200 OK", [("Content-Type", "text/event-stream")])
    yield from STREAM


if __name__ == "__main__":
    serve(int(sys.argv[1]), answer)
