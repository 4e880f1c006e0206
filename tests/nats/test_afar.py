"""What is seen of a supervisor on NATS from elsewhere, and what the command says of the server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ennio.model.subjects import ROOT as NAME
from tests.conftest import eventually
from tests.e2e.house import ROOT, Supervised, supervised
from tests.nats.reader import Reader, reading
from tests.nats.server import NatsServer, running
from tests.nats.test_commands import hangs

pytestmark = pytest.mark.e2e


@pytest.fixture
def server() -> Iterator[NatsServer]:
    with running() as started:
        yield started


@pytest.fixture
def house(server: NatsServer, tmp_path: Path) -> Iterator[Supervised]:
    with supervised(tmp_path, hangs, nats_url=server.url) as made:
        eventually(lambda: made.client.get("/status")["nats"]["state"] == "connected")
        yield made


def command(house: Supervised, *words: str) -> list[str]:
    return [sys.executable, "-m", "ennio.cli", "--config", str(house.ground.config), *words]


def said(house: Supervised, *words: str) -> Any:
    done = subprocess.run(
        command(house, *words, "--json"),
        env=house.env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return json.loads(done.stdout)


@contextmanager
def following(house: Supervised, server: NatsServer, path: Path) -> Iterator[None]:
    """The command follows what is published, without the configuration, into a file."""
    words = [sys.executable, "-m", "ennio.cli", "events", "--nats", "--json"]
    env = house.env | {"NATS_URL": server.url}
    with (
        path.open("wb") as file,
        subprocess.Popen(words, env=env, cwd="/", stdout=file, stderr=subprocess.PIPE) as process,
    ):
        try:
            assert process.stderr is not None
            assert b"following" in process.stderr.readline()
            yield
        finally:
            process.kill()


def subjects(reader: Reader, category: str) -> list[str]:
    return [one.subject for one in reader.read if one.subject.startswith(f"{NAME}.{category}.")]


def test_rows_and_numbers_are_told_when_they_change_and_at_most_once_a_second(
    house: Supervised, server: NatsServer, tmp_path: Path
) -> None:
    path = tmp_path / "followed"
    with reading(server.url) as reader, following(house, server, path):
        reader.follow(f"{NAME}.dashboard.>")
        reader.follow(f"{NAME}.metrics.>")
        session_id = house.spawn()
        house.becomes(session_id, "working")
        eventually(lambda: _latest(reader, "row_changed").get("status") == "working")
        numbers = eventually(lambda: _latest(reader, "metrics.session"))
        assert isinstance(numbers, dict)
        assert {"session_id", "project_id", "total_tokens_in"} <= numbers.keys()
        house.client.delete(f"/sessions/{session_id}")
        house.becomes(session_id, "killed")
        house.client.post(f"/sessions/{session_id}/cleanup")
        gone = {"session_id": session_id, "project_id": "score"}
        eventually(lambda: _latest(reader, "row_gone") == gone)
        told = [one.data for one in reader.read if one.subject.endswith("row_changed")]
        assert [one for one, after in pairwise(told) if one == after] == []
        kinds = eventually(lambda: _kinds(path, "session_cleaned"))
    assert isinstance(kinds, list)
    assert kinds.index("session_queued") < kinds.index("session_killed")


def test_a_row_that_is_larger_than_the_server_takes_is_told_without_its_largest_field(
    tmp_path: Path,
) -> None:
    with running("max_payload: 8192") as server, reading(server.url) as reader:
        reader.follow(f"{NAME}.>")
        with supervised(tmp_path, hangs, nats_url=server.url) as house:
            eventually(lambda: house.client.get("/status")["nats"]["state"] == "connected")
            session_id = house.spawn("Read this: " + "long " * 4000)
            house.becomes(session_id, "working")
            row = eventually(
                lambda: (row := _latest(reader, "row_changed")).get("status") == "working" and row
            )
            assert isinstance(row, dict)
            assert (row["session_id"], row["prompt"], row["left_out"]) == (
                session_id,
                None,
                ["prompt"],
            )
            eventually(lambda: any(one.subject.endswith(".working") for one in reader.read))
            assert "maximum payload" not in server.log.lower()


def _latest(reader: Reader, action: str) -> dict[str, Any]:
    found = [one.data for one in reader.read if one.subject.endswith(action)]
    return found[-1] if found else {}


def _kinds(path: Path, last: str) -> list[str] | None:
    kinds = [json.loads(line)["event_type"] for line in path.read_text().splitlines()]
    return kinds if last in kinds else None


def test_status_and_doctor_say_what_is_wrong_with_the_server(
    house: Supervised, server: NatsServer
) -> None:
    def findings() -> list[tuple[str, str]]:
        found = said(house, "doctor")["findings"]
        return [(one["level"], one["what"]) for one in found if "nats://" in one["what"]]

    assert said(house, "status")["nats"]["state"] == "connected"
    assert ("fine", f"NATS: {server.url} takes what is published") in findings()
    server.stop()
    eventually(lambda: said(house, "status")["nats"]["state"] == "down")
    degraded = said(house, "status")["degraded"]
    assert [one["name"] for one in degraded if server.address in one["detail"]] == ["nats"]
    assert [what for level, what in findings() if level == "warning" and "refused" in what]
    server.start()
    eventually(lambda: said(house, "status")["nats"]["state"] == "connected", within=60)
