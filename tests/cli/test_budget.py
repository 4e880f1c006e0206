"""Budgets on the command line."""

from __future__ import annotations

from typing import Any

from tests.cli.conftest import Api

VIEW: dict[str, Any] = {"name": "global:daily", "id": None, "level": "ok", "limit": "20"}
VIEW |= {"used": "4.18", "remaining": "15.82", "percent_used": 21, "unpriced_requests": 0}
VIEW |= {"reserved": "0", "limit_tokens": None, "used_tokens": 1200, "remaining_tokens": None}
VIEW |= {"reserved_tokens": 0, "resets_at": "2026-11-28T00:00:00Z", "on_exceed": "pause"}
VIEW |= {"paused": []}
DRY: dict[str, Any] = {"budget": "global:daily", "project_id": None, "days": 12, "least": 10}


def test_the_list_says_when_a_budget_runs_dry(api: Api) -> None:
    api.on("GET", "/budgets", [VIEW])
    for likely, days, shown in (
        ("2026-11-27T18:00:00Z", 12, "2026-11-27"),
        (None, 12, " no "),
        (None, 3, " ? "),
    ):
        api.on("GET", "/spend", {"budgets": [DRY | {"likely_at": likely, "days": days}]})
        titles, row = api.ennio("budget", "list").out.splitlines()
        assert "RUNS DRY" in titles
        assert shown in row
    told = api.ennio("budget", "list", "--json").document
    assert told[0]["runs_dry"]["days"] == 3
