"""What is true of tmux alone: its server, its copy mode, its splits, its races."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest

from ennio.machine.local import LocalMachine
from ennio.machine.process_table import start_of
from ennio.model.clock import SystemClock
from ennio.model.errors import Refused, Unreachable
from ennio.model.facts import Presence
from ennio.model.session import RuntimeHandle
from ennio.plugins.runtime.interface import Key
from ennio.plugins.runtime.liveness import judge
from ennio.plugins.runtime.tmux import TmuxRuntime
from ennio.plugins.runtime.tmux_control import Block, TmuxControl
from ennio.plugins.runtime.tmux_listing import is_listing
from tests.conftest import eventually
from tests.contract.runtime_bench import Bench, tmux_bench
from tests.frozen import freeze

pytestmark = pytest.mark.live
Tmux = Callable[..., str]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    yield from tmux_bench(tmp_path)


@pytest.fixture
def tmux(bench: Bench) -> Tmux:
    def run(*arguments: str) -> str:
        command = bench.runtime.attach_command(RuntimeHandle("x", "tmux"))
        done = subprocess.run(
            [*command[: command.index("-L") + 2], *arguments],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
        return done.stdout.strip()

    return run


def is_empty(bench: Bench) -> bool:
    """Whether it is proven that nothing runs; a client that sees its server
    die can prove nothing yet.
    """
    with suppress(Unreachable):
        return bench.runtime.survey() == {}
    return False


def test_incident_26_enter_arrives_although_a_person_has_scrolled_back(
    bench: Bench, tmux: Tmux
) -> None:
    handle = bench.start()
    tmux("copy-mode", "-t", f"={bench.name}:")
    bench.runtime.paste(handle, "words")
    tmux("copy-mode", "-t", f"={bench.name}:")
    bench.runtime.press(handle, Key.ENTER)
    assert bench.received(b"\r") == b"\x1b[200~words\x1b[201~\r"


def test_the_agents_pane_stays_the_agents_when_a_person_splits_the_window(
    bench: Bench, tmux: Tmux
) -> None:
    handle = bench.start()
    tmux("split-window", "-b", "-t", f"={bench.name}:", "exec sleep 60")
    assert str(bench.pane().pid) == handle.data["pid"]
    bench.runtime.paste(handle, "for the agent")
    assert b"for the agent" in bench.received(b"\x1b[201~")
    assert "READY" in bench.runtime.screens([bench.name])[bench.name]
    assert "READY" in bench.again().screens([bench.name])[bench.name]


def test_sessions_of_other_people_on_our_socket_are_not_ours(bench: Bench, tmux: Tmux) -> None:
    bench.start()
    tmux("new-session", "-d", "-s", "private", "sleep", "60")
    assert set(bench.runtime.survey()) == {bench.name}


def test_a_server_that_was_killed_is_a_proof(bench: Bench, tmux: Tmux) -> None:
    handle = bench.start()
    os.kill(int(tmux("display-message", "-p", "#{pid}")), signal.SIGKILL)
    eventually(lambda: is_empty(bench))
    eventually(lambda: not start_of(int(handle.data["pid"])))
    assert (
        judge(LocalMachine(), handle, None, True, "tmux", SystemClock().now()).presence
        is Presence.GONE
    )


@pytest.mark.parametrize("told", ["", "%exit", "attached,control-mode 4711\n"])
def test_a_kept_client_that_answers_something_else_makes_no_session_gone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    """Met: an answer that was no list of panes ended whoever looks at them."""
    handle = bench.start()
    assert set(bench.runtime.survey()) == {handle.id}
    monkeypatch.setattr(TmuxControl, "ask", lambda *_: Block(True, told))
    assert set(bench.runtime.survey()) == {handle.id}


class _Stopped(BaseException):
    """As a greenlet is that is told to end."""


class _StoppedOnce:
    """A line at which whoever reads first is stopped."""

    def __init__(self, wire: socket.socket) -> None:
        self._wire = wire
        self._is_over = False

    def recv(self, most: int) -> bytes:
        if not self._is_over:
            self._is_over = True
            raise _Stopped
        return self._wire.recv(most)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wire, name)


def test_who_is_stopped_while_it_waits_for_an_answer_leaves_it_to_nobody(bench: Bench) -> None:
    handle = bench.start()
    runtime = cast("TmuxRuntime", bench.runtime)
    control, env = runtime._control, runtime._client.environment()
    assert isinstance(control, TmuxControl)
    assert control.ask(handle.id, "display-message -p first", env) == Block(True, "first")
    assert control._wire is not None
    control._wire = cast("socket.socket", _StoppedOnce(control._wire))
    with pytest.raises(_Stopped):
        control.ask(handle.id, "display-message -p second", env)
    assert control.ask(handle.id, "display-message -p third", env) == Block(True, "third")


def test_a_listing_that_is_cut_off_is_no_listing() -> None:
    whole = "s1|1|%1|%1|7|8|0|||0|/dev/pts/1|a title\u2028of|two lines\n"
    assert is_listing(whole)
    assert is_listing(2 * whole)
    assert not is_listing(f"{whole}s2|1|%2|%2|7")
    assert not is_listing("")


def test_incident_10_a_server_that_hangs_is_not_a_proof(bench: Bench, tmux: Tmux) -> None:
    bench.start()
    server = int(tmux("display-message", "-p", "#{pid}"))
    hasty = TmuxRuntime(LocalMachine(), bench.runtime._socket, timeout=0.3)  # type: ignore[attr-defined]
    freeze(server)
    try:
        with pytest.raises(Unreachable, match="did not answer within"):
            hasty.survey()
    finally:
        os.kill(server, signal.SIGCONT)
    assert not bench.pane().dead


def test_incident_10_a_socket_that_cannot_be_entered_is_not_a_proof(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"tmux-{os.geteuid()}").write_text("a file where a folder should be")
    monkeypatch.setenv("TMUX_TMPDIR", str(tmp_path))
    with pytest.raises(Unreachable):
        TmuxRuntime(LocalMachine(), "ennio-test").survey()


def test_incident_50_without_tmux_it_says_what_to_do(
    tmp_path: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch = bench.launch()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bench.runtime.version() is None
    with pytest.raises(Refused, match="install it"):
        bench.runtime.start(launch)
    with pytest.raises(Unreachable, match="install it"):
        bench.runtime.survey()


def test_incident_41_every_end_is_told_even_one_that_tmux_missed(bench: Bench) -> None:
    names = [f"{bench.name}-{index}" for index in range(40)]
    for name in names:
        bench.runtime.start(bench.launch("sh", "-c", "exit 4", name=name))
    eventually(lambda: all(pane.dead for pane in bench.runtime.survey().values()))
    assert {pane.exit_code for pane in bench.runtime.survey().values()} == {4}


def test_incident_48_a_folder_named_like_a_command_is_only_a_folder(
    bench: Bench, tmux: Tmux
) -> None:
    odd = bench.root / "#(touch owned);"
    odd.mkdir()
    bench.root = odd
    bench.start()
    assert tmux("display-message", "-p", "-t", f"={bench.name}:", "#{session_path}") == str(odd)
    assert not list(odd.parent.rglob("owned"))


def test_no_environment_of_the_supervisor_reaches_the_server(
    bench: Bench, tmux: Tmux, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUPERVISOR_SECRET", "hush")
    bench.start()
    assert "SUPERVISOR_SECRET" not in tmux("show-environment", "-g")


def test_at_rest_a_survey_starts_no_process(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    handle = bench.start()
    assert set(bench.runtime.survey()) == {bench.name}  # the client that is kept from now on
    begun: list[object] = []
    begin = subprocess.Popen.__init__
    monkeypatch.setattr(
        subprocess.Popen,
        "__init__",
        lambda self, *given, **more: (begun.append(given), begin(self, *given, **more))[1],
    )
    for _ in range(5):
        assert bench.runtime.survey()[bench.name].pid == int(handle.data["pid"])
    assert begun == []


def test_the_session_that_the_kept_client_is_attached_to_may_end(bench: Bench) -> None:
    handle = bench.start()
    others = [f"{bench.name}-{number}" for number in range(2)]
    for name in others:
        bench.runtime.start(bench.launch("sleep", "600", name=name))
    assert set(bench.runtime.survey()) == {bench.name, *others}
    bench.runtime.stop(handle)
    for _ in range(3):
        assert set(bench.runtime.survey()) == set(others)
    for name in others:
        bench.runtime.stop(RuntimeHandle(name, "tmux"))
    assert bench.runtime.survey() == {}


def test_a_kept_client_gives_no_terminal_another_size_and_goes_with_its_supervisor(
    bench: Bench, tmux: Tmux
) -> None:
    bench.start()
    bench.runtime.survey()
    bench.runtime.survey()
    assert tmux("list-panes", "-a", "-F", "#{pane_width}x#{pane_height}") == "200x50"
    assert tmux("list-clients", "-F", "#{client_flags}")
    bench.runtime.shutdown()  # type: ignore[attr-defined] # tmux's own
    eventually(lambda: tmux("list-clients") == "", 30)
    assert set(bench.runtime.survey()) == {bench.name}


def test_a_server_that_ends_with_all_in_it_is_seen_to_be_gone_past_the_kept_client(
    bench: Bench, tmux: Tmux
) -> None:
    bench.start()
    bench.runtime.survey()
    tmux("kill-server")
    eventually(lambda: is_empty(bench), 30)


HOLDS = """
import socket, subprocess, sys
ours, theirs = socket.socketpair()
flags = ["-C", "attach-session", "-f", "ignore-size,no-output"]
client = subprocess.Popen([*sys.argv[1:], *flags], stdin=theirs, stdout=theirs)
theirs.close()
ours.recv(4096)
print(client.pid, flush=True)
sys.stdin.readline()
for _ in range(3):
    ours.sendall(b"list-panes -a\\n")
print("asked", flush=True)
sys.stdin.readline()
"""


def test_a_client_that_a_killed_supervisor_left_in_the_middle_of_a_question_is_ended(
    bench: Bench, tmux: Tmux
) -> None:
    """It waits for its server, which waits for somebody to read: neither would ever end."""
    bench.start()
    server = int(tmux("display-message", "-p", "#{pid}"))
    command = bench.runtime.attach_command(RuntimeHandle("x", "tmux"))
    words = [sys.executable, "-c", HOLDS, *command[: command.index("-L") + 2]]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as killed:
        assert killed.stdin is not None
        assert killed.stdout is not None
        client = int(killed.stdout.readline())
        freeze(server)
        killed.stdin.write("\n")
        killed.stdin.flush()
        assert killed.stdout.readline() == "asked\n"
        killed.kill()
        killed.wait()
        os.kill(server, signal.SIGCONT)
    assert str(client) in tmux("list-clients", "-F", "#{client_pid}"), "it is left"
    for _ in range(2):  # the first one finds a session to attach to
        assert set(bench.runtime.survey()) == {bench.name}
    eventually(lambda: str(client) not in tmux("list-clients", "-F", "#{client_pid}"), 30)
    assert set(bench.runtime.survey()) == {bench.name}
