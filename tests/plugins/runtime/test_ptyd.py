"""The daemon's own life: one per directory, detached, gone when it is not needed."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from ennio.machine.local import LocalMachine
from ennio.machine.process_table import start_of
from ennio.model.clock import SystemClock
from ennio.model.errors import Conflict, Unreachable
from ennio.model.facts import Presence
from ennio.model.session import RuntimeHandle
from ennio.plugins.runtime.liveness import judge
from ennio.plugins.runtime.process import ProcessRuntime
from ennio.plugins.runtime.ptyd import protocol
from ennio.plugins.runtime.ptyd.server_socket import ServerSocket, acquire_lock
from tests.conftest import eventually
from tests.contract.runtime_bench import Bench, process_bench
from tests.frozen import freeze


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    yield from process_bench(tmp_path)


def daemons(directory: Path) -> list[int]:
    listing = subprocess.run(
        ["ps", "axww", "-o", "pid=,args="], capture_output=True, text=True, check=True
    ).stdout
    return [
        int(row.split()[0]) for row in listing.splitlines() if f"keep {directory} " in f"{row} "
    ]


def kill_daemon(bench: Bench) -> None:
    (pid,) = daemons(bench.root / "ptyd")
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not start_of(pid))


def test_many_who_need_a_daemon_at_once_get_one(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-I",
        "-S",
        str(Path(protocol.__file__).parent),
        "keep",
        str(tmp_path),
        "1",
    ]
    starters = [subprocess.Popen(command) for _ in range(6)]
    assert [starter.wait(20) for starter in starters] == [0] * 6
    assert len(daemons(tmp_path)) == 1


def test_a_daemon_without_agents_ends_by_itself_and_leaves_no_socket(bench: Bench) -> None:
    bench.runtime.stop(bench.start())
    directory = bench.root / "ptyd"
    eventually(lambda: not protocol.is_running(directory))
    assert not (directory / protocol.SOCKET).exists()
    assert bench.runtime.survey() == {}


def test_a_daemon_whose_socket_is_taken_away_can_be_reached_again(bench: Bench) -> None:
    handle = bench.start()
    for _ in range(2):
        (bench.root / "ptyd" / protocol.SOCKET).unlink()
        assert not bench.pane().dead
    bench.runtime.stop(handle)
    assert not start_of(int(handle.data["pid"]))
    assert bench.runtime.survey() == {}


def test_a_daemon_whose_folder_is_emptied_moves_in_again(bench: Bench) -> None:
    handle, directory = bench.start(), bench.root / "ptyd"
    shutil.rmtree(directory / "panes")
    for path in directory.iterdir():
        path.unlink()
    eventually(lambda: bench.name in bench.runtime.survey() and not bench.pane().dead)
    another = bench.runtime.start(bench.launch(name="another"))
    eventually(
        lambda: len(daemons(directory)) == 1
    )  # until it is another program, an agent looks like its daemon
    for each in (handle, another):
        bench.runtime.stop(each)
        assert not start_of(int(each.data["pid"]))


def test_a_daemon_that_ends_leaves_the_socket_of_its_successor(bench: Bench) -> None:
    directory = bench.root / "ptyd"
    before = bench.start()
    (earlier,) = daemons(directory)
    freeze(earlier)
    directory.rename(bench.root / "moved away")
    after = bench.runtime.start(bench.launch(name="another"))
    os.kill(earlier, signal.SIGCONT)
    os.kill(int(before.data["pid"]), signal.SIGKILL)
    eventually(lambda: not start_of(earlier), why="it has nothing to keep any more")
    assert (directory / protocol.SOCKET).exists()
    assert str(bench.runtime.survey()["another"].pid) == after.data["pid"]


def test_only_who_put_up_a_socket_takes_it_away(tmp_path: Path) -> None:
    home = tmp_path / "ptyd"
    sockets = []
    for place in ("moved away", "kept"):
        home.mkdir()
        lock = acquire_lock(home)
        assert lock is not None
        sockets.append(ServerSocket(home, lock))
        if place == "moved away":
            home.rename(tmp_path / place)
    earlier, later = sockets
    assert (earlier.is_intact(), earlier.reopen(), later.is_intact()) == (False, False, True)
    earlier.close()
    assert later.is_intact()
    (home / protocol.LOCK).unlink()
    assert (later.is_intact(), later.reopen(), later.is_intact()) == (False, True, True)
    later.close()
    assert not (home / protocol.SOCKET).exists()


def test_a_socket_that_a_killed_daemon_left_is_no_daemon(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / protocol.SOCKET))
    with (tmp_path / protocol.LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)  # somebody looks just now whether a daemon lives
        starter = subprocess.Popen(
            [
                sys.executable,
                "-I",
                "-S",
                str(Path(protocol.__file__).parent),
                "keep",
                str(tmp_path),
                "1",
            ]
        )
        with suppress(subprocess.TimeoutExpired):
            starter.wait(0.5)
    assert starter.wait(20) == 0
    assert len(daemons(tmp_path)) == 1


def test_exit_codes_outlive_the_daemon(bench: Bench) -> None:
    handle = bench.start()
    bench.end(handle, exit_code=3)
    kill_daemon(bench)
    assert bench.pane().exit_code == 3
    assert bench.again().start(bench.launch()).data["pid"] == handle.data["pid"]
    assert "READY" in bench.runtime.output(handle, 10)


def test_agents_end_with_a_daemon_that_is_killed_and_are_seen_as_gone(bench: Bench) -> None:
    handle = bench.start()
    kill_daemon(bench)
    eventually(lambda: not start_of(int(handle.data["pid"])))
    seen = judge(LocalMachine(), handle, bench.pane(), True, "process", SystemClock().now())
    assert (seen.presence, seen.exit_code) == (Presence.GONE, None)
    assert bench.runtime.start(bench.launch(number=2)).data["pid"] != handle.data["pid"]


def test_incident_10_an_agent_that_outlives_its_daemon_is_neither_dead_nor_replaced(
    bench: Bench,
) -> None:
    handle = bench.runtime.start(
        bench.launch("sh", "-c", "trap '' HUP; echo READY; while :; do sleep 1; done")
    )
    eventually(lambda: "READY" in bench.runtime.output(handle, 5))
    kill_daemon(bench)
    assert (
        judge(LocalMachine(), handle, bench.pane(), True, "process", SystemClock().now()).presence
        is Presence.UNKNOWN
    )
    with pytest.raises(Conflict):
        bench.runtime.start(bench.launch(number=2))
    bench.runtime.stop(handle)
    assert not start_of(int(handle.data["pid"]))


def test_incident_10_a_daemon_that_does_not_answer_proves_nothing(bench: Bench) -> None:
    bench.start()
    (pid,) = daemons(bench.root / "ptyd")
    freeze(pid)
    try:
        with pytest.raises(Unreachable, match="did not answer"):
            ProcessRuntime(LocalMachine(), bench.root / "ptyd", timeout=0.3).survey()
    finally:
        os.kill(pid, signal.SIGCONT)
    assert not bench.pane().dead


def test_a_directory_too_long_for_a_socket_will_do(tmp_path: Path) -> None:
    for bench in process_bench(tmp_path / ("long" * 20) / ("longer" * 15)):
        bench.root.mkdir(parents=True)
        assert not bench.runtime.survey()
        bench.start()
        assert not bench.pane().dead


def test_a_request_without_sense_does_not_end_the_daemon(bench: Bench) -> None:
    handle = bench.start()
    directory = bench.root / "ptyd"
    for request in (
        b"nonsense\n",
        b'{"size":0}\n',
        b'{"op":"start","size":0}\n',
        b"[1]\n",
        b'{"op":"read","since":3,"size":0}\n',
    ):
        with protocol.connect(directory, 5) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass
    assert str(bench.pane().pid) == handle.data["pid"]


def test_only_its_owner_can_reach_the_daemon(bench: Bench) -> None:
    bench.start()
    directory = bench.root / "ptyd"
    assert directory.stat().st_mode & 0o077 == 0
    assert (directory / protocol.SOCKET).stat().st_mode & 0o077 == 0
    assert (directory / "panes" / f"{bench.name}.log").stat().st_mode & 0o077 == 0


def test_the_agents_umask_is_not_the_daemons(bench: Bench) -> None:
    before = os.umask(0o022)
    try:
        handle = bench.runtime.start(bench.launch("sh", "-c", "umask; exec sleep 60"))
    finally:
        os.umask(before)
    eventually(lambda: bench.runtime.output(handle, 5) == "0022")


def test_incident_41_no_terminal_is_leaked_over_many_lives(bench: Bench) -> None:
    bench.start()
    (pid,) = daemons(bench.root / "ptyd")
    open_files = Path(f"/proc/{pid}/fd")
    before = len(list(open_files.iterdir()))
    names = [f"{bench.name}-{index}" for index in range(10)]
    for name in names:
        bench.runtime.start(bench.launch("true", name=name))
    eventually(lambda: all(bench.runtime.survey()[name].dead for name in names))
    for name in names:
        bench.runtime.stop(RuntimeHandle(name, "process"))
    eventually(lambda: len(list(open_files.iterdir())) == before)
