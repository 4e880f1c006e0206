"""A comment is about a place that its pull request has."""

from __future__ import annotations

import pytest

from ennio.model.errors import Invalid
from ennio.model.inline_comment import Remark, Side
from ennio.model.pulls import ReviewState
from tests.plugins.forge.hub import Hub, git

ASKS = ReviewState.CHANGES_REQUESTED


def _opened(hub: Hub) -> int:
    hub.push("main", {"gone.txt": "a\nb\n", "dir/kept.txt": "a"})
    hub.push("fix", {"new [1].txt": "a\r\nb\r\n", "empty.txt": ""})
    git(hub.work, "rm", "-q", "gone.txt")
    hub.push("fix", {}, create=False, message="remove")
    hub.push("main", {"theirs.txt": "not of this pull request\n"})
    return hub.forge().open("fix", "main", "t", "").number


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("app.py", 3),
        ("new [1].txt", 2),
        ("dir/kept.txt", 1),
        ("gone.txt", 2),
        ("empty.txt", None),
        ("dir", None),
    ],
)
def test_a_file_of_the_head_or_of_what_it_was_begun_from_is_a_place(
    hub: Hub, path: str, line: int | None
) -> None:
    number = _opened(hub)
    pull = hub.forge().review(number, "ada", ASKS, "here", path=path, line=line)
    assert [(one.path, one.line) for one in pull.comments] == [(path, line)]


@pytest.mark.parametrize(
    ("path", "line", "words"),
    [
        ("nope.py", 12, r"^path: there is no nope\.py in #1, neither at its head [0-9a-f]{7} nor"),
        ("theirs.txt", None, r"^path: there is no theirs\.txt in #1"),
        ("*.py", None, r"^path: there is no \*\.py in #1"),
        ("dir/", None, r"^path: there is no dir/ in #1"),
        (":(glob)**", None, r"^path: there is no :\(glob\)\*\* in #1"),
        ("dir", 1, r"^line: dir is a folder, and has no lines$"),
        ("app.py", 4, r"^line: app\.py has 3 lines, and no line 4$"),
        ("dir/kept.txt", 12, r"^line: dir/kept\.txt has 1 line, and no line 12$"),
        ("empty.txt", 1, r"^line: empty\.txt has 0 lines, and no line 1$"),
        ("gone.txt", 3, r"^line: gone\.txt has 2 lines, and no line 3$"),
    ],
)
def test_a_file_or_a_line_that_it_does_not_have_is_refused_and_nothing_is_said(
    hub: Hub, path: str, line: int | None, words: str
) -> None:
    number = _opened(hub)
    forge = hub.forge()
    for decision in (ASKS, ReviewState.NONE, ReviewState.APPROVED):
        with pytest.raises(Invalid, match=words):
            forge.review(number, "ada", decision, "here", path=path, line=line)
    found = forge.look(number)
    assert (found.review, found.comments) == (ReviewState.NONE, ())


def test_a_review_that_its_agent_knows_is_held_to_the_same_places_and_is_there_whole_or_not(
    hub: Hub,
) -> None:
    number, forge = _opened(hub), hub.forge()
    good = Remark("app.py", "here", 3)
    for wrong, words in (
        (Remark("nope.py", "there", 1), r"^path: there is no nope\.py in #1"),
        (Remark("app.py", "there", 4), r"^line: app\.py has 3 lines, and no line 4$"),
        (Remark("dir/kept.txt", "there", 2, side=Side.OLD), r"^line: dir/kept\.txt has 1 line"),
    ):
        with pytest.raises(Invalid, match=words):
            forge.remark(number, "ada", "", (good, wrong), key="k")
    assert forge.look(number).comments == ()
    was = Remark("gone.txt", "and this?", 2, side=Side.OLD)
    assert len(forge.remark(number, "ada", "", (good, was), key="k").comments) == 2
