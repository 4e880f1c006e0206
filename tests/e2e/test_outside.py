"""A real supervisor as those see it who watch over it: health, numbers, its log, a report of a fault."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import urllib3
from prometheus_client.parser import text_string_to_metric_families as families

from tests.conftest import eventually
from tests.e2e.house import Ground, Supervised, project, story, supervised, turn

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
