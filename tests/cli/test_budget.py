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


def test_the_budget_of_a_session_is_raised_by_how_its_id_begins(api: Api) -> None:
    sessions = [
        {"id": one, "branch": "b", "status": "working"} for one in ("a-94240000", "a-1b000000")
    ]
    api.on("GET", "/sessions", sessions)
    api.on("POST", "/budgets/a-94240000/raise", VIEW | {"name": "session:a-94240000:total"})
    raised = api.ennio("budget", "raise", "a-94", "--by", "5")
    assert (raised.code, "raised session:a-94240000:total" in raised.out) == (0, True)
    assert api.ennio("budget", "raise", "a-", "--by", "5").code == 2
    assert api.ennio("budget", "raise", "no-such:daily", "--by", "5").code == 3
