"""What a running house tells of its inside."""

from __future__ import annotations

from ennio.actors import inside
from ennio.actors.messages import Wake
from ennio.actors.registry import QUEUE
from tests.actors.ground import Stage


def test_every_actor_is_told_with_what_waits_for_it(stage: Stage) -> None:
    session_id = stage.launched()
    ref = stage.deps.actors.ref(QUEUE)
    assert ref is not None
    for _ in range(3):
        ref.tell(Wake())
    told = {each.name: each for each in inside.actors(stage.deps)}
    assert told[QUEUE].mailbox >= 0
    assert {"root", QUEUE, f"session:{session_id}"} <= set(told)
    assert all(each.alive for each in told.values())
    assert told[QUEUE].state == "running"


def test_stacks_and_the_log_are_told_without_words(stage: Stage) -> None:
    session_id = stage.working("Words of a person")
    whole = stage.orchestrator.supervisor.inside()
    assert any("_actor_loop" in line for line in whole["greenlets"])
    assert whole["database"]["last_seq"] == whole["events"][0].seq
    assert whole["database"]["sessions"] == {"working": 1}
    assert {each.session_id for each in whole["events"]} == {session_id}
    assert "Words of a person" not in str(whole)
