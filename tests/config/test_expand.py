"""Variables in values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ennio.config.expand import escaped, expand

ENVIRON = {"NAME": "value", "EMPTY": "", "MONEY": "${NAME}"}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("${NAME}", "value"),
        ("a-${NAME}-${NAME}", "a-value-value"),
        ("${EMPTY}", ""),
        ("${GONE:-other}", "other"),
        ("${EMPTY:-other}", "other"),
        ("${NAME:-other}", "value"),
        ("${GONE:-}", ""),
        ("$${NAME}", "${NAME}"),
        ("$NAME and $$ and {NAME}", "$NAME and $$ and {NAME}"),
        ("${MONEY}", "${NAME}"),
    ],
)
def test_variables_are_put_in(written: str, meant: str) -> None:
    assert expand(written, ENVIRON).text == meant
    assert expand(written, ENVIRON).faults == ()


@pytest.mark.parametrize(
    "written", ["${GONE}", "${}", "${NAME", "${1X}", "${#list}", "${NAME:-${OTHER}}", "${NAME:?}"]
)
def test_what_cannot_be_expanded_is_a_fault(written: str) -> None:
    assert expand(written, ENVIRON).faults


def test_a_missing_variable_is_named_with_the_way_out() -> None:
    (fault,) = expand("x${GONE}", ENVIRON).faults
    assert "GONE" in fault
    assert "export GONE" in fault


@given(st.text())
def test_an_escaped_text_expands_to_itself(text: str) -> None:
    if not any("\ud800" <= letter <= "\udfff" for letter in text):
        assert expand(escaped(text), {}).text == text


@given(st.text(), st.dictionaries(st.text(min_size=1), st.text()))
def test_without_a_brace_nothing_changes(text: str, environ: dict[str, str]) -> None:
    plain = text.replace("${", "")
    if "${" not in plain:
        assert expand(plain, environ).text == plain
