"""The supervisor's process for real: gunicorn, sockets, signals, clients of all kinds."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from ennio.http import address
from ennio.http.client import ApiClient, NoSupervisor, find
from ennio.http.port import listen
from ennio.machine.home import Home
from ennio.model.errors import Conflict, Invalid, NotFound, Refused, Unauthorized
from tests.conftest import eventually
from tests.fork_server import forked

ROOT = Path(__file__).parents[2]
POST = b"POST /api/v1/sessions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer TOKEN\r\n"
SPAWN = {"project_id": "my-app", "prompt": "x"}


class Supervisor:
    """One supervisor process in a directory of its own."""

    def __init__(self, directory: Path, port: int = 0, **environment: str) -> None:
        self.directory = directory
        self.config = directory / "ennio.yaml"
        self.home = Home(directory / "home")
        self.run_dir = self.home.run(self.config)
        self.log = directory / "log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.http.small_supervisor", str(directory), str(port)],
                cwd=ROOT, stdout=log, stderr=log, env={**os.environ, **environment}, start_new_session=True,
            )  # fmt: skip

    def client(self, token: str | None = None) -> ApiClient:
        """A client, once the supervisor answers."""
        eventually(lambda: self.answers() or self.process.poll() is not None, why=self.words())
        return find(self.config, self.home, lambda: token)

    def answers(self) -> bool:
        found = address.running(self.run_dir)
        return found is not None and found.pid == self.process.pid and self._healthy(found.url)

    @staticmethod
    def _healthy(url: str) -> bool:
        with suppress(Exception):
            return bool(ApiClient(url, "").get("/health") == "ok")
        return False

    def port(self) -> int:
        found = address.read(self.run_dir)
        assert found is not None
        return int(found.url.rpartition(":")[2])

    def words(self) -> str:
        return self.log.read_text(errors="replace")

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(20)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where a supervisor lives."""
    return tmp_path


@pytest.fixture
def supervisor(directory: Path) -> Iterator[Supervisor]:
    """A supervisor that answers; it must end well and say nothing."""
    made = Supervisor(directory)
    made.client()
    yield made
    code = made.stop()
    assert "Traceback" not in made.words(), made.words()
    assert code in (0, -signal.SIGKILL), made.words()


@contextmanager
def connected(supervisor: Supervisor) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", supervisor.port()), timeout=30) as connection:
        yield connection


def raw(supervisor: Supervisor, data: bytes) -> tuple[int, Any]:
    """Status and JSON body of what is answered to these bytes, after which the connection ends."""
    with connected(supervisor) as connection:
        connection.sendall(data)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
            head, _, body = answer.partition(b"\r\n\r\n")
            if body:
                with suppress(ValueError):
                    return int(head.split()[1]), json.loads(body)
    raise AssertionError(f"no JSON in {answer!r}")


def open_stream(supervisor: Supervisor, token: str, query: str = "after=0") -> socket.socket:
    """A socket on which the stream has begun; nothing of it has been read."""
    connection = socket.create_connection(("127.0.0.1", supervisor.port()), timeout=30)
    head = (
        f"GET /api/v1/events/stream?{query} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
        f"{token}\r\n\r\n"
    )
    connection.sendall(head.encode())
    return connection


def token_of(supervisor: Supervisor) -> str:
    token = address.known_token(supervisor.run_dir)
    assert token is not None
    return token


def test_garbage_is_looked_for_once_arbiter_and_worker_stand_and_not_among_what_lasts(
    supervisor: Supervisor,
) -> None:
    status = supervisor.client().get("/status")
    assert status["collected"] == [False, True, True]
    assert status["set_aside"] > 50_000
    os.kill(status["pid"], signal.SIGKILL)

    def again() -> Any:
        return (found := supervisor.client().get("/status"))["pid"] != status["pid"] and found

    assert eventually(again)["collected"] == [False, True, True, True]  # type: ignore[index]


def test_a_client_finds_it_by_the_configuration_file_and_speaks_to_it(
    supervisor: Supervisor,
) -> None:
    client = supervisor.client()
    session = client.post("/sessions", SPAWN)
    assert (
        client.get("/sessions", project_id="my-app", status=None, all=True)[0]["id"]
        == session["id"]
    )
    assert client.post(f"/sessions/{session['id']}/send", {"message": "hallo, Wörld ☃"}) == "sent"
    assert client.get(f"/sessions/{session['id']}/messages")[0]["text"] == "hallo, Wörld ☃"
    assert client.delete(f"/sessions/{session['id']}") == "killed"
    assert client.page("/events", after=0, limit=2)[1] is None
    assert (supervisor.run_dir / "api_token").stat().st_mode & 0o777 == 0o600
    assert supervisor.run_dir.stat().st_mode & 0o777 == 0o700


def test_a_refusal_is_raised_as_the_error_it_was(supervisor: Supervisor) -> None:
    client = supervisor.client()
    session = client.post("/sessions", SPAWN)["id"]
    for kind, ask in [
        (NotFound, lambda: client.get("/sessions/ma-none")),
        (Invalid, lambda: client.get("/events", limit=0)),
        (Conflict, lambda: client.post(f"/sessions/{session}/restore")),
        (Unauthorized, lambda: ApiClient(client.url, "wrong").get("/sessions")),
    ]:
        with pytest.raises(kind):
            ask()


def test_incident_52_it_says_nothing_that_nobody_asked_for(supervisor: Supervisor) -> None:
    supervisor.client().get("/sessions")
    assert not [
        line
        for line in supervisor.words().splitlines()
        if "WARN" in line or "ERROR" in line or "warn" in line
    ]


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="no folder in memory")
def test_incident_35_the_heartbeat_of_its_worker_touches_no_disk(supervisor: Supervisor) -> None:
    open_files = {
        file.resolve()
        for file in Path(f"/proc/{supervisor.client().get('/status')['pid']}/fd").iterdir()
    }
    beats = [file for file in open_files if "wgunicorn" in file.name]
    assert [str(file.parent) for file in beats] == ["/dev/shm"]


def test_a_configured_token_is_used_and_written_nowhere(directory: Path) -> None:
    supervisor = Supervisor(directory, TOKEN="configured-secret")
    try:
        assert supervisor.client("configured-secret").get("/sessions") == []
        with pytest.raises(Unauthorized):
            supervisor.client("other").get("/sessions")
        written = [
            path
            for path in supervisor.run_dir.rglob("*")
            if path.is_file() and b"configured-secret" in path.read_bytes()
        ]
        assert written == []
    finally:
        supervisor.stop()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\nBad Header: x\r\n\r\n", 400),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 9000 + b"\r\n\r\n", 431),
        (
            b"GET / HTTP/1.1\r\nHost: localhost\r\n"
            + b"".join(b"X-%d: 1\r\n" % n for n in range(200))
            + b"\r\n",
            431,
        ),
        (b"GET /api/v1/health HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
        (b"GET /api/v1/health HTTP/1.0\r\n\r\n", 421),
        (
            (
                b"POST /api/v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            ),
            400,
        ),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", 400),
        (POST + b"Content-Type: application/json\r\nContent-Length: 99999999\r\n\r\n{", 413),
    ],
)
def test_what_is_no_proper_request_is_answered_in_the_envelope(
    supervisor: Supervisor, data: bytes, status: int
) -> None:
    answered, body = raw(supervisor, data.replace(b"TOKEN", token_of(supervisor).encode()))
    assert (answered, body["code"]) == (status, status)
    assert set(body) == {"error", "code"}


def test_a_chunked_body_is_read(supervisor: Supervisor) -> None:
    body = json.dumps(SPAWN).encode()
    head = (
        "POST /api/v1/sessions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
        f"{token_of(supervisor)}\r\n"
    )
    head += "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    status, answer = raw(supervisor, head.encode() + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
    assert (status, answer["data"]["status"]) == (200, "spawning")


def test_forwarded_headers_change_nothing(supervisor: Supervisor) -> None:
    data = (
        b"GET /api/v1/sessions HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: localhost\r\n"
        b"Forwarded: host=localhost\r\n\r\n"
    )
    assert raw(supervisor, data)[0] == 421


def test_fifty_listeners_hear_the_same_and_are_forgotten_when_they_leave(
    supervisor: Supervisor,
) -> None:
    client, token = supervisor.client(), token_of(supervisor)
    worker = psutil.Process(client.get("/status")["pid"])
    listeners = [open_stream(supervisor, token) for _ in range(50)]
    eventually(lambda: client.get("/status")["listeners"] == 50)
    assert len(connections(worker)) >= 50
    session = client.post("/sessions", SPAWN)["id"].encode()
    for connection in listeners:
        heard = b""
        while session not in heard:
            heard += connection.recv(65536)
        connection.close()
    eventually(lambda: client.get("/status")["listeners"] == 0)
    eventually(
        lambda: not connections(worker),
        why="the greenlets that served them have ended and closed their side",
    )


def connections(process: psutil.Process) -> list[object]:
    """Those its side of is open still, whether the other side is or not."""
    return [found for found in process.net_connections("tcp") if found.raddr]


def test_a_slow_listener_costs_no_memory_and_hinders_nobody(supervisor: Supervisor) -> None:
    client, token = supervisor.client(), token_of(supervisor)
    worker = psutil.Process(client.get("/status")["pid"])
    slow, quick = open_stream(supervisor, token), open_stream(supervisor, token)
    before = worker.memory_info().rss
    last = [client.post("/sessions", {**SPAWN, "prompt": "y" * 30_000})["id"] for _ in range(300)][
        -1
    ].encode()
    heard = b""
    while last not in heard[-100_000:]:
        heard += quick.recv(65536)
    assert worker.memory_info().rss - before < 40 * 1024 * 1024
    assert client.get("/health") == "ok"
    slow.close()
    quick.close()


def test_it_ends_within_three_seconds_with_streams_open(supervisor: Supervisor) -> None:
    client, token = supervisor.client(), token_of(supervisor)
    streams = [open_stream(supervisor, token) for _ in range(5)]
    eventually(lambda: client.get("/status")["listeners"] == 5)
    began = time.monotonic()
    supervisor.process.terminate()
    assert supervisor.process.wait(30) == 0
    assert time.monotonic() - began < 3
    assert streams[0].recv(65536).startswith(b"HTTP/1.1 200")
    assert (supervisor.directory / "stopped").exists()
    assert not (supervisor.run_dir / "supervisor.json").exists()
    for connection in streams:
        connection.close()


def test_shutdown_over_the_api_answers_and_ends_it(supervisor: Supervisor) -> None:
    client = supervisor.client()
    assert client.post("/shutdown") == "stopping"
    assert supervisor.process.wait(30) == 0
    with pytest.raises(NoSupervisor, match="ennio start"):
        find(supervisor.config, supervisor.home, lambda: None)
    with pytest.raises(NoSupervisor):
        client.get("/health")


def test_ctrl_c_ends_it_in_good_order(supervisor: Supervisor) -> None:
    os.killpg(supervisor.process.pid, signal.SIGINT)
    assert supervisor.process.wait(30) == 0
    assert (supervisor.directory / "stopped").exists()


def test_a_killed_worker_is_replaced_and_a_listener_misses_nothing(supervisor: Supervisor) -> None:
    client = supervisor.client()
    heard: list[Any] = []
    threading.Thread(
        target=lambda: heard.extend(iter_into(heard, client.stream(after=0, patience=30))),
        daemon=True,
    ).start()
    client.post("/sessions", SPAWN)
    eventually(lambda: len(heard) == 1)
    first = client.get("/status")["pid"]
    os.kill(first, signal.SIGKILL)
    client.post("/sessions", SPAWN)
    client.post("/sessions", SPAWN)
    assert client.get("/status")["pid"] != first
    eventually(lambda: len(heard) >= 3)
    assert [event["seq"] for event in heard] == [1, 2, 3]


def iter_into(heard: list[Any], events: Iterator[Any]) -> list[Any]:
    """Put events into a list as they come."""
    with suppress(NoSupervisor):
        for event in events:
            heard.append(event)  # noqa: PERF402 - one at a time is what is tested
    return []


def test_hup_replaces_the_worker_by_one_other(supervisor: Supervisor) -> None:
    client = supervisor.client()
    first = client.get("/status")["pid"]
    supervisor.process.send_signal(signal.SIGHUP)
    eventually(lambda: not psutil.pid_exists(first))
    assert client.get("/status")["pid"] != first
    assert len(psutil.Process(supervisor.process.pid).children()) == 1


def test_signals_that_would_make_a_second_worker_do_nothing(supervisor: Supervisor) -> None:
    client = supervisor.client()
    for number in (signal.SIGTTIN, signal.SIGUSR2, signal.SIGTTOU, signal.SIGWINCH):
        supervisor.process.send_signal(number)
    eventually(lambda: supervisor.words().count("ignored a signal") == 4)
    assert client.get("/health") == "ok"
    assert len(psutil.Process(supervisor.process.pid).children()) == 1


def test_incident_51_a_killed_supervisor_leaves_nobody_on_the_port(supervisor: Supervisor) -> None:
    worker, port = supervisor.client().get("/status")["pid"], supervisor.port()
    supervisor.process.kill()
    supervisor.process.wait()
    eventually(lambda: not psutil.pid_exists(worker))
    with pytest.raises(NoSupervisor):
        find(supervisor.config, supervisor.home, lambda: None)
    again = Supervisor(supervisor.directory, port)
    try:
        assert again.client().get("/health") == "ok"
        assert again.port() == port
    finally:
        again.stop()


def test_a_restart_right_after_a_kill_waits_for_the_old_worker(supervisor: Supervisor) -> None:
    port = supervisor.port()
    supervisor.process.kill()
    again = Supervisor(supervisor.directory, port)
    try:
        assert again.client().get("/health") == "ok"
    finally:
        again.stop()


def test_a_second_one_for_the_same_configuration_says_who_is_first(supervisor: Supervisor) -> None:
    second = Supervisor(supervisor.directory)
    assert second.process.wait(20) == 1
    assert (
        f"a supervisor runs already for {supervisor.config} (pid {supervisor.process.pid}, since"
        in second.words()
    )
    assert supervisor.client().get("/health") == "ok"
    supervisor.config.write_text("projects: []\n")
    ended = subprocess.run(
        forked(*re.findall(r"`ennio (\w+)` ends it", second.words())),
        cwd=supervisor.directory,
        env={**os.environ, "ENNIO_HOME": str(supervisor.home.root), "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert (ended.returncode, supervisor.process.wait(60)) == (0, 0)
    third = Supervisor(supervisor.directory)
    assert third.client().get("/health") == "ok"
    assert third.stop() == 0


def test_a_taken_port_is_refused_naming_who_has_it(directory: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        supervisor = Supervisor(directory, port)
        assert supervisor.process.wait(20) == 1
    assert f"port {port} on 127.0.0.1 is taken by" in supervisor.words()
    assert f"(pid {os.getpid()})" in supervisor.words()
    assert "Traceback" not in supervisor.words()


def test_a_port_that_another_ennio_has_is_no_reason_to_end_it() -> None:
    code = (
        "import socket, time; s = socket.create_server(('127.0.0.1', 0)); "
        "print(s.getsockname()[1], flush=True); time.sleep(60)"
    )
    words = [
        sys.executable,
        "-c",
        code,
        "-m",
        "ennio.supervise",
        "--config",
        "/elsewhere/ennio.yaml",
    ]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        port = int(other.stdout.readline())
        with pytest.raises(
            Refused, match=r"another Ennio of /elsewhere/ennio\.yaml \(pid \d+\); let both run"
        ) as refused:
            listen("127.0.0.1", port, 0.0)
        other.kill()
    assert "end it" not in str(refused.value)


def test_a_house_that_cannot_start_says_why_and_leaves(directory: Path) -> None:
    (directory / "refuse").touch()
    supervisor = Supervisor(directory)
    assert supervisor.process.wait(20) == 1
    assert "could not start: the database is of a newer version" in supervisor.words()
    assert "Traceback" not in supervisor.words()


def test_a_client_that_leaves_in_the_middle_of_anything_leaves_no_trace(
    supervisor: Supervisor,
) -> None:
    token = token_of(supervisor)
    head = (
        f"POST /api/v1/sessions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        "Content-Type: application/json\r\n"
    )
    for data in (
        "",
        "GET",
        head,
        head + "Content-Length: 50\r\n\r\n{",
        head + "Transfer-Encoding: chunked\r\n\r\n10\r\n{",
    ):
        with connected(supervisor) as connection:
            connection.sendall(data.encode())
            connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"
            )  # leave with a reset
    assert supervisor.client().get("/sessions") == []


def _main(*arguments: str, home: Path) -> subprocess.Popen[str]:
    """The real thing, from its own entry."""
    env = {
        **os.environ,
        "ENNIO_HOME": str(home),
        "ENNIO_TRUSTED_CONFIG_PATHS": str(home.parent),
        "ENNIO_SESSION_ID": "",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "ennio.supervise", *arguments],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=env,
    )  # fmt: skip


def test_the_real_house_is_served_from_its_configuration_file(tmp_path: Path) -> None:
    config = tmp_path / "ennio.yaml"
    config.write_text(
        f"port: 0\nprojects:\n  - name: My App\n    repo: {tmp_path}\n    path: {tmp_path}\n"
    )
    home = Home(tmp_path / "home")
    process = _main("--config", str(config), home=home.root)
    try:
        eventually(lambda: address.running(home.run(config)) or process.poll() is not None)
        client = find(config, home, lambda: None)
        assert [project["id"] for project in client.get("/projects")] == ["my-app"]
        assert client.get("/status")["config"] == str(config)
        assert client.post("/shutdown") == "stopping"
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.communicate()


def test_a_wrong_configuration_is_told_and_ends_with_1(tmp_path: Path) -> None:
    config = tmp_path / "ennio.yaml"
    config.write_text("projects: [{name: x}]\n")
    process = _main("--config", str(config), home=tmp_path)
    _, words = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "projects[0].repo" in words
    assert "Traceback" not in words


def cookie_of(supervisor: Supervisor) -> str:
    """The name of the cookie a browser gets from it."""
    code = supervisor.client().post("/auth/code")["code"]
    connection = http.client.HTTPConnection("127.0.0.1", supervisor.port(), timeout=30)
    with closing(connection):
        connection.request("GET", f"/auth?code={code}")
        return str(connection.getresponse().getheader("Set-Cookie")).partition("=")[0]


def test_two_supervisors_that_took_any_free_port_share_no_cookie(
    supervisor: Supervisor, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Supervisor(tmp_path_factory.mktemp("other"))
    try:
        assert (cookie_of(supervisor), cookie_of(other)) == (
            f"ennio-{supervisor.port()}",
            f"ennio-{other.port()}",
        )
    finally:
        other.stop()
