"""Properties are tried with all their examples where it counts."""

from __future__ import annotations

import pytest
from hypothesis import settings

from tests.properties import examples


@pytest.mark.parametrize(
    ("ci", "tried"), [("true", [3, 40, 100, 300]), ("", [3, 10, 20, 60]), (None, [3, 10, 20, 60])]
)
def test_ci_tries_all_examples_and_others_a_fifth(
    ci: str | None, tried: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    if ci is not None:
        monkeypatch.setenv("CI", ci)
    assert [examples(wanted) for wanted in (3, 40, 100, 300)] == tried


def test_a_property_that_names_no_number_has_a_hundred_in_ci() -> None:
    assert settings().max_examples == examples(100)
