"""Totals that are told are those of the log and the store, whatever ended in between."""

from __future__ import annotations

from contextlib import suppress

import pytest

from ennio.actors.metrics import MetricsReader, keep_calls, recall_calls
from ennio.model.errors import EnnioError, Unreachable
from ennio.model.events import EventType
from ennio.model.session import SessionStatus
from ennio.plugins.observed import PluginCalls
from tests.actors.ground import Play, Stage


def _counted(stage: Stage) -> dict[str, int]:
    return {kind: many for kind, many in stage.deps.store.events.counts().items() if many}


def test_totals_are_those_of_the_log_and_survive_a_restart(play: Play) -> None:
    with play.opened() as stage:
        session_id = stage.working()
        stage.working("Another")
        first = stage.orchestrator.supervisor.metrics()
        assert (first.active, first.completed) == (2, 0)
        assert first.events_of(EventType.SESSION_SPAWNED) == 2
        stage.clock.advance(90)
        stage.orchestrator.sessions.kill(session_id)
        stage.until(session_id, SessionStatus.KILLED)
        stage.quiet()
        then = stage.orchestrator.supervisor.metrics()
        assert dict(then.events) == _counted(stage), "counted on from where it was"
    with play.opened() as stage:
        stage.quiet()
        after = stage.orchestrator.supervisor.metrics()
        assert dict(after.events) == _counted(stage)
        assert after.events_of(EventType.SESSION_KILLED) == 1
        assert (after.active, after.lives.total, sum(after.lives.within)) == (1, 90.0, 1)


def test_a_database_that_is_away_takes_no_total_back(play: Play) -> None:
    with play.opened() as stage:
        stage.spawn()
        stage.quiet()
        before = stage.orchestrator.supervisor.metrics()
        for file in play.root.glob("ennio.db*"):
            file.rename(file.with_name(f"away-{file.name}"))
        with suppress(EnnioError):
            stage.spawn()
        meanwhile = stage.orchestrator.supervisor.metrics()
        assert (
            meanwhile.events_of(EventType.SESSION_QUEUED)
            == before.events_of(EventType.SESSION_QUEUED)
            == 1
        )
        assert not meanwhile.ready
        assert next(iter(meanwhile.degraded)).part == "database"
        with pytest.raises(Unreachable, match="nothing was counted yet"):
            MetricsReader(stage.deps).read(None)


def test_calls_of_plugins_are_counted_on_after_an_orderly_end(stage: Stage) -> None:
    calls = PluginCalls()
    calls.of("runtime", "tmux").note(0.2, failed=False)
    keep_calls(stage.deps.store, calls)
    later = PluginCalls()
    recall_calls(stage.deps.store, later)
    later.of("runtime", "tmux").note(0.2, failed=True)
    told = later.read()["runtime", "tmux"]
    assert (told.calls, told.failed, sum(told.within)) == (2, 1, 2)
