"""The tests hold on a machine that does much else."""

from __future__ import annotations

from hypothesis import settings


def test_no_example_fails_for_how_long_it_took() -> None:
    assert settings().deadline is None
