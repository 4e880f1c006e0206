"""What keys do: they move, answer in place, ask once before what cannot be undone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ennio.board.frame import frame
from ennio.board.keyboard import BoardKeyboard
from ennio.board.moving import steady
from ennio.board.news import Acted, Linked, Looked, Rows
from ennio.board.orders import Act, Attach, LookInto, Order, Quit, WritePrompt
from ennio.board.stroke import Stroke
from ennio.board.verb_table import KEYS
from ennio.board.view import BoardView
from ennio.model.verbs import SESSION_VERBS, SessionVerb
from tests.board.stand_ins import board, session, sessions

pytest.importorskip("blessed")
from ennio.board.typing_line import TypedLine

SIZE = (80, 24)
NARROW = (50, 24)


class Hands:
    """A person at the keyboard."""

    def __init__(self, view: BoardView, size: tuple[int, int] = SIZE) -> None:
        self.view, self.size = view, size
        self.keyboard = BoardKeyboard(TypedLine())
        self.ordered: list[Order] = []

    def press(self, *names: str) -> Hands:
        for name in names:
            self.stroke(Stroke(name))
        return self

    def stroke(self, stroke: Stroke) -> None:
        self.view, orders = self.keyboard.press(self.view, stroke, self.size)
        self.ordered += orders

    def click(self, text: str, below: int = 0) -> Hands:
        """On the line of the picture that holds this, or so many below it."""
        lines = frame(self.view, *self.size)
        line = next(at for at, line in enumerate(lines) if text in line)
        self.stroke(Stroke("MOUSE_LEFT", x=20, y=line + below))
        return self

    def write(self, text: str) -> Hands:
        return self.press(*text)

    @property
    def said(self) -> str:
        return self.view.notice.text if self.view.notice else ""

    @property
    def last(self) -> str:
        return " ".join(line.strip() for line in frame(self.view, *SIZE)[-3:-1])


def at(word: str, view: BoardView | None = None) -> Hands:
    """With the cursor on the first session of this word."""
    view = view or board(14)
    row = next(row for row in view.rows.values() if row.word == word)
    return Hands(replace(view, cursor=("row", row.turn, row.id)))


def test_a_digit_answers_the_question_under_the_cursor() -> None:
    hands = at("asks").press("1")
    row = hands.view.row
    assert row is not None
    told = f"ennio answer {row.id} 1"
    path = f"/sessions/{row.id}/answer"
    given = {"question": "Run npm install?", "answer": "1"}
    assert hands.ordered == [Act(row.id, "POST", path, given, told, once=True)]
    assert "has 3 answers" in at("asks").press("7").said
    assert "asks nothing" in at("merge").press("1").said


def test_what_became_of_an_order_is_not_hidden_by_a_connection_that_is_back() -> None:
    hands = at("asks").press("1")
    (act,) = hands.ordered
    assert isinstance(act, Act)
    lost = replace(hands.view, link=replace(hands.view.link, lost=hands.view.at))
    back = Linked(18, 2)
    assert hands.view.notice == back.taken(lost).notice, "it is under way"
    refused = Acted(act, "this answer was begun before").taken(lost)
    said = back.taken(refused).notice
    assert said is not None
    assert said.text == "not done: this answer was begun before"
    after = back.taken(replace(lost, notice=None)).notice
    assert after is not None
    assert after.text == "caught up: 2 events"


def test_words_are_typed_in_place_and_a_pasted_line_end_sends_nothing() -> None:
    hands = at("asks").press("a").write("go ")
    hands.stroke(Stroke("BRACKETED_PASTE", "on\nand on"))
    assert not hands.ordered
    assert "answer (" in hands.last
    assert "go on and on" in hands.last
    (act,) = hands.press("KEY_ENTER").ordered
    assert isinstance(act, Act)
    assert act.body == {"question": "Run npm install?", "answer": "go on and on"}


def test_words_are_an_answer_to_what_was_asked_when_they_were_begun() -> None:
    hands = at("asks").press("a").write("yes")
    row = hands.view.row
    assert row is not None
    now = replace(row, document={**row.document, "question": "Delete it?"})
    hands.view = replace(hands.view, rows={**hands.view.rows, row.id: now})
    (act,) = hands.press("KEY_ENTER").ordered
    assert isinstance(act, Act)
    assert act.body == {"question": "Run npm install?", "answer": "yes"}


def test_escape_climbs_from_the_line_to_the_pane_to_the_filter_to_nothing() -> None:
    hands = at("asks").press("/").write("t:you").press("KEY_ENTER", " ", "s").write("x")
    for state in ((True, "why", "t:you"), (False, "why", "t:you"), (False, "", "t:you")):
        view = hands.view
        assert (view.entry is not None, view.tab, view.wishes.filter.text) == state
        hands.press("KEY_ESCAPE")
    assert not hands.view.wishes.filter
    before = hands.view
    assert hands.press("KEY_ESCAPE").view.cursor == before.cursor
    assert not any(isinstance(order, Quit | Act) for order in hands.ordered)


def test_what_cannot_be_undone_asks_once_naming_what_stays() -> None:
    hands = at("merge").press("m")
    assert not hands.ordered
    assert "its worktree is cleaned up as `cleanup` says" in hands.last
    assert "kept under refs/ennio/preserved" in at("works").press("K").last
    assert at("merge").press("m", "x").said == "nothing was done"
    (act,) = hands.press("M").ordered
    assert isinstance(act, Act)
    assert act.path.endswith("/pulls/41/merge")
    (end,) = at("works").press("K", "K").ordered
    assert isinstance(end, Act)
    assert (end.method, end.path) == ("DELETE", f"/sessions/{end.id}")


def test_a_confirmation_is_about_the_session_it_named_though_the_rows_changed() -> None:
    hands = at("merge").press("m")
    row = hands.view.row
    assert row is not None
    changed = [one | {"title": "another"} for one in sessions(14) if one["id"] != row.id]
    hands.view = Rows(changed).taken(hands.view)
    assert "not there any more" in hands.press("M").said
    assert not hands.ordered


def test_nothing_is_done_while_the_supervisor_does_not_answer() -> None:
    for keys in (("1",), ("i",), ("m",), ("K",)):
        hands = at("asks" if keys[0] in "1iK" else "merge", board(14, link="lost")).press(*keys)
        assert "nothing was done" in hands.said
        assert not hands.ordered


def test_n_goes_from_one_that_waits_for_you_to_the_next_and_round() -> None:
    hands = Hands(board(14)).press("g")
    found = []
    for _ in range(5):
        row = hands.press("n").view.row
        assert row is not None
        assert row.turn == "you"
        found.append(row.id)
    assert len(set(found)) == 4
    assert found[0] == found[4]
    assert hands.press("N").view.row is not None


def test_a_row_that_leaves_its_zone_stays_as_a_ghost_until_the_cursor_leaves_it() -> None:
    hands = at("merge")
    row = hands.view.row
    assert row is not None
    line = frame(hands.view, *SIZE).index(next(x for x in frame(hands.view, *SIZE) if x[0] == "*"))
    moved = [
        one | ({"turn": "world", "word": "merging"} if one["id"] == row.id else {})
        for one in sessions(14)
    ]
    after = Rows(moved).taken(hands.view)
    hands.view = steady(hands.view, after, SIZE)
    drawn = frame(hands.view, *SIZE)
    assert "->merging" in drawn[line]
    assert drawn[line][0] == "*"
    assert hands.view.row is not None
    assert hands.view.row.id == row.id
    hands.view = hands.view.with_time(hands.view.at + timedelta(seconds=9))
    assert "->merging" in frame(hands.view, *SIZE)[line], "it is under the hand"
    hands.press("j")
    assert not any("->merging" in each for each in frame(hands.view, *SIZE))


def test_a_ghost_that_nobody_holds_goes_after_three_seconds() -> None:
    view = board(14)
    moved = [
        one | ({"turn": "world", "word": "merging"} if one["word"] == "merge" else {})
        for one in sessions(14)
    ]
    view = replace(Rows(moved).taken(view), cursor=("head", "agent", ""))
    assert len(view.order.ghosts) == 2
    assert not view.with_time(view.at + timedelta(seconds=3)).order.ghosts


def test_rows_keep_their_order_until_r_whatever_changes() -> None:
    view = board(14)
    order = view.order.zones["you"]
    later = [
        one | ({"turn_since": "2025-01-01T00:00:00+00:00"} if one["id"] == order[-1] else {})
        for one in sessions(14)
    ]
    newer = [*later, session(21), session(22)]
    view = Rows(newer).taken(view)
    assert view.order.zones["you"][: len(order)] == order
    assert len(view.order.zones["you"]) == len(order) + 2
    assert Hands(view).press("r").view.order.zones["you"][0] == order[-1]


def test_o_sorts_by_another_order_that_stays_and_ends_where_it_began() -> None:
    view = board(21)

    def titles(hands: Hands) -> list[str]:
        return [hands.view.rows[one].title for one in hands.view.order.zones["agent"]]

    hands = Hands(view)
    before = titles(hands)
    hands.press("o", "o")
    assert hands.said == "sorted: latest"
    hands.press("o")
    costs = [hands.view.rows[one].dollars for one in hands.view.order.zones["agent"]]
    assert costs == sorted(costs, reverse=True)
    hands.press("o")
    assert titles(hands) == sorted(before)
    assert titles(hands.press("r")) == sorted(before), "r keeps to it"
    assert titles(hands.press("o")) == before


def test_a_filter_stays_and_narrows_what_is_shown() -> None:
    hands = Hands(board(50)).press("/").write("t:you s:asks").press("KEY_ENTER")
    rows = [item for item in hands.view.body.items if item.is_row]
    assert {hands.view.rows[item.name].word for item in rows} == {"asks"}
    assert "filter: t:you s:asks" in "\n".join(frame(hands.view, *SIZE))
    wrong = Hands(board(5)).press("/").write("t:nobody")
    assert "nobody's turn" in wrong.said


def test_the_palette_shows_the_command_of_each_verb_and_does_it() -> None:
    hands = at("asks").press(":")
    row = hands.view.row
    assert row is not None
    assert any(f"ennio answer {row.id}" in line for line in frame(hands.view, *SIZE))
    hands.write("interrupt").press("KEY_ENTER")
    (act,) = hands.ordered
    assert isinstance(act, Act)
    assert act.path.endswith("/interrupt")
    assert not hands.view.page


def test_the_pane_is_asked_for_when_the_cursor_moves_and_not_otherwise() -> None:
    hands = at("asks").press(" ")
    assert [type(order) for order in hands.ordered] == [LookInto]
    hands.press("n", "]", "KEY_CTRL_F")
    assert [type(order) for order in hands.ordered] == [LookInto] * 3
    assert hands.view.tab == "timeline"


def test_enter_opens_a_terminal_and_unfolds_a_zone() -> None:
    assert [type(order) for order in at("works").press("KEY_ENTER").ordered] == [Attach]
    hands = Hands(replace(board(14), cursor=("head", "agent", ""))).press("KEY_ENTER")
    assert not [item for item in hands.view.body.items if item.is_row and item.zone == "agent"]
    assert not hands.ordered


def test_enter_shows_what_the_chosen_file_changes_and_goes_back_to_it() -> None:
    hands = at("asks").press(" ", "[", "[")
    row = hands.view.row
    assert row is not None
    assert hands.view.tab == "files"
    changed = [{"path": f"src/{one}.py", "added": 1, "removed": 0} for one in ("a", "b", "c")]
    hands.view = Looked(row.id, "files", {"files": changed}).taken(hands.view)
    hands.press("KEY_CTRL_F", "KEY_ENTER")
    assert hands.view.file == "src/b.py"
    assert hands.ordered[-1] == LookInto(row.id, "files")
    patch = "diff --git a/src/b.py b/src/b.py\n@@ -1 +1 @@\n-old\n+\x1b[2Jnew\n"
    told = {"file": {"path": "src/b.py"}, "text": patch, "truncated": False}
    hands.view = Looked(row.id, "hunks", told).taken(hands.view)
    shown_ = "\n".join(frame(hands.view, 160, 45))
    assert "@@ -1 +1 @@" in shown_
    assert "-old" in shown_
    assert "\x1b" not in shown_
    assert "diff --git" not in shown_
    hands.press("KEY_ESCAPE")
    assert (hands.view.file, hands.view.pane_top, hands.view.tab) == ("", 1, "files")
    assert not any(isinstance(order, Attach) for order in hands.ordered)


@pytest.mark.parametrize("size", [SIZE, NARROW], ids=["one line a row", "two lines a row"])
@pytest.mark.parametrize("count", [5, 14])
def test_a_click_selects_the_row_that_stands_there(size: tuple[int, int], count: int) -> None:
    for title in ("Fix the flaky", "Add an export"):
        hands = Hands(board(count), size).click(title)
        row = hands.view.row
        assert row is not None
        assert row.title.startswith(title)
    below = count == 5 or size is NARROW  # what is told below a row is of it
    hands = Hands(board(count), size).click("Fix the flaky", below)
    assert hands.view.row is not None
    assert hands.view.row.title.startswith("Fix the flaky")
    before = hands.view.cursor
    for line in (0, size[1] - 1):  # neither title nor keys are rows
        hands.stroke(Stroke("MOUSE_LEFT", x=20, y=line))
    assert hands.view.cursor == before


def test_a_merge_names_the_conflict_that_is_expected_of_it_before_it_is_done() -> None:
    conflict = {"with": "ma-2ee812ab", "branch": "b", "paths": ["src/auth/login.ts"]}
    told = [session(1, conflicts=[conflict, conflict | {"with": "ma-3ff"}])]
    hands = Hands(board(0, told=told))
    assert "merge: conflict with ma-2ee812ab and 1 more; approved, 9 checks pass" in hands.last
    assert "conflict with ma-2ee8" in next(
        line for line in frame(hands.view, *SIZE) if "Fix the flaky" in line
    )
    hands.press("m")
    assert "A conflict with ma-2ee812ab and 1 more is expected. Merge #41" in hands.last


def test_a_spawn_asks_for_its_project_first() -> None:
    hands = at("works").press("S", "KEY_ENTER")
    assert hands.ordered == [WritePrompt(hands.view.row.project)]  # type: ignore[union-attr]


def test_what_was_refused_is_said_and_changes_nothing() -> None:
    view = board(5)
    act = Act("x", "POST", "/x", None, "ennio pr merge x")
    after = Acted(act, "the checks are red").taken(view)
    assert after.notice is not None
    assert after.notice.text == "not done: the checks are red"
    assert after.rows is view.rows


@pytest.mark.parametrize("key", ["F", "KEY_F5", "%", "9"])
def test_a_key_that_does_nothing_says_so(key: str) -> None:
    hands = at("merge").press(key)
    assert hands.said
    assert not hands.ordered


@pytest.mark.parametrize(
    "verb",
    [one for one in SESSION_VERBS if one.name not in ("open", "take-over")],
    ids=lambda one: one.name,
)
def test_each_verb_is_done_by_its_key_as_the_table_says(verb: SessionVerb) -> None:
    told = session(1, wants=[verb.name], pr_number=7, question=None, options=[])
    hands = Hands(board(0, told=[told])).press(KEYS[verb.name])
    if hands.view.entry is not None:
        hands.write("5").press("KEY_ENTER")
    if hands.view.confirmation is not None:
        assert verb.confirm
        hands.press(hands.view.confirmation.key)
    (act,) = hands.ordered
    assert isinstance(act, Act)
    path = verb.path.removeprefix("/api/v1").format(
        session_id=told["id"], project_id=told["project_id"], number=7
    )
    assert (act.method, act.path) == (verb.method, path)
    assert not verb.takes or verb.takes in (act.body or {})
    assert act.told.startswith("ennio ")
    assert act.once == verb.once


@pytest.mark.parametrize("name", ["open", "take-over"])
def test_who_can_be_opened_is_opened_by_enter(name: str) -> None:
    told = session(1, wants=[name])
    hands = Hands(board(0, told=[told])).press("KEY_ENTER")
    assert hands.ordered == [Attach(told["id"])]


def test_every_key_of_the_help_does_something(monkeypatch: Any) -> None:
    from ennio.board.help_text import SECTIONS
    from ennio.board.keyboard import _PLAIN
    from ennio.board.moving import _OTHERS, _STEPS

    known = {*_PLAIN, *_OTHERS, *_STEPS, *KEYS.values(), "-", "g", "G", "q"}
    told = {key for _, keys in SECTIONS for names, _ in keys for key in names.split()}
    named = {"↑↓", "PgUp", "PgDn", "^u", "^d", "Tab", "Space", "Enter", "Esc", "^b", "^f", "1-9"}
    assert told - named <= known
    missing = {key for key in known if len(key) == 1 and key not in told} - {" ", "⏎"}
    assert not missing


def test_every_key_of_the_help_is_documented() -> None:
    from ennio.board.help_text import SECTIONS

    page = (Path(__file__).parents[2] / "docs" / "board.md").read_text(encoding="utf-8")
    keys = {key for _, rows in SECTIONS for names, _ in rows for key in names.split()}
    parts = {"↑↓": ("↑", "↓"), "1-9": ("1", "9")}
    each = {part for key in keys for part in parts.get(key, (key,))}
    assert not {key for key in each if f"`{key}`" not in page}
