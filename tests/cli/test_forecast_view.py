"""What is forecast, as a person reads it."""

from __future__ import annotations

from typing import Any

from ennio.cli.forecast_view import calibration_lines, estimate_line, forecast_lines

GROUP = {"project_id": "shop", "agent": "codex", "model": None, "size": "small"}
WIDE = {"project_id": None, "agent": None, "model": None, "size": None}


def answer(n: int, *three: object, group: Any = None) -> dict[str, Any]:
    found = dict(zip(("p10", "p50", "p90"), three, strict=True)) if three else None
    return {"group": group or GROUP, "n": n, "quantiles": found}


def dollars(n: int, *three: str, group: Any = None) -> dict[str, Any]:
    found = dict(zip(("p10_usd", "p50_usd", "p90_usd"), three, strict=True))
    return {"group": group or GROUP, "n": n, "quantiles": found}


def told(**changes: Any) -> dict[str, Any]:
    known = {
        "least": 10,
        "cost": dollars(23, "0.42", "1.1", "3.2"),
        "seconds": answer(23, 240, 720, 3060),
        "tokens": answer(23, 120_400, 410_000, 1_300_000),
        "success": answer(23, 70, 82, 91),
    }
    return known | changes


def test_each_has_its_middle_and_its_range_and_whose_past_it_is_stands_once() -> None:
    assert forecast_lines(told()) == [
        "costs $1.10 (8 in 10: $0.42 to $3.20)",
        "takes 12m (8 in 10: 4m to 51m)",
        "uses tokens 410.0k (8 in 10: 120.4k to 1.3M)",
        "succeeds 82 % (8 in 10: 70 % to 91 %)",
        "by 23 ended sessions of shop by codex on small tasks",
    ]


def test_where_they_differ_each_says_whose_past_it_is() -> None:
    first, second, *_ = forecast_lines(told(cost=dollars(12, "1", "2", "3", group=WIDE)))
    assert first == "costs $2.00 (8 in 10: $1.00 to $3.00), by 12 ended sessions of all projects"
    assert second.endswith("by 23 ended sessions of shop by codex on small tasks")


def test_too_few_is_said_once_and_of_one_thing_alone_where_the_rest_is_known() -> None:
    few = {key: answer(3) for key in ("cost", "seconds", "tokens", "success")}
    assert forecast_lines(told(**few)) == ("too few sessions have ended to say: 3 of 10",)
    first, *_ = forecast_lines(told(cost=answer(0, group=WIDE)))
    assert first.startswith("costs ? (too few sessions have ended to say: 0 of 10)")
    assert forecast_lines(None) == ()


def test_what_is_to_come_is_said_while_it_is_known() -> None:
    left = dollars(14, "0.1", "0.5", "2")
    line = estimate_line({"estimate": {"remaining": left, "total": left}})
    assert line.startswith("costs $0.50 (8 in 10: $0.10 to $2.00) more, by 14 ended sessions")
    assert estimate_line({"estimate": {"remaining": answer(3), "total": answer(3)}}) == ""
    assert estimate_line({}) == ""


def test_how_well_it_did_is_a_table_in_the_units_of_each_thing() -> None:
    rows = [
        {"metric": "cost_usd", "n": 12, "within_percent": 83, "loss": 0.25, "reference": 0.2},
        {"metric": "seconds", "n": 12, "within_percent": 75, "loss": 95.1, "reference": 61.0},
        {"metric": "tokens", "n": 4, "within_percent": None, "loss": None, "reference": None},
        {"metric": "success", "n": 12, "within_percent": None, "loss": 0.2, "reference": 0.1},
    ]
    lines = calibration_lines({"least": 10, "metrics": rows}, 100)
    cells = [line.split() for line in lines[:5]]
    assert cells[1] == ["cost_usd", "12", "83", "%", "$0.25", "$0.20"]
    assert cells[2] == ["seconds", "12", "75", "%", "1m", "1m"]
    assert cells[3] == ["tokens", "4", "too", "few", "(of", "10)"]
    assert cells[4] == ["success", "12", "0.200", "0.100"]
