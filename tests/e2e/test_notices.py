"""Who is needed is told: a real supervisor, a real desktop and a real server on the other side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import eventually
from tests.contract.notifier_bench import SECRET
from tests.e2e.house import (
    Ground,
    Supervised,
    configure,
    ground_at,
    project,
    repository,
    story,
    turn,
)
from tests.notices.desktop import Desktop, desktop
from tests.notices.hook_server import HookServer, Reply

pytestmark = pytest.mark.e2e

ASKS = story(turn("prompt", [{"ask": {"question": "Which colour?", "options": ["red", "green"]}}]))


@dataclass(slots=True)
class OnADesktop(Supervised):
    """A supervisor that was started in a desktop's session."""

    desk: Desktop | None = None

    @property
    def env(self) -> dict[str, str]:
        assert self.desk is not None
        bus = "DBUS_SESSION_BUS_ADDRESS"
        return self.ground.env | {bus: self.desk.env[bus]}


def _channels(server: HookServer) -> dict[str, object]:
    hook = {"url": f"{server.url}/{SECRET}", "secret": "word"}
    return {
        "notifiers": [{"plugin": "webhook", "name": "ops", "config": hook}],
        "defaults": {"notifiers": ["ops", "desktop"]},
    }


@pytest.fixture
def server() -> Iterator[HookServer]:
    with HookServer() as server:
        yield server


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    with ground_at(tmp_path) as ground:
        repository(ground)
        yield ground


def test_a_question_reaches_the_desktop_and_a_server_once_across_kill_9(
    ground: Ground, server: HookServer
) -> None:
    server.replies = [Reply(503), Reply(503)]
    configure(ground, project(ground, agent_config=ASKS), **_channels(server))
    with desktop() as desk:
        house = OnADesktop(ground, desk=desk)
        house.start()
        try:
            session_id = house.spawn()
            eventually(lambda: desk.displayed() == 1, 40, "the desktop shows it")
            eventually(lambda: server.told, 30, "the server was asked")
            house.kill_everything()
            house.start()
            eventually(lambda: len(server.told) >= 2, 40, "it is asked again after the crash")
            house.kill_everything()
            house.start()
            eventually(lambda: len(server.told) >= 3, 40, "and again")
            (notice,) = house.client.get("/notifications")
            eventually(lambda: house.client.get("/notifications")[0]["done_at"], 30)
            assert {told.headers["x-ennio-delivery"] for told in server.told} == {notice["id"]}
            told = server.told[-1].body
            assert "Which colour?" in told["message"]
            assert told["url"] == f"{house.client.url}/s/{session_id}/terminal"
            (seen,) = desk.seen()
            assert seen["summary"] == "score: the agent asks"
            assert f"/s/{session_id}/terminal" in seen["body"]
            said = house.log.read_text() + str(house.events()) + str(house.client.get("/status"))
            assert SECRET not in said
        finally:
            house.kill_agents()
            house.stop()


def test_a_question_right_after_an_answer_is_told_and_the_one_before_is_settled(
    ground: Ground,
) -> None:
    """No look falls between the two."""
    asks = [{"ask": {"question": question}} for question in ("Which colour?", "And why?")]
    configure(ground, project(ground, agent_config=story(turn("prompt", asks))))
    house = Supervised(ground)
    house.start()
    try:
        session_id = house.spawn()
        eventually(lambda: house.client.get("/notifications"), 40, "it is told")
        house.client.post(f"/sessions/{session_id}/answer", {"answer": "red"})
        eventually(lambda: len(house.client.get("/notifications")) == 2, 40, "so is the next")
        told = house.client.get("/notifications")
        assert [(one["message"].rpartition(": ")[2], bool(one["resolved_at"])) for one in told] == [
            ("And why?", False),
            ("Which colour?", True),
        ]
    finally:
        house.kill_agents()
        house.stop()


def test_a_question_that_is_answered_leaves_the_desktop(ground: Ground, server: HookServer) -> None:
    settings = {
        "defaults": {"notifiers": ["desktop"]},
        "reactions": {"agent-needs-input": {"include_summary": True}},
    }
    configure(ground, project(ground, agent_config=ASKS), **settings)
    with desktop() as desk:
        house = OnADesktop(ground, desk=desk)
        house.start()
        try:
            session_id = house.spawn()
            eventually(lambda: desk.displayed() == 1, 40, "the desktop shows it")
            done = ground.ennio("notify", "test", "desktop")
            assert done.code == 0, done.err
            eventually(lambda: desk.displayed() == 2, 30, "and the test of it")
            house.client.post(f"/sessions/{session_id}/answer", {"answer": "red"})
            eventually(lambda: desk.displayed() == 1, 40, "the question is gone")
            notice = house.client.get("/notifications")[-1]
            assert notice["resolved_at"] is not None
            assert f"Needs: an answer: ennio answer {session_id} TEXT" in notice["message"]
            out = ground.ennio("notices").out
            assert "resolved" in out
            assert "Which colour?" in out
        finally:
            house.kill_agents()
            house.stop()
