"""Sessions that a person starts again: they wait like new ones, and an agent that lives after
all is not started twice.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from ennio.config.model import Restart
from ennio.model.errors import Conflict
from ennio.model.facts import Presence, ProcessSeen
from ennio.model.session import SessionStatus
from ennio.policy.lifecycle import Desired, Spec, orders
from tests.policy.lifecycle.world import World


def _restored() -> World:
    """Its agent failed; a person has asked for it again."""
    world = World(spec=Spec(restart=Restart(attempts=0)))
    world.admit()
    world.settle()
    assert world.agent is not None
    world.agent = replace(world.agent, alive=False, exit_code=1)
    world.settle()
    assert world.state.status is SessionStatus.EXITED
    world.try_order("restore")
    world.advance()
    return world


def test_a_restored_session_is_not_started_before_it_is_admitted() -> None:
    world = _restored()
    for _ in range(5):
        world.look()
        world.advance()
    assert (world.state.status, world.state.rule) == (
        SessionStatus.SPAWNING,
        "waiting to be admitted",
    )
    assert world.starts == [1]
    with pytest.raises(Conflict, match="only an exited session"):
        orders.restore(world.state)
    world.settle()
    assert world.starts == [1, 2]
    assert world.state.status is SessionStatus.WORKING


def test_a_restored_session_whose_agent_lives_after_all_is_not_started_again() -> None:
    world = _restored()
    world.admit()
    world.facts = replace(
        world.facts, process=ProcessSeen(Presence.ALIVE, world.now, "survey", number=1)
    )
    world.advance()
    assert world.state.desired is Desired.WATCH
    assert [launch.number for launch, _ in world.launches] == [1]


def test_a_restored_session_that_cannot_be_seen_is_not_started() -> None:
    world = _restored()
    world.admit()
    world.visible = False
    world.look()
    world.advance()
    assert world.starts == [1]
    assert world.current is None
