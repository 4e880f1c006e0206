"""Agents whose requests go past the metering proxy, before a model with books of its own."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ennio.proxy import grants, journal, process
from ennio.proxy.directory import ProxyDirectory
from tests.agents.model import Model
from tests.conftest import eventually
from tests.e2e.house import Ground, Supervised, project, story, supervised, turn

pytestmark = pytest.mark.e2e


@pytest.fixture
def model() -> Iterator[Model]:
    with Model() as made:
        yield made


def metered(ground: Ground, model: Model, *steps: Any, **settings: Any) -> dict[str, Any]:
    """A project whose scripted agent goes past the proxy to the model."""
    config = story(turn("prompt", list(steps)), turn("message", list(steps)))
    made = project(
        ground,
        agent_config={**config, "metering": "proxy"},
        env={"ANTHROPIC_BASE_URL": model.base},
        **settings,
    )
    return {key: value for key, value in made.items() if value is not None}


def booked(house: Supervised) -> tuple[int, int, int]:
    """Requests, and the tokens given and made, of all sessions by the books."""
    (row,) = house.ground.rows(
        "SELECT SUM(requests) AS n, SUM(input_tokens + cache_read_tokens + cache_write_tokens) "
        "AS i, SUM(output_tokens) AS o FROM ledger_entries"
    )
    return int(row["n"] or 0), int(row["i"] or 0), int(row["o"] or 0)


def served(model: Model) -> tuple[int, int, int]:
    return len(model.good), *model.tokens


def test_what_an_agent_asks_of_its_model_is_in_the_books_as_the_model_has_it(
    tmp_path: Path, model: Model
) -> None:
    ask = {"request": ":say hello"}
    with supervised(tmp_path, lambda g: metered(g, model, ask, ask)) as house:
        name = house.spawn()
        eventually(lambda: len(model.good) == 2, 30, "the model was asked")
        eventually(lambda: booked(house) == served(model), 30, "the books have it")
        rows = house.ground.rows("SELECT usage_id, launch, source, model FROM ledger_entries")
        assert all(len(row["usage_id"]) == 32 for row in rows), "by what passed, and once"
        assert {(row["launch"], row["model"]) for row in rows} == {(1, "scripted")}
        assert all(one.words.endswith(":say hello") for one in model.log)
        told = house.ground.ennio("cost", "--by", "session", "--json")
        assert name in told.out, told
        shown = house.ground.ennio("session", "info", name)
        assert "2 requests by the proxy" in shown.out, shown
        assert "its agent tells the same" in shown.out, shown
        status = house.client.get("/status")["metering"]
        assert status["sessions"] == [name], status
        assert "counts for 1 session" in house.ground.ennio("doctor").out


def test_it_outlives_the_supervisor_and_is_found_again_and_ends_when_nobody_needs_it(
    tmp_path: Path, model: Model
) -> None:
    steps = [{"request": ":say hello"}, {"ask": {"question": "More?", "options": ["yes"]}}]
    with supervised(tmp_path, lambda g: metered(g, model, *steps)) as house:
        house.spawn()
        directory = ProxyDirectory(house.ground.home / "proxy")
        eventually(lambda: booked(house) == served(model) and len(model.good) == 1, 30, "asked")
        before = process.pid(directory), process.address(directory)
        house.kill_everything()
        assert (process.pid(directory), process.address(directory)) == before
        house.start()
        assert house.client.get("/status")["metering"]["address"] == before[1]
        done = house.ground.ennio("stop")
        assert "the metering proxy goes on, since 1 session may ask" in done.out, done
        assert (process.pid(directory), process.address(directory)) == before
        house.start()
        assert booked(house) == served(model)
    eventually(lambda: not process.address(directory), 30, "nobody needs it")


def test_a_proxy_that_is_killed_in_the_middle_comes_back_and_what_it_lost_is_said(
    tmp_path: Path, model: Model
) -> None:
    steps = [{"request": ":think 4\n:say slow"}, {"request": ":say quick"}]
    with supervised(tmp_path, lambda g: metered(g, model, *steps)) as house:
        name = house.spawn()
        directory = ProxyDirectory(house.ground.home / "proxy")
        eventually(lambda: len(model.log) == 1, 30, "it is under way")
        address, victim = process.address(directory), process.pid(directory)
        assert victim is not None
        os.kill(victim, signal.SIGKILL)
        eventually(lambda: len(model.good) >= 2, 60, "its agent asks again, and goes on")
        assert process.address(directory) == address
        # what was cut off is an entry of its own: its tokens are unknown, and not zero
        told = served(model)[0]
        passed = [one for one in model.good if one.end == "final"][-2:]
        tokens = sum(o.input_tokens for o in passed), sum(o.output_tokens for o in passed)
        eventually(lambda: booked(house) == (3, *tokens), 30, f"{told} {tokens} {booked(house)}")
        (row,) = house.ground.rows(
            "SELECT SUM(unpriced) AS n FROM ledger_entries WHERE model IS NULL"
        )
        assert row["n"] == 1
        events = [e for e in house.events(session_id=name) if e["event_type"] == "usage_unknown"]
        assert len(events) == 1
        assert "1 of them unknown" in house.ground.ennio("session", "info", name).out


def test_a_supervisor_that_is_killed_again_and_again_posts_each_request_once(
    tmp_path: Path, model: Model
) -> None:
    steps = [{"request": ":think 0.3\n:say hello"}] * 20
    with supervised(tmp_path, lambda g: metered(g, model, *steps)) as house:
        house.spawn()
        house.spawn()
        for many in (3, 9, 18):
            eventually(lambda many=many: len(model.log) >= many, 60, "the model is asked")
            house.kill_everything()
            house.start()
        eventually(lambda: len(model.good) == 40, 90, "both have asked all")
        eventually(lambda: booked(house) == served(model), 30, "the books have it")


def test_switched_off_and_on_between_launches_nothing_is_counted_twice_or_lost(
    tmp_path: Path, model: Model
) -> None:
    ask = {"request": ":say hello"}
    with supervised(tmp_path, lambda g: metered(g, model, ask, ask)) as house:
        name = house.spawn()
        eventually(lambda: booked(house) == served(model) and len(model.good) == 2, 30, "once")
        for turn_, metering in ((2, "agent"), (3, "proxy"), (4, "agent")):
            house.stop()
            house.ground.agents()
            for pid in house.ground.agents()[name]:
                os.kill(pid, signal.SIGKILL)
            document = yaml.safe_load(house.ground.config.read_text())
            document["projects"][0]["agent_config"]["metering"] = metering
            house.ground.config.write_text(yaml.safe_dump(document))
            house.start()
            house.becomes(name, "exited")
            done = house.ground.ennio("session", "restore", name)
            assert done.code == 0, done
            house.ground.ennio("send", name, "go on")
            eventually(lambda turn_=turn_: len(model.good) == 2 * turn_, 60, f"asks, {metering}")
            eventually(lambda: booked(house) == served(model), 30, f"the books, {metering}")
        launches = house.ground.rows(
            "SELECT launch, COUNT(*) AS n FROM ledger_entries GROUP BY launch ORDER BY launch"
        )
        assert [(row["launch"], row["n"]) for row in launches] == [(1, 2), (2, 2), (3, 2), (4, 2)]


MANY, ASKS = 50, 3


def test_fifty_agents_that_burn_at_once_are_in_the_books_to_the_digit(
    tmp_path: Path, model: Model
) -> None:
    steps = [{"request": ":think 0.2\n:say hello"}] * ASKS
    with supervised(
        tmp_path, lambda g: metered(g, model, *steps, runtime="process", scm_config=None)
    ) as house:
        names = [house.spawn() for _ in range(MANY)]
        eventually(lambda: len(model.good) >= MANY * ASKS, 120, "all have asked")
        eventually(lambda: booked(house) == served(model), 30, "the books have it")
        rows = house.ground.rows(
            "SELECT session_id, input_tokens AS i, output_tokens AS o FROM ledger_entries"
        )
        each = Counter((one.input_tokens, one.output_tokens) for one in model.good)
        assert Counter((row["i"], row["o"]) for row in rows) == each
        assert Counter(row["session_id"] for row in rows) == dict.fromkeys(names, ASKS)


def test_a_budget_stops_between_two_requests_whoever_dies_and_a_raise_lets_them_go_on(
    tmp_path: Path, model: Model
) -> None:
    steps = [{"request": ":think 0.2\n:say hello"}] * 30
    limit = 60_000
    budget = {"scope": "project", "id": "score", "limit_tokens": limit}
    with supervised(tmp_path, lambda g: metered(g, model, *steps), budgets=[budget]) as house:
        names = [house.spawn() for _ in range(8)]
        stops = ProxyDirectory(house.ground.home / "proxy").stops
        eventually(lambda: sorted(one.name for one in stops.iterdir()) == sorted(names), 60, "all")
        assert all("budget" in (stops / name).read_text() for name in names)
        stopped = max((stops / name).stat().st_mtime for name in names)
        eventually(lambda: all(one.ended for one in model.log), 30, "what was under way has ended")
        eventually(lambda: booked(house) == served(model), 30, "the books have it")
        late = [one for one in model.log if one.began > stopped + 0.25]
        assert late == [], "nobody asks once all are stopped"
        used = sum(served(model)[1:])
        print(f"\nlimit {limit}, used {used}, {len(model.log)} requests", flush=True)
        assert limit <= used
        house.kill_everything()
        (stops / names[0]).unlink()  # as if it had died before it told the proxy
        house.start()
        eventually((stops / names[0]).exists, 30, "it is told again")
        asked = len(model.log)
        done = house.ground.ennio("budget", "raise", "score", "--tokens", "10000000")
        assert done.code == 0, done
        eventually(lambda: not [*stops.iterdir()], 30, "all may ask again")
        assert len(model.log) >= asked


def gated(ground: Ground, model: Model) -> dict[str, Any]:
    """Agents that ask again and again, all from the same moment on: once there is a gate."""
    wait = ["sh", "-c", f"until [ -e '{ground.root}/gate' ]; do sleep 0.3; done"]
    asks = [{"request": ":think 0.2\n:say hello"}] * 60
    made = metered(ground, model, runtime="process", scm_config=None)
    turns = turn("prompt", [{"run": wait}, *asks]), turn("message", asks)
    return made | {"agent_config": {**story(*turns), "metering": "proxy"}}


def burning(house: Supervised, many: int, limit: int) -> list[str]:
    """So many agents that begin to burn at once, with a budget for all of them."""
    names = [house.spawn() for _ in range(many)]
    directory = ProxyDirectory(house.ground.home / "proxy")
    eventually(lambda: grants.sessions(directory) == set(names), 180, "all are let pass")
    eventually(lambda: len(house.ground.agents()) == many, 60, "all run")
    house.client.post("/budgets", {"scope": "project", "id": "score", "limit_tokens": limit})
    (house.ground.root / "gate").touch()
    return names


def insist_on_in_flight(house: Supervised, model: Model, names: list[str], limit: int) -> None:
    """By the model's own books they went beyond the limit by no more than what was in flight when
    the last request was let pass: the last of each of them, at most.
    """
    by_answer = {one.id: one.input_tokens + one.output_tokens for one in model.good}
    directory = ProxyDirectory(house.ground.home / "proxy")
    last = 0
    for name in names:
        passed = journal.read(directory, name, 0)[0]
        ended = [one for one in passed if isinstance(one, journal.Ended)]
        assert len(passed) == 2 * len(ended), "each that began has ended"
        last += by_answer[str(ended[-1].measured.answer_id)] if ended else 0
    used = sum(served(model)[1:])
    print(f"\n{len(names)} agents, {len(model.log)} requests: {used} of {limit}, {last} in flight")
    assert limit <= used < limit + last


def rest(model: Model) -> bool:
    """Whether nobody has asked for a while."""
    last = max((max(one.began, one.ended) for one in model.log), default=time.time())
    return all(one.ended for one in model.log) and time.time() - last > 3


def test_of_fifty_that_burn_at_once_no_more_goes_beyond_a_budget_than_was_in_flight(
    tmp_path: Path, model: Model
) -> None:
    limit = 360_000
    slow = {"runtime": "250ms", "agent": "2s", "forge": "250ms"}
    with supervised(tmp_path, lambda g: gated(g, model), poll=slow) as house:
        names = burning(house, MANY, limit)
        eventually(lambda: all(one["paused"] for one in house.sessions().values()), 120, "paused")
        eventually(lambda: rest(model), 60, "nobody asks")
        insist_on_in_flight(house, model, names, limit)
        eventually(lambda: booked(house) == served(model), 30, "the books have it")


def test_a_budget_stops_them_while_the_supervisor_is_dead_and_a_raise_lets_them_go_on(
    tmp_path: Path, model: Model
) -> None:
    limit = 150_000
    with supervised(tmp_path, lambda g: gated(g, model)) as house:
        names = burning(house, 8, limit)
        eventually(lambda: len(model.log) >= 16, 60, "they burn")
        house.kill_everything()
        eventually(lambda: rest(model), 60, "nobody asks")
        insist_on_in_flight(house, model, names, limit)
        house.start()
        eventually(lambda: all(one["paused"] for one in house.sessions().values()), 60, "paused")
        eventually(lambda: booked(house) == served(model), 30, "the books have it")
        asked = len(model.log)
        done = house.ground.ennio("budget", "raise", "score", "--tokens", "1000000")
        assert done.code == 0, done
        house.ground.ennio("send", names[0], "go on")
        eventually(lambda: len(model.log) > asked, 60, "they go on")
