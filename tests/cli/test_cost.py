"""``ennio cost``: what was used and what it cost, and what is no question."""

from __future__ import annotations

import csv
from typing import Any

import pytest

from tests.cli.conftest import Api

_NOTHING: dict[str, Any] = {
    "key": None, "requests": 0, "unpriced_requests": 0, "unlisted_requests": 0, "input_tokens": 0, "output_tokens": 0,
    "cache_read_tokens": 0, "cache_write_tokens": 0, "cost_usd": None, "billed_usd": "0", "listed_usd": "0",
}  # fmt: skip


def _row(key: str | None, requests: int, **more: Any) -> dict[str, Any]:
    return {
        **_NOTHING,
        "key": key,
        "requests": requests,
        "input_tokens": 1200 * requests,
        "output_tokens": 30,
        **more,
    }


def _report(*rows: dict[str, Any], by: str = "model") -> dict[str, Any]:
    total = _row(None, 6, billed_usd="0.12", unpriced_requests=3, unlisted_requests=1)
    return {"by": by, "rows": list(rows), "total": total, "entries": 9}


KNOWN = _row("m", 1, billed_usd="0.12", cost_usd="0.12")
UNKNOWN = _row("unheard-of", 2, billed_usd=None, unpriced_requests=2)
PARTLY = _row("both", 2, billed_usd="0.12", cost_usd="0.12", unpriced_requests=1)
OF_PLAN = _row("plan", 1, listed_usd=None, unpriced_requests=1, unlisted_requests=1)
CENT = _row("small", 1, billed_usd="0.000000000001", cost_usd="0.000000000001")


def _table(api: Api, *rows: dict[str, Any]) -> dict[str, list[str]]:
    api.on("GET", "/costs", _report(*rows))
    done = api.ennio("cost", "--by", "model", COLUMNS="120")
    assert done.code == 0, done.err
    return {line.split()[0]: line.split()[1:] for line in done.out.splitlines()}


def test_what_nobody_knows_is_a_question_mark_in_its_own_column(api: Api) -> None:
    told = _table(api, KNOWN, UNKNOWN, PARTLY, OF_PLAN, CENT)
    assert told["MODEL"] == ["REQUESTS", "IN", "OUT", "BILLED", "PLAN"]
    assert told["m"][3:] == ["$0.12"]
    assert told["unheard-of"][3:] == ["?"]
    assert told["both"][3:] == ["$0.12", "+", "?"]
    assert told["plan"][3:] == ["$0.00", "?"], "nothing was billed, and the list price is unknown"
    assert told["small"][3:] == ["<$0.01"]
    assert told["total"][3:] == ["$0.12", "+", "?", "?"]


def test_a_table_without_a_plan_has_no_column_for_it(api: Api) -> None:
    assert _table(api, KNOWN)["MODEL"][-1] == "BILLED"


def test_comma_separated_values_have_every_digit_and_nothing_where_nothing_is_known(
    api: Api,
) -> None:
    api.on("GET", "/costs", _report(CENT, UNKNOWN, _row('=HYPERLINK("x")', 1)))
    done = api.ennio("cost", "--by", "model", "--csv")
    assert done.code == 0, done.err
    small, unknown, formula = csv.DictReader(done.out.splitlines())
    assert small["billed_usd"] == "0.000000000001"
    assert (unknown["billed_usd"], unknown["cost_usd"], unknown["unpriced_requests"]) == (
        *("", ""),
        "2",
    )
    assert formula["model"] == '\'=HYPERLINK("x")', "a spreadsheet reckons nothing out"


def test_one_form_is_chosen(api: Api) -> None:
    api.on("GET", "/costs", _report(KNOWN))
    done = api.ennio("cost", "--csv", "--json")
    assert done.code == 2
    assert "give one" in done.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--from", "yesterday"), "--from: 'yesterday' is no time; write a day"),
        (("--to", "2026-02-30"), "--to: '2026-02-30' is no time"),
        (("--to", "20261130"), "--to: write '20261130' as 2026-11-30"),
        (("--from", "2026-12-01", "--to", "2026-11-30"), "--to: 2026-11-30 is before --from"),
        (("--by", "colour"), "invalid choice: 'colour'"),
    ],
)
def test_what_is_no_span_is_refused_in_the_words_of_the_options(
    api: Api, words: tuple[str, ...], told: str
) -> None:
    api.on("GET", "/costs", _report(KNOWN))
    done = api.ennio("cost", *words)
    assert (done.code, done.out) == (2, "")
    assert told in done.err


def test_a_span_is_asked_for_as_it_was_written_and_the_last_day_is_in_it(api: Api) -> None:
    api.on("GET", "/costs", _report())
    done = api.ennio("cost", "--from", "2026-11-30", "--to", "2026-11-30")
    assert done.out == "nothing was used then\n"
    assert (api.last[2]["since"], api.last[2]["until"]) == ("2026-11-30", "2026-11-30")
    assert api.ennio("cost").out == "nothing was used yet\n"


_POINT = {
    "day": "2026-11-30", "project_id": "my-app", "model": "m", "source": "local", "session_id": None, "requests": 2,
    "unpriced_requests": 0, "unlisted_requests": 0, "input_tokens": 1000, "output_tokens": 200, "cache_read_tokens": 0,
    "tokens": 1200, "billed_usd": "4.18", "listed_usd": "0",
}  # fmt: skip
_MERGED = {"pulls": 3, "cost_usd": "3.93", "each_usd": "1.31", "unpriced_requests": 0}
_SPEND: dict[str, Any] = {
    "points": [_POINT],
    "merged": _MERGED,
    "merged_by_project": {"my-app": _MERGED},
    "budgets": [],
    "plans": [],
    "unpriced": [],
}


def _overview(api: Api, **changes: Any) -> list[str]:
    api.on("GET", "/spend", {**_SPEND, **changes}).on("GET", "/budgets", [])
    done = api.ennio("cost", "--overview")
    assert done.code == 0, done.err
    return done.out.splitlines()


def test_an_overview_has_what_was_used_and_what_merged_work_cost(api: Api) -> None:
    assert _overview(api) == [
        "used         ~$4.18 billed, 1.2k tokens",
        "merged       3 pull requests, $1.31 each",
    ]
    told = [_POINT | {"source": "provider"}]
    assert _overview(api, points=told)[0] == "used         $4.18 billed, 1.2k tokens"
    assert _overview(api, points=[])[0] == "used         nothing"
    unmerged = {"pulls": 0, "cost_usd": None, "each_usd": None, "unpriced_requests": 0}
    assert _overview(api, merged=unmerged)[1] == "merged       no pull request yet"


@pytest.mark.parametrize(
    ("level", "told"), [("warned", ", runs dry about 20"), ("exceeded", ", used up, 1 paused")]
)
def test_an_overview_foretells_no_budget_that_is_used_up(api: Api, level: str, told: str) -> None:
    budget = {"name": "global:daily", "level": level, "limit": None, "used_tokens": 4500}
    budget |= {"limit_tokens": 4000, "paused": ["a"]}
    dry = {"budget": "global:daily", "likely_at": "2026-11-28T06:00:00Z"}
    api.on("GET", "/spend", _SPEND | {"budgets": [dry]}).on("GET", "/budgets", [budget])
    line = api.ennio("cost", "--overview").out.splitlines()[1]
    assert line.startswith("budget       global:daily: 4.5k of 4.0k tokens")
    assert told in line


def test_an_overview_says_where_a_price_is_written_and_writes_nothing(api: Api) -> None:
    point = _POINT | {"billed_usd": None, "unpriced_requests": 2}
    model = {"model": "new-x", "requests": 2, "write_in": "/srv/ennio.yaml:12"}
    told = _overview(api, points=[point], unpriced=[model])
    assert told[0].startswith("used         ? billed")
    assert "no price     new-x: 2 requests" in told
    assert any("/srv/ennio.yaml:12" in line for line in told)
    assert any(line.strip() == '- {model: "new-x", input: ..., output: ...}' for line in told)


def test_an_overview_tells_of_a_plan_that_is_used_up_and_of_one_that_says_nothing(api: Api) -> None:
    full = {
        "agent": "claude-code", "account": "", "name": "weekly", "used_percent": 100.0, "resets_at": "2099-01-01T00:00:00+00:00",
        "used_up": True, "parked": ["a", "b"],
    }  # fmt: skip
    silent = full | {
        "name": "five_hour", "used_percent": None, "resets_at": None, "used_up": False, "parked": [],
    }  # fmt: skip
    *_, first, second = _overview(api, plans=[full, silent])
    assert first.startswith("plan         claude-code weekly: used up, resets 20")
    assert first.endswith("2 parked")
    assert second == "plan         claude-code five_hour: ?"
