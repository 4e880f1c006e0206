"""Incident 35: while nothing happens, nothing is written and nothing is started."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ennio.actors.exchange import AGENTS, forge_name, runtime_name
from ennio.pulls import CheckState
from tests.actors.ground import Play, Stage
from tests.conftest import eventually

SOURCES = (runtime_name("stub"), AGENTS, forge_name("play"))


def _written(stage: Stage) -> int:
    """Rows written by the one connection there is, since it was opened."""
    return int(stage.parts.store._connection.sql("select total_changes()").fetchone()[0])


def _twenty_ticks(stage: Stage) -> None:
    before = {name: stage.house.pulses()[name].looks for name in SOURCES}
    eventually(lambda: all(stage.house.pulses()[name].looks >= before[name] + 20 for name in SOURCES), within=60)
    stage.quiet()


@pytest.mark.parametrize("output", [False, True], ids=["silent", "with a clock on the screen"])
def test_incident_35_fifty_idle_sessions_write_nothing_in_twenty_ticks(
    play: Play, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, output: bool
) -> None:
    with play.opened() as stage:
        ids = [stage.working(f"number {n}") for n in range(50)]
        for session_id in ids[:10]:
            stage.scm.checks(stage.pull(session_id), CheckState.PASSING)
        for session_id in ids[10:]:
            stage.rests(session_id)
        stage.look()
        started: list[object] = []
        monkeypatch.setattr(subprocess, "Popen", lambda *words, **_more: started.append(words))
        rows, pages = _written(stage), (tmp_path / "ennio.db-wal").stat().st_size
        for _ in range(3 if output else 1):
            if output:
                for session_id in ids:
                    stage.runtime.show(session_id, f"{stage.clock.now()}", title=f"{stage.clock.now()}")
            _twenty_ticks(stage)
            stage.clock.advance(1)
        assert _written(stage) - rows == 0
        assert (tmp_path / "ennio.db-wal").stat().st_size == pages
        assert not started


def test_what_counts_as_written_is_counted(stage: Stage) -> None:
    """The counter above is evidence only if it moves when something is written."""
    session_id = stage.working()
    before = _written(stage)
    stage.rests(session_id)
    eventually(lambda: _written(stage) > before)
