"""Forecasts, as a person meets them: a real supervisor that learns from real sessions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import eventually
from tests.e2e.house import Ground, Supervised, project, story, supervised, turn

pytestmark = pytest.mark.e2e

BURN: dict[str, Any] = {"burn": {"input": 40_000, "output": 100, "cost": "0.05"}}
RUNAWAY: dict[str, Any] = {"burn": {"input": 900_000, "output": 100, "cost": "0.06"}}
LEARNS = story(
    turn("prompt", [RUNAWAY, {"think": 400}], when="burn it all"),
    turn(
        "prompt",
        [BURN, {"edit": {"file": "{session}.md", "content": "x"}}, {"commit": "x"}, "push"],
    ),
)


def on(ground: Ground) -> dict[str, Any]:
    return project(ground, agent_config=LEARNS, runtime="process")


def merged(house: Supervised, many: int) -> None:
    """So many sessions come to a merged pull request, all at once."""
    names = [house.spawn(f"Part {number}") for number in range(many)]
    for name in names:
        eventually(lambda n=name: house.session(n)["pr_number"], 90, f"{name} has pushed")
        number = house.session(name)["pr_number"]
        house.client.post(f"/projects/score/pulls/{number}/merge", {})
    for name in names:
        house.becomes(name, "merged", "done", within=60)


def previewed(house: Supervised, prompt: str = "Part of it") -> dict[str, Any]:
    order = {"project_id": "score", "prompt": prompt}
    found: dict[str, Any] = house.client.post("/sessions", order, dry_run=True)["forecast"]
    return found


def test_a_house_learns_from_its_sessions_foretells_and_notices_a_runaway_once(
    tmp_path: Path,
) -> None:
    with supervised(tmp_path, on) as house:
        shown = house.ground.ennio("spawn", "score", "-p", "Part of it", "--dry-run")
        assert "too few sessions have ended to say: 0 of 10" in shown.out
        merged(house, 10)
        told = previewed(house)
        assert (told["cost"]["n"], told["success"]["n"]) == (10, 10)
        assert told["cost"]["group"]["size"] == "small"
        quantiles = told["cost"]["quantiles"]
        assert {float(value) for value in quantiles.values()} == {0.05}
        assert told["tokens"]["quantiles"]["p50"] == 40_100
        shown = house.ground.ennio("spawn", "score", "-p", "Part of it", "--dry-run")
        assert "costs $0.05 (8 in 10: $0.05 to $0.05)" in shown.out
        assert "by 10 ended sessions of score by scripted on small tasks" in shown.out
        assert previewed(house, "word " * 300)["cost"]["group"]["size"] is None

        name = house.spawn("Now burn it all")
        eventually(lambda: anomalies(house, name) == ["tokens"], 60, "it is told of")
        info = house.ground.ennio("session", "info", name)
        assert "uses tokens 40.1k" in info.out, info.out
        house.kill_worker()
        house.answers()
        eventually(lambda: house.session(name)["activity"] == "active", 40)
        assert anomalies(house, name) == ["tokens"]
        notices = [one for one in house.client.get("/notifications") if one["session_id"] == name]
        assert [one["reaction"] for one in notices] == ["anomaly"]

        house.client.delete(f"/sessions/{name}")
        house.becomes(name, "killed", within=60)
        assert previewed(house)["success"]["n"] == 11
        measured = house.ground.ennio("cost", "--calibration")
        assert measured.code == 0, measured.err
        assert "too few (of 10)" in measured.out


def anomalies(house: Supervised, name: str) -> list[str]:
    return [
        event["data"]["metric"]
        for event in house.events(session_id=name)
        if event["event_type"] == "anomaly_detected"
    ]


def test_a_task_is_as_large_as_its_issue_once_that_is_read(tmp_path: Path) -> None:
    issue = "# Sign up\n\n" + "word " * 298

    def tracked(ground: Ground) -> dict[str, Any]:
        return on(ground) | {"tracker_config": {"plugin": "local"}}

    with supervised(tmp_path, tracked, files={"issues/7.md": issue}) as house:
        order = {"project_id": "score", "issue_id": "7"}
        preview = house.client.post("/sessions", order, dry_run=True)
        assert preview["forecast"]["kind"]["size"] == "large", "a dry run reads it"
        name = str(house.client.post("/sessions", order)["id"])
        query = "SELECT words FROM forecasts WHERE session_id = ?"
        read = [{"words": 300}]
        eventually(lambda: house.ground.rows(query, name) == read, 40, "its issue is read")
        assert house.session(name)["forecast"]["kind"]["size"] == "large"
