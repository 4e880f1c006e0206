"""What happened to users of tools of this kind and must never happen here: every one of them has a
test that is named after it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture import nodes

TESTS = Path(__file__).parent
COUNT = 52
MISSING: dict[int, str] = {}
"""Those without a test, and what they wait for."""
PARTLY: dict[int, str] = {}
"""Those whose tests say a part of it, and what is still to be said."""

_NAME = re.compile(r"test_incident((?:_\d\d)+)_\w")


def numbers_of(source: str) -> Iterator[int]:
    """The numbers that the names of a file's tests bear."""
    for node in nodes(source):
        if isinstance(node, ast.FunctionDef) and (found := _NAME.match(node.name)):
            yield from map(int, found[1].strip("_").split("_"))


def test_every_incident_has_its_test_or_is_named_as_missing() -> None:
    found = {
        number
        for file in TESTS.rglob("test_*.py")
        if "_incident_" in (text := file.read_text())
        for number in numbers_of(text)
    }
    assert found | MISSING.keys() == set(range(1, COUNT + 1))
    assert not found & MISSING.keys(), "an excuse that is not needed any more"
    assert found >= PARTLY.keys()


@pytest.mark.parametrize(
    ("source", "numbers"),
    [("def test_incident_01_09_x(): ...", [1, 9]), ("def test_an_incident_07_x(): ...", [])],
)
def test_a_test_bears_its_numbers_in_front(source: str, numbers: list[int]) -> None:
    assert list(numbers_of(source)) == numbers
