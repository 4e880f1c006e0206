"""The demo's story with ``kill -9`` at thirty random moments: nothing is lost, doubled,
orphaned or half written.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ennio.demo import scene
from tests.e2e import account
from tests.e2e.house import Ground, Supervised, project, story, supervised, turn
from tests.e2e.persons import Follower, Person

pytestmark = pytest.mark.e2e

KILLS = 30
LIMIT = 75.0
LOOK = 0.1
"""Seconds between two looks of the person. Each asks for everything: oftener, half of what the
machine has would go to looking.
"""
EXTRAS = 6
WANTED = {
    "greet": scene.GREET,
    "notes": scene.NOTES,
    **{f"extra{n}": f"Write a file of your own, number {n}" for n in range(EXTRAS)},
}


def _story() -> dict[str, Any]:
    """The demo's story, and before it what the others do: a file of their own, and
    their signature when asked.
    """
    mine, signed = (
        {"file": "{session}.txt", **change}
        for change in ({"content": "mine\n"}, {"append": "signed\n"})
    )
    own = turn("prompt", [{"think": 2}, {"edit": mine}, {"commit": "Mine"}, "push"], "own")
    sign = turn(
        "changes_requested", [{"think": 1}, {"edit": signed}, {"commit": "Sign"}, "push"], "sign"
    )
    return story(own, sign, *scene.story(1)["story"], speed=2)


def _project(ground: Ground) -> dict[str, Any]:
    checks = [{"name": "greetings", "run": "sh check.sh", "timeout": 60}]
    forge = {"plugin": "local", "config": {"checks": checks, "review_required": True}}
    return project(ground, agent_config=_story(), scm_config=forge)


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    """A file in the repository, or a schema of a real server."""
    return "" if request.param == "sqlite" else str(request.getfixturevalue("postgres").made())


def test_thirty_kills_lose_double_and_orphan_nothing(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # one of the two meets the kills also while it loads
    monkeypatch.setattr(Supervised, "forked", bool(database))
    seed = int(os.environ.get("ENNIO_CHAOS_SEED") or random.SystemRandom().randrange(10**6))
    print(f"chaos seed {seed}; ENNIO_CHAOS_SEED={seed} plays it again")
    files = {"check.sh": scene.CHECK, "CHANGES.md": scene.CHANGES}
    merging = {"approved-and-green": {"action": "auto_merge"}}
    with supervised(tmp_path, _project, files=files, reactions=merging, database=database) as house:
        follower, person = Follower(house), Person(house, WANTED)
        stages = _rage(house, person, random.Random(seed))
        print(f"kills by stage: {dict(stages)}")
        _finish(house, person)
        _account(house, person, follower)
        follower.close()


def _rage(house: Supervised, person: Person, dice: random.Random) -> Counter[str]:
    """Kill at random moments while the person goes on; every few kills
    another session is asked for.
    """
    stages: Counter[str] = Counter()
    for number in range(KILLS):
        pause = time.monotonic() + dice.uniform(*dice.choice([(0, 0.6), (0.6, 2), (2, 4)]))
        while time.monotonic() < pause:
            person.look(2 + number * EXTRAS // (KILLS - 4))
            time.sleep(max(0.0, min(LOOK, pause - time.monotonic())))
        stages.update(
            session["status"]
            for session in person.sessions.values()
            if session["status"] != "merged"
        )
        if number % 2:
            house.kill_everything()
            house.begin()
        else:
            house.kill_worker()
    return stages


def _finish(house: Supervised, person: Person) -> None:
    until = time.monotonic() + LIMIT
    while not (person.look(len(WANTED)) and person.done):
        assert time.monotonic() < until, _where(house, person)
        time.sleep(LOOK)


def _where(house: Supervised, person: Person) -> str:
    rows = [
        f"{s['role']} {s['id']}: {s['status']} {s['activity']}, {s.get('reason')}"
        for s in person.sessions.values()
    ]
    pending = house.ground.rows(
        "select m.session_id, m.reaction, d.* from messages m join deliveries d on d.subject = "
        "m.id where d.state != 'done'"
    )
    return "\n".join(
        ["the story did not come to its end:", *rows, *map(str, pending), house.words()]
    )


# --- the account ----------------------------------------------------------------------------------


def _account(house: Supervised, person: Person, follower: Follower) -> None:
    ground = house.ground
    problems = [
        *account.merges(ground, _pulls(person)),
        *account.content(ground, _files(person)),
        *account.words(ground, person.ids),
        *_told(ground, person),
        *account.lives(ground, dict.fromkeys(person.ids.values(), 1)),
        *account.log(house, follower),
        *account.state(ground),
    ]
    assert not problems, "\n".join([*problems, house.words()])


def _pulls(person: Person) -> list[str]:
    found = {f"score#{session['pr_number']}" for session in person.sessions.values()}
    assert len(found) == len(WANTED), f"pull requests are not one for each session: {sorted(found)}"
    return sorted(found)


def _files(person: Person) -> dict[str, str]:
    extras = {
        f"{name}.txt": "mine\nsigned"
        for role, name in person.ids.items()
        if role.startswith("extra")
    }
    return {"greeting.txt": "hello, Ennio", "CHANGES.md": scene.BOTH.strip(), **extras}


def _told(ground: Ground, person: Person) -> Iterator[str]:
    for role, reactions in (
        ("greet", {"ci-failed", "changes-requested"}),
        ("notes", {"merge-conflicts"}),
    ):
        found = ground.rows(
            "select reaction from messages where session_id = ? and reaction is not null",
            person.ids[role],
        )
        if {row["reaction"] for row in found} < reactions:
            yield f"{role} was told {found}, not all of {reactions}"
