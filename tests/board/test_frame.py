"""The board's picture: as large as the terminal, and as it was looked at and found good."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ennio.board.frame import frame
from ennio.board.heading import header
from ennio.board.news import Happened, Headed, Looked
from ennio.board.row import Row
from ennio.board.style import Style, bare, shown
from ennio.board.table import cells
from ennio.board.view import PAGES, TABS, BoardView
from tests.board.stand_ins import board, event, peeked, session, sessions
from tests.properties import examples

GOLDEN = Path(__file__).parent / "golden"
SIZES = ((59, 20), (80, 24), (160, 45))
KEPT = (
    (80, 24, 50, "plain", "live", False),
    (80, 24, 5, "ascii", "live", False),
    (80, 24, 0, "plain", "live", False),
    (80, 24, 50, "plain", "lost", False),
    (80, 24, 50, "plain", "error", True),
    (80, 24, 500, "colour", "live", False),
    (59, 20, 5, "plain", "live", False),
    (160, 45, 50, "plain", "live", True),
    (160, 45, 500, "ascii", "lost", True),
)
"""Of all frames those that are kept as files; ENNIO_GOLDEN=1 writes them anew."""


def as_large(lines: list[str], width: int, height: int) -> bool:
    return len(lines) == height and all(cells(bare(line)) <= width for line in lines)


@pytest.mark.parametrize(("width", "height", "count", "look", "link", "pane"), KEPT)
def test_a_frame_is_as_it_was_looked_at_and_found_good(
    width: int, height: int, count: int, look: str, link: str, pane: bool, monkeypatch: Any
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    view = board(count, look=look, link=link)
    view = peeked(view) if pane else view
    drawn = "\n".join(shown(line) for line in frame(view, width, height)) + "\n"
    file = GOLDEN / f"{width}x{height}-{count}-{look}-{link}{'-pane' * pane}.txt"
    if os.environ.get("ENNIO_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(drawn, encoding="utf-8")
    assert drawn == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("count", [0, 5, 50, 500])
@pytest.mark.parametrize("look", ["colour", "plain", "ascii"])
@pytest.mark.parametrize("link", ["live", "lost", "error"])
def test_every_frame_is_exactly_as_large_as_the_terminal(
    size: tuple[int, int], count: int, look: str, link: str
) -> None:
    view = board(count, look=look, link=link)
    views = [view, *([peeked(view)] if count else [])]
    for each in views:
        assert as_large(frame(each, *size), *size)
        drawn = "".join(shown(line) for line in frame(each, *size))
        assert ("\x1b" in drawn) == (look == "colour")
        # what an agent wrote on its screen keeps its letters
        assert look != "ascii" or each.tab or drawn.isascii()


HOSTILE = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.sampled_from(
            "日本語العربيةעברית👩\u200d💻🏳\ufe0f\u200d🌈\u0308\x1b[31m\x07\r\n\t\u202eabc"
        ),
    ),
    max_size=120,
)


@settings(max_examples=examples(120), deadline=None)
@given(
    st.integers(0, 200),
    st.integers(0, 60),
    st.lists(HOSTILE, min_size=4, max_size=4),
    st.sampled_from(["", *TABS]),
    st.sampled_from(["", *PAGES]),
    st.sampled_from(["live", "lost", "error"]),
)
def test_no_words_make_a_frame_wider_or_longer_than_the_terminal(
    width: int, height: int, words: list[str], tab: str, page: str, link: str
) -> None:
    title, why, question, project = words
    told = [
        session(
            number, title=title, turn_why=why, question=question, options=[why], project_id=project
        )
        for number in range(3)
    ]
    view = peeked(board(0, told=told, look="colour", link=link))
    drawn = frame(replace(view, tab=tab, page=page, page_lines=(why,)), width, height)
    assert as_large(drawn, width, height)
    assert not any("\x1b" in line or "\n" in line or "\r" in line for line in map(bare, drawn))


def text_of(view: BoardView, width: int = 80, height: int = 24) -> str:
    return "\n".join(map(bare, frame(view, width, height)))


def test_each_state_is_told_by_a_word_and_a_mark_and_never_by_colour_alone() -> None:
    assert [bare(line) for line in frame(board(7, look="colour"), 80, 24)] == frame(
        board(7, look="plain"), 80, 24
    )


def test_a_lost_connection_is_counted_and_takes_the_actions_away() -> None:
    text = text_of(board(5, look="plain", link="lost"))
    assert "○ lost 12 s" in text
    assert "not up to date, trying again in 2 s" in text
    assert "nothing can be done while the supervisor does not answer" in text
    assert "m merge" not in text


def test_few_sessions_show_their_evidence_and_many_are_folded() -> None:
    assert "           Run npm install? 1 yes  2 yes, always  3 no" in text_of(board(5))
    many = text_of(board(500), 80, 200)
    assert "> api" in many or "  api" in many
    assert "OVER > folded" in many


def test_the_output_of_a_terminal_keeps_its_colours_and_nothing_else_that_steers() -> None:
    view = peeked(board(3, look="colour"))
    row = view.row
    assert row is not None
    runs = [
        {"t": "plain "},
        {"t": "green\x1b[2J", "f": 2, "s": "b"},
        {"t": " exact", "f": "#0f0f0f", "b": 200},
        {"t": "x" * 300, "f": 9},
    ]
    view = Looked(row.id, "screen", {"lines": [runs, [{"t": "   "}]]}).taken(view)
    drawn = [shown(line) for line in frame(replace(view, tab="output"), 160, 45)]
    line = next(one for one in drawn if "plain" in one)
    assert "\x1b[1;32mgreen\\x1b[2J\x1b[0m" in line
    assert "exact" in line
    assert "38;2" not in line, "it has sixteen colours"
    assert "\x1b[91mxxx" in line
    assert as_large(frame(replace(view, tab="output"), 160, 45), 160, 45)
    many = replace(view, tab="output", style=Style(True, "dark"))
    exact = next(shown(one) for one in frame(many, 160, 45) if "exact" in one)
    assert "\x1b[38;2;15;15;15;48;5;200m exact" in exact
    plain = replace(view, tab="output", style=Style(False))
    assert not any("\x1b" in one for one in frame(plain, 160, 45))


def test_the_queue_and_the_fullest_window_of_a_plan_stand_above_the_rows() -> None:
    window = {"name": "weekly", "used_percent": 62.0, "resets_at": "2026-01-02T09:00:00+00:00"}
    told = [*sessions(6), session(6, windows=[window, {**window, "used_percent": 12.0}])]
    text = text_of(board(0, told=told), 160, 30)
    assert "queue 1 (1 held)" in text
    assert "claude-code weekly 62% used, resets" in text.splitlines()[0]
    assert "queue" not in text_of(board(3), 160, 30).splitlines()[1]


def test_the_pane_says_with_whom_a_branch_will_not_merge() -> None:
    conflict = {"with": "ma-2ee8", "branch": "b", "paths": ["src/auth/login.ts"], "since": None}
    view = peeked(board(0, told=[session(0, conflicts=[conflict])]))
    assert "a conflict is expected with ma-2ee8" in text_of(view, 160, 45)
    assert "src/auth/login.ts" in text_of(view, 160, 45)


def test_what_room_there_is_shows_the_reason_before_an_empty_title() -> None:
    why = "the migration 0042 fails on a copy of the database: " + "column total has nulls " * 2
    text = text_of(board(0, told=[session(1, turn_why=why.strip())]), 230, 24)
    assert why.strip() in text.splitlines()[4]


@pytest.mark.parametrize(("width", "height"), [(59, 20), (80, 24), (160, 45)])
def test_what_a_session_that_is_over_has_cost_is_told_once(width: int, height: int) -> None:
    cost = {"amount": "0.31", "source": "provider", "billing": "metered"}
    over = session(1, turn="over", word="merged", turn_why="merged by a person", cost=cost)
    drawn = text_of(board(0, told=[over]), width, height)
    assert drawn.count("$0.31") == 1
    assert width < 160 or "merged by a person" in drawn


def test_without_sessions_it_says_how_to_begin() -> None:
    text = text_of(board(0))
    assert "No sessions yet." in text
    assert "ennio demo" in text


def test_what_gives_no_signal_says_so_and_since_when() -> None:
    drawn = text_of(board(5, look="plain"), 160, 24)
    assert "►?works" in drawn
    assert "silent 4m" in drawn


@pytest.mark.parametrize(
    ("told", "shown_as"),
    [
        ({"amount": "0.84", "source": "provider", "billing": "metered"}, "$0.84"),
        ({"amount": "0.84", "source": "local", "billing": "metered"}, "~$0.84"),
        ({"amount": "3.00", "source": "local", "billing": "plan"}, "plan"),
        ({"amount": None, "source": "local", "billing": "metered"}, "?"),
        ({"amount": "NaN", "source": "local", "billing": "metered"}, "?"),
        (None, ""),
    ],
)
def test_money_says_whether_it_is_billed_estimated_or_unknown(told: Any, shown_as: str) -> None:
    assert Row.of(session(0, cost=told)).cost == shown_as


def test_ids_are_as_short_as_they_are_still_one() -> None:
    view = board(
        0, told=[session(n, id=one) for n, one in enumerate(("ma-1234567a", "ma-1234567b"))]
    )
    assert set(view.body.short.values()) == {"ma-1234567a", "ma-1234567b"}
    assert all(len(one) == 7 for one in board(3).body.short.values())


@pytest.mark.parametrize("width", [59, 80, 120, 200])
@pytest.mark.parametrize("number", [7, 412, 4001, 123456])
def test_the_number_of_a_pull_request_is_never_cut(number: int, width: int) -> None:
    told = [session(0, pr_number=number), session(1, pr_number=3)]
    assert f"#{number} " in text_of(board(0, told=told), width=width)


@pytest.mark.parametrize("tab", ["", "why"])
def test_a_key_is_offered_once(tab: str) -> None:
    view = replace(board(0, told=[session(0, word="ended", wants=["restore", "kill"])]), tab=tab)
    for width in (80, 200, 400):
        keys = [hint.split()[0] for hint in bare(frame(view, width, 40)[-1]).split("  ") if hint]
        assert len(keys) == len(set(keys)), keys


def test_budgets_are_told_to_the_cent_and_the_most_used_first() -> None:
    each = {"name": "session:each:total", "limit": "5", "used": None, "percent_used": None}
    little = {"name": "global:daily", "limit": "20.5", "used": "0.2123", "percent_used": 1.04}
    much = {"name": "session:ma-12345678:total", "limit": "5", "used": "6.5", "percent_used": 130}
    view = Headed(header({}, [each, little, much])).taken(replace(board(3), page="spend"))
    names = [much["name"], little["name"], each["name"]]
    lines = [line.split() for line in text_of(view, 80, 24).splitlines()]
    told = {words[0]: " ".join(words[1:]) for words in lines if words and words[0] in names}
    assert list(told) == names
    assert told[much["name"]].startswith("$6.50 of $5.00 [")
    assert told[little["name"]].startswith("$0.21 of $20.50 [")
    assert told[each["name"]] == "$5.00", "nobody has used of what is for each"


def test_machines_are_named_where_some_session_is_on_another() -> None:
    here, there = session(0), session(1, host="me@build.example.com")
    shown = text_of(board(0, told=[here, there]), width=150)
    assert "HOST" in shown
    assert "me@build.exam" in shown
    assert "HOST" not in text_of(board(0, told=[here]), width=150), (
        "one machine is not worth a column"
    )


def test_a_row_is_drawn_again_only_when_something_of_it_is_different() -> None:
    from ennio.board import columns

    view = board(50)
    frame(view, 80, 24)
    before = columns.row_lines.cache_info().misses
    frame(view, 80, 24)
    assert columns.row_lines.cache_info().misses == before
    assert len(sessions(50)) == 50


def test_the_pane_says_that_a_session_is_in_a_sandbox_and_by_what_it_is_shared() -> None:
    apart = {"isolation": "bubblewrap", "shared_by": "remote_control"}
    for around in (apart, {}):
        view = board(1, look="plain", told=[session(0, **around)])
        drawn = "\n".join(bare(line) for line in frame(peeked(view), 160, 45))
        assert ("kept in a sandbox (bubblewrap)" in drawn) == bool(around)
        assert ("is shared by remote control" in drawn) == bool(around)


MIB = 1 << 20
STRANGERS = {
    "a long line": "x" * MIB,
    "wide letters": "語" * (MIB // 3),
    "words": "word " * (MIB // 5),
    "lines": "a line\n" * (MIB // 7),
    "nothing but breaks": "\n" * MIB,
    "escapes": "\x1b]0;pwned\x07\x1b[2J\x1b[31mred\x1b[?1049l" * (MIB // 32),
    "marks on one letter": "a" + "\u0308" * (MIB // 2),
    "markup": "<script>window.hit=1</script>" * (MIB // 29),
}
MOST = 8.0
"""Seconds of the processor for all frames of a stranger's words; it takes one or less."""


@pytest.mark.parametrize("what", STRANGERS)
def test_a_megabyte_of_a_strangers_words_is_drawn_at_once_and_cut_with_a_mark(what: str) -> None:
    said = STRANGERS[what]
    fields = ("title", "turn_why", "question", "branch", "agent_name", "detail", "host")
    told = session(
        0,
        **dict.fromkeys(fields, said),
        options=[said, said],
        pr_number=7,
        conflicts=[{"with": said, "branch": said, "paths": [said], "since": None}],
    )
    begun = time.process_time()
    view = peeked(board(0, told=[told, session(1)], look="colour"))
    view = Happened((event(1, view.peek.id, said),)).taken(view)
    fact = {"what": said, "source": said, "at": None}
    evidence = {"at": None, "status": "working", "rule": said, "facts": [fact]}
    letter = {"text": said, "state": "queued", "origin": "person", "detail": said}
    changed = {"path": said, "status": "modified", "added": 1, "removed": 1}
    check = {"name": said, "state": "failing", "log_tail": said}
    comment = {"path": said, "line": 1, "author": said, "body": said}
    pull = {"number": 7, "title": said, "state": said, "mergeability": said, "review": said}
    for tab, news in (
        ("evidence", [evidence]),
        ("messages", [letter | {"created_at": None}]),
        ("output", said),
        ("screen", {"lines": [[{"t": said, "s": "b"}]] * 50}),
        ("files", {"files": [changed]}),
        ("hunks", {"file": changed, "text": f"@@ -1 +1 @@\n+{said}"}),
        ("pr", pull | {"check_runs": [check], "comments": [comment]}),
    ):
        view = Looked(view.peek.id, tab, news).taken(view)
    shows = [replace(view, tab=tab) for tab in ("", *TABS)]
    shows += [replace(view, tab="files", file=said)]
    shows += [replace(view, page=page, page_lines=(said,)) for page in PAGES]
    for each in shows:
        lines = frame(each, 160, 45)
        assert as_large(lines, 160, 45)
        drawn = "".join(map(bare, lines))
        assert not any(one in drawn for one in "\x1b\x07\n\r"), each.tab
    assert time.process_time() - begun < MOST
    assert what == "nothing but breaks" or "…" in text_of(shows[1], 160, 45)
