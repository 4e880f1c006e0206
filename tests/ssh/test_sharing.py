"""Terminals on another machine that are shared by tmate or Claude's remote control, over a real
sshd; tmate speaks to a server on loopback at most, and a double stands in for Claude.
"""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ennio.config.model import SshStrategy
from ennio.hosts.elsewhere import FarHost, home_on
from ennio.hosts.sharing import (
    FILE,
    RemoteControlSharing,
    TmateSharing,
    links_of,
    shared,
    shared_by,
)
from ennio.machine.interface import Command
from ennio.machine.ssh.machine import SshMachine
from ennio.model.clock import SystemClock
from ennio.model.errors import Refused
from ennio.model.session import RuntimeHandle
from ennio.plugins.agent.interface import CommandLine
from ennio.plugins.runtime.interface import LaunchSpec
from ennio.plugins.runtime.tmux import TmuxRuntime
from tests.conftest import eventually, need
from tests.e2e.house import Ground, story, supervised, turn
from tests.frozen import freeze
from tests.ssh.bench import target_of
from tests.ssh.far_house import far_project
from tests.ssh.sshd import Account, Sshd

ADDRESS = "https://claude.ai/code/session_01ABCdef"
DOUBLE = f"""#!/bin/sh
printf '%s\\n' "$@" >"$HOME/argv"
[ "$1" = --remote-control ] && echo "/remote-control is active at {ADDRESS}"
exec cat
"""


@dataclass(frozen=True)
class FarTerminal:
    """A machine over ssh, a runtime on it, and a session's folder there."""

    account: Account
    machine: SshMachine
    runtime: TmuxRuntime
    folder: Path

    def start(self, name: str, *argv: str) -> RuntimeHandle:
        env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(self.account.home)}
        return self.runtime.start(LaunchSpec(name, argv, self.account.home, env, self.folder, 1))

    def tmux(self, *words: str) -> str:
        """What the tmux server of the agents answers."""
        argv = ("tmux", "-L", self.runtime._socket, *words)
        return self.machine.run(Command(argv)).stdout.decode()

    def mode(self, path: Path) -> int:
        return stat.S_IMODE(os.stat(path).st_mode)


@pytest.fixture
def at(server: Sshd) -> Iterator[FarTerminal]:
    account = server.account()
    machine = SshMachine(target_of(server, account))
    folder = home_on(machine).root / "sessions" / "s1"
    machine.make_folder(folder.parent.parent, private=True)
    machine.make_folder(folder.parent, private=True)
    machine.make_folder(folder, private=True)
    runtime = TmuxRuntime(machine, f"ennio-share-{os.getpid()}")
    yield FarTerminal(account, machine, runtime, folder)
    runtime.shutdown()
    machine.close()


def test_an_agent_shared_by_tmate_lives_in_tmux_and_says_why_there_is_no_link(
    at: FarTerminal,
) -> None:
    need("tmate")
    with socket.socket() as nobody:  # bound, and never answered: what is on loopback goes nowhere
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        conf = at.account.home / ".tmate.conf"
        conf.write_text(f"set -g tmate-server-host 127.0.0.1\nset -g tmate-server-port {port}\n")
        at.account.own(conf)
        place = home_on(at.machine).root / "tmate"
        sharing = TmateSharing(at.machine, place, patience=1)
        sharing.lead("aider", "s1", CommandLine(("aider",)))
        handle = at.start("s1", "sh", "-c", "echo I AM HERE; exec cat")
        opened = sharing.share(at.folder, at.runtime, handle)
        told = shared(opened.data)
        assert set(told) == {"problem"}
        assert "no link within 1 s" in told["problem"]
        assert at.mode(place) == 0o700

        # who has the link sees the agent's terminal, and its size stays what it was
        shown = ("list-clients", "-F", "#{client_session} #{client_flags}")
        eventually(lambda: "ignore-size" in at.tmux(*shown), why="tmate shows the terminal")
        assert at.tmux(*shown).split()[0] == "s1"
        assert at.tmux("display", "-p", "-t", "=s1:", "#{window_width}").strip() != "80"
        again = sharing.share(at.folder, at.runtime, handle)
        assert shared(again.data) == told, "it is found, not made twice"
        at.runtime.stop(handle)
        sharing.unshare("s1")
        eventually(lambda: not _answers(place / "s1"), why="tmate ends with what it shows")
        assert list(place.iterdir()) == [], "nothing of it stays"
        sharing.unshare("s1")

        # nor of one that takes no orders any more
        sharing.share(at.folder, at.runtime, at.start("s1", "cat"))
        (server,) = at.account.processes(lambda one: one.name() == "tmate")
        freeze(server)
        sharing.unshare("s1")
        assert list(place.iterdir()) == []
        eventually(lambda: not at.account.processes(lambda one: one.pid == server))


def _answers(path: Path) -> bool:
    argv = ("tmate", "-S", str(path), "has-session")
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def test_links_are_told_by_what_leads_there_and_none_is_made_up() -> None:
    printed = "ssh a@127.0.0.1|ssh ro-a@127.0.0.1|http://127.0.0.1/t/a|http://127.0.0.1/t/ro-a\n"
    assert links_of(printed, 1) == {
        "ssh": "ssh a@127.0.0.1",
        "ssh_ro": "ssh ro-a@127.0.0.1",
        "web": "http://127.0.0.1/t/a",
        "web_ro": "http://127.0.0.1/t/ro-a",
    }
    assert links_of("ssh a@127.0.0.1|||", 1) == {"ssh": "ssh a@127.0.0.1"}
    for nothing in ("", "|||\n", "\n"):
        assert set(links_of(nothing, 1)) == {"problem"}


def test_a_machine_without_tmate_is_said_before_anything_starts(at: FarTerminal) -> None:
    class Bare(SshMachine):
        def which(self, name: str) -> str | None:
            return None if name == "tmate" else super().which(name)

    bare = Bare(at.machine.target)
    with pytest.raises(Refused, match="tmate is not installed on there"):
        TmateSharing(bare, Path("/x")).lead("aider", "s1", CommandLine(("aider",)))
    bare.close()


def test_claudes_remote_control_begins_with_the_prompt_and_its_address_is_private(
    at: FarTerminal,
) -> None:
    double = at.account.folder("bin") / "claude"
    double.write_text(DOUBLE)
    double.chmod(0o755)
    sharing = RemoteControlSharing(at.machine)
    plain = CommandLine((str(double), "--session-id", "1", "Fix it; $(not a command)"))
    command = sharing.lead("claude-code", "s1", plain)
    assert command.argv[3:] == plain.argv[1:]
    handle = at.start("s1", *command.argv)
    opened = sharing.share(at.folder, at.runtime, handle)
    assert shared(opened.data) == {"address": ADDRESS}
    assert shared_by(opened.data) == "remote_control"
    given = (at.account.home / "argv").read_text().splitlines()
    assert given == ["--remote-control", "s1", "--session-id", "1", "Fix it; $(not a command)"]
    kept = at.folder / FILE
    assert json.loads(kept.read_text()) == {"address": ADDRESS, "pid": handle.data["pid"]}
    assert (at.mode(kept), at.mode(at.folder)) == (0o600, 0o700)
    at.runtime.stop(handle)


def test_one_that_shows_no_address_works_on_and_says_so(at: FarTerminal) -> None:
    handle = at.start("s1", "cat")
    opened = RemoteControlSharing(at.machine, patience=0.2).share(at.folder, at.runtime, handle)
    assert "no address of remote control within 0.2 s" in shared(opened.data)["problem"]
    assert not shared_by(opened.data), "nobody can reach it"
    assert not at.runtime.survey()["s1"].dead
    at.runtime.stop(handle)
    with pytest.raises(Refused, match="Claude's own"):
        RemoteControlSharing(at.machine).lead("aider", "s1", CommandLine(("aider",)))


def test_a_host_shares_as_its_strategy_says(at: FarTerminal) -> None:
    shares = {
        strategy: FarHost("far", at.machine, SystemClock(), "i", strategy)._effects._sharing
        for strategy in SshStrategy
    }
    assert isinstance(shares[SshStrategy.TMATE], TmateSharing)
    assert isinstance(shares[SshStrategy.REMOTE_CONTROL], RemoteControlSharing)


def test_a_person_finds_what_is_shared_of_a_session_and_it_ends_with_it(
    server: Sshd, tmp_path: Path
) -> None:
    need("tmate")
    account = server.account()
    conf = account.home / ".tmate.conf"
    conf.write_text("set -g tmate-server-host 127.0.0.1\nset -g tmate-server-port 9\n")
    account.own(conf)
    waits = story(turn("prompt", [{"say": "..."}, "hang"]))
    made = far_project(server, account, agent_config=waits)

    def by_tmate(ground: Ground) -> dict[str, Any]:
        project = made(ground)
        return project | {"ssh_config": project["ssh_config"] | {"strategy": "tmate"}}

    with supervised(tmp_path, by_tmate) as house:
        session = house.spawn()
        house.becomes(session, "working", within=60)
        informed = house.ground.ennio("session", "info", session)
        assert "shared problem  tmate's server has given no link" in informed.out
        socket = account.home / ".ennio" / "tmate" / session
        assert _answers(socket)
        assert not [one for one in house.events() if "tmate" in str(one)]
        house.client.delete(f"/sessions/{session}")
        house.becomes(session, "killed", within=60)
        eventually(lambda: not _answers(socket))
