"""What is left of a session once it has ended and is cleaned up: its record, and nothing else."""

from __future__ import annotations

import gc
import itertools
from collections import Counter

import pytest

from ennio.actors.landing import MergeOrder
from ennio.config.model import CleanupPolicy
from ennio.model.errors import Refused
from ennio.model.session import Session, SessionStatus
from ennio.store.agents import AgentRecord
from tests.actors.ground import Play, Stage
from tests.conftest import eventually

NUMBERS = itertools.count()
END_AT_ONCE = {"cleanup": CleanupPolicy(merged_after=0.0, done_after=0.0, killed_after=0.0)}


def _over(stage: Stage, end: str) -> Session:
    """A session that was killed or merged, and cleaned."""
    session_id = stage.working(branch=f"to-be-{end}-{next(NUMBERS)}")
    if end == "killed":
        stage.orchestrator.sessions.kill(session_id)
    else:
        stage.orchestrator.pulls.merge("play", stage.pull(session_id), MergeOrder(force=True))
    eventually(lambda: stage.session(session_id).archived_at)
    eventually(lambda: not stage.alive(f"session:{session_id}"))
    return stage.session(session_id)


@pytest.mark.parametrize("end", ["killed", "merged"])
def test_nothing_is_left_of_a_session_but_its_record(play: Play, end: str) -> None:
    play.settings |= END_AT_ONCE
    with play.opened() as stage:
        session = _over(stage, end)
        assert not stage.deps.home.session(session.id).exists(), "prompts, keys and logs"
        assert stage.deps.store.agents.get(session.id) == AgentRecord(session.id)
        assert stage.types(session.id), "its history stays"


def test_a_spawn_that_failed_keeps_what_tells_why(stage: Stage) -> None:
    def fail() -> None:
        raise Refused("the hook did not like it")

    stage.workspace.before["prepare"] = fail
    session_id = stage.spawn()
    stage.until(session_id, SessionStatus.EXITED)
    assert stage.deps.home.session(session_id).is_dir()


KEPT_BY_STUBS = {"LaunchSpec", "AgentSeen", "Notification", "PullRequest"}
# the newest of those who follow the log, of what was told, and of what forecasts go by
BOUNDED = {"Event", "SeenItem", "FinishedTask", "TaskKind"}


def _living() -> Counter[str]:
    """How many objects of ours there are, by their class."""
    gc.collect()
    kinds = (type(thing) for thing in gc.get_objects())
    ours = Counter(
        kind.__name__ for kind in kinds if str(getattr(kind, "__module__", "")).startswith("ennio.")
    )
    return Counter(
        {name: count for name, count in ours.items() if name not in KEPT_BY_STUBS | BOUNDED}
    )


def test_a_finished_session_leaves_no_object_behind(play: Play) -> None:
    """Counted over many lives: one that is kept for each would be there ten times."""
    play.settings |= END_AT_ONCE
    with play.opened() as stage:
        for _ in range(3):
            _over(stage, "killed")
            _over(stage, "merged")
        stage.quiet()
        before = _living()
        for _ in range(5):
            _over(stage, "killed")
            _over(stage, "merged")
        stage.quiet()
        grown = _living() - before
        assert {name: count for name, count in grown.items() if count >= 5} == {}
