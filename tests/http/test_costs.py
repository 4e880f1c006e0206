"""What was used and what it cost, as the API tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ennio.actors.orchestrator import plans
from ennio.config.money import Budget, BudgetPeriod, BudgetScope
from ennio.model.facts import AgentSeen
from ennio.model.forecast import TaskForecast
from ennio.model.plan_window import PlanWindow
from ennio.model.usage import Billing, RequestUsage, Tokens
from ennio.plugins.predictor.history import HistoryPredictor
from ennio.policy.budgets.applied import own_name
from ennio.policy.ledger.posting import Occasion, entries_of
from ennio.policy.ledger.prices import PriceBook
from ennio.store.budgets import SetBudget
from ennio.store.forecasts import ForecastRecord
from tests.http.api import Api
from tests.http.small_orchestrator import SmallOrchestrator
from tests.policy.forecast.pasts import KIND, past

AT = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.fixture
def used(orchestrator: SmallOrchestrator, session_id: str) -> str:
    """A session that has made three requests: one metered, one on a plan, one of a price that nobody knows."""
    of = Occasion(session_id, "my-app", "claude-code", 1, AT)
    tokens = Tokens(1000, 100)
    requests = (
        RequestUsage("a", AT, tokens, "m", cost_usd=Decimal("0.000000000001")),
        RequestUsage("b", AT, tokens, "m", cost_usd=Decimal("0.5"), billing=Billing.PLAN),
        RequestUsage("c", AT.replace(month=12, day=1), tokens, "unheard-of"),
    )
    with orchestrator.store.transaction():
        for request in requests:
            orchestrator.store.ledger.post(entries_of(request, (), PriceBook().cost, of))
    return session_id


def _rows(api: Api, query: str) -> dict[str | None, dict[str, Any]]:
    return {row["key"]: row for row in api.get(f"/costs?{query}")["rows"]}


def test_costs_by_project_have_every_digit_and_say_what_is_not_known(api: Api, used: str) -> None:
    (row,) = _rows(api, "by=project").values()
    assert (row["billed_usd"], row["listed_usd"]) == ("0.000000000001", "0.5")
    assert (row["requests"], row["unpriced_requests"], row["input_tokens"]) == (3, 1, 3000)
    assert Decimal(row["cost_usd"]) == Decimal("0.500000000001")


@pytest.mark.parametrize(
    ("by", "keys"),
    [
        ("session", None),
        ("model", {"m", "unheard-of"}),
        ("account", {"expense:llm:my-app", "expense:plan:my-app"}),
        ("day", {"2026-11-30", "2026-12-01"}),
    ],
)
def test_costs_are_added_up_by_what_is_asked_for(
    api: Api, used: str, by: str, keys: set[str] | None
) -> None:
    report = api.get(f"/costs?by={by}")
    assert {row["key"] for row in report["rows"]} == (keys or {used})
    assert report["total"]["requests"] == 3


def test_what_is_unknown_on_a_plan_is_unknown_at_list_price_and_not_as_a_bill(
    api: Api, orchestrator: SmallOrchestrator, used: str
) -> None:
    of = Occasion(used, "my-app", "claude-code", 1, AT)
    told = RequestUsage("d", AT, Tokens(1, 1), "plan-only", billing=Billing.PLAN)
    orchestrator.store.ledger.post(entries_of(told, (), PriceBook().cost, of))
    row = _rows(api, "by=model")["plan-only"]
    assert (row["billed_usd"], row["listed_usd"], row["cost_usd"]) == ("0", None, None)
    assert (row["unpriced_requests"], row["unlisted_requests"]) == (1, 1)


def test_what_nobody_knows_is_null_and_no_zero(api: Api, used: str) -> None:
    row = _rows(api, "by=model")["unheard-of"]
    assert (row["cost_usd"], row["unpriced_requests"]) == (None, 1)


@pytest.mark.parametrize(
    ("span", "requests"),
    [
        ("since=2026-12-01", 1),
        ("until=2026-11-30", 2),
        ("since=2026-11-30&until=2026-11-30", 2),
        ("until=2026-11-30T12:00:00%2B00:00", 0),
        ("project_id=my-app", 3),
    ],
)
def test_costs_are_of_a_span_and_of_whom_is_asked_for(
    api: Api, used: str, span: str, requests: int
) -> None:
    assert api.get(f"/costs?{span}")["total"]["requests"] == requests


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/costs?session_id=nobody-1", "no session nobody-1"),
        ("/costs?project_id=nosuch", "no project nosuch; configured: my-app"),
        ("/costs/calibration?project_id=nosuch", "no project nosuch; configured: my-app"),
    ],
)
def test_who_is_not_there_has_no_sum_of_nothing(api: Api, used: str, path: str, said: str) -> None:
    assert said in api.get(path, 404)["error"]


def test_one_that_left_the_file_keeps_its_costs(
    api: Api, orchestrator: SmallOrchestrator, used: str
) -> None:
    gone = replace(orchestrator.deps.config.projects[0], id="gone")
    orchestrator.store.projects.upsert(gone)
    assert api.get("/costs?project_id=gone")["total"]["requests"] == 0
    assert api.get("/costs/calibration?project_id=gone")["metrics"]


@pytest.mark.parametrize(
    "query",
    [
        *("since=yesterday", "by=colour", "until=2026-13-01", "from=1", "until=20261130"),
        *("until=9999-12-31", "since=9999-12-31T23:59:59-12:00"),
        *("since=2026-W48-1", "since=2026-12-01&until=2026-11-30"),
        "since=2026-12-01T10:00:00Z&until=2026-12-01T10:00:00Z",
    ],
)
def test_what_cannot_be_understood_is_refused(api: Api, query: str) -> None:
    api.get(f"/costs?{query}", 400)


def test_all_balances_together_are_zero(api: Api, used: str) -> None:
    accounts = {each["id"]: each for each in api.get("/accounts")}
    assert sum(Decimal(e["debits_usd"]) - Decimal(e["credits_usd"]) for e in accounts.values()) == 0
    assert accounts["revenue:plan"]["balance_usd"] == "0.5"
    assert accounts["asset:prepaid"]["unpriced_requests"] == 1
    assert accounts["expense:plan:my-app"]["unpriced_requests"] == 0


def test_accounts_that_the_books_always_have_are_there_before_anything_was_used(api: Api) -> None:
    accounts = {each["id"]: each for each in api.get("/accounts")}
    assert {each["type"] for each in accounts.values()} == {"asset", "liability", "revenue"}
    assert {each["balance_usd"] for each in accounts.values()} == {"0"}


def test_an_account_of_which_nothing_is_known_has_no_balance(
    api: Api, orchestrator: SmallOrchestrator, session_id: str
) -> None:
    of = Occasion(session_id, "my-app", "claude-code", 1, AT)
    told = RequestUsage("a", AT, Tokens(1, 1), "unheard-of")
    orchestrator.store.ledger.post(entries_of(told, (), PriceBook().cost, of))
    accounts = {each["id"]: each for each in api.get("/accounts")}
    assert {each["type"] for each in accounts.values()} == {
        *("asset", "expense", "liability", "revenue")
    }
    for name in ("asset:prepaid", "expense:llm:my-app"):
        assert (accounts[name]["balance_usd"], accounts[name]["unpriced_requests"]) == (None, 1)
    assert accounts["revenue:plan"]["balance_usd"] == "0"


def test_spending_is_a_series_and_a_merged_pull_request_has_a_price(
    api: Api, orchestrator: SmallOrchestrator, used: str
) -> None:
    spend = api.get("/spend")
    assert [(point["day"], point["model"]) for point in spend["points"]] == [
        ("2026-11-30", "m"),
        ("2026-12-01", "unheard-of"),
    ]
    assert spend["merged"] == {
        "pulls": 0,
        "cost_usd": None,
        "each_usd": None,
        "unpriced_requests": 0,
    }
    connection = orchestrator.store._connection
    connection.sql("UPDATE sessions SET outcome = 'merged'")
    merged = api.get("/spend")["merged"]
    assert (merged["pulls"], merged["unpriced_requests"]) == (1, 1)
    assert Decimal(merged["each_usd"]) == Decimal("0.500000000001")


def test_each_session_has_points_of_its_own_where_they_are_asked_for(api: Api, used: str) -> None:
    assert {point["session_id"] for point in api.get("/spend")["points"]} == {None}
    points = api.get("/spend?sessions=1")["points"]
    assert {point["session_id"] for point in points} == {used}
    assert [(one["source"], one["input_tokens"], one["output_tokens"]) for one in points] == [
        ("provider", 2000, 200),
        ("local", 1000, 100),
    ]


def test_a_merged_pull_request_has_a_price_in_each_project(
    api: Api, orchestrator: SmallOrchestrator, used: str
) -> None:
    assert api.get("/spend")["merged_by_project"] == {}
    api.post("/sessions", {"project_id": "bare", "prompt": "It cost nothing."})
    orchestrator.store._connection.sql("UPDATE sessions SET outcome = 'merged'")
    of = api.get("/spend")["merged_by_project"]
    assert Decimal(of["my-app"]["each_usd"]) == Decimal("0.500000000001")
    assert (of["bare"]["pulls"], of["bare"]["each_usd"]) == (1, None)


def test_a_model_without_a_price_names_the_place_where_one_is_written(api: Api, used: str) -> None:
    (unknown,) = api.get("/spend")["unpriced"]
    assert (unknown["model"], unknown["requests"]) == ("unheard-of", 1)
    assert (unknown["first_day"], unknown["last_day"]) == ("2026-12-01", "2026-12-01")
    assert unknown["write_in"].endswith("ennio.yaml")
    assert api.get("/spend?until=2026-11-30")["unpriced"] == []


WINDOW = PlanWindow("weekly", "me@x.example", 81.0, AT)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (((WINDOW,),), [(81.0, False, 0)]),
        (((replace(WINDOW, used_percent=None, resets_at=None),),), [(None, False, 0)]),
        (((WINDOW,), (replace(WINDOW, used_percent=90.0),)), [(90.0, False, 0)]),
        (((WINDOW,), (replace(WINDOW, used_percent=4.0, resets_at=AT + timedelta(7)),)), [(4.0, False, 0)]),
        (((replace(WINDOW, resets_at=AT - timedelta(2)),),), []),
        (((replace(WINDOW, resets_at=AT - timedelta(2), refused_at=AT),),), [(81.0, True, 1)]),
        (((WINDOW,), (replace(WINDOW, refused_at=AT),)), [(81.0, True, 1)]),
        (((),), []),
    ],
    ids=["told", "unsaid", "more", "later", "begun anew", "parked after", "parked", "none"],
)  # fmt: skip
def test_a_plan_is_what_its_sessions_tell_together(
    orchestrator: SmallOrchestrator,
    session_id: str,
    told: Sequence[tuple[PlanWindow, ...]],
    expected: list[tuple[float | None, bool, int]],
) -> None:
    session = orchestrator.store.sessions.need(session_id)
    sessions = [replace(session, id=f"s-{number}") for number in range(len(told))]
    agents = {
        one.id: AgentSeen(AT, "test", windows=windows)
        for one, windows in zip(sessions, told, strict=True)
    }
    found = plans.windows(sessions, agents, AT - timedelta(1))
    assert [(one.used_percent, one.used_up, len(one.parked)) for one in found] == expected


def _spent(orchestrator: SmallOrchestrator, session_id: str, days: Sequence[int]) -> None:
    """A dollar and 2000 tokens on each of so many days ago, for the clock of the house."""
    now = orchestrator.clock.now()
    for ago in days:
        at = now - timedelta(days=ago)
        of = Occasion(session_id, "my-app", "claude-code", 1, at)
        request = RequestUsage(f"d{ago}", at, Tokens(1500, 500), "m", cost_usd=Decimal(1))
        orchestrator.store.ledger.post(entries_of(request, (), PriceBook().cost, of))


def _budget(orchestrator: SmallOrchestrator, budget: Budget) -> None:
    name = own_name(budget)
    orchestrator.store.budgets.set(SetBudget(name, budget, orchestrator.clock.now(), "ada"))


def _days_from(now: datetime, text: str) -> float:
    return round((datetime.fromisoformat(text) - now) / timedelta(days=1), 2)


def test_a_budget_says_when_it_runs_dry_by_the_days_before(
    api: Api, orchestrator: SmallOrchestrator, session_id: str
) -> None:
    now = orchestrator.clock.now()
    _spent(orchestrator, session_id, range(1, 13))
    _budget(orchestrator, Budget(BudgetScope.GLOBAL, Decimal(20)))
    _budget(orchestrator, Budget(BudgetScope.PROJECT, limit_tokens=30_000, id="my-app"))
    _budget(orchestrator, Budget(BudgetScope.GLOBAL, Decimal(2), BudgetPeriod.DAILY))
    _budget(orchestrator, Budget(BudgetScope.SESSION, Decimal(2), id=session_id))
    found = {one["budget"]: one for one in api.get("/spend")["budgets"]}
    assert set(found) == {"global:total", "project:my-app:total", "global:daily"}
    everybody = found["global:total"]
    assert (everybody["remaining_usd"], everybody["days"]) == ("8", 12)
    for name in ("earliest_at", "likely_at", "latest_at"):
        assert _days_from(now, everybody[name]) == 8
    project = found["project:my-app:total"]
    assert project["remaining_tokens"] == 6000
    assert _days_from(now, project["likely_at"]) == 3
    assert found["global:daily"]["likely_at"] is None, "it begins anew before"


def test_of_a_budget_with_fewer_than_ten_days_behind_it_nothing_is_said(
    api: Api, orchestrator: SmallOrchestrator, session_id: str
) -> None:
    _spent(orchestrator, session_id, range(1, 10))
    assert api.get("/spend")["budgets"] == []
    _budget(orchestrator, Budget(BudgetScope.GLOBAL, Decimal(20)))
    (only,) = api.get("/spend")["budgets"]
    assert (only["days"], only["least"], only["likely_at"]) == (9, 10, None)


def test_the_numbers_of_a_session_have_a_path_of_their_own(api: Api, used: str) -> None:
    assert api.get(f"/sessions/{used}/metrics")["ci_runs"] == 0
    api.get("/sessions/nobody-1/metrics", 404)


def _forecast(orchestrator: SmallOrchestrator, many: int, **changes: Any) -> None:
    """So many sessions were forecast from others, and have ended."""
    told = HistoryPredictor()
    history = past(20)
    forecast = TaskForecast(
        KIND,
        told.success(KIND, history),
        told.duration(KIND, history),
        told.tokens(KIND, history),
        told.cost(KIND, history),
        10,
    )
    for number in range(many):
        known: dict[str, Any] = {
            "project_id": "my-app",
            "agent": "claude-code",
            "made_at": AT,
            "forecast": forecast,
            "ended_at": AT,
            "outcome": "merged",
            "seconds": 600,
            "tokens": 10_000,
            "cost_usd": Decimal(10),
        }
        record = ForecastRecord(f"s-{number}", **(known | changes))
        orchestrator.store.forecasts.save(record)


def test_how_well_was_forecast_is_measured_once_ten_have_ended(
    api: Api, orchestrator: SmallOrchestrator
) -> None:
    _forecast(orchestrator, 9)
    report = api.get("/costs/calibration")
    assert report["least"] == 10
    assert {(one["n"], one["loss"]) for one in report["metrics"]} == {(9, None)}
    _forecast(orchestrator, 10)
    (cost,) = [
        one for one in api.get("/costs/calibration")["metrics"] if one["metric"] == "cost_usd"
    ]
    assert (cost["n"], cost["within_percent"]) == (10, 100)
    assert cost["loss"] > cost["reference"] == 0


def test_forecasts_are_of_a_project_and_of_a_span_and_those_under_way_do_not_count(
    api: Api, orchestrator: SmallOrchestrator
) -> None:
    _forecast(orchestrator, 12)

    def counted(query: str) -> int:
        return int(api.get(f"/costs/calibration?{query}")["metrics"][0]["n"])

    assert counted("project_id=my-app&since=2026-11-30&until=2026-11-30") == 12
    assert counted("since=2026-12-01") == 0
    assert counted("until=2026-11-29") == 0
    _forecast(orchestrator, 12, ended_at=None)
    assert counted("") == 0


def _uses(orchestrator: SmallOrchestrator, session_id: str, **ago: int) -> None:
    """A request of two dollars, so many minutes ago."""
    for name, minutes in ago.items():
        at = orchestrator.clock.now() - timedelta(minutes=minutes)
        used = RequestUsage(name, at, Tokens(1, 1), "m", cost_usd=Decimal(2))
        of = Occasion(session_id, "my-app", "claude-code", 1, at)
        orchestrator.store.ledger.post(entries_of(used, (), PriceBook().cost, of))


def test_a_trend_has_what_was_used_in_its_step_and_nothing_of_who_used_nothing(
    api: Api, orchestrator: SmallOrchestrator, session_id: str
) -> None:
    assert api.get("/costs/trend")["rows"] == []
    _uses(orchestrator, session_id, now=0, before=0, earlier=31, first=58, too_early=90)
    (row,) = api.get("/costs/trend")["rows"]
    assert row["session_id"] == session_id
    steps = [Decimal(usd) for usd in row["usd"]]
    assert (len(steps), sum(steps)) == (12, 8)
    assert (steps[0], steps[-1], max(steps[1:5])) == (2, 4, 0)
    (one,) = api.get(f"/costs/trend?session_id={session_id}&steps=2&since=2020-01-01")["rows"]
    assert [Decimal(usd) for usd in one["usd"]] == [0, 10]


@pytest.mark.parametrize(
    ("query", "word"), [("steps=0", "steps"), ("steps=101", "steps"), ("since=x", "since")]
)
def test_a_trend_of_nonsense_names_the_field(api: Api, query: str, word: str) -> None:
    assert word in api.get(f"/costs/trend?{query}", 400)["error"]
