"""One is one, and all else is several."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import ennio
from ennio.model.plural import number_of


@pytest.mark.parametrize(
    ("many", "told"), [(0, "0 paths"), (1, "1 path"), (2, "2 paths"), (21, "21 paths")]
)
def test_a_number_is_told_with_its_noun_in_the_right_form(many: int, told: str) -> None:
    assert number_of(many, "uncommitted path") == told.replace(" path", " uncommitted path")


def test_a_noun_that_is_not_formed_with_an_s_is_given() -> None:
    assert [number_of(many, "branch", "branches") for many in (1, 2)] == ["1 branch", "2 branches"]


def test_nobody_forms_a_plural_by_hand() -> None:
    """By hand one place forgets it: ``1 uncommitted paths``."""
    by_hand = re.compile(r"""\{(?:'e?s'|"e?s") ?(?:\*|if )|\{'' if [^}]+ else 'e?s'""")
    folder = Path(ennio.__file__).parent
    found = [
        f"{file.relative_to(folder)}: {line.strip()}"
        for file in folder.rglob("*.py")
        for line in file.read_text().splitlines()
        if by_hand.search(line)
    ]
    assert found == []
