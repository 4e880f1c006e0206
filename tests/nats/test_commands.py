"""Orders over NATS: whoever has the token may give them, each once, and is answered."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ennio.http.address import TOKEN
from ennio.machine.home import Home
from ennio.model.errors import Unreachable
from ennio.model.signed_command import signed
from ennio.model.subjects import COMMANDS, of_house
from ennio.nats.orders import order
from ennio.nats.settings import NatsSettings
from tests.conftest import eventually
from tests.e2e.house import ROOT, Ground, Supervised, project, story, supervised, turn
from tests.nats.reader import Reader, reading
from tests.nats.server import NatsServer, running

pytestmark = pytest.mark.e2e

HANG = story(turn("prompt", [{"say": "..."}, "hang"]))


def hangs(ground: Ground) -> dict[str, Any]:
    """A project whose agent is there until it is ended."""
    return project(ground, agent_config=HANG)


@pytest.fixture
def server() -> Iterator[NatsServer]:
    with running() as started:
        yield started


@pytest.fixture
def house(server: NatsServer, tmp_path: Path) -> Iterator[Supervised]:
    with supervised(tmp_path, hangs, nats_url=server.url) as made:
        eventually(lambda: made.client.get("/status")["nats"]["state"] == "connected")
        yield made


@pytest.fixture
def reader(server: NatsServer) -> Iterator[Reader]:
    with reading(server.url) as made:
        yield made


def token(house: Supervised) -> str:
    return house.run_file(TOKEN).read_text().strip()


def ask(house: Supervised, server: NatsServer, command: str, **arguments: Any) -> dict[str, Any]:
    return order(NatsSettings(server.url), token(house), command, arguments)


def test_a_session_is_spawned_told_ended_and_begun_again(
    house: Supervised, server: NatsServer
) -> None:
    made = ask(house, server, "spawn", project_id="score", prompt="Write")["data"]
    assert made["project_id"] == "score"
    house.becomes(made["id"], "working")
    sent = ask(house, server, "send", session_id=made["id"], message="Go on")["data"]
    messages = house.client.get(f"/sessions/{made['id']}/messages")
    assert [one["text"] for one in messages if one["id"] == sent["id"]] == ["Go on"]
    assert ask(house, server, "kill", session_id=made["id"]) == {"data": "killed"}
    house.becomes(made["id"], "killed")
    refused = ask(house, server, "restore", session_id=made["id"])
    assert refused["code"] == 409
    assert "killed" in refused["error"]


def test_what_is_wrong_is_said_as_the_api_says_it(house: Supervised, server: NatsServer) -> None:
    for command, arguments, code, words in (
        ("kill", {"session_id": "s-nobody"}, 404, "s-nobody"),
        ("kill", {}, 400, "session_id: is missing"),
        ("spawn", {"project_id": "score", "promt": "x"}, 400, "did you mean prompt?"),
        ("dance", {}, 404, "there is no command 'dance'"),
    ):
        answer = ask(house, server, command, **arguments)
        assert (answer["code"], words in answer["error"]) == (code, True), answer


def test_an_order_is_carried_out_once_whoever_repeats_it_and_also_after_a_restart(
    house: Supervised, server: NatsServer, reader: Reader
) -> None:
    subject = of_house(COMMANDS, "spawn")
    wish = {"project_id": "score", "prompt": "Write", "held": True}
    raw = signed(token(house), "spawn", wish, datetime.now(UTC))
    assert "data" in reader.request(subject, raw)
    assert reader.request(subject, raw)["code"] == 409
    house.kill_worker()
    eventually(lambda: _answered(reader, subject, raw) == 409, within=60)
    assert len(house.sessions()) == 1
    house.client.delete(f"/queue/{next(iter(house.sessions()))}")


def _answered(reader: Reader, subject: str, raw: bytes) -> int | None:
    try:
        return int(reader.request(subject, raw, 1.0)["code"])
    except Exception:  # noqa: BLE001 - nobody listens just now; each client says so in its own way
        return None


def test_nobody_is_heard_without_the_token_or_a_minute_late(
    house: Supervised, server: NatsServer, reader: Reader
) -> None:
    subject, now = of_house(COMMANDS, "shutdown"), datetime.now(UTC)
    for raw in (b"", b"{}", b'{"command": "shutdown"}', signed("guessed", "shutdown", {}, now)):
        reader.run(reader.client.publish(subject, raw))
    with pytest.raises(Unreachable, match="no supervisor that knows this token"):
        order(NatsSettings(server.url), "guessed", "shutdown", {})
    late = signed(token(house), "shutdown", {}, now - timedelta(seconds=90))
    assert reader.request(subject, late)["code"] == 409
    assert house.client.get("/health") == "ok"


def test_a_supervisor_that_can_be_reached_by_no_other_way_is_stopped_by_nats(
    house: Supervised, tmp_path: Path
) -> None:
    elsewhere = Home(tmp_path / "elsewhere")
    run = elsewhere.run(house.ground.config)
    run.mkdir(parents=True)
    shutil.copy(house.run_file(TOKEN), run / TOKEN)
    done = subprocess.run(
        [sys.executable, "-m", "ennio.cli", "--config", str(house.ground.config), "stop"],
        env=house.env | {"ENNIO_HOME": str(elsewhere.root)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "told the supervisor over nats://127.0.0.1" in done.stdout
    assert house.process is not None
    house.process.wait(30)
    house.start()  # for whoever holds the account at the end
