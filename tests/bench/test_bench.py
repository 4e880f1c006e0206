"""``bin/bench`` measures what it is asked for, and tells it in the shape that is promised; how fast anything is is no matter of tests."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.bench.__main__ import GROUPS
from tests.bench.figure import Figure, Wanted
from tests.bench.table import table
from tests.conftest import need

BENCH = Path(__file__).parents[2] / "bin" / "bench"
KEYS = {"value", "unit", "baseline", "ratio", "wanted", "ok"}


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    need("git")
    return subprocess.run([str(BENCH), *words], capture_output=True, text=True, timeout=240, check=False)


def test_figures_come_as_json_and_progress_beside_them() -> None:
    done = bench("--quick", "--json", "--only", "transitions", "--only", "requests.10")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert set(figures) == {"transitions", "requests.10"}
    assert all(set(figure) == KEYS for figure in figures.values())
    transitions = figures["transitions"]
    assert transitions["wanted"] == "≥ 0.4×"
    assert transitions["ratio"] == pytest.approx(transitions["value"] / transitions["baseline"], rel=0.01)
    assert transitions["ok"] is (transitions["ratio"] >= 0.4)
    assert "transitions ..." in done.stderr


def test_what_is_no_figure_is_refused_with_those_there_are() -> None:
    done = bench("--only", "speed")
    assert done.returncode == 2
    assert "there is no figure speed" in done.stderr
    assert "spawn.100" in done.stderr


def test_every_name_is_there_once() -> None:
    names = [name for group in GROUPS for name in group.names]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        (Figure("a", 3.0, "s", 2.0, Wanted("ratio", 1.5)), "ok"),
        (Figure("a", 6.0, "s", 2.0, Wanted("ratio", 1.5)), "falls short by 2×"),
        (Figure("a", 2.0, "per second", 10.0, Wanted("ratio", 0.4, most=False)), "falls short by 2×"),
        (Figure("a", 1.0, "bytes", None, Wanted("value", 0.0)), "falls short"),
        (Figure("a", 0.0, "bytes", None, Wanted("value", 0.0)), "ok"),
        (Figure("a", 1.0, "s", 2.0), "0.50×"),
    ],
)
def test_the_table_says_what_falls_short_and_by_how_much(figure: Figure, verdict: str) -> None:
    assert table([figure]).splitlines()[1].endswith(verdict)
