"""The judge itself: it must see a lie."""

from __future__ import annotations

from typing import cast

from tests.agents.bench import EVERY, Bench
from tests.agents.model import Model, Served, steps
from tests.e2e.house import Supervised


def judged(told: list[str], served: list[Served]) -> dict[str, float]:
    """Twice a second it was told this, from second 0 on."""
    model = Model()
    model.log = served
    bench = Bench(cast("Supervised", None), model)
    bench.samples = [(1000 + at * EVERY, activity) for at, activity in enumerate(told)]
    bench.marks = [(900.0, frozenset({"ready"}))]
    return bench.judge(bench.samples)


def turn(began: float, ended: float, end: str = "final") -> Served:
    return Served("a", "messages", 1000 + began, "", scripted=True, end=end, ended=1000 + ended)


def test_who_is_told_in_time_is_right() -> None:
    assert judged(["ready"] * 4 + ["active"] * 20 + ["ready"] * 10, [turn(1, 11)]) == {
        "share": 1.0,
        "longest": 1.0,
    }


def test_a_status_that_froze_is_found() -> None:
    found = judged(["ready"] * 2 + ["active"] * 60, [turn(1, 11)])
    assert found["share"] < 0.8
    assert found["longest"] > 10


def test_a_question_shown_as_work_is_found() -> None:
    assert judged(["active"] * 40, [turn(0, 2, "ask")])["share"] < 0.5


def test_what_a_helper_does_is_not_what_its_agent_does() -> None:
    helper = turn(3, 9)
    helper.helper = "one"
    assert (
        judged(["ready"] * 4 + ["waiting_input"] * 16, [turn(1, 2, "ask"), helper])["share"] == 1.0
    )


def test_the_steps_of_a_prompt_end_its_turn() -> None:
    script = steps("Do this:\n:think 2\n:run make\n:ask rm x")
    assert [(step.command, step.asks, step.pause) for step in script] == [
        ("make", False, 2.0),
        ("rm x", True, 0.0),
        (None, False, 0.0),
    ]
