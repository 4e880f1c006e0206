"""A supervisor has a tmux server of its own, and goes on looking after what an older
one left on the shared one.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ennio.machine.home import Home
from tests.conftest import eventually
from tests.e2e.house import (
    Ground,
    Supervised,
    configure,
    ground_at,
    nothing_is_left,
    project,
    repository,
    story,
    turn,
)

pytestmark = pytest.mark.e2e

WAITS = story(turn("prompt", [{"say": "..."}, "hang"]))


@dataclass(slots=True)
class OnSocket(Supervised):
    """A supervisor of whom the environment names this socket, or none."""

    socket: str = ""

    @property
    def env(self) -> dict[str, str]:
        env = {
            name: value for name, value in self.ground.env.items() if name != "ENNIO_TMUX_SOCKET"
        }
        return env | ({"ENNIO_TMUX_SOCKET": self.socket} if self.socket else {})


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    monkeypatch.delenv("ENNIO_TMUX_SOCKET", raising=False)
    with ground_at(tmp_path) as made:
        repository(made)
        configure(made, project(made, agent_config=WAITS))
        yield made
        for socket in _sockets(made):
            subprocess.run(
                ["tmux", "-L", socket, "kill-server"], capture_output=True, check=False, timeout=20
            )


def _sockets(ground: Ground) -> tuple[str, str]:
    """The shared one and the configuration's own."""
    home = Home(ground.home)
    return home.tmux_socket, home.tmux_socket_of(home.run(ground.config).name)


def _on(socket: str) -> list[str]:
    done = subprocess.run(
        ["tmux", "-L", socket, "list-sessions", "-F", "#{session_name}"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.split()


def test_what_an_older_version_left_on_the_shared_server_is_looked_after_and_what_is_new_is_on_our_own(
    ground: Ground,
) -> None:
    shared, own = _sockets(ground)
    older = OnSocket(ground, socket=shared)
    older.start()
    old = older.spawn()
    eventually(lambda: older.session(old)["activity"] == "active")
    older.stop()
    newer = OnSocket(ground)
    newer.start()
    new = newer.spawn()
    eventually(lambda: newer.session(new)["activity"] == "active")
    eventually(
        lambda: (
            newer.session(old)["activity"] == "active"
            and newer.session(old)["no_signal_since"] is None
        )
    )
    assert (_on(shared), _on(own)) == ([old], [new])
    for session_id, socket in ((old, shared), (new, own)):
        command = newer.client.get(f"/sessions/{session_id}/attach")
        assert command[command.index("-L") + 1] == socket
        assert newer.client.get(f"/sessions/{session_id}/screen")["rows"] > 0
        newer.client.delete(f"/sessions/{session_id}")
        newer.becomes(session_id, "killed")
    assert (_on(shared), _on(own)) == ([], [])
    newer.stop()
    nothing_is_left(ground)


@dataclass(frozen=True, slots=True)
class Moved(Ground):
    """The same ground, whose file lies elsewhere by now."""

    @property
    def config(self) -> Path:
        return self.root / "elsewhere" / "ennio.yaml"


def test_a_configuration_that_is_moved_keeps_its_agents_and_where_they_are_found(
    ground: Ground,
) -> None:
    database = f"sqlite:///{ground.root / 'ennio.db'}"
    configure(ground, project(ground, agent_config=WAITS), database_url=database)
    before = OnSocket(ground)
    before.start()
    old = before.spawn()
    eventually(lambda: before.session(old)["activity"] == "active")
    before.stop()
    moved = Moved(ground.root, ground.socket, ground.path)
    moved.config.parent.mkdir()
    ground.config.rename(moved.config)
    after = OnSocket(moved)
    after.start()
    new = after.spawn()
    eventually(lambda: after.session(new)["activity"] == "active")
    eventually(lambda: after.session(old)["activity"] == "active")
    begun = [one for one in after.events() if one["event_type"] == "session_spawned"]
    assert sorted(one["session_id"] for one in begun) == sorted([old, new]), "each once"
    own = _sockets(ground)[1]
    assert sorted(_on(own)) == sorted([old, new])
    assert _on(_sockets(moved)[1]) == []
    for session_id in (old, new):
        after.client.delete(f"/sessions/{session_id}")
        after.becomes(session_id, "killed")
    after.stop()
    nothing_is_left(moved)
