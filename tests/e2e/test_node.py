"""A project on another machine, by the ennio-node there: a real sshd, somebody else's account and
home, and all that can happen to the way.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import ennio
from tests.conftest import eventually
from tests.e2e.house import Ground, Supervised, free_port, project, story, supervised, turn
from tests.ssh.sshd import HOST, Account, Sshd, sshd

TALKS = [turn("prompt", [{"say": "I begin."}, {"say": "That is all."}])]  # fmt: skip


@dataclass
class Far:
    """The house, and the machine that its project is on."""

    house: Supervised
    server: Sshd
    account: Account
    port: int

    @property
    def name(self) -> str:
        return f"{self.account.name}@{HOST}:{self.server.port}"

    @property
    def node(self) -> dict[str, Any]:
        found: dict[str, Any] = self.house.client.get("/nodes/far")
        return found

    def until(self, *states: str, within: float = 60.0) -> dict[str, Any]:
        def reached() -> dict[str, Any] | None:
            node = self.node
            assert node["state"] in states, f"{node['state']}: {node['error']} {node['steps']}"
            return node

        found: Any = eventually(reached, within, f"it is {' or '.join(states)}")
        return dict(found)

    def pids(self) -> list[int]:
        """The node's processes over there, seen without asking Ennio."""
        return self.account.processes(
            lambda one: f"ennio.node --port {self.port}" in " ".join(one.cmdline())
        )

    def pid(self) -> int:
        (found,) = self.pids()
        return found

    def started_after(self, pid: int) -> bool:
        found = self.pids()
        return bool(found) and pid not in found

    def agents(self) -> list[int]:
        """The processes of agents over there."""
        return self.account.processes(lambda one: "ENNIO_SESSION_ID" in one.environ())

    # --- its session ------------------------------------------------------------------------------

    def rests(self, session_id: str) -> None:
        """Its agent has ended its turn."""
        eventually(lambda: self.house.session(session_id)["activity"] == "ready", 60)

    def is_seen(self, session_id: str) -> None:
        """It works, and there is a signal of it."""

        def seen() -> bool:
            one = self.house.session(session_id)
            return one["status"] == "working" and one["no_signal_since"] is None

        eventually(seen, 60, "it is seen again")

    def message(self, session_id: str, text: str) -> str:
        found = self.house.client.get(f"/sessions/{session_id}/messages")
        return next(str(one["state"]) for one in found if one["text"] == text)

    def types(self) -> list[str]:
        return [event["event_type"] for event in self.house.events()]

    def ennio(self, *words: str) -> Any:
        ended = self.house.ground.ennio(*words, "--json", timeout=180)
        assert ended.code == 0, ended.err
        return json.loads(ended.out)


def _repository(account: Account) -> Path:
    """A repository over there, with its hub beside it."""
    clone, hub = account.home / "score", account.home / "score.git"
    env = {"HOME": str(account.home), "PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1"}
    (account.home / ".gitconfig").write_text(
        "[user]\n  name = A Person\n  email = person@example.org\n[init]\n  defaultBranch = main\n"
    )
    account.own(account.home / ".gitconfig")

    def git(*words: str) -> None:
        asked: dict[str, Any] = {"env": env, "capture_output": True, **account.as_user}
        subprocess.run(["git", *words], check=True, **asked)

    git("init", "--quiet", str(clone))
    git("-C", str(clone), "commit", "--quiet", "--allow-empty", "-m", "Begin")
    git("clone", "--quiet", "--bare", str(clone), str(hub))
    git("-C", str(clone), "remote", "add", "origin", str(hub))
    git("-C", str(clone), "fetch", "--quiet", "origin")
    return clone


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Far]:
    root, port = tmp_path_factory.mktemp("node"), free_port()
    with sshd() as server:
        account, other = server.account(), server.account()
        clone = _repository(account)
        known = root / "known_hosts"
        known.write_text(server.known_host)
        ssh = {
            "host": HOST,
            "port": server.port,
            "username": account.name,
            "auth": {"type": "key", "path": str(account.key)},
            "strategy": "node",
            "known_hosts_path": str(known),
            "connection_timeout": 10,
            "node_config": {"port": port, "idle_timeout": 600},
        }

        def on_it(ground: Ground) -> dict[str, Any]:
            return project(
                ground,
                "far",
                repo=f"{clone}.git",
                path=str(clone),
                ssh_config=ssh,
                scm_config=None,
                agent_config=story(*TALKS),
            )

        def without_one(ground: Ground) -> dict[str, Any]:
            login = {"type": "key", "path": str(other.key)}
            plain = ssh | {"username": other.name, "auth": login, "strategy": "tmux"}
            del plain["node_config"]
            place = {"repo": "/nowhere", "path": "/nowhere", "scm_config": None}
            return project(ground, "plain", ssh_config=plain, **place)

        with supervised(root / "house", on_it, without_one) as house:
            yield Far(house, server, account, port)


@pytest.fixture(scope="module")
def session(far: Far) -> str:
    """One that works there, spawned while nobody was connected."""
    assert far.node["state"] == "idle", "nobody connects before somebody needs it"
    made = far.house.spawn(project="far")
    far.house.becomes(made, "working", within=120)
    far.rests(made)
    return made


def test_a_project_on_a_node_is_worked_on_there_from_nothing_but_a_login(
    far: Far, session: str
) -> None:
    node = far.until("connected")
    steps = ["log in", "look", "pack", "copy", "install", "start", "verify"]
    assert [step["name"] for step in node["steps"]] == steps
    assert all(step["ok"] for step in node["steps"])
    assert far.house.session(session)["host"] == far.name
    assert "That is all." in far.house.client.get(f"/sessions/{session}/output")
    told = [event["event_type"] for event in far.house.events() if event["data"].get("host")]
    assert told == [*["node_step"] * 3, "node_launched", "node_connected"]
    far.house.client.post(f"/sessions/{session}/send", {"message": "louder, please"})
    eventually(lambda: far.message(session, "louder, please") == "delivered", 60)
    assert not (far.house.ground.home / "sessions" / session).exists(), "nothing of it is here"


def test_people_see_it_and_read_its_log_by_the_name_of_the_project(far: Far, session: str) -> None:
    here, there, plain = far.ennio("node", "list")
    assert (here["state"], there["state"], there["sessions"]) == ("here", "connected", 1)
    assert (plain["kind"], plain["sessions"], plain["projects"]) == ("ssh", 0, ["plain"])
    (status,) = far.ennio("node", "status", "far")
    assert 0 < status["round_trip"] < 5
    assert status["free_memory"] > 0
    assert f"listens on 127.0.0.1:{far.port}" in far.ennio("node", "logs", "far")["text"]
    opened = far.house.ground.ennio("open", session, "--print").out
    assert opened.startswith("ssh ")
    assert f"{far.account.name}@{HOST}" in opened, "a person's terminal is led there"
    shown = far.house.ground.ennio("node", "status", far.name).out
    assert f"sessions     1 ({'1 of far'})" in shown


def test_a_machine_without_a_node_is_in_the_same_list_and_asked_when_somebody_looks(
    far: Far, session: str
) -> None:
    (told,) = far.ennio("node", "status", "plain")
    assert (told["state"], told["kind"], told["version"]) == ("connected", "ssh", None)
    assert 0 < told["round_trip"] < 10
    assert told["free_memory"] > 0
    refused = far.house.ground.ennio("node", "disconnect", "plain")
    assert (refused.code, "has no ennio-node" in refused.err) == (1, True)


def test_a_node_that_is_killed_comes_back_and_its_agents_never_notice(
    far: Far, session: str
) -> None:
    before, agents = far.pid(), far.agents()
    assert agents
    os.kill(before, signal.SIGKILL)
    eventually(lambda: far.started_after(before), 90, "another node is started there")
    far.until("connected")
    assert far.agents() == agents
    far.is_seen(session)
    assert far.types().count("node_launched") == 2


def test_a_way_that_is_cut_is_found_again_and_no_session_counts_as_ended(
    far: Far, session: str
) -> None:
    node, agents = far.pid(), far.agents()
    far.server.kill()
    far.until("unreachable", "connecting")
    eventually(lambda: far.house.session(session)["no_signal_since"], 60, "it gives no signal")
    assert far.house.session(session)["status"] == "working"
    far.server.start()
    far.house.client.post("/nodes/far/connect", {})
    far.until("connected", within=90)
    far.is_seen(session)
    assert (far.pid(), far.agents()) == (node, agents)


def test_a_supervisor_that_is_started_anew_meets_the_node_that_runs(far: Far, session: str) -> None:
    node, agents = far.pid(), far.agents()
    far.house.stop()
    far.house.start()
    found = far.until("connected")
    assert [step["name"] for step in found["steps"]] == ["log in", "tunnel", "verify"]
    assert (far.pid(), far.agents()) == (node, agents)
    far.is_seen(session)


def test_disconnecting_shuts_it_down_and_its_session_goes_on_unseen(far: Far, session: str) -> None:
    agents = far.agents()
    parted = far.house.ground.ennio("node", "disconnect", "far")
    assert f"disconnected {far.name}: 1 session goes on there, unseen" in parted.out
    node = far.node
    assert node["state"] == "disconnected"
    eventually(lambda: far.pids() == [], 30, "the node has ended")
    assert far.agents() == agents
    (again,) = re.findall(r"^ennio (.*) connects again$", parted.out, re.MULTILINE)
    connected = far.house.ground.ennio(*again.split(), timeout=120)
    assert connected.code == 0, connected.err
    assert "start" in connected.err, "each step is said"
    (again,) = re.findall(r"`ennio (node connect .*)` connects again", str(node))
    assert far.house.ground.ennio(*again.split(), timeout=120).code == 0
    far.is_seen(session)
    assert far.house.ground.ennio("node", "disconnect", "far").code == 0
    far.house.stop()
    far.house.start()
    (again,) = re.findall(r"a person disconnected it; `ennio (.*)` connects", str(far.node))
    assert far.house.ground.ennio(*again.split(), timeout=120).code == 0, "after a new start too"
    far.is_seen(session)
    far.house.client.delete(f"/sessions/{session}")
    far.house.becomes(session, "killed", within=60)
    eventually(lambda: far.agents() == [], 30, "nothing of it is left there")


def test_a_node_of_another_version_is_replaced_by_what_is_printed(far: Far) -> None:
    (source,) = far.account.home.rglob("site-packages/ennio/__init__.py")
    calls = source.parent / "hosts" / "calls.py"
    ours, interface = source.read_text(), calls.read_text()

    def shell(line: str) -> subprocess.CompletedProcess[str]:
        asked: dict[str, Any] = {"cwd": far.house.ground.clone, "env": far.house.ground.env}
        asked |= {"capture_output": True, "text": True, "timeout": 180}
        words = line.replace("ennio ", f"{sys.executable} -m ennio.cli ")
        return subprocess.run(["sh", "-c", words], check=False, **asked)

    def installed(version: str, *, fits: bool = True) -> None:
        """Put there what is not looked at before it is started."""
        for compiled in source.parent.rglob("__pycache__/*.pyc"):
            compiled.unlink()
        source.write_text(ours.replace(ennio.__version__, version))
        calls.write_text(interface + ("" if fits else '\nINTERFACE = "another"\n'))

    assert shell("ennio node disconnect far").returncode == 0
    eventually(lambda: far.pids() == [], 30, "the node has ended")
    installed("99.0.0", fits=False)
    shell("ennio node connect far")
    eventually(far.pids, 30, "it runs, by whoever put it there")
    refused = shell("ennio node connect far")
    assert refused.returncode != 0, refused
    assert "is of Ennio 99.0.0" in refused.stderr + refused.stdout
    (end,) = set(re.findall(r"ennio node disconnect \S+", refused.stderr + refused.stdout))
    assert shell(end).returncode == 0
    eventually(lambda: far.pids() == [], 30, "the later one has ended")
    installed("0.1.9")
    assert shell("ennio node connect far").returncode == 0
    checked = shell("ennio upgrade-check --json")
    found = [one for one in json.loads(checked.stdout)["findings"] if "0.1.9" in one["what"]]
    assert len(found) == 1, checked
    assert "it understands what this one asks of it" in found[0]["what"]
    assert far.until("connected")["version"] == "0.1.9"
    installed(ennio.__version__)
    again = shell(found[0]["fix"].partition("  (")[0])
    assert again.returncode == 0, again
    assert far.until("connected")["version"] == ennio.__version__
    assert "0.1.9" not in shell("ennio upgrade-check --json").stdout
