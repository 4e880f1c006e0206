"""A plan's window is used up: the session is parked, and goes on once, when it may."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import eventually
from tests.e2e.house import Ground, Supervised, project, story, supervised, turn

pytestmark = pytest.mark.e2e

DONE = [{"say": "I go on."}, {"summary": "went on"}, {"think": 600}]


def _uses_up(resets_in: float, **settings: Any) -> Any:
    steps = [{"say": "I begin."}, {"window": {"name": "five_hour", "resets_in": resets_in}}]
    # at its normal speed: the window resets by the clock
    told = story(turn("prompt", steps), turn("message", DONE), speed=1)
    return lambda ground: project(ground, agent_config=told, **settings)


def _parked(house: Supervised, session_id: str) -> dict[str, Any]:
    def blocked() -> dict[str, Any] | None:
        session = house.session(session_id)
        return session if session["activity"] == "blocked" else None

    eventually(blocked, 40, "it is parked")
    return house.session(session_id)


def _taken(house: Supervised, session_id: str, text: str) -> int:
    return house.ground.taken(session_id).count(text)


def test_a_used_up_window_parks_the_session_and_it_goes_on_once_by_itself_where_that_is_wanted(
    tmp_path: Path,
) -> None:
    with supervised(tmp_path, _uses_up(12, resume_at_reset=True)) as house:
        session_id = house.spawn()
        session = _parked(house, session_id)
        assert "plan window five_hour used up, resets " in session["reason"]
        (window,) = session["windows"]
        assert (window["name"], window["used_percent"]) == ("five_hour", 100)
        assert house.ground.taken(session_id)[1:] == []
        house.kill_worker()
        eventually(lambda: _taken(house, session_id, "continue"), 60, "it was told to go on")
        told = house.ground.transcript(session_id)
        (reset,) = [line["resets_at"] for line in told if line["type"] == "window"]
        (at,) = [line["t"] for line in told if line.get("text") == "continue"]
        assert 0 <= at - reset < 60
        eventually(lambda: house.session(session_id)["activity"] == "active", 30, "it works again")
        assert "used up" not in house.session(session_id)["reason"]
        assert _taken(house, session_id, "continue") == 1
        house.kill_agents()


def test_nobody_goes_on_by_itself_where_that_is_not_wanted_and_a_person_is_asked(
    tmp_path: Path,
) -> None:
    with supervised(tmp_path, _uses_up(3)) as house:
        session_id = house.spawn()
        _parked(house, session_id)

        def notices() -> list[str]:
            told = house.client.get("/notifications")
            return [one["message"] for one in told if "plan window" in one["message"]]

        eventually(lambda: any("has reset" in one for one in notices()), 30, "a person is asked")
        assert _taken(house, session_id, "continue") == 0
        assert "waits for a person's word" in house.session(session_id)["reason"]
        ended = house.ground.ennio("session", "resume", session_id)
        assert ended.code == 0, ended.err
        eventually(lambda: _taken(house, session_id, "continue"), 30, "it was told to go on")
        house.kill_agents()


def test_a_message_waits_for_the_window_and_is_the_word_to_go_on(tmp_path: Path) -> None:
    with supervised(tmp_path, _uses_up(10)) as house:
        session_id = house.spawn()
        _parked(house, session_id)
        sent = house.ground.ennio("send", session_id, "use fewer words")
        assert sent.code == 0, sent.err

        def waits() -> list[str]:
            told = house.client.get(f"/sessions/{session_id}/messages")
            return [one["detail"] for one in told if "waits for the plan" in one["detail"]]

        eventually(waits, 30, "it says what it waits for")
        eventually(lambda: _taken(house, session_id, "use fewer words"), 40, "it has its words")
        told = house.ground.transcript(session_id)
        (reset,) = [line["resets_at"] for line in told if line["type"] == "window"]
        (at,) = [line["t"] for line in told if line.get("text") == "use fewer words"]
        assert at >= reset
        assert _taken(house, session_id, "continue") == 0
        house.kill_agents()


def test_who_goes_on_by_hand_is_told_nothing_at_the_reset(tmp_path: Path) -> None:
    with supervised(tmp_path, _uses_up(15, resume_at_reset=True)) as house:
        session_id = house.spawn()
        _parked(house, session_id)
        house.ground.tmux("send-keys", "-t", f"={session_id}:", "-l", "go on by hand")
        house.ground.tmux("send-keys", "-t", f"={session_id}:", "Enter")
        eventually(lambda: house.session(session_id)["activity"] == "active", 30, "it works")
        told = house.ground.transcript(session_id)
        (reset,) = [line["resets_at"] for line in told if line["type"] == "window"]
        eventually(lambda: time.time() > reset + 3, 30, "the window has reset")
        assert house.ground.taken(session_id)[1:] == ["go on by hand"]
        house.kill_agents()


def test_an_agent_that_exited_while_it_was_parked_is_resumed_with_the_words(
    tmp_path: Path,
) -> None:
    with supervised(tmp_path, _uses_up(15, resume_at_reset=True)) as house:
        session_id = house.spawn()
        _parked(house, session_id)
        for pid in house.ground.agents()[session_id]:
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: house.session(session_id)["activity"] == "exited", 30, "it has ended")
        eventually(lambda: _taken(house, session_id, "continue"), 60, "it was resumed")
        told = house.ground.transcript(session_id)
        (reset,) = [line["resets_at"] for line in told if line["type"] == "window"]
        assert [line["t"] for line in told if line["type"] == "ready"][1] >= reset
        assert _taken(house, session_id, "continue") == 1
        house.kill_agents()


def test_an_agent_that_begins_and_burns_too_much_is_told_of_once(tmp_path: Path) -> None:
    burn = {"burn": {"input": 700_000, "output": 10_000, "model": "scripted"}}
    steps = [burn, {"helpers": 5}, burn, {"helpers": 7}, burn, {"think": 600}]
    told = story(turn("prompt", steps), speed=1)
    limits = {"agents": 4, "tokens_per_minute": 1_000_000}

    def settings(ground: Ground) -> dict[str, Any]:
        return project(ground, agent_config=told, fan_out=limits)

    with supervised(tmp_path, settings) as house:
        session_id = house.spawn()

        def notices() -> list[str]:
            found = house.client.get("/notifications")
            return [one["message"] for one in found if one.get("reaction") == "fan-out"]

        eventually(notices, 40, "a person is told")
        house.kill_worker()
        house.answers()
        eventually(
            lambda: (house.session(session_id)["usage"] or {}).get("input_tokens") == 2_100_000,
            30,
            "all of it is in the books",
        )
        (notice,) = notices()
        assert "agents of its own are at work" in notice or "tokens within a minute" in notice
        house.kill_agents()
