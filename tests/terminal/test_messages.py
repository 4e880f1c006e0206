"""What clients of a terminal may say: read without a fall, whatever it is."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ennio.http.send_window import CREDIT, SendWindow, TokenBucket
from ennio.http.styled_runs import runs_of
from ennio.http.terminal_messages import (
    Ack,
    ControlWord,
    Hello,
    Hold,
    TerminalMode,
    Typed,
    WantedSize,
    parse,
)
from ennio.model.errors import Invalid

JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
    max_leaves=8,
)
KINDS = ("hello", "ack", "size", "key", "paste", "control", "hold")
FIELDS = ("mode", "stream", "offset", "cols", "rows", "data", "binary", "id", "control", "on")


@given(some.text() | some.binary())
def test_anything_at_all_is_read_or_refused(message: str | bytes) -> None:
    with suppress(Invalid):
        parse(message)


@given(some.sampled_from(KINDS), some.dictionaries(some.sampled_from(FIELDS), JSON))
def test_any_fields_of_a_message_are_read_or_refused(kind: str, fields: dict[str, object]) -> None:
    with suppress(Invalid):
        parse(json.dumps({**fields, "type": kind}))


def test_each_kind_is_read_as_it_is_documented() -> None:
    assert parse('{"type":"hello"}') == Hello()
    assert parse(
        '{"type":"hello","mode":"screen","stream":"ab","offset":5,"control":"x"}'
    ) == Hello(TerminalMode.SCREEN, "ab", 5, "x")
    assert parse('{"type":"ack","offset":9}') == Ack(9)
    assert parse('{"type":"size","cols":80,"rows":24}') == WantedSize(80, 24)
    assert parse('{"type":"key","data":"é","id":1}') == Typed("é".encode(), False, 1)
    assert parse('{"type":"key","data":"\\u00ff","binary":true}') == Typed(b"\xff", False)
    assert parse('{"type":"paste","data":"a\\nb"}') == Typed(b"a\nb", True)
    assert parse('{"type":"control","give":true}') == ControlWord(give=True)
    assert parse('{"type":"hold","on":true}') == Hold(True)


@given(some.lists(some.text(alphabet="ab\x1b[;m0134789\x07]\x9b\u202e"), max_size=5))
def test_whatever_a_terminal_shows_its_runs_hold_letters_alone(lines: list[str]) -> None:
    shown = runs_of(lines)
    assert len(shown) == len(lines)
    for run in (run for runs in shown for run in runs):
        assert "\x1b" not in run["t"]
        assert "\x9b" not in run["t"]
        assert set(run) <= {"t", "f", "b", "s"}


def test_colours_and_marks_are_told_and_last_from_line_to_line() -> None:
    lines = ["a\x1b[1;31mb", "c\x1b[0md\x1b[38;5;200me\x1b[48;2;1;2;3mf\x1b[m\x1b[7;4mg"]
    bold = {"f": 1, "s": "b"}
    assert runs_of(lines) == [
        [{"t": "a"}, {"t": "b", **bold}],
        [
            {"t": "c", **bold},
            {"t": "d"},
            {"t": "e", "f": 200},
            {"t": "f", "f": 200, "b": "#010203"},
            {"t": "g", "s": "ru"},
        ],
    ]


def test_no_more_is_on_its_way_than_was_granted() -> None:
    window = SendWindow()
    window.begin(100, 1000)
    window.sent = 100 + CREDIT - 1000
    assert not window.free
    with pytest.raises(Invalid, match="never sent"):
        window.ack(10**9)
    window.ack(100)
    assert window.free, "the picture was taken"
    window.sent = 100 + CREDIT
    assert not window.wait(0.01)
    window.ack(200)
    assert window.wait(0.01)


def test_who_talks_faster_than_may_be_runs_dry_and_recovers() -> None:
    bucket = TokenBucket(10, 20, 0.0)
    assert all(bucket.take(0.0) for _ in range(20))
    assert not bucket.take(0.0)
    assert bucket.take(1.0)
