"""opencode itself, through a whole day of work."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import urllib3

from ennio.machine.home import Home
from ennio.machine.local import LocalMachine
from ennio.plugins.agent.opencode_api import OpenCodeServer
from tests.agents.bench import (
    Bench,
    Scenes,
    bench,
    installed,
    opencode_first,
    opencode_home,
    play,
)
from tests.agents.books import OPENCODE, PRICES
from tests.agents.day import Manners, day
from tests.agents.scenes import begins_another, begins_to_type, types, views, waits_when_allowed
from tests.conftest import eventually


def moves_the_mark(at: Bench) -> None:
    """A person goes to "Allow always" and leaves it there; then Enter would confirm that."""
    at.presses("Right")


def was_given_this_one_only(at: Bench) -> None:
    """The same again is asked for again; and without its password its API tells nothing."""
    at.ends_turns(1)
    at.rests()
    door = OpenCodeServer(
        **json.loads(
            (Home(at.house.ground.home).session(at.session) / "opencode-api.json").read_text()
        )
    )
    assert (
        urllib3.request("GET", f"http://127.0.0.1:{door.port}/permission", retries=False).status
        == 401
    )
    at.say(":ask touch second.txt\n:say never said")
    at.becomes("waiting_input")
    moves_the_mark(at)
    at.mark("is being refused", "ready", "active", "waiting_input")
    at.answer("no")
    # the model is not asked again, so the end of the turn is known by opencode's own word alone
    eventually(
        lambda: (
            not [
                one
                for one in door.ask(LocalMachine(), "GET", "/session/status").values()
                if one["type"] != "idle"
            ]
        ),
        30,
        "it rests",
    )
    at.mark("refused", "ready")
    at.rests()
    at.goes_on(2)
    assert not (Path(at.view()["workspace_path"]) / "second.txt").exists()


MANNERS = Manners(
    choices=r"3\. Reject",
    unanswered=moves_the_mark,
    answered=was_given_this_one_only,
    works="esc interrupt",
    stops=(("Escape", "again to interrupt"), ("Escape", "")),
)

SCENES: Scenes = (
    ("new and restore", lambda at: begins_another(at, "/new")),
    ("person types", types),
    ("half a line", lambda at: begins_to_type(at, put_aside=False)),
    ("timeline", lambda at: views(at, ("C-x", "g"), "Timeline", "Escape")),
    ("long tool", waits_when_allowed),
)


def test_a_day_of_opencode_is_told_as_it_is(tmp_path: Path) -> None:
    place = installed("opencode")
    with bench(tmp_path, place, "opencode", OPENCODE.config, opencode_home, prices=PRICES) as at:
        day(at, MANNERS, OPENCODE, SCENES)


@pytest.mark.scenes
def test_what_persons_change_in_opencode_is_told_as_it_is(tmp_path: Path) -> None:
    with bench(
        tmp_path, installed("opencode"), "opencode", {"model": "loop/scripted"}, opencode_first
    ) as at:
        play(at, SCENES)
