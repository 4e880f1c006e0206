"""A receiver of spans: a real HTTP server that decodes what it is sent with the protocol's own messages."""

from __future__ import annotations

import gzip
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

ROOT = Path(__file__).resolve().parents[1]


@dataclass(slots=True)
class SpanReceived:
    """One span as it arrived."""

    name: str
    attributes: dict[str, Any]
    span_id: bytes
    parent_id: bytes
    failed: bool
    service: str


@dataclass(slots=True)
class Receiver:
    """What has arrived so far; ``raw`` is everything as bytes."""

    url: str = ""
    spans: list[SpanReceived] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    raw: bytes = b""

    def named(self, name: str) -> list[SpanReceived]:
        return [span for span in self.spans if span.name == name]


def _value(value: Any) -> Any:
    return getattr(value, value.WhichOneof("value"))


def _plain(attributes: Any) -> dict[str, Any]:
    return {each.key: _value(each.value) for each in attributes}


def _take(receiver: Receiver, body: bytes) -> None:
    request = ExportTraceServiceRequest()
    request.ParseFromString(body)
    receiver.raw += body
    for of_resource in request.resource_spans:
        service = str(_plain(of_resource.resource.attributes)["service.name"])
        for scope in of_resource.scope_spans:
            receiver.spans += [
                SpanReceived(
                    each.name,
                    _plain(each.attributes),
                    each.span_id,
                    each.parent_span_id,
                    each.status.code == 2,
                    service,
                )
                for each in scope.spans
            ]


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            receiver.headers.append({name.lower(): told for name, told in self.headers.items()})
            _take(receiver, body)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200 if self.path == "/v1/traces" else 404)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_words: object) -> None:
            pass

    return Handler


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver for the length of the block."""
    receiver = Receiver()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(receiver))
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def receiving_elsewhere() -> Iterator[str]:
    """The address of a receiver in a process of its own, which takes nothing of this one's time."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.otlp"], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def main() -> None:
    """Receive until ended; the first line of output is the address."""
    with receiving() as receiver:
        print(receiver.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
