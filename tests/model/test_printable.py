"""What words from elsewhere look like in a terminal or a log."""

from __future__ import annotations

import io
import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from ennio.board.style import Style, shown
from ennio.logs import Guarded, Redactor
from ennio.model.printable import json_text, one_line, printable

ANY = st.text(st.characters(codec=None))
BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def steers(text: str) -> bool:
    return any(
        (unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t")
        or unicodedata.bidirectional(c) in BIDI
        for c in text
    )


def test_an_escape_sequence_is_shown_and_not_obeyed() -> None:
    assert printable("a\x1b]0;PWN\x07b\x9b2J\x7f") == "a\\x1b]0;PWN\\x07b\\x9b2J\\x7f"
    assert printable("invoice\u202efdp.exe \U000e0041") == "invoice\\u202efdp.exe \\U000e0041"


def test_letters_of_any_script_tabs_and_newlines_stay() -> None:
    for text in ("日本語\tпривет\nمرحبا", "👩‍💻 é ", "\ue0b0 powerline", "a\u00a0b"):
        assert printable(text) == text
    assert printable("one\r\ntwo\rthree") == "one\ntwo\\rthree".replace("\\r", "\\x0d")
    assert one_line("one\r\ntwo\tthree\rfour") == "one two three four"


@given(ANY)
def test_nothing_that_steers_is_left_and_twice_is_once(text: str) -> None:
    clean = printable(text)
    assert not steers(clean)
    assert printable(clean) == clean
    assert "\n" not in one_line(text)


@given(
    st.recursive(
        ANY | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(ANY, inner)
    ),
    st.none() | st.just(2),
)
def test_json_says_what_it_said_and_steers_nothing(value: object, indent: int | None) -> None:
    text = json_text(json.dumps(value, ensure_ascii=False, indent=indent))
    assert json.loads(text) == value
    assert not steers(text)


def test_colours_of_our_own_stay_and_planted_ones_do_not() -> None:
    style = Style(on=True)
    assert (
        shown(style.paint("red", "bad \x1b[31m\x1b[0m")) == "\x1b[31mbad \\x1b[31m\\x1b[0m\x1b[0m"
    )
    assert shown(Style().paint("red", "plain")) == "plain"


def test_the_supervisor_s_log_steers_no_terminal() -> None:
    stream = io.StringIO()
    Guarded(stream, Redactor()).write("the agent said \x1b]52;c;UFdO\x07\n")
    assert stream.getvalue() == "the agent said \\x1b]52;c;UFdO\\x07\n"
