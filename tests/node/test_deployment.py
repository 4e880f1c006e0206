"""An ennio-node is put on a machine that has none, with nothing fetched there, and is found again
from then on.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

import ennio
from ennio.hosts.node_link import DaemonLog
from ennio.machine.interface import Command, CompletedCommand
from ennio.machine.local import LocalMachine
from ennio.model.clock import SystemClock
from ennio.model.errors import NotFound, Refused, Unreachable
from ennio.model.node import NodeStep
from ennio.node import bundle
from ennio.node.bundle import Target
from ennio.node.deployment import NodeSettings
from ennio.node.link import SshNodeLink
from ennio.node.over_there import Found
from ennio.node.tunnel import Tunnel
from tests.conftest import eventually

pytestmark = pytest.mark.real


class Account(LocalMachine):
    """Somebody else's home on this machine, with the system's programs alone."""

    def __init__(self, folder: Path, path: str = "/usr/bin:/bin") -> None:
        self._env = {"HOME": str(folder), "PATH": path, "LANG": "C.UTF-8"}
        self.lost: Exception | None = None
        self.asked: list[str] = []

    @property
    def environ(self) -> dict[str, str]:
        if self.lost is not None:
            raise self.lost
        return self._env

    @property
    def home(self) -> Path:
        return Path(self._env["HOME"])

    def run(self, command: Command) -> CompletedCommand:
        if self.lost is not None:
            raise self.lost
        self.asked.append(" ".join(command.argv))
        return super().run(replace(command, env=self._env))

    def connect(self, address: Path | int, timeout: float) -> socket.socket:
        if self.lost is not None:
            raise self.lost
        return super().connect(address, timeout)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass
class Ground:
    """A machine, and a supervisor's folder here."""

    machine: Account
    folder: Path
    settings: NodeSettings
    told: list[NodeStep] = field(default_factory=list)

    def link(self, **changes: Any) -> SshNodeLink:
        own = replace(self.settings, **changes)
        return SshNodeLink(
            "me@far",
            lambda: self.machine,
            lambda token: replace(own, token=own.token or token),
            self.folder,
            SystemClock(),
        )

    def steps(self) -> list[str]:
        told, self.told = self.told, []
        return [f"{one.name}{'' if one.ok else ' failed'}" for one in told]

    def connect(self, link: SshNodeLink) -> list[str]:
        link.connect(self.told.append)
        return self.steps()


@contextmanager
def _far(folder: Path) -> Iterator[Ground]:
    machine = Account(folder / "home")
    machine.home.mkdir()
    made = Ground(machine, folder / "here", NodeSettings(_free_port(), 3600.0, None, None, ""))
    try:
        yield made
    finally:
        link = made.link()
        link.disconnect()
        link.release()


@pytest.fixture
def untouched(tmp_path: Path) -> Iterator[Ground]:
    """A machine on which there never was a node."""
    with _far(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with _far(tmp_path_factory.mktemp("far")) as made:
        yield made


@pytest.fixture
def ground(shared: Ground) -> Ground:
    """A machine with a node that runs, whatever the test before left of it: to put one there for
    each takes long.
    """
    shared.machine.lost = None
    link = shared.link()
    shared.connect(link)
    link.release()
    return shared


PUT = ["log in", "look", "pack", "copy", "install", "start", "verify"]
FOUND = ["log in", "tunnel", "verify"]


def test_a_node_is_put_there_once_and_met_again_by_whoever_has_its_token(untouched: Ground) -> None:
    link = untouched.link()
    assert untouched.connect(link) == PUT
    told = link.heartbeat()
    assert told.version == ennio.__version__
    assert 0 < told.round_trip < 10
    assert link.host.free_memory() > 0
    assert not list(untouched.machine.home.rglob(".node-token*")), "its token lies in no file there"
    assert untouched.connect(link) == FOUND
    link.release()
    again = untouched.link()
    assert untouched.connect(again) == FOUND, "a supervisor that was started anew"
    pid = again.host.describe().pid
    words = Path(f"/proc/{pid}/cmdline").read_bytes()
    assert again._own.token.encode() not in words, "every user can read a command line"
    again.release()


def test_what_has_its_port_and_not_our_token_is_left_alone(ground: Ground) -> None:
    strange = ground.link(token="somebody-elses")
    with pytest.raises(Refused, match=r"does not take our token.*node_config\.auth_token"):
        ground.connect(strange)
    assert ground.steps()[-1] == "verify failed"
    strange.release()
    own = ground.link()
    assert ground.connect(own) == FOUND, "it goes on as it was"
    own.release()


def test_a_node_that_was_killed_is_started_again_and_not_put_there_again(ground: Ground) -> None:
    link = ground.link()
    ground.connect(link)
    before = link.host.describe().pid
    os.kill(before, signal.SIGKILL)
    eventually(lambda: not link._is_listened_to())
    with pytest.raises(Unreachable):
        link.heartbeat()
    assert ground.connect(link) == ["log in", "look", "start", "verify"]
    assert link.host.describe().pid != before
    link.release()


def test_the_way_is_lost_and_found_again_at_the_same_place(ground: Ground) -> None:
    link = ground.link()
    ground.connect(link)
    path, pid = link.tunnel.path, link.host.describe().pid
    ground.machine.lost = Unreachable("no route to host")
    link.tunnel.cut()
    link.tunnel.open()

    def unreachable() -> str:
        with pytest.raises(Unreachable) as raised:
            link.heartbeat()
        return str(raised.value)

    # a call that still met the old connection tells how that one ended
    eventually(lambda: unreachable() == "me@far cannot be reached: no route to host")
    with pytest.raises(Unreachable, match="no route"):
        ground.connect(link)
    assert ground.steps() == ["log in failed"]
    ground.machine.lost = None
    assert ground.connect(link) == FOUND
    assert (link.tunnel.path, link.host.describe().pid) == (path, pid)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    link.release()
    assert not path.parent.exists()


def test_what_a_killed_supervisor_left_of_its_way_is_removed(tmp_path: Path) -> None:
    left = tmp_path / "ways" / "4194304"
    left.mkdir(parents=True)
    tunnel = Tunnel(socket.socket, tmp_path / "ways")
    tunnel.open()
    assert not left.exists()
    assert tunnel.path.is_socket()
    tunnel.close()
    deep = Tunnel(socket.socket, tmp_path / ("d" * 90))
    assert len(str(deep.path)) < 100, "a socket has room for no longer path"
    deep.close()


def test_one_of_another_version_is_replaced_and_a_newer_one_is_not(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = ground.link()
    ground.connect(link)
    before = link.host.describe()
    monkeypatch.setattr("ennio.node.client.INTERFACE", "another")
    monkeypatch.setattr(ennio, "__version__", "0.1.9")
    with pytest.raises(Refused, match=r"of Ennio 0\.2.*upgrade this one.*ennio node disconnect"):
        ground.connect(link)
    assert ground.steps()[-1] == "stop failed"
    assert link.host.describe().pid == before.pid, "nobody ended it"
    monkeypatch.setattr(ennio, "__version__", "99.0.0")
    with pytest.raises(Refused, match="leave ennio_binary_path out"):
        ground.connect(link)
    assert ground.steps()[:4] == ["log in", "tunnel", "verify", "stop"]
    monkeypatch.undo()
    ground.connect(link)
    assert link.host.describe().pid != before.pid, "the older one was ended for it"
    link.release()


def test_disconnecting_ends_it_and_its_log_can_still_be_read(ground: Ground) -> None:
    link = ground.link()
    ground.connect(link)
    link.disconnect()
    eventually(lambda: not link._is_listened_to())
    link.disconnect()
    told = link.log(10_000)
    assert isinstance(told, DaemonLog)
    assert "its sessions go on" in told.text
    link.release()


def test_another_program_on_its_port_is_noticed(ground: Ground) -> None:
    port = _free_port()
    server = socket.create_server(("127.0.0.1", port))
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            try:
                one, _ = server.accept()
            except OSError:
                return
            one.sendall(b"220 mail.example.org ESMTP\r\n")
            one.close()

    threading.Thread(target=serve, daemon=True).start()
    link = ground.link(port=port)
    try:
        with pytest.raises(Refused, match=rf"port {port} on me@far is another program's"):
            ground.connect(link)
        assert ground.steps() == ["log in", "tunnel", "verify failed"]
    finally:
        ended.set()
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        link.release()


def test_a_node_that_does_not_begin_says_the_last_line_of_its_log(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ennio.node.link.BEGINS_WITHIN", 3600.0)  # it ends, and that is seen
    (tmp_path / "file").write_text("no folder")
    link = ground.link(port=_free_port(), root=str(tmp_path / "file"))
    with pytest.raises(Refused, match=r"did not begin: .*file"):
        ground.connect(link)
    assert ground.steps()[-1] == "verify failed"
    link.release()


def test_a_program_that_is_named_wins_and_one_that_is_not_there_is_told(
    ground: Ground, tmp_path: Path
) -> None:
    link = ground.link(port=_free_port(), program="~/no-such-node")
    with pytest.raises(Refused, match="ennio_binary_path: ~/no-such-node is no program on me@far"):
        ground.connect(link)
    link.release()
    ground.steps()
    own = next((ground.machine.home / ".ennio" / "programs").glob("*/bin/ennio-node"))
    root = str(tmp_path / "root")
    named = ground.link(port=_free_port(), program=str(own), root=root)
    ground.machine.asked.clear()
    assert ground.connect(named) == ["log in", "look", "start", "verify"]
    assert named.host.describe().root.startswith(root)
    named.disconnect()
    named.release()


def test_a_machine_without_a_python_that_is_new_enough_is_told_what_to_install(
    ground: Ground, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    for name in ("sh", "uname", "cat", "tail"):
        (tmp_path / "bin" / name).symlink_to(shutil.which(name) or name)
    (tmp_path / "home").mkdir()
    bare = replace(ground, machine=Account(tmp_path / "home", str(tmp_path / "bin")), told=[])
    link = bare.link(port=_free_port())
    with pytest.raises(Refused, match=r"needs Python 3\.11 or newer, and me@far has none at all"):
        bare.connect(link)
    look = next(one for one in bare.told if one.name == "look")
    assert "me@far has no git and no tmux: sudo apt-get install git tmux" in look.detail
    with pytest.raises(NotFound, match="no log of an ennio-node"):
        link.log(100)
    link.release()


def test_whatever_goes_wrong_on_the_way_the_next_try_goes_on_from_what_stands(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    machine = Account(tmp_path / "home")
    fresh = replace(ground, machine=machine, told=[])
    link = fresh.link(port=_free_port())
    full = OSError(errno.ENOSPC, "No space left on device")
    with monkeypatch.context() as broken:
        broken.setattr(machine, "write", lambda *_, **__: (_ for _ in ()).throw(full))
        with pytest.raises(Refused, match=r"copy: .*No space left"):
            fresh.connect(link)
    assert fresh.steps() == [*PUT[:3], "copy failed"]

    def lost(words: str, *, done: bool) -> Any:
        def run(command: Command) -> CompletedCommand:
            if words in " ".join(command.argv):
                if done:
                    Account.run(machine, command)
                raise Unreachable("the connection broke off")
            return Account.run(machine, command)

        return run

    for words, done, step in (("venv", False, "install"), ("nohup", True, "start")):
        with monkeypatch.context() as broken:
            broken.setattr(machine, "run", lost(words, done=done))
            with pytest.raises(Unreachable, match="broke off"):
                fresh.connect(link)
        assert fresh.steps()[-1] == f"{step} failed"
    eventually(link._is_listened_to)
    assert fresh.connect(link) == FOUND, "it was started, and nobody had heard of that"
    assert len(list((machine.home / ".ennio" / "programs").iterdir())) == 1, "nothing half made"
    link.disconnect()
    link.release()


@pytest.mark.parametrize(
    ("tag", "fits"),
    [
        ("py3-none-any", True),
        ("py2.py3-none-any", True),
        ("cp311-cp311-manylinux_2_17_x86_64", True),
        ("cp311-cp311-manylinux2014_x86_64", True),
        ("cp311-cp311-manylinux_2_39_x86_64", False),
        ("cp311-cp311-manylinux_2_17_aarch64", False),
        ("cp312-cp312-manylinux_2_17_x86_64", False),
        ("cp38-abi3-manylinux_2_17_x86_64", True),
        ("cp312-abi3-manylinux_2_17_x86_64", False),
        ("cp311-cp311-macosx_11_0_arm64", False),
    ],
)
def test_what_was_made_for_another_kind_of_machine_is_not_taken(tag: str, fits: bool) -> None:
    assert Target("3.11", "x86_64", "2.36").takes(tag) is fits


def test_without_glibc_nothing_made_for_it_is_taken() -> None:
    assert not Target("3.11", "x86_64", "").takes("cp311-cp311-manylinux_2_17_x86_64")
    assert Target("3.11", "x86_64", "").takes("py3-none-any")


def test_a_banner_of_the_login_is_no_finding() -> None:
    told = "Welcome!\npython\t/usr/bin/python3\t3.9\tx86_64\t2.31\nsystem\tLinux\nhas\tgit\n"
    found = Found.read(told)
    assert (found.system, found.has, found.programs) == ("Linux", frozenset({"git"}), {})
    with pytest.raises(Refused, match=r"has /usr/bin/python3 \(3\.9\)"):
        found.python("far")


def test_two_builds_of_ennio_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    before = bundle.digest()
    assert bundle.digest() == before
    monkeypatch.setattr(bundle, "LIBRARIES", bundle.LIBRARIES[:2])
    assert bundle.digest() != before


# --- another Python over there --------------------------------------------------------------------


def _another_python() -> str | None:
    """One that is newer than ours, of another tag: on the path, or where pyenv keeps them."""
    names = [f"python3.{minor}" for minor in range(sys.version_info.minor + 1, 20)]
    kept = (Path.home() / ".pyenv" / "versions").glob("3.*/bin/python3.*")
    found = [*map(shutil.which, names), *(str(one) for one in kept if one.name in names)]
    return next((one for one in found if one is not None and _runs(one)), None)


def _runs(python: str) -> bool:
    done = subprocess.run(
        [python, "-I", "-c", "import venv, ssl"], capture_output=True, check=False
    )
    return done.returncode == 0


def test_a_node_stands_on_another_python_than_ours(tmp_path: Path) -> None:
    """Its libraries are those that were made for that one, of the same versions."""
    python = _another_python()
    if python is None:
        pytest.skip("no Python beside this one: a node on another one was NOT tested")
    place = tmp_path / "bin"
    place.mkdir()
    (place / "python3").symlink_to(python)
    machine = Account(tmp_path / "home", f"{place}:/usr/bin:/bin")
    machine.home.mkdir()
    made = Ground(machine, tmp_path / "here", NodeSettings(_free_port(), 3600.0, None, None, ""))
    link = made.link()
    try:
        link.connect(made.told.append)
        (packed,) = [step.detail for step in made.told if step.name == "pack"]
        assert f"Python {Path(python).name.removeprefix('python')} on" in packed
        pid = link.host.describe().pid
        assert os.path.realpath(f"/proc/{pid}/exe") == os.path.realpath(python)
        assert link.host.free_memory() > 0
    finally:
        link.disconnect()
        link.release()
