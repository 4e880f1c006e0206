"""codex itself, through a whole day of work."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.agents.bench import bench, codex_home, installed, play
from tests.agents.books import CODEX, PRICES
from tests.agents.codex_scenes import SCENES
from tests.agents.day import Manners, day
from tests.agents.scenes import refuses

CONFIG = {"permissions": "on-request", "passthrough": {"sandbox": "read-only"}}
MANNERS = Manners(
    choices=r"3\. No",
    answered=refuses,
    leaves="/quit",
    gives_up=429,
    work=":run sleep 1\n",
)


def test_a_day_of_codex_is_told_as_it_is(tmp_path: Path) -> None:
    place = installed("codex")
    with bench(tmp_path, place, "codex", CONFIG, codex_home, prices=PRICES) as at:
        day(at, MANNERS, CODEX, SCENES)


@pytest.mark.scenes
def test_what_persons_change_in_codex_is_told_as_it_is(tmp_path: Path) -> None:
    with bench(tmp_path, installed("codex"), "codex", CONFIG, codex_home) as at:
        play(at, SCENES)
