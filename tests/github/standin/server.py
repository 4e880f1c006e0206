"""The stand-in on a port: authorization, quotas, ETags, faults, the schema
gate, and git over HTTP.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.github import gate
from tests.github.standin import graph
from tests.github.standin.hub import ALONE, Fault, Hub
from tests.github.standin.rest import Answered, Rest, problem


@dataclass(frozen=True)
class Trouble:
    """What a server in trouble answers, whatever it is asked; a length that promises more than
    comes is half an answer.
    """

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Server:
    """Serves a hub until it is closed; ``api`` is its base, ``git`` where its
    repositories are cloned from.

    While there is ``trouble``, that is what its API answers; git goes on. ``spoil`` makes of a
    good answer what is sent.

    An Enterprise server has its API below ``/api``: REST in ``v3``, GraphQL beside
    it, and nothing elsewhere.
    """

    def __init__(self, hub: Hub, *, enterprise: bool = False) -> None:
        self.hub = hub
        self.rest_root, self.graphql = (
            ("/api/v3", "/api/graphql") if enterprise else ("", "/graphql")
        )
        self.lock = threading.RLock()
        self.trouble: Trouble | None = None
        self.spoil: Callable[[Any], Any] = lambda body: body
        server = self

        class Handler(_Handler):
            standin = server

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        root = f"http://127.0.0.1:{self._http.server_address[1]}"
        self.api = f"{root}{self.rest_root}"
        self.git = f"{root}/git/{hub.owner}/{hub.name}.git"
        self.rest = Rest(hub, self.api)
        threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


class _Handler(BaseHTTPRequestHandler):
    standin: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""

    def _any(self) -> None:
        raw = self._body()
        path = urlsplit(self.path).path
        if path.startswith("/git/"):
            self._git(raw)
            return
        with self.standin.lock:
            self._api(path, raw)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any  # noqa: N815

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _api(self, path: str, raw: bytes) -> None:
        hub, trouble = self.standin.hub, self.standin.trouble
        if trouble is not None:
            hub.requests.append((hub.clock.now(), self.command, path, trouble.status))
            body = trouble.body.encode()
            self._send(trouble.status, body, dict(trouble.headers))
            self.close_connection = True
            return
        if "/signed/" in path:
            assert "Authorization" not in self.headers, "a foreign server was given the token"
            fault = self._fault(path)
            if fault is not None:
                self._send(fault.status, fault.message.encode(), {"Content-Type": "text/plain"})
                return
            self._send(
                200, hub.logs[int(path.rpartition("/")[2])].encode(), {"Content-Type": "text/plain"}
            )
            return
        bucket = "graphql" if path == self.standin.graphql else "core"
        fault = self._fault(path)
        if fault is not None and fault.status == 0:
            hub.requests.append((hub.clock.now(), self.command, path, 0))
            self.close_connection = True
            self.connection.close()
            return
        answer = (
            Answered(fault.status, {"message": fault.message}, fault.headers)
            if fault
            else self._answer(path, raw, bucket)
        )
        body = b"" if answer.body is None else json.dumps(self.standin.spoil(answer.body)).encode()
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        if self.command == "GET" and answer.status == 200:
            answer.headers["ETag"] = etag
            if self.headers.get("If-None-Match") == etag:
                answer.status, body = 304, b""
        if answer.status not in (304, 429) and fault is None:
            self._charge(bucket)
        hub.requests.append((hub.clock.now(), self.command, path, answer.status))
        self._send(answer.status, body, {**self._quota(bucket), **answer.headers})

    def _fault(self, path: str) -> Fault | None:
        found = next((fault for fault in self.standin.hub.faults if fault.path in path), None)
        if found is not None:
            self.standin.hub.faults.remove(found)
        return found

    def _answer(self, path: str, raw: bytes, bucket: str) -> Answered:
        hub = self.standin.hub
        if self.headers.get("Authorization") != f"Bearer {hub.token}":
            return problem(401, "Bad credentials")
        quota = hub.quotas[bucket]
        if hub.clock.now() >= quota.resets_at:
            from datetime import timedelta

            quota.remaining, quota.resets_at = quota.limit, hub.clock.now() + timedelta(hours=1)
        if quota.remaining <= 0:
            return problem(403, "API rate limit exceeded for user ID 1.")
        body = json.loads(raw) if raw else None
        if bucket == "graphql":
            return Answered(200, graph.answer(hub, body["query"], body["variables"]))
        root = self.standin.rest_root
        if not path.startswith(f"{root}/"):
            hub.invalid.append(f"{self.command} {path} is not below {root}")
            return problem(404, "Not Found")
        place, query = self.path.removeprefix(root), dict(parse_qsl(urlsplit(self.path).query))
        hub.invalid += gate.request_faults(self.command, place, body)
        answer = self.standin.rest.answer(self.command, path.removeprefix(root), body, query)
        hub.invalid += gate.answer_faults(self.command, place, answer.status, answer.body)
        return answer

    def _charge(self, bucket: str) -> None:
        quota = self.standin.hub.quotas[bucket]
        quota.remaining = max(
            0, quota.remaining - (self.standin.hub.cost if bucket == "graphql" else 1)
        )

    def _quota(self, bucket: str) -> dict[str, str]:
        quota = self.standin.hub.quotas[bucket]
        reset = str(int(quota.resets_at.timestamp()))
        told = {
            "Limit": str(quota.limit),
            "Remaining": str(quota.remaining),
            "Reset": reset,
            "Resource": bucket,
        }
        return {f"X-RateLimit-{name}": value for name, value in told.items()}

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        length = {} if status in (204, 304) else {"Content-Length": str(len(body))}
        for name, value in {
            "Content-Type": "application/json; charset=utf-8",
            **length,
            **headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        if status not in (204, 304):
            self.wfile.write(body)

    def _git(self, raw: bytes) -> None:
        """Hands a request to git's own server program."""
        parts = urlsplit(self.path)
        env = {
            "PATH": os.environ["PATH"], **ALONE,
            "GIT_PROJECT_ROOT": str(self.standin.hub.git_root), "GIT_HTTP_EXPORT_ALL": "1", "REMOTE_USER": "ennio",
            "PATH_INFO": parts.path.removeprefix("/git"), "QUERY_STRING": parts.query, "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(raw)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""), "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }  # fmt: skip
        done = subprocess.run(
            ["git", "http-backend"],
            input=raw,
            capture_output=True,
            env=env,
            check=False,
            timeout=60,
        )
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        self._send(int(headers.pop("Status", "200").split()[0]), body, headers)
