"""What is in the log is on NATS: in its order and nothing left out, whatever
becomes of the server or of us.
"""

from __future__ import annotations

import json
import signal
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ennio.model.subjects import ROOT
from ennio.nats.jetstream import STREAM
from tests.conftest import eventually
from tests.nats.house import House, house
from tests.nats.keys import Authority
from tests.nats.reader import Reader, reading
from tests.nats.server import NatsServer, running

KEPT, EVERYTHING = "KEPT", f"{ROOT}.>"
SMALL = 8192
"""What a server takes at most that is set up so."""


@pytest.fixture
def server() -> Iterator[NatsServer]:
    with running() as started:
        yield started


@pytest.fixture
def reader(server: NatsServer) -> Iterator[Reader]:
    with reading(server.url) as made:
        yield made


@pytest.fixture
def told(server: NatsServer, tmp_path: Path) -> Iterator[House]:
    with house(tmp_path, server.url) as made:
        yield made


def test_every_event_is_published_on_its_documented_subject(reader: Reader, told: House) -> None:
    reader.follow(EVERYTHING)
    eventually(told.is_connected)
    ids = told.write(3)
    house_ids = told.write(1, project="")
    eventually(lambda: reader.ids == ids + house_ids)
    first = reader.read[0]
    assert first.subject == f"{ROOT}.sessions.shop.config_refused"
    assert reader.read[-1].subject == f"{ROOT}.lifecycle.config_refused"
    assert {"id", "event_type", "priority", "session_id", "project_id", "timestamp", "message"} <= (
        first.data.keys()
    )
    eventually(told.is_connected)


def test_what_is_written_while_the_server_is_away_comes_later_in_its_order(
    server: NatsServer, reader: Reader, told: House
) -> None:
    reader.keep(KEPT, EVERYTHING)
    ids = told.write(50)
    eventually(told.is_connected)
    server.stop()
    ids += told.write(700)
    down = eventually(lambda: told.state["state"] == "down" and told.state)
    assert isinstance(down, dict)
    assert down["behind"] >= 700
    assert server.address in down["detail"]
    server.start()
    ids += told.write(10)
    eventually(told.is_connected, within=40)
    kept = [one.data["id"] for one in reader.kept(KEPT)]
    assert list(dict.fromkeys(kept)) == ids


@pytest.fixture(params=["plain", "password and TLS"])
def guarded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Guarded]:
    """A server, and what is needed to log in to it."""
    if request.param == "plain":
        with running() as server:
            yield Guarded(server, server.url, {})
        return
    authority = Authority.made(tmp_path)
    file, key = authority.signed("server")
    door = 'authorization { user: "me", password: "secret" }'
    with running(f'{door}\ntls {{ cert_file: "{file}", key_file: "{key}" }}') as server:
        url = f"tls://me:secret@{server.address}"
        yield Guarded(server, url, {"nats_ca_file": str(authority.file)})


@dataclass(frozen=True, slots=True)
class Guarded:
    """See above."""

    server: NatsServer
    url: str
    settings: dict[str, str]

    @property
    def options(self) -> dict[str, Any]:
        """What nats-py needs to know."""
        ca = self.settings.get("nats_ca_file")
        return {"tls": ssl.create_default_context(cafile=ca)} if ca else {}


def test_a_server_that_hangs_holds_up_nobody_else_and_loses_nothing(
    guarded: Guarded, tmp_path: Path
) -> None:
    server = guarded.server
    with (
        reading(guarded.url, **guarded.options) as reader,
        house(tmp_path, guarded.url, **guarded.settings) as told,
    ):
        reader.keep(KEPT, EVERYTHING)
        eventually(told.is_connected)
        server.freeze()
        told.ask("stall")
        ids = [one for _ in range(20) for one in told.write(60, filler="x" * 8000)]  # 9 MB
        eventually(lambda: told.state["state"] == "down", within=40)
        ids += told.write(60)
        assert told.ask("stall") < 2.0, "everybody else went on meanwhile"
        server.thaw()
        eventually(told.is_connected, within=60)
        kept = [one.data["id"] for one in reader.kept(KEPT)]
        assert list(dict.fromkeys(kept)) == ids


def test_one_that_is_killed_in_the_middle_goes_on_without_a_gap(
    server: NatsServer, reader: Reader, told: House
) -> None:
    reader.keep(KEPT, EVERYTHING)
    ids = []
    for _ in range(3):
        ids += told.write(400)
        told.kill()
        told.start()
    eventually(told.is_connected)
    kept = [one.data["id"] for one in reader.kept(KEPT)]
    assert list(dict.fromkeys(kept)) == ids


def test_a_server_that_crashes_again_and_again_is_found_again(
    server: NatsServer, reader: Reader, told: House
) -> None:
    for _ in range(3):
        eventually(told.is_connected, within=40)
        server.stop(signal.SIGKILL)
        told.write(20)
        server.start()
    eventually(told.is_connected, within=40)


def test_an_event_that_is_too_large_for_the_server_comes_without_its_data(
    reader: Reader, told: House
) -> None:
    reader.follow(EVERYTHING)
    ids = told.write(1, filler="x" * 2_000_000) + told.write(1)
    eventually(lambda: reader.ids == ids)
    assert reader.read[0].data["data"] == {"left_out_bytes": pytest.approx(2_000_000, rel=0.01)}


@pytest.mark.parametrize("stream", [False, True], ids=["without a stream", "in a stream"])
def test_what_fits_but_for_its_headers_is_cut_too_and_nothing_waits_behind_it(
    stream: bool, tmp_path: Path
) -> None:
    with (
        running(f"max_payload: {SMALL}") as small,
        reading(small.url) as reader,
        house(tmp_path, small.url, nats_stream=stream) as told,
    ):
        reader.follow(EVERYTHING)
        eventually(told.is_connected)
        ids = told.write(1, filler="")
        eventually(lambda: reader.ids == ids)
        room = SMALL - len(json.dumps(reader.read[0].data, separators=(",", ":")))
        for less in range(110, -8, -6):
            ids += told.write(1, filler="x" * (room - less))
        eventually(lambda: reader.ids == ids)
        eventually(told.is_connected)
        cut = ["left_out_bytes" in one.data["data"] for one in reader.read]
        assert cut == sorted(cut), "the larger ones"
        assert {False, True} == set(cut)


def test_what_a_stream_would_refuse_for_its_size_is_cut_to_what_it_takes_by_then(
    server: NatsServer, reader: Reader, tmp_path: Path
) -> None:
    manager = reader.client.jetstream()
    made = reader.run(manager.add_stream(name=STREAM, subjects=[EVERYTHING], max_msg_size=4096))
    with house(tmp_path, server.url) as told:
        eventually(lambda: told.state["stream"] == STREAM)
        ids = told.write(1, filler="x" * 5000) + told.write(1)
        eventually(told.is_connected)
        assert [one.data["id"] for one in reader.kept(STREAM)] == ids
        reader.run(manager.update_stream(made.config.evolve(max_msg_size=2048)))
        ids += told.write(1, filler="x" * 3000)
        eventually(told.is_connected)
        assert [one.data["id"] for one in reader.kept(STREAM)] == ids
        sizes = [one.data["data"].get("left_out_bytes") for one in reader.kept(STREAM)]
        assert [size is not None for size in sizes] == [True, False, True]


def test_many_large_events_are_kept_in_their_order(
    server: NatsServer, reader: Reader, tmp_path: Path
) -> None:
    with house(tmp_path, server.url, nats_stream=True) as told:
        eventually(told.is_connected)
        server.stop()
        ids = told.write(80, filler="x" * 120_000)  # nearly ten megabytes at once
        server.start()
        eventually(told.is_connected, within=60)
        assert [one.data["id"] for one in reader.kept(STREAM)] == ids
