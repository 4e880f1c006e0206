"""codex itself, through a whole day of work."""

from __future__ import annotations

from pathlib import Path

from tests.agents.bench import bench, codex_home, installed, play
from tests.agents.codex_scenes import SCENES
from tests.agents.day import Manners, day

CONFIG = {"permissions": "on-request", "passthrough": {"sandbox": "read-only"}}
MANNERS = Manners(choices=r"3\. No", leaves="/quit", gives_up=429, work=":run sleep 1\n")


def test_a_day_of_codex_is_told_as_it_is(tmp_path: Path) -> None:
    with bench(tmp_path, installed("codex"), "codex", CONFIG, codex_home) as at:
        day(at, MANNERS)


def test_what_persons_change_in_codex_is_told_as_it_is(tmp_path: Path) -> None:
    with bench(tmp_path, installed("codex"), "codex", CONFIG, codex_home) as at:
        play(at, SCENES)
