"""Two readings of a file, compared by the places a person wrote at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ennio.config.difference import PlaceChange, differences, waits_for_restart
from tests.config.writing import loaded

BEFORE = """\
projects:
  - {name: one, repo: ./r, path: /p/one, env: {A: a, B: b}}
  - {name: two, repo: ./r, path: /p/two}
"""


@pytest.mark.parametrize(
    ("old", "new", "places"),
    [
        ("projects:", "projects: # a comment", ()),
        ("A: a", "A: c", ("projects[one].env.A",)),
        ("A: a, ", "", ("projects[one].env.A",)),
        ("name: two", "name: three", ("projects[three]", "projects[two]")),
        ("projects:", "port: 4000\nprojects:", ("port",)),
        ("projects:", "poll: {forge: 7}\nprojects:", ("poll.forge",)),
        ("projects:", "cors_origins: ['http://a.b']\nprojects:", ("cors_origins",)),
    ],
)
def test_each_place_that_says_something_else_is_told_and_no_other(
    tmp_path: Path, old: str, new: str, places: tuple[str, ...]
) -> None:
    before, after = loaded(tmp_path, BEFORE), loaded(tmp_path, BEFORE.replace(old, new, 1))
    assert differences(before, after).keys() == differences(after, before).keys()
    assert tuple(p for p in differences(before, after) if p != "port_chosen") == places


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("projects:", "api_token: 'known-to-me-1'\nprojects:", "api_token"),
        ("projects:", "port: 4000\nprojects:", "port"),
        ("projects:", "poll: {forge: 7}\nprojects:", "poll.forge"),
        ("projects:", "cors_origins: ['http://a.b']\nprojects:", "cors_origins"),
        ("A: a", "A: a, C: c", "projects[one].env.C"),
        ("env:", "max_sessions: 2, env:", "projects[one].max_sessions"),
        ("  - {name: two", "  - {name: three, repo: ./r, path: /p/3}\n  - {name: two", "projects[three]"),
    ],
)  # fmt: skip
def test_what_came_what_went_and_what_changed_are_three_words(
    tmp_path: Path, old: str, new: str, place: str
) -> None:
    without, with_it = loaded(tmp_path, BEFORE), loaded(tmp_path, BEFORE.replace(old, new, 1))
    assert differences(without, with_it)[place] is PlaceChange.ADDED
    assert differences(with_it, without)[place] is PlaceChange.REMOVED


def test_another_value_at_a_place_is_a_change(tmp_path: Path) -> None:
    for old, new in (("A: a", "A: c"), ("path: /p/two", "path: /p/2")):
        changed = loaded(tmp_path, BEFORE.replace(old, new, 1))
        assert set(differences(loaded(tmp_path, BEFORE), changed).values()) == {PlaceChange.CHANGED}


def test_what_a_secret_is_now_is_not_told(tmp_path: Path) -> None:
    before = loaded(tmp_path, BEFORE)
    assert differences(before, replace(before, api_token="s3cr3t-s3cr3t")) == {
        "api_token": PlaceChange.ADDED
    }


def test_only_what_the_worker_does_not_own_waits_for_a_restart() -> None:
    assert waits_for_restart("host")
    assert not waits_for_restart("projects[one].host")
