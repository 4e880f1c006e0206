"""A real command in a real process, and a real HTTP server that gives it chosen answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from ennio.http import address
from ennio.machine.home import Home, private
from tests.cli.sick import Sick, sick_at
from tests.ended import Ended
from tests.fork_server import forked

ROOT = Path(__file__).resolve().parents[2]
MINIMAL = (
    "port: {port}\nprojects:\n  - name: My App\n    repo: git@github.com:user/my-app.git\n    "
    "path: /nowhere/my-app\n"
)


@dataclass(frozen=True, slots=True)
class Place:
    """A folder to call the command in, with a home of its own."""

    folder: Path
    home: Path

    @property
    def env(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
        git = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
        who = {
            f"GIT_{part}_{what}": "t@example.org"
            for part in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        ours = {
            "ENNIO_HOME": str(self.home / "ennio"),
            "ENNIO_TRUSTED_CONFIG_PATHS": str(self.folder.parent),
        }
        return kept | git | who | ours | {"HOME": str(self.home), "PYTHONPATH": str(ROOT)}

    def command(self, *words: str) -> list[str]:
        """What a person calls, from the beginning of the interpreter on; only for what is about
        that beginning, a signal or a terminal: it costs ten times what ``ennio`` does.
        """
        return [sys.executable, "-m", "ennio.cli", *words]

    def ennio(self, *words: str, given: str | None = None, **env: str) -> Ended:
        """A command in a process of its own that need not load it."""
        done = subprocess.run(
            forked(*words),
            cwd=self.folder,
            env=self.env | env,
            input=given or "",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def git(self, *words: str, cwd: Path | None = None) -> str:
        done = subprocess.run(
            ["git", *words],
            cwd=cwd or self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        return done.stdout.strip()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An empty folder and an empty home."""
    for name in ("work", "home"):
        (tmp_path / name).mkdir()
    return Place(tmp_path / "work", tmp_path / "home")


@pytest.fixture
def sick(place: Place) -> Iterator[Sick]:
    """A sound one to begin with, where something is to be broken and mended."""
    with sick_at(place) as one:
        yield one


@dataclass(slots=True)
class Api:
    """A server that answers what it was told to, and remembers what it was asked.

    ``unchanged`` counts the answers that were known to who asked.
    """

    place: Place
    url: str = ""
    answers: dict[tuple[str, str], tuple[int, Any, str]] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)
    unchanged: int = 0

    def on(self, method: str, path: str, data: Any, *, status: int = 200, error: str = "") -> Api:
        """Answer this path with data, or with an error of a class."""
        document = {"data": data} if status < 400 else {"error": data, "code": status}
        self.answers[method, path] = (status, document, error)
        return self

    def ennio(self, *words: str, given: str | None = None, **env: str) -> Ended:
        return self.place.ennio(*words, given=given, **env)

    @property
    def last(self) -> tuple[str, str, dict[str, str], Any]:
        return self.asked[-1]


def _handler(api: Api) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            parts = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = parts.path.removeprefix("/api/v1")
            api.asked.append(
                (self.command, path, dict(parse_qsl(parts.query)), json.loads(raw) if raw else None)
            )
            api.tokens.append(self.headers.get("Authorization"))
            missing = (404, {"error": f"no route {path}", "code": 404}, "NotFound")
            status, document, error = api.answers.get((self.command, path), missing)
            if callable(document.get("data")):
                document = {"data": document["data"]()}
            streamed = isinstance(document.get("data"), str) and path == "/events/stream"
            body = document["data"].encode() if streamed else json.dumps(document).encode()
            tag = f'"{zlib.crc32(body)}"'
            if status == 200 and self.headers.get("If-None-Match") == tag:
                api.unchanged += 1
                status, body = 304, b""
            self.send_response(status)
            self.send_header("ETag", tag)
            if error:
                self.send_header("Ennio-Error", error)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the base class wants these names

        def log_message(self, *_words: object) -> None:
            pass

    return Handler


@pytest.fixture
def api(place: Place) -> Iterator[Api]:
    """The API at the address where the command looks for the supervisor of its configuration."""
    made = Api(place)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(made))
    made.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    release = claim(place, made.url, server.server_port)
    made.on(
        "GET", "/projects", [{"id": "my-app", "name": "My App"}, {"id": "other", "name": "Other"}]
    )
    yield made
    server.shutdown()
    server.server_close()
    release()


def claim(place: Place, url: str, port: int) -> Callable[[], None]:
    """Be the supervisor of the folder's configuration: its lock, address and token."""
    config = place.folder / "ennio.yaml"
    config.write_text(MINIMAL.format(port=port))
    run_dir = private(Home(Path(place.env["ENNIO_HOME"])).run(config))
    lock = address.take(run_dir)
    assert lock is not None
    address.token(run_dir, None)
    address.write(
        run_dir,
        address.SupervisorAddress(os.getpid(), url, "2026-01-01T00:00:00+00:00", str(config)),
    )
    return lambda: os.close(lock)
