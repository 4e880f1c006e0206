"""A machine from which nothing comes any more, in a network of its own: in the middle of a spawn, and
while this machine sleeps for an hour. All is done once, and nothing counts as ended.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ennio.model.errors import EnnioError
from tests.conftest import eventually
from tests.e2e.house import configure, ground_at, repository, story, turn
from tests.faults.clocks import put_clock
from tests.faults.plan import HOUR
from tests.faults.teller import Wired
from tests.ssh.far_house import far_project
from tests.ssh.namespace import namespace
from tests.ssh.sshd import sshd

pytestmark = pytest.mark.e2e

WORDS = "once more, please"
TALKS = story(turn("prompt", [{"say": "I begin."}]), turn("message", [{"say": "I heard."}]))


def test_packets_that_are_dropped_end_nobody_and_start_nobody_twice(tmp_path: Path) -> None:
    with namespace() as net, sshd(network=net) as server, ground_at(tmp_path) as ground:
        repository(ground)
        account = server.account()
        project = far_project(server, account, agent_config=TALKS)(ground)
        paper = {"plugin": "stub", "name": "paper", "config": {}}
        told = {"notifiers": [paper], "defaults": {"notifiers": ["paper"]}}
        configure(ground, project | {"scm_config": None}, **told)
        house = Wired(ground)
        house.start()

        def steps() -> list[str]:
            return [str(event["message"]) for event in house.events()]

        def is_away() -> bool:
            with suppress(EnnioError):  # whoever asks there has to wait for that, too
                return bool(house.client.get("/nodes/score")["state"] == "unreachable")
            return False

        def works() -> bool:
            one = house.session(name)
            seen = (one["status"], one["no_signal_since"]) == ("working", None)
            return seen and one["activity"] in ("ready", "idle")

        try:
            name = house.spawn()
            eventually(lambda: "making the workspace" in steps(), 90)
            net.drop()
            eventually(is_away, 120, "it is noticed")
            net.let_through()
            eventually(works, 180, "it is made all the same")
            assert account.launches() == {f"{name} 1"}

            net.drop()
            server.cut()
            put_clock(ground.home, HOUR)
            net.let_through()
            house.client.post(f"/sessions/{name}/send", {"message": WORDS})

            def output() -> str:
                with suppress(EnnioError):
                    return str(house.client.get(f"/sessions/{name}/output"))
                return ""

            eventually(lambda: "I heard." in output(), 180, "it took the words")
            eventually(works, 120, "it is seen")
            assert account.launches() == {f"{name} 1"}
            told_of = [event["event_type"] for event in house.events()]
            assert "session_exited" not in told_of
            said: Any = eventually(output)
            assert (said.count("I begin."), said.count("I heard.")) == (1, 1), said
            house.client.delete(f"/sessions/{name}")
            eventually(lambda: account.launches() == set(), 120, "nothing of it is left there")
            house.stop()
        finally:
            with suppress(OSError, ValueError):
                house.kill_everything()
