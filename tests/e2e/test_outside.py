"""A real supervisor as those see it who watch over it: health, numbers, its log, a report of a fault."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
import urllib3
from prometheus_client.parser import text_string_to_metric_families as families

from ennio import tracing
from tests.conftest import eventually
from tests.e2e.house import (
    Ground,
    Supervised,
    configure,
    ground_at,
    project,
    repository,
    story,
    supervised,
    turn,
)
from tests.otlp import receiving

pytestmark = pytest.mark.e2e

HANG = story(turn("prompt", [{"say": "..."}, "hang"]))


def _hangs(ground: Ground) -> dict[str, Any]:
    return project(ground, agent_config=HANG, env={"SOME_API_KEY": "canary-of-the-file"})


def _scraped(house: Supervised) -> dict[str, float]:
    token = house.run_file("api_token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}"}
    text = urllib3.request("GET", f"{house.client.url}/metrics", headers=headers).data.decode()
    return {s.name: s.value for f in families(text) for s in f.samples if not s.labels}


def test_totals_go_on_after_the_worker_was_killed_and_after_a_stop(tmp_path: Path) -> None:
    with supervised(tmp_path, _hangs) as house:
        house.becomes(house.spawn(), "working")
        before = _scraped(house)
        assert (before["ennio_sessions_spawned_total"], before["ennio_ready"]) == (1, 1)
        for end in (house.kill_worker, house.stop):
            end()
            if end == house.stop:
                house.start()
            eventually(lambda: house.client.get("/health/ready"), 30, "it is ready again")
            after = _scraped(house)
            assert after["ennio_sessions_spawned_total"] == 1
            assert after["ennio_events_total"] >= before["ennio_events_total"]
            assert after["ennio_sessions_active"] == 1
        found = house.ground.ennio("status", "--disk", "--json")
        assert found.code == 0, found.err
        assert found.document["folders"]["worktrees"] > 0
        assert 0 < found.document["database_used"] <= found.document["database"]
        assert "database" in house.ground.ennio("status", "--disk").out
        house.kill_agents()


def test_its_log_is_json_where_that_is_asked_for_and_a_report_holds_no_secret(
    tmp_path: Path,
) -> None:
    with supervised(tmp_path, _hangs, log_format="json") as house:
        session_id = house.spawn("canary-words-of-a-person")
        house.becomes(session_id, "working")
        house.kill_worker()
        eventually(lambda: house.client.get("/health/ready"), 30, "it is ready again")
        entries = [json.loads(line) for line in house.log.read_text().splitlines()]
        assert all({"time", "level", "logger", "message"} <= set(entry) for entry in entries)
        file = tmp_path / "report.json"
        ended = house.ground.ennio(
            "debug", "dump", "--output", str(file), GITHUB_TOKEN="canary-of-the-shell"
        )
        assert ended.code == 0, ended.err
        text = file.read_text()
        assert "canary" not in text
        assert file.stat().st_mode & 0o777 == 0o600
        report = json.loads(text)
        assert f"session:{session_id}" in {actor["name"] for actor in report["actors"]}
        assert report["configuration"]["projects"][0]["env"] == {"SOME_API_KEY": "***"}
        again = house.ground.ennio("debug", "dump", "--output", str(file))
        assert (again.code, "exists already" in again.err) == (1, True)
        house.kill_agents()
        house.stop()
        alone = tmp_path / "alone.json"
        assert house.ground.ennio("debug", "dump", "--output", str(alone)).code == 0
        assert "no supervisor runs" in json.loads(alone.read_text())["trouble"]
        house.start()


class Traced(Supervised):
    """One whose environment names a receiver of spans."""

    url = ""

    @property
    def env(self) -> dict[str, str]:
        return self.ground.env | {
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.url,
            "OTEL_EXPORTER_OTLP_HEADERS": "authorization=canary-of-the-headers",
            "OTEL_SERVICE_NAME": "my-ennio",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }


def test_a_spawn_is_told_in_spans_from_its_workspace_to_what_it_used(tmp_path: Path) -> None:
    used = {"burn": {"input": 1200, "output": 30, "cost": "0.25"}}
    played = story(turn("prompt", [{"say": "..."}, used, "hang"]))
    with receiving() as receiver, ground_at(tmp_path) as ground:
        repository(ground)
        configure(ground, project(ground, agent_config=played))
        house = Traced(ground)
        house.url = receiver.url
        house.start()
        session_id = house.spawn("canary-words-of-a-person")
        house.becomes(session_id, "working")
        eventually(lambda: receiver.named("invoke_agent scripted"), 30, "what it used is told")
        (made,) = receiver.named("session.MakeWorkspace")
        inside = [span.name for span in receiver.spans if span.parent_id == made.span_id]
        assert "workspace.create" in inside
        assert made.attributes[tracing.SESSION] == session_id
        assert {"look", "session.LaunchAgent", "runtime.start"} <= {s.name for s in receiver.spans}
        told = receiver.named("invoke_agent scripted")
        assert sum(span.attributes["gen_ai.usage.input_tokens"] for span in told) == 1200
        assert sum(span.attributes["gen_ai.usage.cost"] for span in told) == pytest.approx(0.25)
        assert {span.service for span in receiver.spans} == {"my-ennio"}
        house.kill_agents()
        house.stop()
        assert b"canary" not in receiver.raw
        assert "canary" not in house.log.read_text()


def test_a_receiver_of_spans_that_never_answers_holds_up_nobody(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, ground_at(tmp_path) as ground:
        repository(ground)
        configure(ground, project(ground, agent_config=HANG))
        house = Traced(ground)
        house.url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        house.start()
        house.becomes(house.spawn(), "working")
        assert silent.accept()[1], "it was asked, and says nothing"
        assert house.client.get("/health/ready")["ready"]
        house.kill_agents()
        house.stop()
        assert house.process is not None
        assert house.process.poll() == 0
        assert "SIGKILL" not in house.log.read_text()
