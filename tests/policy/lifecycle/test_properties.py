"""The promises of the lifecycle, under every order of deaths, blindness and orders
hypothesis can think of.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ennio.config.model import Restart
from ennio.model.facts import Presence
from ennio.model.message import MessageState
from ennio.model.pulls import CheckState, Mergeability, PullState, ReviewState
from ennio.model.session import SessionStatus
from ennio.policy import restart
from ennio.policy.lifecycle import DeliverMessage, Desired, Inputs, LaunchAgent, orders, step
from ennio.policy.lifecycle import status as statuses
from ennio.policy.lifecycle.state import DerivedStatus
from ennio.policy.lifecycle.transitions import ARROWS
from tests.policy.lifecycle.world import World, pull_request
from tests.properties import examples

TERMINAL = (SessionStatus.MERGED, SessionStatus.DONE, SessionStatus.KILLED)


class Life(RuleBasedStateMachine):
    """Everything that can happen to a session, in any order."""

    world: World

    @initialize()
    def begin(self) -> None:
        self.world = World()
        self.world.state = orders.admit(self.world.state)
        self.world.advance()

    # --- the supervisor --------------------------------------------------------------------------

    @rule()
    def look_and_step(self) -> None:
        self.world.look()
        self.world.advance()

    @precondition(lambda self: self.world.current is not None)
    @rule()
    def effect_succeeds(self) -> None:
        self.world.perform()
        self.world.advance()

    @precondition(lambda self: self.world.current is not None)
    @rule()
    def killed_after_the_effect_before_it_was_written(self) -> None:
        self.world.perform(reported=False)

    @precondition(lambda self: self.world.current is not None)
    @rule(for_good=st.booleans())
    def effect_fails(self, for_good: bool) -> None:
        self.world.refuse(for_good=for_good)
        self.world.advance()

    @rule()
    def supervisor_killed(self) -> None:
        self.world.die()

    @rule(seconds=st.sampled_from([1, 5, 20, 700]))
    def time_passes(self, seconds: int) -> None:
        self.world.now += timedelta(seconds=seconds)
        self.world.advance()

    # --- the world -------------------------------------------------------------------------------

    @precondition(lambda self: self.world.agent is not None and self.world.agent.alive)
    @rule(code=st.sampled_from([0, 0, 1, None]), dirty=st.booleans())
    def agent_ends(self, code: int | None, dirty: bool) -> None:
        assert self.world.agent is not None
        self.world.agent = replace(self.world.agent, alive=False, exit_code=code)
        self.world.dirty = dirty

    @rule(seen=st.booleans())
    def partition(self, seen: bool) -> None:
        self.world.visible = seen

    @rule(seen=st.booleans())
    def forge_partition(self, seen: bool) -> None:
        self.world.forge_visible = seen

    @precondition(lambda self: self.world.agent is not None)
    @rule(
        head=st.sampled_from(["h1", "h2", "h3"]),
        checks=st.sampled_from(CheckState),
        review=st.sampled_from(ReviewState),
        merge=st.sampled_from(Mergeability),
        state=st.sampled_from(
            [PullState.OPEN, PullState.OPEN, PullState.OPEN, PullState.CLOSED, PullState.MERGED]
        ),
        draft=st.booleans(),
    )
    def pull_changes(
        self,
        head: str,
        checks: CheckState,
        review: ReviewState,
        merge: Mergeability,
        state: PullState,
        draft: bool,
    ) -> None:
        if self.world.pull is not None and self.world.pull.state is PullState.MERGED:
            return
        self.world.pull = pull_request(
            head=head, checks=checks, review=review, mergeability=merge, state=state, draft=draft
        )

    # --- persons ---------------------------------------------------------------------------------

    @rule(order=st.sampled_from(["kill", "restore", "restore", "clean"]))
    def person(self, order: str) -> None:
        self.world.try_order(order)
        self.world.advance()

    @precondition(lambda self: self.world.state.desired is Desired.WAIT)
    @rule()
    def admitted(self) -> None:
        self.world.admit()
        self.world.advance()

    @precondition(lambda self: len(self.world.mail) < 4)
    @rule()
    def message(self) -> None:
        self.world.mail[f"m{len(self.world.mail)}"] = MessageState.QUEUED

    # --- safety ----------------------------------------------------------------------------------

    @invariant()
    def nothing_is_started_twice(self) -> None:
        if hasattr(self, "world"):
            assert all(count == 1 for count in Counter(self.world.starts).values())

    @invariant()
    def nothing_unseen_is_started(self) -> None:
        if hasattr(self, "world"):
            for launch, seen in self.world.launches:
                assert launch.number == 1 or seen is Presence.GONE or seen is Presence.ALIVE, (
                    f"launch {launch} on {seen}"
                )

    @invariant()
    def no_message_twice(self) -> None:
        if hasattr(self, "world"):
            assert all(count == 1 for count in Counter(self.world.received).values())

    @invariant()
    def it_goes_along_arrows_of_the_table(self) -> None:
        if hasattr(self, "world"):
            assert set(pairwise(self.world.statuses)) <= ARROWS

    @invariant()
    def none_is_called_killed_that_lives(self) -> None:
        if hasattr(self, "world") and self.world.state.status is SessionStatus.KILLED:
            assert self.world.agent is None or not self.world.agent.alive, (
                "called killed, and its agent lives"
            )

    @invariant()
    def no_workspace_is_removed_under_a_living_agent(self) -> None:
        if hasattr(self, "world") and self.world.agent is not None and self.world.agent.alive:
            assert self.world.workspace

    # --- liveness --------------------------------------------------------------------------------

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        world = self.world
        world.settle()
        state, before = world.state, (world.state, len(world.starts), list(world.received))
        world.settle()
        assert (world.state, len(world.starts), list(world.received)) == before, (
            "it does not come to rest"
        )
        assert world.current is None
        self._rests_rightly(state.status)

    def _rests_rightly(self, status: SessionStatus) -> None:
        world = self.world
        alive = world.agent is not None and world.agent.alive
        if world.state.killed_by is not None:
            assert (
                status is SessionStatus.KILLED
                or SessionStatus.MERGED in world.statuses
                or SessionStatus.DONE in world.statuses
            )
            assert not alive or status is not SessionStatus.KILLED, "killed, and its agent lives"
        elif world.pull is not None and world.pull.state is PullState.MERGED:
            assert status in (*TERMINAL, SessionStatus.EXITED)
        elif alive and world.pull is None:
            assert status in (SessionStatus.WORKING, *TERMINAL), f"alive and {status}"
        elif world.pull is not None and world.pull.checks is CheckState.UNKNOWN:
            pass  # what matters cannot be seen: any status it had may stand
        elif not alive and world.agent is not None:
            assert status is not SessionStatus.WORKING, "working without an agent"
        if alive and status is SessionStatus.WORKING:
            assert not [m for m, s in world.mail.items() if s.pending], (
                "messages wait for an agent that could take them"
            )


STEP = sys.modules["ennio.policy.lifecycle.step"]

FAST = settings(
    max_examples=examples(150),
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
)


def test_whatever_happens_nothing_is_started_twice_lost_or_left_hanging() -> None:
    run_state_machine_as_test(Life, settings=FAST)


# --- the properties are evidence only because they fail on these ----------------------------------


def _relaunches_blind(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(seen, state):  # type: ignore[no-untyped-def]
        return STEP._launch(seen, state, state.launches + 1)

    monkeypatch.setattr(STEP, "_relaunch", careless)


def _types_again_in_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    def eager(_spec, seen, state, now):  # type: ignore[no-untyped-def]
        ready = state.ready_at is not None and state.activity is not None
        return DeliverMessage(seen.pending.id) if seen.pending is not None and ready else None

    monkeypatch.setattr(STEP, "_post", eager)


def _forgets_that_it_was_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = statuses.derive

    def forgetful(spec, seen, state, now):  # type: ignore[no-untyped-def]
        if state.status.terminal and state.cleaned_at is None:
            state = replace(state, status=SessionStatus.WORKING, killed_by=None)
        return real(spec, seen, state, now)

    monkeypatch.setattr(statuses, "derive", forgetful)


def _never_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(STEP, "_end", lambda _spec, _seen, state, _now: (state, None))


def _says_killed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        statuses,
        "_killed",
        lambda state: DerivedStatus(SessionStatus.KILLED, f"killed by {state.killed_by}"),
    )


def _takes_unknown_for_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    real = STEP._relaunch

    def hasty(seen, state):  # type: ignore[no-untyped-def]
        process = seen.facts.process
        if process is not None and process.presence is Presence.UNKNOWN:
            seen = replace(
                seen, facts=replace(seen.facts, process=replace(process, presence=Presence.GONE))
            )
            state, effect = real(seen, state)
            return state, effect
        return real(seen, state)

    monkeypatch.setattr(STEP, "_relaunch", hasty)


def _cleans_without_stopping(monkeypatch: pytest.MonkeyPatch) -> None:
    real = STEP._end

    def hasty(spec, seen, state, now):  # type: ignore[no-untyped-def]
        return real(
            spec,
            replace(seen, facts=replace(seen.facts, process=None)),
            replace(state, stopped=state.launches, swept=True),
            now,
        )

    monkeypatch.setattr(STEP, "_end", hasty)


UP = ("effect_succeeds", "effect_succeeds", "effect_succeeds", "look_and_step", "look_and_step")
LIVES = {
    _relaunches_blind: (
        *UP,
        "agent_fails",
        "look_and_step",
        "unseen",
        "look_and_step",
        "restored",
        "admitted",
        "look_and_step",
    ),
    _takes_unknown_for_dead: (
        *UP,
        "agent_fails",
        "look_and_step",
        "unseen",
        "look_and_step",
        "restored",
        "admitted",
        "look_and_step",
    ),
    _types_again_in_doubt: (
        *UP,
        "message",
        "look_and_step",
        "dies_before_writing",
        "look_and_step",
        "effect_succeeds",
    ),
    _forgets_that_it_was_killed: (*UP, "killed", "effect_succeeds", "look_and_step"),
    _says_killed_at_once: (*UP, "killed", "look_and_step"),
    _never_stops: (*UP, "killed", "look_and_step"),
    _cleans_without_stopping: (*UP, "killed", "look_and_step"),
}


def _live(*events: str) -> None:
    """One life, its invariants held after every event and its rest at the end."""
    life = Life()
    deeds = {
        "agent_fails": lambda: life.agent_ends(code=1, dirty=False),
        "unseen": lambda: life.partition(seen=False),
        "restored": lambda: life.person(order="restore"),
        "dies_before_writing": life.killed_after_the_effect_before_it_was_written,
        "killed": lambda: life.person(order="kill"),
    }
    life.begin()
    for event in events:
        deeds.get(event, getattr(life, event, None))()  # type: ignore[misc]
        for holds in (
            life.nothing_is_started_twice,
            life.nothing_unseen_is_started,
            life.no_message_twice,
            life.it_goes_along_arrows_of_the_table,
            life.none_is_called_killed_that_lives,
            life.no_workspace_is_removed_under_a_living_agent,
        ):
            holds()
    life.teardown()


@pytest.mark.parametrize("mutant", LIVES)
def test_the_properties_fail_on_a_mutant(mutant, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    _live(*LIVES[mutant])
    mutant(monkeypatch)
    with pytest.raises(AssertionError):
        _live(*LIVES[mutant])


def test_a_crash_loop_is_given_up_and_left_to_a_person() -> None:
    world = World()
    world.state = orders.admit(world.state)
    for _ in range(20):
        world.settle(rounds=30)
        if world.agent is None or not world.agent.alive:
            break
        world.agent = replace(world.agent, alive=False, exit_code=1)
    assert world.state.status is SessionStatus.EXITED
    assert world.starts == [1, 2, 3], "two restarts within the window, then no more"
    assert world.state.desired is Desired.WATCH


def test_restart_decides_by_what_happened_within_the_window() -> None:
    world = World()
    policy = Restart(attempts=2, within=60, delay=1)
    early, late = world.now, world.now + timedelta(seconds=100)
    assert restart.decide(policy, [early, early], early).again is restart.Again.GIVE_UP
    assert restart.decide(policy, [early, early], late).again is restart.Again.RESTART


def test_the_step_is_total_on_a_memory_it_never_made() -> None:
    world = World()
    for desired in Desired:
        plan = step(world.spec, world_seen(world), replace(world.state, desired=desired), world.now)
        assert plan.state.desired in Desired
        assert (
            plan.effect is None
            or not isinstance(plan.effect, LaunchAgent)
            or plan.effect.number >= 1
        )


def world_seen(world: World):  # type: ignore[no-untyped-def]
    return Inputs(world.facts)
