"""An agent over there whose hook notifies us is shown as what it is at once, by one look, however seldom all of
them are looked at.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ennio.machine.ssh.machine import SshMachine
from tests.conftest import eventually
from tests.e2e.house import Supervised, supervised, turn
from tests.ssh.bench import machine_of
from tests.ssh.far_house import far_project
from tests.ssh.listening import await_pipes, notify, run_as
from tests.ssh.sshd import HOST, Account, Sshd

pytestmark = pytest.mark.e2e

SELDOM = "600s"
GATE = ["sh", "-c", "while [ ! -e gate ]; do sleep 0.05; done; rm gate"]
PLAY = {"passthrough": {"speed": 20, "story": [turn("any", [{"run": {"argv": GATE}}])]}}


@dataclass(frozen=True)
class FarAgent:
    """A session over there whose agent works until it is let go."""

    house: Supervised
    account: Account
    machine: SshMachine
    id: str
    source: str

    def turns(self) -> int:
        """How many it has ended, by its own words."""
        file = self.account.home / ".ennio" / "sessions" / self.id / "transcript.jsonl"
        lines = file.read_text().splitlines()
        return sum(json.loads(line)["type"] == "turn_ended" for line in lines)

    def ends_its_turn(self) -> None:
        """It has nothing more to do, and told nobody but its own file."""
        before = self.turns()
        place = Path(self.house.session(self.id)["workspace_path"])
        run_as(self.account, "touch", str(place / "gate"))
        eventually(lambda: self.turns() > before, why="its turn is over")

    def looks(self) -> int:
        """How often agents over there were looked at."""
        return looks(self.house, self.source)


def looks(house: Supervised, source: str) -> int:
    return int(house.client.get("/status")["sources"][source]["looks"])


def at_work(house: Supervised) -> str:
    """A session whose agent works."""
    name = house.spawn("Play")
    eventually(lambda: house.session(name)["activity"] == "active", 60, "it is at work")
    return name


def nobody_looks(house: Supervised, source: str) -> None:
    """Wait until the looks are over that a session's beginning asks for."""
    last, since = -1, 0.0

    def still() -> bool:
        nonlocal last, since
        if (now := looks(house, source)) != last:
            last, since = now, time.monotonic()
        return time.monotonic() - since > 1.0  # two rounds of the runtime

    eventually(still, 60, "nobody looks at it any more")


@pytest.fixture(scope="module")
def far(server: Sshd, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FarAgent]:
    account = server.account()
    machine = machine_of(server, account)
    project = far_project(server, account, agent_config=PLAY)
    poll = {"runtime": "500ms", "agent": SELDOM, "forge": SELDOM}
    with supervised(tmp_path_factory.mktemp("far"), project, poll=poll) as house:
        host = f"{account.name}@{HOST}:{server.port}"
        at_work(house)
        # who is looked at before anybody waits is waited for from the next look on
        eventually(lambda: looks(house, f"news:{host}") >= 2, why="somebody waits")
        session = at_work(house)
        nobody_looks(house, f"agents:{host}")
        yield FarAgent(house, account, machine, session, f"agents:{host}")
    machine.close()


def test_an_agent_whose_hook_notifies_us_is_shown_at_rest_although_nobody_looks(
    far: FarAgent,
) -> None:
    await_pipes(far.account)
    far.ends_its_turn()
    assert far.house.session(far.id)["activity"] == "active", "nobody has looked"
    before = far.looks()
    notify(far.machine, far.account, far.id)
    eventually(lambda: far.house.session(far.id)["activity"] == "ready")
    assert far.looks() <= before + 2, "by a look of its own"
