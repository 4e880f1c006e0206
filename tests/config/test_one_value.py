"""One value of a file, found without reading it: the same that reading it finds, or none."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ennio.config.one_value import top_level_text

WORD = "a-token-of-20-letters"
ENVIRON = {"TOKEN": "from-the-environment"}


def found(text: str) -> str | None:
    return top_level_text(text.encode("utf-8", "surrogatepass"), "api_token", ENVIRON)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (WORD, WORD),
        (f'"{WORD}"', WORD),
        (f"'{WORD}'", WORD),
        (f"{WORD}  # mine", WORD),
        ("${TOKEN}", "from-the-environment"),
        ('"x${TOKEN}"', "xfrom-the-environment"),
    ],
)
@pytest.mark.parametrize("after", ["", "\n", "\nprojects: []\n", "\n\n# a comment\nport: 1\n"])
@pytest.mark.parametrize("before", ["", "projects:\n  - name: x\n"])
def test_a_plain_value_is_found(written: str, value: str, before: str, after: str) -> None:
    assert found(f"{before}api_token: {written}{after}") == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"api_tokens: {WORD}",
        f"{{api_token: {WORD}}}",
        f"a: 1\napi_token: {WORD}\n  and-more",
        f"api_token: {WORD}\napi_token: {WORD}x",
        f'"api_token": {WORD}x\napi_token: {WORD}',
        "api_token: |\n  " + WORD,
        f"api_token: &anchor {WORD}",
        f"api_token: !!str {WORD}",
        "api_token: 123456789012345678",
        "api_token: true",
        r'api_token: "\x41-token-of-20-letters"',
        "api_token: ${NOBODY_SET_THIS}",
        f"projects:\n  api_token: {WORD}",
    ],
)
def test_what_may_be_something_else_is_left_to_who_reads_the_file(text: str) -> None:
    assert found(text) is None


@given(st.text(max_size=40), st.sampled_from(["'", '"', None, "|", ">"]))
def test_whatever_text_is_written_in_whatever_style_it_is_that_or_none(
    text: str, style: str | None
) -> None:
    document = {"before": text, "api_token": text, "later": {"api_token": text}}
    written = yaml.safe_dump(document, default_style=style, allow_unicode=True, sort_keys=False)
    read = yaml.safe_load(written)["api_token"]
    if "${" not in text:
        assert found(written) in (read, None)
