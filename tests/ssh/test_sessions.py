"""Sessions on other machines, from spawn to merge, over real sshds: one supervisor, two machines with
a user and a home each, and a hub on this one that both reach over ssh.
"""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.conftest import eventually
from tests.e2e.house import Supervised, story, supervised, turn
from tests.ssh.far_house import far_project
from tests.ssh.sshd import HOST, Account, Sshd, sshd
from tests.terminal.watching import control, watching

pytestmark = pytest.mark.e2e

CHECK = "grep -q Ennio greeting.txt || { echo 'FAILED: it must name whom it greets'; exit 1; }"
PLAY = story(
    turn(
        "prompt",
        [
            {"edit": {"file": "greeting.txt", "content": "hello\n"}},
            {"burn": {"input": 4100, "output": 380, "cost": "0.0180"}},
            {"commit": "Greet"},
            "push",
            {"say": "greeted"},
        ],
        when="greeting",
    ),
    turn("prompt", [{"say": "I sit and wait"}]),
    turn(
        "ci_failed",
        [
            {"edit": {"file": "greeting.txt", "content": "hello, Ennio\n"}},
            {"commit": "Name whom it greets"},
            "push",
        ],
    ),
    turn(
        "changes_requested",
        [
            {"edit": {"file": "CHANGES.md", "content": "- A greeting.\n"}},
            {"commit": "Mention it"},
            "push",
        ],
    ),
    turn("message", [{"say": "heard"}]),
)
FORGE = {
    "checks": [{"name": "greetings", "run": CHECK, "timeout": 60}],
    "review_required": True,
}


@dataclass(frozen=True)
class Place:
    """Another machine, and the project that is there."""

    server: Sshd
    account: Account
    project: str

    @property
    def host(self) -> str:
        return f"{self.account.name}@{HOST}:{self.server.port}"


@dataclass(frozen=True)
class Far:
    """A house with a project on each of two other machines."""

    house: Supervised
    one: Place
    other: Place

    def ready(self, session_id: str) -> dict[str, Any]:
        """Wait until its agent has done what it was told first."""
        house = self.house
        eventually(
            lambda: house.session(session_id)["activity"] == "ready",
            60,
            f"{session_id} is ready",
        )
        return house.session(session_id)

    def pid(self, session_id: str) -> int:
        """The process of its agent."""
        query = "SELECT runtime_handle FROM sessions WHERE id = ?"
        (row,) = self.house.ground.rows(query, session_id)
        return int(json.loads(row["runtime_handle"])["data"]["pid"])


WITNESS = """
import os, sys
_file = os.open(os.environ["ENNIO_WITNESS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
def _note(event, args):
    if event in ("os.kill", "os.killpg"):
        os.write(_file, f"{args[0]}\\n".encode())
sys.addaudithook(_note)
"""
"""Writes down every process that the supervisor asks after, or ends, on this machine."""


class Witnessed(Supervised):
    """A supervisor that is watched in what it asks of this machine."""

    @property
    def env(self) -> dict[str, str]:
        folder = self.ground.root / "witness"
        folder.mkdir(exist_ok=True)
        (folder / "sitecustomize.py").write_text(WITNESS)
        path = os.pathsep.join([str(folder), self.ground.env["PYTHONPATH"]])
        return {**self.ground.env, "PYTHONPATH": path, "ENNIO_WITNESS": str(folder / "asked")}

    def signalled(self) -> set[str]:
        """The processes that were sent a signal here, were it only to see whether they live."""
        return set((self.ground.root / "witness" / "asked").read_text().split())


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Far]:
    with sshd() as one, sshd() as other:
        places = [Place(one, one.account(), "score"), Place(other, other.account(), "other")]
        projects = [
            far_project(at.server, at.account, at.project, agent_config=PLAY, forge=dict(FORGE))
            for at in places
        ]
        root = tmp_path_factory.mktemp("far")
        reactions = {"approved-and-green": {"action": "auto_merge"}}
        with supervised(root, *projects, kind=Witnessed, reactions=reactions) as house:
            yield Far(house, *places)


def test_a_session_goes_from_spawn_over_a_red_check_and_a_review_to_its_merge(far: Far) -> None:
    house, place = far.house, far.one
    session_id = house.spawn("Write a greeting")
    assert house.session(session_id)["host"] == place.host
    eventually(lambda: house.session(session_id)["pr_number"], 60, "its pull request is open")
    session = house.session(session_id)
    workspace, pid = Path(session["workspace_path"]), far.pid(session_id)
    assert workspace.is_relative_to(place.account.home)
    assert workspace.stat().st_uid == place.account.uid
    assert psutil.Process(pid).uids().real == place.account.uid, "it is to be seen from here"
    assert not house.ground.worktrees(), "nothing of it is here"
    assert not (house.ground.home / "sessions" / session_id).exists()
    house.becomes(session_id, "review_pending", within=60)
    pull = f"/projects/score/pulls/{session['pr_number']}"
    red = house.client.get(pull)["head"]
    house.client.post(f"{pull}/request-changes", {"body": "Mention it", "author": "Lena"})
    eventually(lambda: house.client.get(pull)["head"] != red, 60, "the agent has answered")

    def approved() -> bool:
        head = house.client.get(pull)["head"]
        house.client.post(f"{pull}/approve", {"body": "Good", "head": head, "author": "Lena"})
        return True

    assert approved()
    house.becomes(session_id, "merged", "done", within=60)
    assert house.ground.main("greeting.txt") == "hello, Ennio"
    assert house.ground.main("CHANGES.md") == "- A greeting."
    assert isinstance(house, Witnessed)
    assert str(pid) not in house.signalled(), "its process is none of this machine's business"


def test_what_a_person_does_with_a_session_here_can_be_done_with_one_there(far: Far) -> None:
    house = far.house
    session_id = house.spawn("sit", project="other")
    far.ready(session_id)
    assert "I sit and wait" in _output(house, session_id)
    house.client.post(f"/sessions/{session_id}/send", {"message": "louder, $(please) `id`"})
    eventually(lambda: "heard" in _output(house, session_id), 30, "it was told")
    assert "louder, $(please) `id`" in _output(house, session_id)
    workspace = Path(house.session(session_id)["workspace_path"])
    (workspace / "notes.md").write_text("one\n")
    told = house.client.get(f"/sessions/{session_id}/diff")
    assert [one["path"] for one in told["files"]] == ["notes.md"]
    house.client.delete(f"/sessions/{session_id}")
    house.becomes(session_id, "killed")
    house.client.post(f"/sessions/{session_id}/cleanup", {"force": True})
    eventually(lambda: not workspace.exists(), 30, "its working copy is removed")
    saved = house.client.get("/preserved")
    assert (session_id, far.other.host) in {(one["id"], one["host"]) for one in saved}


def _waits(house: Supervised, session_id: str) -> str:
    return str(
        [one["reason"] for one in house.client.get("/queue") if one["session_id"] == session_id]
    )


def _output(house: Supervised, session_id: str) -> str:
    return str(house.client.get(f"/sessions/{session_id}/output"))


def test_incident_10_a_machine_that_is_away_makes_its_sessions_unknown_and_ends_none(
    far: Far,
) -> None:
    house, place = far.house, far.one
    gone, here = house.spawn("sit"), house.spawn("sit", project="other")
    far.ready(gone)
    far.ready(here)
    pid = far.pid(gone)
    place.server.kill()
    try:
        eventually(lambda: house.session(gone)["no_signal_since"], 60, "nobody hears of it")
        assert house.session(gone)["status"] == "working"
        assert not house.session(here)["no_signal_since"], "the other machine is there"
        waiting = house.spawn("sit")
        eventually(lambda: f"host {place.host} cannot be asked" in _waits(house, waiting), 30)
        assert house.session(waiting)["status"] == "spawning"
        house.kill_everything()
        house.start()  # while the machine is away
        eventually(lambda: house.session(gone)["no_signal_since"], 60, "nobody hears of it")
        assert house.session(gone)["status"] == "working"
        far.ready(here)
        house.client.post(f"/sessions/{gone}/send", {"message": "are you there"})
    finally:
        place.server.start()
    eventually(lambda: not house.session(gone)["no_signal_since"], 90, "it is heard of again")
    eventually(lambda: "heard" in _output(house, gone), 60, "what was sent meanwhile arrives")
    assert _output(house, gone).count("are you there") == 1
    assert far.pid(gone) == pid, "it is the same process"
    assert psutil.Process(pid).is_running()
    far.ready(waiting)
    launched = [e for e in house.events(session_id=gone) if e["data"].get("step") == "launch"]
    assert len(launched) <= 1


def test_who_is_ended_while_its_machine_is_frozen_is_ended_once_it_is_back(far: Far) -> None:
    house, place = far.house, far.one
    session_id, here = house.spawn("sit"), house.spawn("sit", project="other")
    far.ready(session_id)
    far.ready(here)
    pid = far.pid(session_id)
    place.server.freeze()
    try:
        house.client.post(f"/sessions/{here}/send", {"message": "are you held up"})
        eventually(lambda: "heard" in _output(house, here), 30, "no other machine is held up")
        eventually(lambda: house.session(session_id)["no_signal_since"], 60, "it is away")
        assert not house.session(here)["no_signal_since"]
        told = house.client.delete(f"/sessions/{session_id}")
        assert told != "killed", "nobody says that it has ended"
        assert house.session(session_id)["status"] not in ("killed", "exited")
        assert psutil.pid_exists(pid)
    finally:
        place.server.thaw()
    house.becomes(session_id, "killed", within=90)
    eventually(lambda: not psutil.pid_exists(pid), 30, "its agent is gone")


def test_a_person_is_led_there_and_watches_it_in_the_browser_by_pictures(far: Far) -> None:
    house, place = far.house, far.one
    session_id = house.spawn("sit")
    far.ready(session_id)
    command = house.client.get(f"/sessions/{session_id}/attach")
    assert command[:2] == ["ssh", "-t"]
    assert f"{place.account.name}@{HOST}" in command
    ours, theirs = pty.openpty()
    env = {**house.env, "TERM": "xterm-256color"}
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=env, start_new_session=True
    ) as client:
        os.close(theirs)
        os.set_blocking(ours, False)
        seen = bytearray()

        def sits() -> bool:
            with contextlib.suppress(BlockingIOError):
                seen.extend(os.read(ours, 65536))
            return b"I sit and wait" in seen

        eventually(sits, 30, "its terminal is attached to")
        client.kill()
    os.close(ours)
    with watching(house, session_id) as one:
        one.sees("I sit and wait")
        one.say("control", control=control(house, session_id))
        one.until(lambda: one.state.get("control"), "she has control")
        one.say("key", data="louder\r", id=1)
        one.hears("typed", id=1)
        one.sees("heard")


def test_doctor_asks_each_machine_and_says_what_mends_what_it_finds(far: Far) -> None:
    house, place = far.house, far.one
    done = house.ground.ennio("doctor")
    assert f"host {place.host} answers, and lets us in" in done.out
    assert f"host {place.host}: project score: {place.account.home}/score stands" in done.out
    assert f"host {far.other.host}: tmux 3" in done.out
    away = place.account.home / "score"
    away.rename(away.with_name("away"))
    done = house.ground.ennio("doctor")
    away.with_name("away").rename(away)
    (told,) = [line for line in done.out.splitlines() if "git clone" in line]
    assert "ssh -o " in told, "the very command that leads there"
    assert f"-p {place.server.port} {place.account.name}@{HOST} 'git clone " in told
    place.server.kill()
    try:
        done = house.ground.ennio("doctor")
    finally:
        place.server.start()
    assert f"host {place.host}: " in done.out
    assert f"{place.account.name}@{HOST} true" in done.out, "the command that tells more"
    assert f"host {far.other.host} answers, and lets us in" in done.out
