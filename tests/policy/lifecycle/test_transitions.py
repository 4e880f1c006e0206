"""The table of transitions is what the rules do: no arrow is missing from it, and
none stands there in vain.
"""

from __future__ import annotations

import ast
import inspect
import random
from contextlib import suppress
from copy import copy
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

from ennio.model.errors import Conflict
from ennio.model.message import MessageState
from ennio.model.pulls import CheckState, Mergeability, PullState, ReviewState
from ennio.model.session import SessionStatus
from ennio.policy.lifecycle import orders, status
from ennio.policy.lifecycle import pull_request as pull_rules
from ennio.policy.lifecycle.state import Phase
from ennio.policy.lifecycle.transitions import ARROWS, PHASE_ARROWS, TRANSITIONS
from tests.policy.lifecycle.world import World, pull_request

TRIES = 40_000
KEPT = 20
SELDOM = {(Phase.PREPARED, Phase.NEW)}
"""Ways that chance takes too seldom to wait for it; each has a test of its own."""


def _given_by() -> set[tuple[str, str]]:
    """Each function of the rules with each status it gives, as the source has them."""
    found: set[tuple[str, str]] = set()
    rules = "".join(inspect.getsource(module) for module in (status, pull_rules))
    for function in ast.parse(rules).body:
        if not isinstance(function, ast.FunctionDef):
            continue
        for call in (
            node for node in ast.walk(function) if isinstance(node, ast.Call) and node.args
        ):
            given = call.args[0]
            if (
                isinstance(given, ast.Attribute)
                and isinstance(given.value, ast.Name)
                and given.value.id == "S"
            ):
                found.add((function.name, SessionStatus[given.attr].value))
    return found


def test_every_rule_that_gives_a_status_stands_in_the_table_with_it() -> None:
    assert {(one.rule, one.target.value) for one in TRANSITIONS} == _given_by()


class Watched(World):
    """A world that knows which ways its phase went."""

    phases: set[tuple[Phase, Phase]]

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "state" and hasattr(self, "state") and self.state.phase is not value.phase:
            self.phases.add((self.state.phase, value.phase))
        super().__setattr__(name, value)


def test_every_arrow_is_gone_along_and_no_other() -> None:
    chance = random.Random(1)
    begun = Watched()
    begun.phases = set()
    begun.admit()
    worlds = {_kind(begun): [begun]}
    missing, missing_phases = set(ARROWS), PHASE_ARROWS - SELDOM
    for _ in range(TRIES):
        if not missing and not missing_phases:
            break
        wanted = {source for source, _ in missing}
        kinds = [kind for kind in worlds if kind[0] in wanted] or [*worlds]
        world = _copied(chance.choice(worlds[chance.choice(kinds)]))
        for _ in range(chance.randrange(1, 8)):
            _something_happens(world, chance)
        gone = set(pairwise(world.statuses))
        assert gone <= ARROWS, f"no rule leads along {sorted(gone - ARROWS)}"
        missing -= gone
        assert world.phases <= PHASE_ARROWS, (
            f"nothing leads along {sorted(world.phases - PHASE_ARROWS)}"
        )
        missing_phases -= world.phases
        _keep(worlds.setdefault(_kind(world), []), world, chance)
    assert not missing, f"never gone along: {sorted(missing)}"
    assert not missing_phases, f"never gone along: {sorted(missing_phases)}"


def test_who_loses_its_working_copy_while_it_waits_to_be_started_again_is_made_anew() -> None:
    world = Watched()
    world.phases = set()
    world.admit()
    world.settle()
    while world.state.status is not SessionStatus.EXITED:
        assert world.agent is not None
        world.agent = replace(world.agent, alive=False, exit_code=1)
        world.settle(rounds=30)
    world.state = orders.restore(world.state)
    assert world.state.phase is Phase.PREPARED
    _lose_the_workspace(world)
    world.settle()
    assert SELDOM <= world.phases <= PHASE_ARROWS
    assert world.state.phase is Phase.LAUNCHED


def _kind(world: Watched) -> tuple[SessionStatus, object]:
    """What makes a world worth going on from beside others of its status."""
    state = world.state
    return state.status, (
        state.phase,
        bool(state.red_heads),
        world.agent is not None and world.agent.alive,
    )


def _keep(worlds: list[Watched], world: Watched, chance: random.Random) -> None:
    if len(worlds) == KEPT:
        worlds.pop(chance.randrange(KEPT))
    worlds.append(world)


def _copied(world: Watched) -> Watched:
    """The world to go on in by itself, with no way behind it."""
    copied = copy(world)
    copied.starts, copied.received, copied.mail = (
        [*world.starts],
        [*world.received],
        dict(world.mail),
    )
    copied.statuses, copied.launches, copied.phases = [world.state.status], [], set()
    return copied


def _something_happens(world: Watched, chance: random.Random) -> None:
    """One of the things that happen to a session; most often that it is
    looked at and gone on with.
    """
    match chance.choices(range(9), (8, 6, 1, 2, 2, 1, 1, 4, 2))[0]:
        case 0:
            world.look()
        case 1 if world.current is not None:
            world.perform()
        case 2 if world.current is not None and chance.random() < 0.5:
            world.perform(reported=False)
        case 2 if world.current is not None:
            world.refuse(for_good=chance.random() < 0.5)
        case 3:
            world.now += timedelta(seconds=chance.choice([1, 20, 700]))
        case 4 if world.agent is not None and world.agent.alive:
            world.agent = replace(world.agent, alive=False, exit_code=chance.choice([0, 1, None]))
            world.dirty = chance.random() < 0.5
        case 5:
            world.visible, world.forge_visible = chance.random() < 0.7, chance.random() < 0.7
        case 6:
            world.mail[f"m{len(world.mail)}"] = MessageState.QUEUED
        case 7 if world.agent is not None:
            world.pull = _any_pull(chance)
        case 8 if world.current is None and chance.random() < 0.2:
            _lose_the_workspace(world)
        case 8:
            world.try_order(chance.choice(["kill", "restore", "restore", "clean"]))
            world.admit()
        case _:
            pass
    world.advance()


def _lose_the_workspace(world: Watched) -> None:
    """Somebody removes it, and a person has it made again."""
    with suppress(Conflict):
        world.state = orders.restore(world.state, unusable=True)
        world.workspace = False
        world.admit()


def _any_pull(chance: random.Random):  # type: ignore[no-untyped-def]
    if chance.random() < 0.1:
        return None
    return pull_request(
        head=chance.choice(["h1", "h2", "h3"]),
        checks=chance.choice([*CheckState]),
        review=chance.choice([*ReviewState]),
        mergeability=chance.choice([Mergeability.CLEAN, *Mergeability]),
        state=chance.choice([PullState.OPEN] * 8 + [PullState.CLOSED, PullState.MERGED]),
        draft=chance.random() < 0.2,
    )
