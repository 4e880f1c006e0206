"""Which branches are tried with each other, and what is told of that."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ennio.model.conflicts import BranchChanges, ExpectedConflict, SessionPair, by_session, in_words
from ennio.model.events import EventType
from ennio.policy import radar
from ennio.policy.radar import Footprint

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def _branch(head: str, *paths: str, whole: bool = True) -> Footprint:
    return Footprint.of(BranchChanges(head, paths, whole))


def _conflict(*paths: str) -> ExpectedConflict:
    return ExpectedConflict("a", "b", "play", "on-a", "on-b", "1", "2", paths, NOW)


@pytest.mark.parametrize(
    ("one", "other", "touch"),
    [
        (_branch("1", "src/a.py"), _branch("2", "src/a.py", "b"), True),
        (_branch("1", "src/a.py"), _branch("2", "src/b.py"), False),
        (_branch("1", "src"), _branch("2", "src/b.py"), True),
        (_branch("1", "src/x/b.py"), _branch("2", "src"), True),
        (_branch("1"), _branch("2", "src/b.py"), False),
        (_branch("1", whole=False), _branch("2", "src/b.py"), True),
        (_branch("1", whole=False), _branch("2"), False),
        (_branch("1", "src/a.py"), _branch("1", "src/a.py"), False),
    ],
    ids=[
        "a common path",
        "beside one another",
        "a file where the other has a folder",
        "a folder where the other has a file",
        "one changes nothing",
        "nobody knows what one changes",
        "nobody knows, and the other changes nothing",
        "they are at the same commit",
    ],
)
def test_two_branches_are_tried_when_they_touch(
    one: Footprint, other: Footprint, touch: bool
) -> None:
    assert one.touches(other) is touch
    assert other.touches(one) is touch


def test_a_branch_with_a_new_head_is_held_against_all_others_and_they_not_against_each_other() -> (
    None
):
    branches = {"a": _branch("1", "x"), "b": _branch("2", "x"), "c": _branch("3", "x", "y")}
    branches["d"] = _branch("4", "z")
    near, apart = radar.touching(["c"], branches)
    assert near == {SessionPair("a", "c"), SessionPair("b", "c")}
    assert apart == {SessionPair("c", "d")}


def test_each_of_the_two_is_told_once_and_again_only_of_further_paths() -> None:
    first = radar.told(None, _conflict("x", "y"))
    assert {name: draft.data["with"] for name, draft in first.items()} == {"a": "b", "b": "a"}
    assert first["a"].message == "a conflict with b is expected in x, y"
    assert radar.told(_conflict("x", "y"), _conflict("x")) == {}
    assert radar.told(_conflict("x"), _conflict("x", "z"))["b"].data["paths"] == ["x", "z"]


def test_an_event_names_so_many_paths_and_counts_the_rest() -> None:
    draft = radar.told(None, _conflict(*(f"f{n}" for n in range(50))))["a"]
    assert len(draft.data["paths"]) == radar.NAMED
    assert draft.data["more"] == 50 - radar.NAMED
    assert draft.message.endswith("f0, f1, f2 and 47 more")
    assert in_words([]) == "paths that git does not name"


def test_that_it_is_gone_is_told_to_those_who_live() -> None:
    (told,) = radar.gone(_conflict("x"), "a is over", {"b", "c"}).items()
    assert told[0] == "b"
    assert told[1].event_type is EventType.CONFLICT_GONE
    assert told[1].message == "no conflict with a is expected any more: a is over"


def test_where_git_names_no_path_those_are_named_that_both_change() -> None:
    branches = {"a": _branch("1", "x", "y"), "b": _branch("2", "y", "z")}
    names = {"a": "on-a", "b": "on-b"}
    found = radar.expected(SessionPair("a", "b"), "play", branches, names, (), NOW)
    assert found.paths == ("y",)
    assert by_session([found])["b"][0].branch == "on-a"
