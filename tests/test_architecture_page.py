"""ARCHITECTURE.md names files and functions that are there, in few words of our own,
and walks that do not grow.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`([\w/<>.-]+?\.py):([\w.]+)`")
PLACES = re.compile(r"`([\w.-]+(?:/[\w.-]*)+|[\w-]+\.(?:py|md))`")
LINKS = re.compile(r"\]\(([\w./-]+)\)")
MOST_WORDS = 15
MOST_FUNCTIONS, MOST_FILES = 24, 15
"""A walk is to be followed within an hour: who needs more of either has lost the way."""
MOST_STEPS = {
    "A check turns red": (24, 15),
    "`POST /sessions`": (24, 15),
    "A hook": (20, 15),
}
"""How many functions in how many files each walk is; one that becomes longer has got a step that
something else could do without.
"""


def _missing(page: str) -> list[str]:
    """What a page names that is not there."""
    paths = PLACES.findall(page) + LINKS.findall(page)
    places = [
        path for path in paths if not ((ROOT / path).exists() or (ROOT / "ennio" / path).exists())
    ]
    functions = [
        f"{file}:{name}"
        for file, name in NAMED.findall(page)
        if name not in _names(ROOT / "ennio" / file)
    ]
    return places + functions


@cache
def _names(file: Path) -> frozenset[str]:
    """The functions of a file, those of classes behind the class."""
    if not file.is_file():
        return frozenset()
    found: set[str] = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {
                f"{node.name}.{one.name}" for one in node.body if isinstance(one, ast.FunctionDef)
            }
    return frozenset(found)


def _section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_every_file_and_function_that_is_named_is_there() -> None:
    assert len(NAMED.findall(PAGE)) > 60
    assert _missing(PAGE) == []


NOWHERE = (
    "`policy/no_such.py`",
    "`actors/no_such.py:f`",
    "`policy/admission.py:no_such`",
    "`store/store.py:transaction`",
    "[x](docs/no.md)",
)


@pytest.mark.parametrize("named", NOWHERE)
def test_what_is_not_there_is_noticed(named: str) -> None:
    assert len(_missing(named)) == 1


def test_few_words_are_ours() -> None:
    rows = [line for line in _section("Words").splitlines() if line.startswith("| ")]
    assert 0 < len(rows) - 2 <= MOST_WORDS


ASKED = {
    "where a red check becomes words": "policy/reactions/pull_request.py:to_agent",
    "where a token is compared": "http/auth.py:same_secret",
    "where the pane is listed": "plugins/runtime/tmux.py:TmuxRuntime.survey",
    "where a session is adopted": "actors/session.py:SessionActor.on_start",
    "what is written before a merge": "actors/reaction.py:ReactionActor._intend_merge",
    "which rule makes `review_pending`": "policy/lifecycle/pull_request.py:by_pull",
    "where `${var}` is expanded": "config/expand.py:expand",
    "what a plugin must implement": "plugins/agent/interface.py",
    "where an event gets its number": "store/transaction.py:Transaction.emit",
    "how a hook is let in": "http/auth.py:Gate._check_token",
}
"""What somebody who has never seen the code asks first, and the place named first for it."""


@pytest.mark.parametrize("question", ASKED)
def test_who_asks_is_led_to_the_right_place_in_one_try(question: str) -> None:
    rows = [line.split(" | ") for line in PAGE.splitlines() if line.startswith("| ")]
    (answer,) = (row[1] for row in rows if question in row[0].lower())
    named = re.search(r"`([\w/]+\.py(?::[\w.]+)?)`", answer)
    assert named is not None
    assert named[1] == ASKED[question]


@pytest.mark.parametrize("begins", MOST_STEPS)
def test_a_walk_does_not_grow(begins: str) -> None:
    walk = _section("Three walks").partition(f"\n**{begins}")[2].partition("\n**")[0]
    steps = NAMED.findall(walk)
    functions, files = MOST_STEPS[begins]
    assert 0 < len(steps) <= functions
    assert len({file for file, _ in steps}) <= files


def test_no_walk_is_longer_than_anybody_follows() -> None:
    walks = _section("Three walks").split("\n**")[1:]
    assert len(walks) == len(MOST_STEPS)
    for steps in map(NAMED.findall, walks):
        assert len(steps) <= MOST_FUNCTIONS
        assert len({file for file, _ in steps}) <= MOST_FILES
