"""Budgets, as a person lives with them: a real supervisor, real agents that burn scripted tokens."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ennio.model.errors import OverBudget
from tests.conftest import eventually
from tests.e2e.house import Ground, Supervised, project, story, supervised, turn

pytestmark = pytest.mark.e2e

LONG = story(
    turn(
        "prompt",
        [
            {"burn": {"input": 1000, "output": 100, "cost": "0.60"}},
            {"think": 40},
            {"burn": {"input": 1000, "output": 100, "cost": "0.60"}},
            {"think": 400},
        ],
    ),
    turn("message", [{"say": "I go on."}]),
)


NO_ROOM = "budget global:daily has no room for"
LEFT = "left of the budget"


def budgets(house: Supervised) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in house.client.get("/budgets")}


def on(ground: Ground, agent: dict[str, Any] = LONG) -> dict[str, Any]:
    return project(ground, agent_config=agent)


def test_a_session_over_its_budget_is_paused_and_goes_on_once_that_is_raised(
    tmp_path: Path,
) -> None:
    limit = [{"scope": "project", "id": "score", "limit_usd": 1}]
    with supervised(tmp_path, on, budgets=limit) as house:
        name = house.spawn()
        eventually(lambda: house.session(name)["paused"], 40, "it is paused")
        shown = house.session(name)
        assert "budget project:score:total is used up ($1.20 of $1.00)" in shown["paused"]
        eventually(lambda: house.session(name)["activity"] == "ready", 30, "it rests")
        done = house.ground.ennio("session", "why", name)
        assert "ennio budget raise project:score:total --by USD" in done.out, done.out
        refused = house.ground.ennio("spawn", "score", "-p", "More")
        assert refused.code == 5
        assert "project:score:total is used up: $1.20 of $1.00" in refused.err
        house.ground.ennio("send", name, "Hello?")
        assert len(house.ground.taken(name)) == 1
        raised = house.ground.ennio("budget", "raise", "project:score:total", "--by", "5")
        assert raised.code == 0, raised.err
        eventually(lambda: len(house.ground.taken(name)) == 3, 40, "both are told")
        assert house.session(name)["paused"] is None
        assert LEFT not in " ".join(house.ground.taken(name)), "agents are told by request alone"
        kinds = [event["event_type"] for event in house.events()]
        for kind in ("budget_exceeded", "session_paused", "session_resumed", "budget_raised"):
            assert kinds.count(kind) == 1, kind


def test_one_that_asks_is_let_end_that_turn_and_takes_no_words_beyond_it(tmp_path: Path) -> None:
    half = {"burn": {"input": 1000, "output": 100, "cost": "0.50"}}
    asks = story(
        turn("prompt", [half, {"ask": {"question": "And then?"}}, half]), turn("any", [half])
    )
    limit = [{"scope": "session", "limit_usd": 0.4}]
    with supervised(tmp_path, lambda ground: on(ground, asks), budgets=limit) as house:
        name = house.spawn()

        def does(activity: str) -> bool:
            return bool(house.session(name)["activity"] == activity)

        eventually(lambda: house.session(name)["paused"] and does("waiting_input"), 40, "it asks")
        for words in ("w1", "w2"):
            house.ground.ennio("send", name, words)
        let = house.ground.ennio("budget", "go-on", name)
        assert let.code == 0, let.err
        answered = house.ground.ennio("answer", name, "more")
        assert answered.code == 0, answered.err
        eventually(lambda: "$1.00 of $0.40" in str(house.session(name)["paused"]), 40, "it spent")
        eventually(lambda: does("ready") or does("idle"), 40, "its turn is over")
        waits = "waits for budget"
        eventually(lambda: waits in house.ground.ennio("messages", name).out, 40, "it is held")
        taken = " ".join(house.ground.taken(name))
        assert "w1" not in taken
        assert "w2" not in taken


def test_a_story_of_first_words_alone_goes_on_once_its_budget_is_raised(tmp_path: Path) -> None:
    steps = [
        {"burn": {"input": 1000, "output": 100, "cost": "1.20"}},
        {"think": 200},
        {"summary": "It is done"},
    ]
    alone = story(turn("prompt", steps))
    limit = [{"scope": "project", "id": "score", "limit_usd": 1}]
    with supervised(tmp_path, lambda ground: on(ground, alone), budgets=limit) as house:
        name = house.spawn()
        eventually(lambda: house.session(name)["paused"], 40, "it is paused")
        eventually(lambda: house.session(name)["activity"] == "ready", 30, "it rests")
        assert house.ground.ennio("budget", "raise", "project:score:total", "--by", "5").code == 0
        eventually(lambda: house.session(name)["summary"] == "It is done", 90, "it goes on")
        house.ground.ennio("send", name, "Thank you")
        waits = "its story has no turn for the last words"
        eventually(lambda: waits in house.ground.ennio("session", "why", name).out, 60, "why")


def test_of_twenty_spawns_at_once_only_those_pass_that_there_is_room_for(tmp_path: Path) -> None:
    limit = [{"scope": "global", "period": "daily", "limit_usd": 5}]
    with supervised(tmp_path, on, budgets=limit) as house:

        def ask(number: int) -> str:
            order = {"project_id": "score", "prompt": f"Part {number}", "held": True}
            try:
                house.client.post("/sessions", order)
            except OverBudget as refused:
                return str(refused)[:35]
            return ""

        with ThreadPoolExecutor(20) as twenty:
            answers = list(twenty.map(ask, range(20)))
        # of a session of which nothing is known a tenth of the limit is kept
        assert (answers.count(""), answers.count(NO_ROOM)) == (10, 10)
        assert float(budgets(house)["global:daily"]["reserved"]) == 5
        house.client.delete(f"/sessions/{next(iter(house.sessions()))}")
        eventually(lambda: float(budgets(house)["global:daily"]["reserved"]) == 4.5)
        assert [ask(20), ask(21)] == ["", NO_ROOM]


def test_incident_38_a_dead_supervisor_neither_forgets_a_cap_nor_says_twice_to_go_on(
    tmp_path: Path,
) -> None:
    limit = [{"scope": "session", "limit_usd": 1}]
    with supervised(tmp_path, on, budgets=limit, expose_budget=True) as house:
        name = house.spawn()
        eventually(lambda: house.session(name)["paused"], 40, "it is paused")
        house.kill_worker()
        house.answers()
        eventually(lambda: house.session(name)["activity"] == "ready", 30, "it rests")
        raised = house.ground.ennio("budget", "raise", name, "--by", "2")
        assert raised.code == 0, raised.err
        house.kill_worker()
        house.answers()
        eventually(lambda: len(house.ground.taken(name)) == 2, 40, "it is told to go on")
        house.kill_worker()
        house.answers()
        eventually(lambda: house.session(name)["paused"] is None)
        told = [event for event in house.events() if event["event_type"] == "budget_exceeded"]
        assert len(told) == 1
        assert len(house.ground.taken(name)) == 2
        assert f"$1.80 is {LEFT}" in house.ground.taken(name)[1]


def test_a_person_sets_raises_and_removes_budgets_and_lets_a_turn_end(tmp_path: Path) -> None:
    limit = [{"scope": "global", "period": "monthly", "limit_usd": 100}]
    with supervised(tmp_path, on, budgets=limit) as house:
        ennio = house.ground.ennio
        assert ennio("budget", "set", "session", "--limit", "1").code == 0
        name = house.spawn()
        eventually(lambda: house.session(name)["paused"], 40, "it is paused")
        eventually(lambda: house.session(name)["activity"] == "ready", 30, "it rests")
        assert "paused" in ennio("status").out
        listed = ennio("budget", "list")
        assert f"session:{name}:total" in listed.out
        let = ennio("budget", "go-on", name)
        assert let.code == 0, let.err
        eventually(lambda: len(house.ground.taken(name)) == 2, 40, "it is told to end its turn")
        assert house.session(name)["paused"]
        refused = ennio("budget", "remove", "global:monthly")
        assert refused.code == 5
        assert "ennio.yaml:" in refused.err
        assert ennio("budget", "set", "global", "--period", "monthly", "--limit", "1").code == 5
        assert ennio("budget", "raise", "session:each:total", "--by", "1").code == 2
        assert ennio("budget", "raise", "nobody", "--by", "1").code == 3
        check = house.client.get("/budgets/check", project_id="score", amount="99.5")
        assert check["within_budget"] is False
        assert check["budget"] == "global:monthly"
        assert ennio("budget", "remove", "session:each:total").code == 0
        eventually(lambda: house.session(name)["paused"] is None, 30, "nothing holds it any more")


def test_a_budget_that_ends_sessions_ends_who_runs_and_leaves_the_work(tmp_path: Path) -> None:
    limit = [{"scope": "session", "limit_usd": 1, "on_exceed": "kill"}]
    with supervised(tmp_path, on, budgets=limit) as house:
        name = house.spawn()
        house.becomes(name, "killed", within=60)
        words = [event["message"] for event in house.events(session_id=name)]
        assert any(f"ended by budget session:{name}:total" in said for said in words)
        assert name in house.ground.worktrees()
