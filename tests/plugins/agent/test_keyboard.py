"""Bytes of a terminal as what is meant by them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ennio.plugins.agent.scripted.keyboard import Keyboard

PASTE = "\x1b[200~{}\x1b[201~"


def typed(*chunks: str | bytes) -> list[tuple[str, str]]:
    keyboard = Keyboard()
    return [
        done
        for chunk in chunks
        for done in keyboard.feed(chunk.encode() if isinstance(chunk, str) else chunk)
    ]


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        (("hello\r",), [("text", "hello")]),
        (("hel", "lo", "\n"), [("text", "hello")]),
        (("\r\r  \r",), []),
        (("wrong\x15right\r",), [("text", "right")]),
        (("Züri\x7fch\r",), [("text", "Zürch")]),
        (("half\x03",), [("interrupt", "")]),
        (("\x1bx\r",), [("interrupt", ""), ("text", "x")]),
        (("a\x1b[Ab\x1bOP\x1b[1;5Cc\r",), [("text", "abc")]),
        (("\x04",), [("leave", "")]),
        (("a\x04\r",), [("text", "a")]),
        ((b"\xff\xfe\r",), [("text", "��")]),
    ],
)
def test_keys_mean_what_they_do(
    chunks: tuple[str | bytes, ...], expected: list[tuple[str, str]]
) -> None:
    assert typed(*chunks) == expected


def test_incident_26_a_paste_of_many_lines_is_one_prompt() -> None:
    assert typed(PASTE.format("one\rtwo\r\nthree\n\x03\x15\x04"), "\r") == [
        ("text", "one\ntwo\nthree\n\x03\x15\x04")
    ]


def test_pastes_and_keys_make_one_line() -> None:
    assert typed("fix ", PASTE.format("a\nb"), " now\r") == [("text", "fix a\nb now")]


def test_incident_30_what_was_typed_before_can_be_cleared() -> None:
    assert typed(PASTE.format("old\nwords"), "\x15", PASTE.format("new"), "\r") == [("text", "new")]


def test_a_lone_escape_waits_for_what_may_follow() -> None:
    keyboard = Keyboard()
    assert keyboard.feed(b"\x1b") == []
    assert keyboard.is_waiting
    assert keyboard.settle() == [("interrupt", "")]
    assert not keyboard.is_waiting


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\x1b"), min_size=1),
    st.lists(st.integers(1, 7)),
)
def test_a_paste_arrives_whole_however_it_is_cut(text: str, cuts: list[int]) -> None:
    data = PASTE.format(text).encode()
    chunks: list[bytes] = []
    for cut in cuts:
        chunks.append(data[:cut])
        data = data[cut:]
    expected = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    assert typed(*chunks, data, "\r") == ([("text", expected)] if expected else [])


@given(st.lists(st.binary()))
def test_no_bytes_whatever_break_it(chunks: list[bytes]) -> None:
    assert all(what in ("text", "interrupt", "leave") for what, _ in typed(*chunks))
