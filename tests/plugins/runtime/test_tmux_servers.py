"""Each configuration has a tmux server of its own; what runs on the one that was
shared before goes on there.
"""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ennio import boot
from ennio.config.model import Config
from ennio.machine.home import Home
from ennio.machine.local import LocalMachine
from ennio.model.clock import ManualClock
from ennio.model.errors import Conflict, NotFound, Unreachable
from ennio.plugins.registry import Registry
from ennio.plugins.runtime.interface import Key, LaunchSpec
from ennio.plugins.runtime.tmux import TmuxRuntime
from ennio.plugins.runtime.tmux_servers import TmuxServers
from ennio.store import open_store
from tests.conftest import eventually, need

ECHO = (
    sys.executable,
    "-c",
    (
        "import sys\nprint('READY', flush=True)\nfor line in sys.stdin: print('took', line, "
        "flush=True)"
    ),
)


@dataclass
class Ground:
    """Two sockets, and what an older version has on the first."""

    root: Path
    key: str = field(default_factory=lambda: uuid.uuid4().hex[:8])

    def __post_init__(self) -> None:
        self.shared, self.own = f"ennio-{self.key}", f"ennio-{self.key}-own"
        self.older = TmuxRuntime(LocalMachine(), self.shared, grace=2.0)
        self.runtime = self.again()

    def again(self) -> TmuxServers:
        """The runtime of a supervisor that begins."""
        return TmuxServers(
            TmuxRuntime(LocalMachine(), self.own, grace=2.0),
            TmuxRuntime(LocalMachine(), self.shared, grace=2.0),
        )

    def launch(self, name: str, number: int = 1) -> LaunchSpec:
        env = {"PATH": os.environ["PATH"], "HOME": str(self.root), "ENNIO_SESSION_ID": name}
        return LaunchSpec(name, ECHO, self.root, env, self.root / "sessions" / name, number)


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    need("tmux")
    folder = (
        Path("/tmp") / f"ennio-tmux-{uuid.uuid4().hex[:8]}"
    )  # the path of a socket has little room
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("TMUX_TMPDIR", str(folder))
    ground = Ground(tmp_path)
    yield ground
    ground.runtime.shutdown()
    ground.older.shutdown()
    for socket in (ground.own, ground.shared, "default"):
        _tmux("-L", socket, "kill-server", check=False)
    subprocess.run(["rm", "-r", str(folder)], check=False)


def _tmux(*words: str, check: bool = True) -> str:
    return subprocess.run(
        ["tmux", "-f", "/dev/null", *words], capture_output=True, text=True, check=check, timeout=20
    ).stdout


def _names(socket: str) -> list[str]:
    return _tmux("-L", socket, "list-sessions", "-F", "#{session_name}", check=False).split()


def _is_empty(runtime: TmuxServers) -> bool:
    """Whether nothing is there; a server that is just ending answers nothing at all."""
    try:
        return runtime.survey() == {}
    except Unreachable:
        return False


def _offered(kind: type) -> set[str]:
    return {
        name for name, value in vars(kind).items() if name[0] != "_" and inspect.isfunction(value)
    }


def test_a_new_agent_is_started_on_the_own_server_and_one_of_before_goes_on_where_it_is(
    ground: Ground,
) -> None:
    old = ground.older.start(ground.launch("fix-old"))
    new = ground.runtime.start(ground.launch("fix-new"))
    assert (_names(ground.shared), _names(ground.own)) == (["fix-old"], ["fix-new"])
    assert set(ground.runtime.survey()) == {"fix-old", "fix-new"}
    for handle, socket in ((old, ground.shared), (new, ground.own)):
        eventually(lambda handle=handle: "READY" in ground.runtime.screens([handle.id])[handle.id])  # type: ignore[misc]
        ground.runtime.paste(handle, "words")
        ground.runtime.press(handle, Key.ENTER)
        eventually(lambda handle=handle: "took words" in ground.runtime.output(handle, 20))  # type: ignore[misc]
        command = ground.runtime.attach_command(handle)
        assert command[command.index("-L") + 1] == socket
    assert set(ground.runtime.views(["fix-old", "fix-new"])) == {"fix-old", "fix-new"}


def test_two_servers_offer_all_that_one_offers() -> None:
    assert _offered(TmuxRuntime) - _offered(TmuxServers) == set()


def test_terminals_on_either_server_are_watched_and_typed_to_key_by_key(ground: Ground) -> None:
    for handle in (
        ground.older.start(ground.launch("fix-old")),
        ground.runtime.start(ground.launch("fix-new")),
    ):
        stream = ground.runtime.open_stream(handle)
        stream.close()
        ground.runtime.type(handle, b"key", paste=False)
        ground.runtime.type(handle, b" by key", paste=True)
        ground.runtime.press(handle, Key.ENTER)
        ground.runtime.resize(handle, 100, 30)
        eventually(
            lambda handle=handle: "took key by key" in ground.runtime.shot(handle, 20).lines  # type: ignore[misc]
        )
        assert ground.runtime.shot(handle, 0).columns == 100


def test_a_launch_of_before_is_found_and_never_begun_a_second_time_on_the_own_server(
    ground: Ground,
) -> None:
    old = ground.older.start(ground.launch("fix-old"))
    assert ground.runtime.start(ground.launch("fix-old")) == old
    with pytest.raises(Conflict, match="still runs"):
        ground.again().start(ground.launch("fix-old", 2))
    assert _names(ground.own) == []


def test_nobody_asks_the_shared_server_any_more_once_nothing_is_left_on_it(ground: Ground) -> None:
    old = ground.older.start(ground.launch("fix-old"))
    ground.runtime.survey()
    ground.runtime.stop(old)
    eventually(
        lambda: _is_empty(ground.runtime),
        why="the server, which ends with its last session, is proven to be gone",
    )
    ground.older.start(ground.launch("fix-of-another"))
    assert ground.runtime.survey() == {}
    with pytest.raises(NotFound):
        ground.runtime.output(old, 5)


def test_a_shared_server_that_cannot_be_asked_makes_all_unknown_and_none_gone(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    ground.older.start(ground.launch("fix-old"))
    ground.runtime.survey()

    def away(self: TmuxRuntime) -> None:
        raise Unreachable("the shared server does not answer")

    assert ground.runtime._shared is not None
    monkeypatch.setattr(ground.runtime._shared, "survey", away.__get__(ground.runtime._shared))
    with pytest.raises(Unreachable, match="does not answer"):
        ground.runtime.survey()


def test_a_persons_own_tmux_and_its_environment_are_not_touched(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    _tmux("-L", "default", "new-session", "-d", "-s", "mine", "-e", "SECRET=mine", "sleep 300")
    environment = (("show-environment", "-g"), ("show-environment", "-t", "mine"))
    asked = (("list-sessions", "-F", "#{session_name}"), *environment, ("show-options", "-g"))
    before = [_tmux("-L", "default", *words) for words in asked]
    place = _tmux(
        "-L", "default", "display-message", "-p", "-t", "mine", "#{socket_path},#{pid},0"
    ).strip()
    monkeypatch.setenv("TMUX", place)  # as in a terminal of hers
    handle = ground.runtime.start(ground.launch("fix-new"))
    ground.runtime.stop(handle)
    assert [_tmux("-L", "default", *words) for words in asked] == before


def test_two_configurations_of_one_home_have_two_servers_and_the_environment_can_name_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ENNIO_TMUX_SOCKET", raising=False)
    home = Home(tmp_path)
    long = home.run(Path("/x") / ("a" * 200) / "ennio.yaml").name
    sockets = {home.tmux_socket_of(home.run(Path(f"/{name}/ennio.yaml")).name) for name in "ab"} | {
        home.tmux_socket_of(long)
    }
    assert len(sockets | {home.tmux_socket}) == 4
    assert max(map(len, sockets)) < 60
    runtime = Registry(home, ManualClock(), instance=long).runtime("tmux")
    assert runtime.attach_command.__self__._own._socket == home.tmux_socket_of(long)  # type: ignore[attr-defined]
    monkeypatch.setenv("ENNIO_TMUX_SOCKET", "mine")
    assert (home.tmux_socket, home.tmux_socket_of(long)) == ("mine", "mine")


def test_a_configuration_that_is_moved_keeps_the_server_that_its_agents_are_on(
    tmp_path: Path,
) -> None:
    home, store = Home(tmp_path), open_store("sqlite:ennio.db", tmp_path, ManualClock())
    named = []
    for place in (tmp_path / "a", tmp_path / "b"):
        home.run(place / "ennio.yaml").mkdir(parents=True)
        config = Config(source=place / "ennio.yaml", directory=place)
        named.append(boot._instance(store, config, home))
    store.close()
    assert named == [home.run(tmp_path / "a" / "ennio.yaml").name] * 2


def test_words_reach_their_agent_where_another_server_has_given_its_pane_to_somebody_else(
    ground: Ground,
) -> None:
    seen, another = ground.older, TmuxRuntime(LocalMachine(), ground.shared, grace=2.0)
    handle = seen.start(ground.launch("fix-a"))
    seen.stop(handle)
    _tmux("-L", ground.shared, "kill-server", check=False)
    eventually(lambda: not _names(ground.shared), why="the server ends")
    for name in ("fix-b", "fix-a"):
        another.start(ground.launch(name))
    panes = _tmux("-L", ground.shared, "list-panes", "-a", "-F", "#{pane_id} #{session_name}")
    assert "%0 fix-b" in panes.splitlines()
    for name in ("fix-a", "fix-b"):
        eventually(lambda name=name: "READY" in another.screens([name])[name])  # type: ignore[misc]
    seen.paste(handle, "words")
    seen.press(handle, Key.ENTER)
    eventually(lambda: "took words" in another.output(handle, 20))
    assert "words" not in another.screens(["fix-b"])["fix-b"]
    _tmux("-L", ground.shared, "kill-session", "-t", "=fix-a")
    for act in (lambda: seen.paste(handle, "more"), lambda: seen.press(handle, Key.ENTER)):
        with pytest.raises(NotFound):
            act()
    assert "more" not in another.screens(["fix-b"])["fix-b"]
    assert _tmux("-L", ground.shared, "list-buffers") == ""
