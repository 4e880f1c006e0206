"""The daemon as whoever starts it meets it: its options, its token, its root, and its end."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from ennio.config.model import AgentConfig
from ennio.hosts.brief import Brief
from ennio.model.errors import EnnioError, Refused, Unauthorized, Unreachable
from ennio.node import options
from ennio.node.client import NodeHost
from tests.conftest import eventually, need
from tests.node.node_bench import TOKEN, NodeBench, documented
from tests.node.node_bench import DocumentedClient as Client

REAL = pytest.mark.real


# --- its command line -----------------------------------------------------------------------------


def test_left_alone_its_options_are_the_documented_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENNIO_HOME", "/srv/ennio")
    read = options.read([], {})
    assert (read.port, read.idle, read.token, read.open) == (9100, 3600, None, False)
    assert read.root == Path("/srv/ennio")
    assert read.told == ()


def test_a_token_on_the_command_line_works_and_is_warned_of(tmp_path: Path) -> None:
    given = options.read(["--auth-token", "long-enough", "--workspace-root", str(tmp_path)], {})
    assert given.token == "long-enough"
    assert "long-enough" not in repr(given)
    assert any("every user" in words for words in given.told)


def test_a_token_of_a_file_wins_over_one_of_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("that-of-the-file\n")
    file.chmod(0o600)
    environ = {"ENNIO_NODE_AUTH_TOKEN": "of-the-environment"}
    assert options.read([], environ).token == "of-the-environment"
    assert options.read(["--auth-token-file", str(file)], environ).token == "that-of-the-file"
    file.chmod(0o640)
    with pytest.raises(Refused, match="chmod 600"):
        options.read(["--auth-token-file", str(file)], {})


@pytest.mark.parametrize("token", ["", "short", "with blanks in it", "brünnhilde-and-more"])
def test_a_token_that_guards_nothing_or_cannot_travel_is_refused(token: str) -> None:
    with pytest.raises(Refused, match="ENNIO_NODE_AUTH_TOKEN"):
        options.read([], {"ENNIO_NODE_AUTH_TOKEN": token})


@pytest.mark.parametrize(
    "words",
    [
        ["--port", "x"],
        ["--port", "65536"],
        ["--port", "-1"],
        ["--idle-timeout", "1h"],
        ["--no-auth", "--auth-token", "long-enough"],
        ["--nothing"],
        ["word"],
    ],
)
def test_what_is_no_option_is_a_usage_error(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        options.read(words, {})
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


# --- as a process ---------------------------------------------------------------------------------


@pytest.fixture
def bench() -> Iterator[NodeBench]:
    need("git")
    need("tmux")
    bench = NodeBench()
    try:
        yield bench
    finally:
        bench.close()


def _node(bench: NodeBench, token: str | None = TOKEN) -> NodeHost:
    return NodeHost("b", f"127.0.0.1:{bench.port}", token)


def _brief(bench: NodeBench, session: str, **other: Any) -> Brief:
    brief = Brief(
        session_id=session,
        project_id="play",
        agent="command",
        runtime="tmux",
        workspace="worktree",
        agent_config=AgentConfig(passthrough={"run": "exec cat"}),
        repo=str(bench.folder / "hub.git"),
        source=str(bench.source),
        branch=session,
        base="main",
    )
    return replace(brief, **other)


@REAL
def test_without_a_token_it_makes_one_that_only_its_owner_reads_and_keeps_it(
    bench: NodeBench,
) -> None:
    bench.token = None
    bench.start()
    (place,) = re.findall(r"the token lies in (\S+)", bench.said())
    file = Path(place)
    token = file.read_text().strip()
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert token not in bench.said()
    node = _node(bench, token)
    assert node.heartbeat() >= 0
    stranger = _node(bench, "another-token")
    with pytest.raises(Unauthorized):
        stranger.heartbeat()
    assert bench.signal(signal.SIGTERM) == 0
    bench.start(bench.port)
    assert file.read_text().strip() == token
    eventually(lambda: _beats(node))
    for each in (node, stranger):
        each.close()


def _beats(node: NodeHost) -> bool:
    try:
        return node.heartbeat(timeout=2) >= 0
    except EnnioError:
        return False


@REAL
def test_a_second_one_is_told_who_has_the_root_or_the_port(
    bench: NodeBench, tmp_path: Path
) -> None:
    bench.start()
    assert bench.process is not None
    others = [
        bench.begin("--port", "0"),
        bench.begin("--port", str(bench.port), "--workspace-root", str(tmp_path)),
        bench.begin("--port", "0", "--workspace-root", "/"),
    ]
    assert [other.wait(20) for other in others] == [1, 1, 1]
    holder = f"another ennio-node has {bench.root} (pid {bench.process.pid}, port {bench.port}"
    assert holder in bench.said()
    assert f"port {bench.port} of 127.0.0.1 cannot be had" in bench.said()
    assert "/ is no folder of its own" in bench.said()
    node = _node(bench)
    assert node.heartbeat() >= 0
    node.close()


@REAL
def test_told_to_end_it_does_what_is_at_work_to_its_end_and_watchers_hold_nothing_up(
    bench: NodeBench,
) -> None:
    bench.start()
    node = _node(bench)
    brief = _brief(bench, "s-end", post_create=("touch begun && sleep 1.5 && touch ended",))
    made = node.make(brief)
    brief = replace(brief, path=made.path)
    cursor = node.news("", 5).cursor
    with ThreadPoolExecutor(2) as pool:
        preparing = pool.submit(node.prepare, brief)
        watching = pool.submit(node.news, cursor, 60)
        eventually((Path(made.path) / "begun").exists)
        begun = time.monotonic()
        assert bench.signal(signal.SIGTERM) == 0
        assert time.monotonic() - begun < 9
        assert preparing.result(timeout=30) is None
        assert isinstance(watching.exception(timeout=5), Unreachable | None)
    with pytest.raises(Unreachable, match="the node on b"):
        node.news(cursor, 1)
    assert (Path(made.path) / "ended").exists()
    node.close()


class _SlowLine:
    """To a node; it is read from slowly, as at the end of a long line, with little room on the way."""

    def __init__(self, place: Path, port: int) -> None:
        self.place, self.port, self.passed = place, port, 0
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(place))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.socket()
                far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                far.connect(("127.0.0.1", self.port))
                threading.Thread(target=self._pass, args=(near, far, 0.0), daemon=True).start()
                threading.Thread(target=self._pass, args=(far, near, 0.002), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket, pause: float) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(4096):
                time.sleep(pause)  # noqa: TID251 - the line takes so long
                other.sendall(data)
                self.passed += len(data) if pause else 0
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@REAL
def test_a_long_answer_arrives_whole_from_one_that_is_told_to_end(
    bench: NodeBench, tmp_path: Path
) -> None:
    """An answer counts as sent while much of it lies in the memory of the process yet."""
    length, number = 1 << 19, 8
    folder = bench.root / "sessions" / "s-long"
    folder.mkdir(parents=True)
    (folder / "session.json").write_text("x" * length)
    bench.start()
    lines = [_SlowLine(tmp_path / f"line-{each}", bench.port) for each in range(number)]
    nodes = [NodeHost(f"b{each}", f"unix:{line.place}", TOKEN) for each, line in enumerate(lines)]
    with ThreadPoolExecutor(number) as pool:
        assert {node.heartbeat() >= 0 for node in nodes} == {True}
        asked = [pool.submit(node.records) for node in nodes]
        on_their_way = lambda: all(line.passed > length // 4 for line in lines)  # noqa: E731
        eventually(on_their_way, why="they are on their way")
        assert bench.signal(signal.SIGTERM) == 0
        assert {len(dict(one.result(30))["s-long"]) for one in asked} == {length}
    for node in nodes:
        node.close()
    for line in lines:
        line.close()


@REAL
def test_it_ends_when_nobody_needs_it_and_never_while_a_session_lives(
    bench: NodeBench, tmp_path: Path
) -> None:
    text = documented(tmp_path)  # takes its time, in which nobody would need the node
    bench.words = ("--idle-timeout", "2")
    bench.start()
    assert bench.process is not None
    client = Client(text, bench.port)
    (bench.root / "worktrees").mkdir(exist_ok=True)
    launch = {"session_id": "s-idle", "cwd": str(bench.root / "worktrees")}
    handle = client.CreateRuntime(**launch, launch_command="env; sleep 4").handle
    eventually(
        lambda: "ENNIO_SESSION_ID=s-idle" in client.GetOutput(handle=handle, lines=99).output
    )
    assert TOKEN not in client.GetOutput(handle=handle, lines=99).output, "agents do not get it"
    node = _node(bench)
    told = node.describe()
    assert (told.sessions, told.sessions_known, told.idle_timeout) == (1, True, 2)
    pid = int(handle.data["pid"])
    process = bench.process
    looks: list[tuple[bool, bool]] = []

    def over() -> bool:
        # the session is asked last: it may end, and the node after it
        looks.append((process.poll() is not None, _lives(pid)))
        return not looks[-1][1]

    eventually(over)
    assert (True, True) not in looks, "it ended under a living session"
    # to be asked whether it is well is no need for it
    eventually(lambda: not _beats(node) and process.poll() == 0, why="it ends")
    assert "nobody has asked for anything for 2 s" in bench.said()
    node.close()
    client.close()


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@REAL
def test_without_a_token_everybody_on_this_machine_is_answered_and_nohup_keeps_it(
    bench: NodeBench,
) -> None:
    bench.token = None
    bench.words = ("--no-auth",)
    bench.before = ("nohup",)
    bench.start()
    node = _node(bench, None)
    assert bench.process is not None
    bench.process.send_signal(signal.SIGHUP)
    assert [node.heartbeat() >= 0 for _ in range(20)] == [True] * 20, "nohup keeps it"
    assert "every user of this machine can run programs as this one" in bench.said()
    assert not (bench.root / "node" / "token").exists()
    node.close()
