"""Sessions in every kind of turn, and any number of them: each kind is worked through for real,
the others are copies of what it left behind in the database.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.bench.fleet import copy_row, rows_of, tables_of
from tests.conftest import eventually
from tests.e2e.house import (
    Ground,
    Supervised,
    configure,
    ground_at,
    project,
    repository,
    story,
    turn,
)

CHECK = (
    "if grep -rq TODO src; then echo 'AssertionError: src still says TODO'; exit 1; fi\n"
    "if grep -rq SLOW src; then sleep 600; fi\n"
)
BURN = {"burn": {"input": 12_000, "output": 900, "cost": "0.21"}}
PULL = 3001
"""The numbers of pull requests begin here, so that nothing else in a row is equal to one."""
ASK = {"question": "Run `npm install express-rate-limit`?", "options": ["Yes", "Always", "No"]}


def _work(file: str, text: str) -> list[Any]:
    return [{"edit": {"file": file, "content": text}}, {"commit": f"Change {file}"}, "push", BURN]


TURNS = (
    turn("prompt", [BURN, {"say": "A limiter is missing."}, {"ask": ASK}], "login form"),
    turn("prompt", _work("src/dates.py", "import datetime\n" * 9), "flaky date"),
    turn("prompt", _work("src/export.py", "# TODO: the button\n"), "export button|settings table"),
    turn("prompt", [BURN, {"think": 36_000}], "Retry webhooks"),
    turn("prompt", [BURN, {"exit": {"code": 3}}], "big controller"),
    turn("prompt", _work("src/slow.py", "# SLOW\n"), "avatar images"),
    turn("prompt", [BURN, {"say": "It is done."}], "Dark mode"),
    turn("prompt", [{"burn": {"input": 9, "cost": "6.50"}}, {"think": 36_000}], "canvas"),
    turn("prompt", [{"window": {"name": "weekly", "used": 100, "resets_in": 9000}}], "vitest"),
    turn("prompt", _work("README.md", "# My app\n\nIt works.\n"), "typo|XML"),
    turn("prompt", [{"think": 36_000}], "old bundler|search index"),
    turn("message", [{"think": 36_000}]),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of turn: the prompt that leads to it, the project, its word."""

    word: str
    prompt: str
    project: str = "my-app"
    held: bool = False


KINDS = (
    Kind("asks", "Rate-limit the login form"),
    Kind("merge", "Fix the flaky date test in CI"),
    Kind("fixes", "Add an export button"),
    Kind("works", "Retry webhooks with jitter"),
    Kind("ended", "Split the big controller"),
    Kind("checks", "Cache the avatar images"),
    Kind("rests", "Dark mode for the editor"),
    Kind("money", "Try a canvas renderer"),
    Kind("quota", "Port the tests to vitest", "web"),
    Kind("merged", "Fix the typo in the footer"),
    Kind("review", "Drop support for XML", "api"),
    Kind("look", "Migrate the settings table", "api"),
    Kind("killed", "Speed up the search index"),
    Kind("held", "Remove the old bundler", held=True),
)


def _project(ground: Ground, name: str, **settings: Any) -> dict[str, Any]:
    checks = [{"name": "test", "run": "sh check.sh", "timeout": 900}]
    config = {"checks": checks, "check_slots": 2, "review_required": name == "api"}
    told = story(*TURNS, speed=6)
    return project(
        ground,
        name,
        agent_config=told | ({"billing": "plan"} if name == "web" else {}),
        scm_config={"plugin": "local", "config": config},
        session_prefix=name[:3].strip("-"),
        **settings,
    )


@contextmanager
def crowded(root: Path, many: int = 0) -> Iterator[tuple[Supervised, dict[str, str]]]:
    """A house with a session of each kind, and with copies of them up to so many; which session is
    of which word.
    """
    with ground_at(root) as ground:
        repository(ground, {"README.md": "# My app\n", "check.sh": CHECK, "src/a.py": "a = 1\n"})
        configure(
            ground,
            _project(ground, "my-app"),
            _project(ground, "api", reactions={"ci-failed": {"action": "notify"}}),
            _project(ground, "web"),
            budgets=[
                {"scope": "session", "limit_usd": 5},
                {"scope": "global", "period": "daily", "limit_usd": 20 + many},
            ],
        )
        house = Supervised(ground)
        house.start()
        try:
            number_pulls(house)
            made = settle(house)
            if many:
                multiply(house, made, many)
            yield house, made
        finally:  # hundreds of sessions are not ended one by one: the ground is swept
            if house.process is not None and house.process.poll() is None:
                house.kill_everything()


def settle(house: Supervised) -> dict[str, str]:
    """One session of each kind, in its turn."""
    made = {kind.word: house.spawn(kind.prompt, kind.project, held=kind.held) for kind in KINDS}
    eventually(lambda: house.session(made["killed"])["word"] == "works", 60, "it runs")
    house.client.delete(f"/sessions/{made['killed']}")
    merged = made["merged"]
    eventually(lambda: house.session(merged)["word"] == "merge", 60, "it can be merged")
    number = house.session(merged)["pr_number"]
    house.client.post(f"/projects/my-app/pulls/{number}/merge", {})
    for word, name in made.items():
        eventually(lambda n=name, w=word: _is(house, n, w), 90, f"{name} is {word}")
    return made


def _is(house: Supervised, name: str, word: str) -> bool:
    found = house.session(name)["word"]
    assert found == word, f"{name}: {found}, not {word}"
    return True


def number_pulls(house: Supervised) -> None:
    """Begin the numbers of pull requests where nothing else in a row is equal to one."""
    with _database(house) as database:
        for at, name in enumerate(("my-app", "api", "web")):
            first = (f"pull:{name}", PULL + 1000 * (at + 1))
            database.execute("INSERT INTO sequence (name, value) VALUES (?, ?)", first)


@contextmanager
def _database(house: Supervised) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(house.ground.clone / "ennio.db", timeout=20)) as opened, opened:
        yield opened


COPIED = ("merged", "held", "merged", "killed", "merged")
"""Of which kinds the copies are, again and again: those that need neither a terminal nor a working
copy, so that a supervisor has as little to do with them as with any that are over.
"""


def multiply(house: Supervised, made: Mapping[str, str], many: int) -> None:
    """Copies, up to so many sessions in all; the supervisor is started anew."""
    house.stop()
    kinds = itertools.cycle(COPIED)
    copies = [(next(kinds), number) for number in range(1, many - len(made) + 1)]
    with _database(house) as database:
        for word in set(COPIED):
            model = made[word]
            rows = {table: rows_of(database, table, model) for table in tables_of(database)}
            pull = next(row["pr_number"] for row in rows["sessions"])
            for number in (number for of, number in copies if of == word):
                name = f"{model[:-8]}{number:08x}"
                words = {model: name} | ({} if pull is None else {f"{pull}": f"{PULL + number}"})
                for table, found in rows.items():
                    for row in found:
                        copy_row(database, table, row, words, name)
    _at_leisure(house.ground)
    house.begin()
    house.answers(within=150)
    last = [-1]

    def quiet() -> bool:
        last.append(house.client.get("/status")["last_seq"])
        return last[-5:] == last[-1:] * 5

    eventually(quiet, 60, "all of them are known again, and nothing happens")


def _at_leisure(ground: Ground) -> None:
    """With the intervals of a configuration that names none."""
    document = yaml.safe_load(ground.config.read_text())
    del document["poll"]
    ground.config.write_text(yaml.safe_dump(document, sort_keys=False))
