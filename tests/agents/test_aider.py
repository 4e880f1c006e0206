"""aider itself, through a whole day of work."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.agents.bench import Bench, Scenes, aider_home, bench, installed, play
from tests.agents.books import AIDER, PRICES
from tests.agents.day import PATIENCE, Manners, day
from tests.agents.scenes import begins_another, begins_to_type, types, waits_when_allowed
from tests.conftest import eventually

CONFIG = {"model": "openai/scripted", "passthrough": {"edit_format": "diff"}}


def asks_a_second_time(at: Bench) -> None:
    """It wants to know whether what the command printed belongs to the conversation; it counts
    that first, and may look for its tables on a network that is not there.
    """
    eventually(
        lambda: "Add command output" in (at.view()["question"] or ""),
        PATIENCE,
        "the second question",
    )
    at.mark("answered", "active", "ready", "waiting_input")
    at.answer("n")
    at.rests()
    at.mark("rests", "ready")


# it knows no Escape; what it is to run it finds in the words of a whole answer
MANNERS = Manners(
    choices=r"2\. No",
    answered=asks_a_second_time,
    works=r"Waiting for [^\n]+\s*\Z",
    stops=(("C-c", ""),),
)

SCENES: Scenes = (
    ("clear and restore", lambda at: begins_another(at, "/clear", "chat history cleared")),
    ("person types", types),
    ("half a line", begins_to_type),
    ("long tool", waits_when_allowed),
)


def test_a_day_of_aider_is_told_as_it_is(tmp_path: Path) -> None:
    place = installed("aider")
    with bench(tmp_path, place, "aider", CONFIG, aider_home, prices=PRICES) as at:
        day(at, MANNERS, AIDER, SCENES)
        status = at.house.ground.git(
            "status", "--porcelain", "--ignored", cwd=Path(at.view()["workspace_path"])
        )
        assert status == ""  # it keeps nothing of its own in the repository


@pytest.mark.scenes
def test_what_persons_change_in_aider_is_told_as_it_is(tmp_path: Path) -> None:
    with bench(tmp_path, installed("aider"), "aider", CONFIG, aider_home) as at:
        play(at, SCENES)
