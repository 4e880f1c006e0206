"""A supervisor that is killed at each point of its way to another machine: while it logs in, puts a
node there, leads the tunnel and asks through it. Whoever comes next meets what stands, and all is
done once.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ennio.model.errors import Conflict, Refused
from tests.conftest import eventually
from tests.e2e.house import configure, free_port, ground_at, repository, story, turn
from tests.e2e.persons import AWAY
from tests.faults import points
from tests.faults.plan import Fault, Order, When, happened
from tests.faults.teller import Wired
from tests.ssh.far_house import far_project
from tests.ssh.sshd import Account, sshd

pytestmark = pytest.mark.e2e

WORDS = "once more, please"
TALKS = story(turn("prompt", [{"say": "I begin."}]), turn("message", [{"say": "I heard."}]))
ORDERS = (
    Order("ssh.connect", When.AFTER, Fault.KILL),
    Order("node.deploy", When.AFTER, Fault.KILL),
    Order("node.tunnel", When.BEFORE, Fault.KILL, 2),
    Order("node.connect", When.AFTER, Fault.KILL),
    Order("node.ask", When.AFTER, Fault.KILL),
    Order("node.call", When.AFTER, Fault.KILL, 8),
    Order("node.disconnect", When.AFTER, Fault.KILL),
)
"""Each once; after one that was killed another begins, and comes as far as the next."""


@dataclass
class Far:
    """The house, and what lives on the other machine, seen without asking Ennio."""

    house: Wired
    account: Account

    def nodes(self) -> list[int]:
        return self.account.processes(lambda one: "ennio.node --port" in " ".join(one.cmdline()))

    def insists(self, ask: Callable[[], Any], why: str) -> Any:
        """Ask until it is answered, by whichever supervisor."""

        def answered() -> tuple[Any] | None:
            if self.house.process is not None and self.house.process.poll() is not None:
                self.house.begin()
            try:
                return (ask(),)
            except (*AWAY, Conflict, Refused):
                return None

        found: Any = eventually(answered, 120, why)
        return found[0]

    def orders(self, key: str, path: str, document: Mapping[str, Any]) -> None:
        """Ask for it under a key: however often its answer is lost, it is done once."""
        headers = {"Idempotency-Key": key}

        def asked() -> Any:
            return self.house.client.document("POST", path, {}, document, headers=headers)

        self.insists(asked, path)

    def until(self, reached: Callable[[], object], why: str) -> None:
        """Wait for what somebody who answers tells."""
        eventually(lambda: self.insists(reached, why), 180, why)


@contextmanager
def far(root: Path) -> Iterator[Far]:
    with sshd() as server, ground_at(root) as ground:
        repository(ground)
        account = server.account()
        made = far_project(server, account, agent_config=TALKS)(ground)
        node = {"port": free_port(), "idle_timeout": 600}
        made["ssh_config"] |= {"strategy": "node", "node_config": node}
        paper = {"plugin": "stub", "name": "paper", "config": {}}
        poll = {"runtime": "500ms", "agent": "500ms", "forge": "1s"}
        told = {"notifiers": [paper], "defaults": {"notifiers": ["paper"]}}
        configure(ground, made | {"scm_config": None}, poll=poll, **told)
        house = Wired(ground, orders=ORDERS)
        house.begin()
        try:
            yield Far(house, account)
            house.stop()
        finally:
            with suppress(OSError, ValueError):
                house.kill_everything()


def test_a_supervisor_that_is_killed_around_all_that_leads_there_does_all_of_it_once(
    tmp_path: Path,
) -> None:
    assert {order.point for order in ORDERS} == set(points.OF_NODES)
    with far(tmp_path) as at:
        house = at.house
        at.orders("one", "/sessions", {"project_id": "score", "prompt": "Begin"})
        (name,) = at.insists(lambda: list(house.sessions()), "it is there")

        def session() -> tuple[str, str | None]:
            told = house.session(name)
            return told["status"], told["activity"]

        at.until(lambda: session() == ("working", "ready"), "it ended its turn")
        assert at.account.launches() == {f"{name} 1"}, "it was started once"
        for node in at.nodes():
            os.kill(node, signal.SIGKILL)
        at.orders("two", f"/sessions/{name}/send", {"message": WORDS})

        def delivered() -> bool:
            told = house.client.get(f"/sessions/{name}/messages")
            return [one["state"] for one in told if one["text"] == WORDS] == ["delivered"]

        def output() -> str:
            return str(house.client.get(f"/sessions/{name}/output"))

        at.until(delivered, "it took the words")
        at.until(lambda: "I heard." in output(), "it answered")
        said = at.insists(output, "its terminal is seen")
        assert (said.count("I begin."), said.count("I heard.")) == (1, 1), said
        assert at.account.launches() == {f"{name} 1"}, "nor was it started again"
        assert len(at.nodes()) == 1
        at.insists(lambda: house.client.delete(f"/sessions/{name}"), "it is to end")
        at.until(lambda: session()[0] == "killed", "it is ended")
        assert at.account.launches() == set()
        at.insists(lambda: house.client.post("/nodes/score/disconnect", {}), "its node is to end")
        eventually(lambda: at.nodes() == [], 60, "its node has ended")
        eventually(lambda: set(happened(house.ground.home)) == set(map(str, ORDERS)), 60)
