"""Budgets on the command line."""

from __future__ import annotations

from typing import Any

import pytest

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


def test_one_that_is_used_up_is_no_forecast(api: Api) -> None:
    api.on("GET", "/spend", {"budgets": [DRY | {"likely_at": "2026-11-27T18:00:00Z"}]})
    api.on("GET", "/budgets", [VIEW | {"level": "exceeded", "used": "21"}])
    _, row = api.ennio("budget", "list").out.splitlines()
    assert "used up" in row
    assert "2026-11-27" not in row


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


def test_a_limit_that_is_set_tells_which_raises_are_over(api: Api) -> None:
    over = [{"budget": "global:daily", "usd": "50", "tokens": 1000}]
    api.on("POST", "/budgets", VIEW | {"ended_raises": over})
    done = api.ennio("budget", "set", "global", "--period", "daily", "--limit", "20")
    assert done.out.splitlines()[-1] == (
        "raises given before are over: global:daily by $50.00 and 1.0k tokens"
    )


def test_the_list_says_how_much_of_a_limit_was_given_by_raises(api: Api) -> None:
    api.on("GET", "/spend", {"budgets": []})
    api.on("GET", "/budgets", [VIEW | {"raised_usd": "0", "raised_tokens": None}])
    assert "RAISED" not in api.ennio("budget", "list").out
    api.on("GET", "/budgets", [VIEW | {"raised_usd": "15", "raised_tokens": None}])
    titles, row = api.ennio("budget", "list").out.splitlines()
    assert titles.split()[:4] == ["BUDGET", "USED", "LIMIT", "RAISED"]
    assert row.split()[2:4] == ["$20.00", "$15.00"]


def test_a_session_whose_budget_is_set_is_named_by_how_its_id_begins(api: Api) -> None:
    sessions = [
        {"id": one, "branch": branch, "status": "working"}
        for one, branch in (("a-94240000", "fix"), ("a-1b000000", "add"))
    ]
    api.on("GET", "/sessions", sessions)
    api.on("POST", "/budgets", VIEW)
    for word in ("a-94", "fix", "a-94240000"):
        assert api.ennio("budget", "set", "session", word, "--limit", "1").code == 0
        assert api.last[3]["id"] == "a-94240000"
    assert api.ennio("budget", "set", "session", "a-", "--limit", "1").code == 2
    assert api.ennio("budget", "set", "session", "no", "--limit", "1").code == 3


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--limit", "1", "--warn-at", "nan"), "--warn-at: must be a number from 0 to 1, such as"),
        (("--limit", "1", "--warn-at", "inf"), "--warn-at: must be a number from 0 to 1, such as"),
        (("--tokens", "9" * 100_000), f"invalid int value: '{'9' * 57}...'"),
        (("--limit", "1", "--on-exceed", "x" * 5000), f"invalid choice: '{'x' * 57}...'"),
    ],
)
def test_what_is_no_number_is_refused_by_its_option_and_not_echoed_whole(
    api: Api, words: tuple[str, ...], told: str
) -> None:
    done = api.ennio("budget", "set", "global", *words)
    assert done.code == 2
    assert told in done.err
    assert len(done.err) < 1000


@pytest.mark.parametrize(
    ("words", "path", "said", "told"),
    [
        (
            ("set", "global", "--limit", "nan"),
            "/budgets",
            "limit_usd: 'nan' is no amount of US dollars",
            "--limit: 'nan' is no amount of US dollars",
        ),
        (
            ("set", "global"),
            "/budgets",
            "limit_usd: nothing is limited; give limit_usd, limit_tokens or both",
            "--limit: nothing is limited; give --limit, --tokens or both",
        ),
        (
            ("set", "global", "--tokens", "-1"),
            "/budgets",
            "limit_tokens: -1 is no whole number",
            "--tokens: -1 is no whole number",
        ),
        (
            ("raise", "global:daily", "--by", "-1"),
            "/budgets/global%3Adaily/raise",
            "usd: '-1' is no amount of US dollars",
            "--by: '-1' is no amount of US dollars",
        ),
        (
            ("raise", "global:daily", "--tokens", "5"),
            "/budgets/global%3Adaily/raise",
            "tokens: budget global:daily limits dollars; raise it by usd",
            "--tokens: budget global:daily limits dollars; raise it by usd",
        ),
    ],
)
def test_a_wrong_amount_names_the_option_that_gave_it(
    api: Api, words: tuple[str, ...], path: str, said: str, told: str
) -> None:
    api.on("POST", path, said, status=400, error="Invalid")
    refused = api.ennio("budget", *words)
    assert (refused.code, refused.err.strip()) == (2, f"ennio: {told}")


def test_a_raise_by_nothing_is_refused_before_it_is_sent(api: Api) -> None:
    refused = api.ennio("budget", "raise", "global:daily")
    assert refused.code == 2
    assert "give --by USD, --tokens NUMBER or both" in refused.err
    assert not api.asked


@pytest.mark.parametrize(
    ("used", "unpriced", "told"),
    [
        ("4.181234567891", 0, "$4.18 of $20.00 are used"),
        ("20.000000000001", 2, "at least $20.000000000001 of $20.00 are used"),
    ],
)
def test_where_a_budget_stands_is_told_as_in_its_notices(
    api: Api, used: str, unpriced: int, told: str
) -> None:
    api.on("POST", "/budgets", VIEW | {"used": used, "unpriced_requests": unpriced})
    assert api.ennio("budget", "set", "global", "--limit", "20").out.splitlines()[1] == told
