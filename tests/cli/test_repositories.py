"""A person with two repositories: a supervisor of its own for each, told apart and found again,
and an edited file that is taken in without an end.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.cli.conftest import MINIMAL, Place

TEXT = MINIMAL.split("\n", 1)[1]  # without a port


@pytest.fixture
def two(place: Place) -> Iterator[tuple[Place, Place]]:
    """Both begun, the second while the first has the usual port."""
    other = replace(place, folder=place.folder.parent / "other")
    other.folder.mkdir()
    for each in (place, other):
        (each.folder / "ennio.yaml").write_text(TEXT)
    try:
        for each in (place, other):
            assert each.ennio("start", "--detach").code == 0
        yield place, other
    finally:
        for each in (place, other):
            if each.folder.exists():
                each.ennio("stop")


def test_two_repositories_run_side_by_side_and_an_edited_file_is_taken_in(
    two: tuple[Place, Place],
) -> None:
    first, second = two
    listed = first.ennio("ls", "--json").document
    assert sorted(each["folder"] for each in listed) == [str(second.folder), str(first.folder)]
    assert len({each["url"] for each in listed}) == 2
    assert all(each["running"] and each["turns"] is not None for each in listed)
    text = second.ennio("status", "--all-repositories").out
    assert str(first.folder) in text
    assert str(second.folder) in text

    _reload(first)

    # what was trusted is known when it does not run any more, and when its file is gone
    assert second.ennio("config", "trust", str(second.folder / "ennio.yaml")).code == 0
    url = next(each["url"] for each in listed if each["folder"] == str(second.folder))
    assert second.ennio("stop").code == 0
    assert "stopped" in first.ennio("ls").out
    assert second.ennio("start", "--detach", "--json").document["url"] == url
    assert second.ennio("stop").code == 0
    shutil.rmtree(second.folder)
    assert "file gone" in first.ennio("ls").out


def _reload(place: Place) -> None:
    file = place.folder / "ennio.yaml"
    assert not place.ennio("status", "--json").document["config_edited"]
    assert "nothing in it means something else" in place.ennio("reload").out

    file.write_text(f"port: 1\n{TEXT}    max_sessions: 2\n")
    assert "ennio.yaml has changed since it was read: ennio reload" in place.ennio("status").out
    assert "ennio.yaml has changed since it was read" in place.ennio("board", "--once").out
    told = place.ennio("reload", "--json").document
    assert told["changed"] == ["projects[my-app].max_sessions"]
    assert told["waits_for_restart"] == ["port"]
    assert not place.ennio("status", "--json").document["config_edited"]

    # another token holds at once, for the command too
    for token in ("a-token-of-20-letters", "another-of-20-letters"):
        file.write_text(f"{TEXT}    max_sessions: 2\napi_token: {token}\n")
        assert place.ennio("reload").code == 0
        assert place.ennio("status").code == 0

    file.write_text(f"{TEXT}    max_sessions: 2\n")
    assert "  removed: api_token" in place.ennio("reload").out.splitlines()

    file.write_text(f"{TEXT}    max_sessions: many\n")
    refused = place.ennio("reload")
    assert refused.code == 1
    assert "max_sessions" in refused.err
    assert place.ennio("status", "--json").document["config_problem"] is None


def test_what_stands_only_in_an_edited_file_is_answered_with_the_reload(place: Place) -> None:
    file = place.folder / "ennio.yaml"
    file.write_text(TEXT)
    assert place.ennio("start", "--detach").code == 0
    try:
        way_out = "; ennio.yaml has changed since it was read: ennio reload\n"
        unknown = place.ennio("spawn", "other", "-p", "x")
        assert (unknown.code, "ennio reload" in unknown.err) == (3, False)
        protected = TEXT + "    protected_branches: [kept]\n"
        file.write_text(protected)
        assert way_out not in place.ennio("spawn", "nobody", "-p", "x").err
        for words in ((), ("--dry-run",)):
            refused = place.ennio("spawn", "my-app", "-p", "x", "--agent", "nobody", *words)
            assert (refused.code, refused.err.endswith(way_out)) == (2, True), refused.err
        file.write_text(TEXT.replace("My App", "Other"))
        for words in (("spawn", "other", "-p", "x"), ("status", "other")):
            refused = place.ennio(*words)
            assert (refused.code, refused.err.endswith(way_out)) == (3, True), refused.err
        assert place.ennio("reload", "--trust").code == 0
        found = place.ennio("spawn", "other", "-p", "x", "--agent", "nobody")
        assert (found.code, "ennio reload" in found.err) == (2, False)
    finally:
        place.ennio("stop")


def test_a_reload_without_a_supervisor_says_so(place: Place) -> None:
    (place.folder / "ennio.yaml").write_text(TEXT)
    assert place.ennio("reload").code == 4


def test_a_person_who_never_began_is_told_how(place: Place) -> None:
    ended = place.ennio("ls")
    assert (ended.code, "ennio init" in ended.out) == (0, True)
    assert place.ennio("ls", "--json").document == []


def test_the_file_to_check_is_named_where_one_would_name_it(place: Place) -> None:
    named = place.folder / "other.yaml"
    named.write_text("projects: many\n")
    for words in (("config", "check", str(named)), ("config", "check", "--config", str(named))):
        ended = place.ennio(*words)
        assert ended.code == 1
        assert str(named) in ended.out
