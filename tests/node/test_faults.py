"""A node is killed around everything that it does to the world: whoever asks again has what they
asked for, once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import pytest

from ennio.hosts.delivery import Arrival, Delivery, Words
from ennio.model.errors import Unreachable
from ennio.model.facts import Presence
from tests.conftest import eventually
from tests.contract.host_stage import HOOKS, Stage, Stand, stage_at
from tests.faults import plan
from tests.faults.plan import Fault, Order, When

pytestmark = pytest.mark.real
T = TypeVar("T")
POINTS = (
    "workspace.create",
    "workspace.prepare",
    "runtime.start",
    "runtime.paste",
    "runtime.press",
    "runtime.stop",
    "workspace.remove",
)
BEFORE = ("workspace.create", "runtime.start", "runtime.paste")
"""Before the others it is as if nobody had asked; a line that is cut plays that."""
ORDERS = [
    *(Order(point, When.BEFORE, Fault.KILL) for point in BEFORE),
    *(Order(point, When.AFTER, Fault.KILL) for point in POINTS),
]


def _insisted(stage: Stage, ask: Callable[[], T]) -> T:
    """What it answers in the end; a node that was killed meanwhile is started again."""
    for _ in range(2 * len(ORDERS)):
        try:
            return ask()
        except Unreachable:
            _revived(stage)
    raise AssertionError("it never answers")


def _revived(stage: Stage) -> None:
    process = stage.process
    assert process is not None
    eventually(lambda: process.poll() is not None or stage.answers(), why="it ended, or is well")
    if process.poll() is not None:
        stage.start()


def _delivered(at: Stand, words: Words) -> Delivery:
    """As a supervisor does it: words of which nothing is known are settled before they are typed
    again.
    """
    for _ in range(2 * len(ORDERS)):
        try:
            return at.host.deliver(at.brief, words)
        except Unreachable:
            _revived(at.stage)
        found = _insisted(
            at.stage, lambda: at.host.settle(at.brief, words, alive=True, entered=False)
        )
        if found.arrival is not Arrival.MISSING:
            return found
    raise AssertionError("they never arrive")


@pytest.mark.parametrize("kind", ["tmux and worktree"])
def test_a_node_that_is_killed_around_all_that_it_does_does_all_of_it_once(kind: str) -> None:
    with stage_at("behind a node", kind) as stage:
        stage.kill()
        stage.program = "tests.node.faulty_node"
        stage.more = {plan.VARIABLE: plan.write(ORDERS), "ENNIO_HOME": str(stage.home)}
        stage.start()
        at = Stand(stage)
        made = _insisted(stage, lambda: at.host.make(at.brief))
        at.brief = replace(at.brief, path=made.path)
        _insisted(stage, lambda: at.host.instruct(at.brief, "Play the sonata", "Never stop"))
        _insisted(stage, lambda: at.host.prepare(at.brief))
        launched = _insisted(
            stage, lambda: at.host.launch(at.brief, 1, HOOKS, "record", False, None)
        )
        at.brief = replace(at.brief, handle=launched.handle)
        pid = launched.handle.data["pid"]
        eventually(lambda: at.look().turns >= 1, 60, "its first turn is over")
        words, before = at.words("with feeling"), at.look().prompts
        eventually(lambda: at.host.obstacle(at.brief, words) is None, 60, "it takes words")
        assert _delivered(at, words).arrival is Arrival.DELIVERED
        eventually(lambda: at.look().prompts == before + 1, why="it was told, and once")
        assert str(at.process().pid) == pid, "it was started once"
        _insisted(stage, lambda: at.host.stop(at.brief, launched=True))
        assert at.process().presence is Presence.GONE
        ended = replace(at.brief, ended=True)
        _insisted(stage, lambda: at.host.remove(ended))
        assert not at.folder.exists()
        saved = {item.id for item in at.host.preserved("play", at.brief.source)}
        assert at.id in saved, "what was only there is kept"
        assert sorted(plan.happened(stage.home)) == sorted(map(str, ORDERS))
