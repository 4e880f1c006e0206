"""What a person types for an id becomes one part of an address, or none."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ennio.cli.context import path
from ennio.model.errors import Invalid, NotFound


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=8))
def test_an_id_is_one_part_of_a_path_or_is_refused(word: str) -> None:
    if word in ("", ".", "..") or "/" in word:
        with pytest.raises((Invalid, NotFound)):
            path("/sessions/{}/output", word)
        return
    assert [unquote(part) for part in path("/sessions/{}/output", word).split("/")] == [
        "",
        "sessions",
        word,
        "output",
    ]
    assert not {"?", "#"} & set(path("/sessions/{}", word))


def test_an_id_with_slashes_is_not_found() -> None:
    with pytest.raises(NotFound, match=r"nothing called '\.\./\.\./etc'"):
        path("/sessions/{}", "../../etc")
