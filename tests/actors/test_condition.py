"""What a running house says of itself when something in it is not well."""

from __future__ import annotations

from dataclasses import replace

from ennio.actors.registry import session_name
from ennio.model.delivery import DeliveryKind, DeliveryRecord
from ennio.model.errors import Unreachable
from ennio.policy.degradation import told
from tests.actors.ground import Play, Stage
from tests.conftest import eventually


def _parts(stage: Stage) -> dict[str, str]:
    return {each.name: each.part for each in stage.orchestrator.supervisor.readiness().degraded}


def test_a_house_that_is_well_is_ready(stage: Stage) -> None:
    stage.working()
    eventually(lambda: _parts(stage) in ({}, {"disk": "disk"}))
    assert stage.orchestrator.supervisor.readiness().ready
    assert stage.orchestrator.supervisor.status()["ready"]


def test_a_forge_that_cannot_be_reached_is_degraded_until_it_is_back(stage: Stage) -> None:
    stage.pull(stage.working())
    stage.forge.trouble = Unreachable("502 Bad Gateway")
    eventually(lambda: _parts(stage).get("forge:play") == "forge")
    readiness = stage.orchestrator.supervisor.readiness()
    assert readiness.ready
    assert "502 Bad Gateway" in told(readiness.degraded)
    stage.forge.trouble = None
    eventually(lambda: "forge:play" not in _parts(stage))


def test_a_channel_that_takes_nothing_is_named_with_how_many_wait(stage: Stage) -> None:
    failed = DeliveryRecord(DeliveryKind.NOTICE, "n-1", "slack", attempts=2, error="HTTP 500")
    stage.deps.store.deliveries.intend(failed)
    stage.deps.store.deliveries.intend(replace(failed, subject="n-2"))
    untried = replace(failed, attempts=0, error=None)  # behind them: nobody asks with it meanwhile
    stage.deps.store.deliveries.intend(replace(untried, subject="n-4"))
    stage.deps.store.deliveries.intend(replace(failed, subject="n-3", lane="bell", error=None))
    degraded = stage.orchestrator.supervisor.readiness().degraded
    channels = [(each.name, each.detail) for each in degraded if each.part == "channel"]
    assert channels == [("slack", "3 waiting: HTTP 500")]


def test_a_session_that_was_given_up_leaves_the_others_ready(play: Play) -> None:
    with play.opened() as stage:
        session_id = stage.working()
        name = session_name(session_id)

        def crash() -> object:
            ref = stage.deps.actors.ref(name)
            if ref is not None and ref.is_alive():
                ref._actor_weakref()._greenlet.kill(block=False)
            return _parts(stage).get(name)

        eventually(crash, within=60, why="its actor is in trouble")
        assert stage.orchestrator.supervisor.readiness().ready
