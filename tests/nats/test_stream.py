"""Where the server has JetStream, a stream keeps what is published: everything, and each thing once."""

from __future__ import annotations

from pathlib import Path

import pytest

from ennio.model.subjects import ROOT
from tests.conftest import eventually
from tests.nats.house import house
from tests.nats.reader import reading
from tests.nats.server import running

STREAM = "ENNIO"


def test_a_stream_is_made_on_request_and_keeps_everything_but_commands(tmp_path: Path) -> None:
    with (
        running() as server,
        reading(server.url) as reader,
        house(tmp_path, server.url, nats_stream=True) as told,
    ):
        ids = told.write(700)
        eventually(told.is_connected)
        assert told.state["stream"] == STREAM
        kept = reader.kept(STREAM)
        assert [one.data["id"] for one in kept] == ids
        assert [one.headers["Nats-Msg-Id"] for one in kept] == ids
        shape = reader.run(reader.client.jetstream().stream_info(STREAM)).config
        assert f"{ROOT}.sessions.>" in shape.subjects
        assert [name for name in shape.subjects if "commands" in name or name == f"{ROOT}.>"] == []


def test_who_is_killed_in_the_middle_of_a_batch_says_it_again_and_the_stream_has_it_once(
    tmp_path: Path,
) -> None:
    with (
        running() as server,
        reading(server.url) as reader,
        house(tmp_path, server.url, nats_stream=True) as told,
    ):
        ids = []
        for _ in range(4):
            ids += told.write(300)
            told.kill()
            told.start()
        eventually(told.is_connected)
        assert [one.data["id"] for one in reader.kept(STREAM)] == ids


def test_what_waits_for_a_server_is_in_the_stream_once_in_its_order(tmp_path: Path) -> None:
    with (
        running() as server,
        reading(server.url) as reader,
        house(tmp_path, server.url, nats_stream=True) as told,
    ):
        ids = told.write(20)
        eventually(told.is_connected)
        for _ in range(2):
            server.freeze()
            ids += told.write(300)
            eventually(lambda: told.state["state"] == "down", within=40)
            server.stop()
            ids += told.write(10)
            server.start()
            eventually(told.is_connected, within=40)
        assert [one.data["id"] for one in reader.kept(STREAM)] == ids


def test_a_stream_that_is_taken_away_is_made_again_and_nobody_waits_for_ever(
    tmp_path: Path,
) -> None:
    with (
        running() as server,
        reading(server.url) as reader,
        house(tmp_path, server.url, nats_stream=True) as told,
    ):
        eventually(told.is_connected)
        reader.run(reader.client.jetstream().delete_stream(STREAM))
        ids = told.write(5)
        eventually(told.is_connected, within=40)
        assert [one.data["id"] for one in reader.kept(STREAM)] == ids


@pytest.mark.parametrize("wanted", [True, False])
def test_without_a_stream_it_is_published_all_the_same(wanted: bool, tmp_path: Path) -> None:
    with (
        running(jetstream=not wanted) as server,
        reading(server.url) as reader,
        house(tmp_path, server.url, nats_stream=wanted) as told,
    ):
        reader.follow(f"{ROOT}.>")
        eventually(told.is_connected)
        ids = told.write(3)
        eventually(lambda: reader.ids == ids)
        assert told.state["stream"] == ""


def test_two_instances_on_one_server_are_kept_apart(tmp_path: Path) -> None:
    with running() as server, reading(server.url) as reader:
        ids = {}
        for name in ("", "north"):
            folder = tmp_path / (name or "plain")
            folder.mkdir()
            wants = {"nats_stream": True, "nats_instance": name}
            with house(folder, server.url, **wants) as told:
                ids[name] = told.write(3)
                eventually(told.is_connected)
        north = reader.kept(f"{STREAM}_north")
        assert [one.data["id"] for one in north] == ids["north"]
        assert {one.subject for one in north} == {f"{ROOT}.north.sessions.shop.config_refused"}
        assert [one.data["id"] for one in reader.kept(STREAM)] == ids[""]
