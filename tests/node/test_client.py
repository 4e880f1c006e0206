"""A host behind a node, over real channels: what it raises is raised here, whatever else goes wrong
is that nothing is known, and nobody waits for ever.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import grpc
import pytest

from ennio import __version__
from ennio.hosts.brief import Brief
from ennio.hosts.calls import CALLS
from ennio.hosts.interface import Host
from ennio.hosts.observation import News
from ennio.model.errors import EnnioError, Exhausted, TimedOut, Unauthorized, Unreachable
from ennio.node import client as client_module
from ennio.node import ennio_node_pb2 as messages
from ennio.node.access import NodeAccess
from ennio.node.activity import CallActivity
from ennio.node.channel import opened
from ennio.node.client import LATE, SOON, NodeHost, _deadline
from ennio.node.documented import DocumentedCalls
from ennio.node.host_calls import HostCalls
from ennio.node.server import NodeLimits, NodeServer
from ennio.node.workspace_root import WorkspaceRoot
from tests.conftest import eventually
from tests.frozen import freeze
from tests.hosts.test_calls import BRIEF, ERRORS
from tests.node.node_bench import TOKEN, NodeBench
from tests.node.relay import Relay

pytestmark = pytest.mark.real


class Answering:
    """A host that does what it is given to do."""

    name = ""

    def __init__(self, does: Callable[[], Any]) -> None:
        self.does = does

    def workspace_path(self, brief: Brief) -> Any:
        return self.does()

    def output(self, brief: Brief, lines: int) -> Any:
        return self.does()

    def terminals(self, runtime: str) -> Any:
        raise Unreachable("nobody knows")

    def free_memory(self) -> int:
        return 7

    def free_disk(self) -> int:
        raise Unreachable("nobody knows")

    def news(self, cursor: str, timeout: float) -> News:
        return News(cursor + "+", ("p-1",))


@contextmanager
def _served(
    folder: Path, does: Callable[[], Any], limits: NodeLimits | None = None
) -> Iterator[tuple[NodeHost, int]]:
    host = cast("Host", Answering(does))
    calls = DocumentedCalls(host, WorkspaceRoot(folder)), HostCalls(host, str(folder), 0)
    server = NodeServer(*calls, NodeAccess(TOKEN), CallActivity(), lambda _: None, limits)
    port = server.listen(0)
    node = NodeHost("b", f"127.0.0.1:{port}", TOKEN)
    try:
        yield node, port
    finally:
        node.close()
        server.stop(0.2)


def _raising(error: BaseException) -> Callable[[], Any]:
    def does() -> Any:
        raise error

    return does


def test_what_a_host_raises_over_there_is_raised_here_as_itself(tmp_path: Path) -> None:
    waiting = list(ERRORS)

    def raises() -> None:
        raise waiting.pop(0)

    with _served(tmp_path, raises) as (node, _):
        for error in ERRORS:
            with pytest.raises(type(error)) as caught:
                node.workspace_path(BRIEF)
            assert (type(caught.value), str(caught.value)) == (type(error), str(error))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(28, "No space left"), grpc.StatusCode.RESOURCE_EXHAUSTED),
        (OSError(5, "Input/output error"), grpc.StatusCode.INTERNAL),
        (ZeroDivisionError("by zero"), grpc.StatusCode.INTERNAL),
        (Unreachable("away" * 5000), grpc.StatusCode.UNAVAILABLE),
        (Unreachable("odd \udcff"), grpc.StatusCode.UNAVAILABLE),
    ],
)
def test_whatever_goes_wrong_in_a_documented_call_is_a_status(
    tmp_path: Path, error: BaseException, code: Any
) -> None:
    with _served(tmp_path, _raising(error)) as (node, _):
        request = messages.GetOutputRequest(handle={"id": "a", "runtime_name": "tmux"}, lines=1)
        with pytest.raises(grpc.RpcError) as caught:
            node._calls["EnnioNode.GetOutput"](request, metadata=node._metadata, timeout=10)
        assert caught.value.code() is code
        assert "Traceback" not in caught.value.details()


def test_a_token_that_is_wrong_is_said_of_the_node_and_says_nothing_of_its_sessions(
    tmp_path: Path,
) -> None:
    with _served(tmp_path, lambda: "x") as (_, port):
        stranger = NodeHost("b", f"127.0.0.1:{port}", "a-wrong-token")
        with pytest.raises(Unauthorized, match="the node on b"):
            stranger.describe()
        for ask in (lambda: stranger.workspace_path(BRIEF), lambda: stranger.news("", 1)):
            with pytest.raises(Unreachable, match="the node on b"):
                ask()
        stranger.close()


def test_a_node_of_another_version_says_so_and_is_described_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _served(tmp_path, lambda: "x") as (node, _):
        assert node.workspace_path(BRIEF) == "x"
        monkeypatch.setattr(client_module, "INTERFACE", "another")
        for ask in (lambda: node.workspace_path(BRIEF), lambda: node.news("", 1)):
            with pytest.raises(Unreachable, match=f"is of Ennio {__version__} .*this is Ennio"):
                ask()
        assert node.heartbeat() >= 0
        told = node.describe()
        assert (told.fits, told.version, told.free_memory) == (False, __version__, 7)
        assert (told.sessions, told.sessions_known) == (0, False), "who cannot be counted may live"


def test_nothing_that_is_no_node_is_taken_for_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def speak() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                connection.close()

        threading.Thread(target=speak, daemon=True).start()
        node = NodeHost("b", f"127.0.0.1:{port}", TOKEN)
        with pytest.raises(Unreachable, match="the node on b"):
            node.describe(timeout=5)
        node.close()
    with pytest.raises(Unreachable):
        node.describe()


def test_too_much_at_once_and_too_long_a_message_are_refused(tmp_path: Path) -> None:
    gate, at_work = threading.Event(), list[bool]()
    limits = NodeLimits(calls=2, streams=1, bytes=1 << 20)

    def hold() -> str:
        at_work.append(True)
        return "done" if gate.wait(40) else "nobody opened"

    with _served(tmp_path, hold, limits) as (node, port):
        with ThreadPoolExecutor(3) as pool:
            held = [pool.submit(node.workspace_path, BRIEF) for _ in range(3)]
            # a heartbeat that comes first takes the place of one of them, which is then refused
            eventually(lambda: len(at_work) == 3, why="all three are at work")
            eventually(lambda: _is_refused(port, TOKEN), why="it is full")
            gate.set()
            assert [each.result(timeout=30) for each in held] == ["done"] * 3
        long = Brief("p-1", "p", "stub", "stub", "stub", repo="x" * (2 << 20))
        with pytest.raises(Exhausted, match="the node on b"):
            node.workspace_path(long)
        assert node.workspace_path(BRIEF) == "done"


def _is_refused(port: int, token: str) -> bool:
    node = NodeHost("b", f"127.0.0.1:{port}", token)
    try:
        node.heartbeat(timeout=0.5)
    except Exhausted:
        return True
    except TimedOut:
        return False
    finally:
        node.close()
    return False


def test_streams_take_no_place_from_calls(tmp_path: Path) -> None:
    with _served(tmp_path, lambda: "x", NodeLimits(calls=1, streams=1)) as (node, port):
        assert node.news("", 5).sessions == ("p-1",)
        other = NodeHost("b", f"127.0.0.1:{port}", TOKEN)
        with pytest.raises(Exhausted, match="1 streams"):
            other.news("", 5)
        assert other.workspace_path(BRIEF) == "x"
        other.close()


def test_news_goes_on_where_it_was_heard_and_is_told_again_to_who_asks_again(
    tmp_path: Path,
) -> None:
    with _served(tmp_path, lambda: "x") as (node, _):
        heard = [node.news("", 5)]
        for _ in range(20):
            heard.append(node.news(heard[-1].cursor, 5))
        assert [len(news.cursor) for news in heard] == list(range(1, 22))
        assert node.news("+++", 5).cursor == "++++"
        with ThreadPoolExecutor(8) as pool:
            told = pool.map(lambda number: node.news("+" * number, 5).cursor, range(40))
            assert [*told] == ["+" * (number + 1) for number in range(40)]


def test_every_call_has_a_deadline_that_fits_what_it_does() -> None:
    def limit(name: str, *args: Any) -> float:
        return _deadline(CALLS[name], args, {})

    assert limit("free_memory") == limit("deliver", BRIEF, None) == SOON
    assert limit("make", BRIEF) == LATE
    assert limit("news", "", 30) == 60
    long = Brief("p", "p", "a", "r", "w", post_create=("a", "b"), post_create_timeout=5000)
    assert limit("prepare", long) > 10_000


# --- a real one, and the line to it ---------------------------------------------------------------


@pytest.fixture(scope="module")
def bench() -> Iterator[NodeBench]:
    bench = NodeBench()
    try:
        bench.start()
        yield bench
    finally:
        bench.close()


@contextmanager
def _over(bench: NodeBench, name: str, **channel: float) -> Iterator[tuple[NodeHost, Relay]]:
    relay = Relay(bench.folder / name, bench.port)
    target = f"unix:{relay.place}"
    node = NodeHost("b", target, TOKEN, channel=opened(target, **channel))
    try:
        yield node, relay
    finally:
        node.close()
        relay.close()


def test_a_line_that_is_cut_is_noticed_at_once_and_used_again_once_it_stands(
    bench: NodeBench,
) -> None:
    with _over(bench, "cut") as (node, relay), ThreadPoolExecutor(1) as pool:
        cursor = node.news("", 5).cursor
        waiting = pool.submit(node.news, cursor, 30)
        eventually(lambda: not waiting.running() or relay._ends)
        relay.cut()
        with pytest.raises(Unreachable, match="the node on b"):
            waiting.result(timeout=30)
        eventually(lambda: _answers(node), 30, "it is used again")
        assert node.news(cursor, 0.1).cursor == cursor


def _answers(node: NodeHost) -> bool:
    try:
        return node.heartbeat(timeout=2) >= 0
    except EnnioError:
        return False


def test_a_line_that_is_silent_is_noticed_and_the_call_is_waited_for_no_longer(
    bench: NodeBench,
) -> None:
    with _over(bench, "held", every=1.0, within=1.0) as (node, relay):
        assert node.heartbeat() >= 0
        relay.free.clear()
        with pytest.raises(TimedOut, match="the node on b"):
            node.describe(timeout=0.3)
        begun = time.monotonic()
        with pytest.raises(Unreachable, match="the node on b"):
            node.free_memory()
        assert time.monotonic() - begun < 30


def test_a_node_that_is_frozen_is_unreachable_and_answers_again_once_it_thaws(
    bench: NodeBench,
) -> None:
    assert bench.process is not None
    with _over(bench, "frozen", every=1.0, within=1.0) as (node, _):
        assert node.free_memory() > 0
        freeze(bench.process.pid)
        try:
            with pytest.raises(Unreachable):
                node.free_memory()
        finally:
            bench.process.send_signal(signal.SIGCONT)
        eventually(lambda: _answers(node), 30, "it answers again")


def test_programs_begin_while_others_are_at_calls(bench: NodeBench) -> None:
    stop = threading.Event()
    with _over(bench, "fork") as (node, _), ThreadPoolExecutor(3) as pool:

        def ask() -> None:
            while not stop.is_set():
                node.heartbeat()

        asking = [pool.submit(ask) for _ in range(3)]
        try:
            for _ in range(20):  # with something to do in the child, so that it is forked
                done = subprocess.run(["true"], preexec_fn=int, capture_output=True, check=False)
                assert (done.returncode, done.stderr) == (0, b"")
        finally:
            stop.set()
        for each in asking:
            each.result(timeout=30)


_GREEN = """
from gevent import monkey
monkey.patch_all()
import sys
import gevent
from ennio.hosts.brief import Brief
from ennio.node.client import NodeHost

node = NodeHost("b", f"127.0.0.1:{sys.argv[1]}", sys.argv[2])
brief = Brief("s", "play", "scripted", "tmux", "worktree")
asked = [gevent.spawn(node.workspace_path, brief) for _ in range(50)]
gevent.joinall(asked, timeout=30, raise_error=True)
assert len({each.value for each in asked}) == 1
ticks = 0
def tick():
    global ticks
    while True:
        gevent.sleep(0.01)
        ticks += 1
gevent.spawn(tick)
cursor = node.news("", 5).cursor
assert node.news(cursor, 0.5).cursor == cursor
assert ticks > 20, ticks
node.close()
print("well")
"""


def test_under_greenlets_others_go_on_while_one_waits_for_an_answer(bench: NodeBench) -> None:
    words = [sys.executable, "-c", _GREEN, str(bench.port), TOKEN]
    done = subprocess.run(words, env=bench.env, capture_output=True, timeout=60, check=False)
    assert (done.stdout, done.returncode) == (b"well\n", 0), done.stderr
