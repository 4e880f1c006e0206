"""A disk that answers nobody keeps the looks at agents waiting, and nothing else."""

from __future__ import annotations

import threading

from ennio.model.session import SessionStatus
from tests.actors.ground import Stage
from tests.conftest import eventually


def test_a_reading_that_never_ends_delays_no_kill_and_no_message_of_another(stage: Stage) -> None:
    one, other = stage.working(), stage.working()
    stage.rests(other)
    disk = stage.agent.slow = threading.Event()
    try:
        stage.orchestrator.sessions.look(one)
        eventually(lambda: stage.agent.waits)
        message = stage.orchestrator.sessions.send(other, "Go on")
        stage.orchestrator.sessions.kill(one)
        stage.until(one, SessionStatus.KILLED)
        eventually(
            lambda: [
                sent.text
                for sent in stage.messages(other)
                if sent.id == message.id and sent.started_at
            ]
        )
        assert not disk.is_set()
    finally:
        disk.set()
        stage.agent.slow = None
