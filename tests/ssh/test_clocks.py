"""A machine whose clock is two hours off: what is told of its sessions goes by ours, and nothing
that is judged there by a difference of two times is judged by two clocks.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from ennio.cli.doctor.hosts import clock
from ennio.config.model import AgentConfig, AuthType, NodeConfig, SshAuth, SshConfig
from ennio.hosts.delivery import Arrival, Words
from ennio.hosts.elsewhere import HostElsewhere
from ennio.hosts.far_clock import moved
from ennio.hosts.interface import Host
from ennio.hosts.observation import Observation, Wanted
from ennio.machine.ssh.far_time import FarTime
from ennio.machine.ssh.machine import SshMachine
from ennio.machine.ssh.pool import ShellPool
from ennio.model.clock import Clock
from ennio.model.facts import AgentSeen, Facts, Presence, ProcessSeen
from ennio.model.plan_window import PlanWindow
from ennio.model.session import Activity, SessionStatus
from ennio.node.elsewhere import NodeElsewhere
from ennio.policy.lifecycle import Inputs, Spec
from ennio.policy.lifecycle.activity import derive
from ennio.policy.lifecycle.state import LifecycleState, Phase
from tests.conftest import eventually
from tests.contract.host_stage import HOOKS, Stage, Stand, another, stage_at
from tests.e2e.house import free_port

OFF = 7200.0
NEAR = 30.0
"""Seconds that something may be ago which was just done: machines are busy."""


STORY = [
    {"on": "prompt", "steps": [{"burn": {"input": 4100, "output": 380}}, {"say": "played"}]},
    {"on": "message", "steps": [{"say": "heard"}]},
]
LAUNCHED = LifecycleState(
    SessionStatus.WORKING, datetime(2026, 1, 1, tzinfo=UTC), phase=Phase.LAUNCHED, launches=1
)


class OurClock:
    """Ours, so far from theirs."""

    def __init__(self, off: float) -> None:
        self.off = off

    def wall(self) -> float:
        return time.time() + self.off

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.wall(), UTC)

    def running(self) -> float:
        return time.monotonic()


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with stage_at("over ssh", "tmux and worktree") as made:
        yield made


@pytest.fixture(scope="module", params=[-OFF, OFF], ids=["ahead", "behind"])
def ours(request: pytest.FixtureRequest) -> OurClock:
    return OurClock(request.param)


SSH = SshConfig(host="there", username="me", auth=SshAuth(AuthType.AGENT))


@contextmanager
def by_commands(stage: Stage, ours: OurClock, machine: SshMachine) -> Iterator[Host]:
    host = HostElsewhere("there", SSH, lambda _name, _ssh: machine, ours, "contract", stage.host)
    yield cast("Host", host)
    host.close()


@contextmanager
def by_a_node(stage: Stage, ours: OurClock, machine: SshMachine) -> Iterator[Host]:
    """A node that goes by the clock over there, and is told its time by nobody."""
    program = stage.root / "bin" / "ennio-node"
    program.write_text(f'#!/bin/sh\nexec {another().python} -m ennio.node "$@"\n')
    program.chmod(0o755)
    own = NodeConfig(port=free_port(), ennio_binary_path=program)
    ssh, kept = replace(SSH, node_config=own), stage.root / "kept"
    host = NodeElsewhere(
        "there", ssh, lambda _name, _ssh: machine, stage.host, cast("Clock", ours), kept
    )
    try:
        host.link.connect(lambda _step: None)
        yield cast("Host", host)
    finally:
        host.link.disconnect()
        host.close()


@pytest.fixture(params=[by_commands, by_a_node], ids=["by commands", "by a node"])
def stand(request: pytest.FixtureRequest, stage: Stage, ours: OurClock) -> Iterator[Stand]:
    assert stage.far is not None
    pool = ShellPool(stage.far.target)
    pool.time = FarTime(ours.wall)
    machine, before = SshMachine(stage.far.target, pool), stage.host
    with request.param(stage, ours, machine) as host:
        stage.host = host
        made = Stand(stage)
        try:
            yield made
        finally:
            made.clear()
            stage.host = before


def _read(stand: Stand, cursor: Mapping[str, str]) -> Observation:
    return stand.host.observe([Wanted(stand.brief, cursor, screen=True, place=True)])[stand.id]


def _moments(process: ProcessSeen, read: Observation) -> tuple[datetime, datetime]:
    assert process.presence is Presence.ALIVE
    assert process.output_at is not None
    assert read.agent is not None
    assert read.agent.since is not None
    return process.output_at, read.agent.since


def _words(stand: Stand, ours: OurClock) -> Words:
    return Words("m1", "Play it again", ours.now())


def test_what_is_told_of_a_machine_whose_clock_is_off_goes_by_ours(
    stand: Stand, ours: OurClock
) -> None:
    begun = ours.now()
    config = AgentConfig(passthrough={"story": STORY, "speed": 20})
    stand.brief = replace(stand.brief, agent_config=config)
    stand.made()
    done = stand.host.launch(stand.brief, 1, HOOKS, "record", False, None)
    stand.brief = replace(stand.brief, handle=done.handle)
    eventually(lambda: stand.look().turns >= 1, 60, "its first turn is over")

    process, read = stand.process(), _read(stand, {})
    assert read.agent is not None
    assert read.requests
    (output, since), used = _moments(process, read), [one.at for one in read.requests]
    for moment in (done.begun, process.at, output, read.agent.at, since, *used):
        assert begun - timedelta(seconds=NEAR) <= moment <= ours.now() + timedelta(seconds=1)

    # an agent of which nothing but its output is known rests when that is quiet
    later = ours.now() + timedelta(seconds=90)
    seen = Inputs(Facts(replace(process, at=later)))
    assert derive(Spec(tells=False, idle_after=300), seen, LAUNCHED, ours.now()) is not None
    assert derive(Spec(tells=False), seen, LAUNCHED, later) is Activity.READY

    # what was sent is found again by when it was sent
    eventually(lambda: stand.host.obstacle(stand.brief, _words(stand, ours)) is None, 60)
    words = _words(stand, ours)
    assert stand.host.deliver(stand.brief, words).arrival is Arrival.DELIVERED
    earlier = replace(words, message_id="m2", since=ours.now() + timedelta(seconds=NEAR))

    def settled(which: Words) -> Arrival:
        return stand.host.settle(stand.brief, which, alive=True, entered=True).arrival

    assert settled(words) is Arrival.DELIVERED
    assert settled(earlier) is not Arrival.DELIVERED, "it was another one, of before"

    # what was read is read again only when it changes, although its files are of a time to come
    cursor = dict[str, Mapping[str, str]](at=_read(stand, {}).cursor)

    def rests() -> bool:
        stand.process()
        told = _read(stand, cursor["at"])
        cursor["at"] = told.cursor
        return told.agent is None

    eventually(rests, 30, "it says what it said before, and is not read")

    assert stand.host.forget_logs([stand.id], ours.now() - timedelta(seconds=2 * NEAR)) == 0


class Line:
    """A clock over there at the end of a line, beside one of ours."""

    def __init__(self, ahead: float) -> None:
        self.ahead, self.wall, self.ran = ahead, 1_000_000.0, 50.0
        self.far = FarTime(lambda: self.wall, lambda: self.ran, lambda: self.wall - self.ran)

    def asked(self, takes: float, words: bytes | None = None) -> float:
        """What is known after a question that took so long, each way."""
        begun = self.far.begun()
        self._pass(takes)
        told = words if words is not None else b"%.9f" % (self.wall + self.ahead)
        self._pass(takes)
        self.far.told(begun, told)
        return self.far.ahead

    def _pass(self, seconds: float) -> None:
        self.wall, self.ran = self.wall + seconds, self.ran + seconds


def test_a_clock_that_keeps_the_time_is_ours_however_long_the_line_is() -> None:
    for ahead in (0.0, 0.9, -1.5):
        line = Line(ahead)
        assert {line.asked(takes) for takes in (0.001, 0.2, 30.0)} == {0.0}
        assert line.asked(0.001, b"%d" % (line.wall + ahead)) == 0.0, "one that tells whole seconds"


def test_a_clock_that_is_off_is_known_from_its_first_word_and_does_not_waver() -> None:
    line = Line(7200.0)
    known = line.asked(0.2)
    assert known == pytest.approx(7200, abs=0.3)
    assert {line.asked(takes) for takes in (0.001, 0.2, 1.5, 40.0)} == {known}
    assert line.asked(0.2, b"") == known, "one without a date command"
    line.ahead = 0.0
    assert line.asked(0.2) == 0.0, "somebody has set it"


def test_how_far_a_clock_may_be_behind_what_is_taken_for_its_time_is_known() -> None:
    """What is close is taken for ours, and what was just told there is not of before that."""
    for ahead in (-1.5, -0.2, 0.0, 1.0, 7200.0, -7200.0):
        line = Line(ahead)
        for takes in (0.2, 0.01):
            taken, slack = line.asked(takes), line.far.slack
            assert taken - slack <= ahead + 1e-6, "it is not behind that"
            assert slack <= max(0.0, taken - ahead) + 2 * takes, "and not much is given away"
        line.asked(0.01, b"%d" % (line.wall + ahead))
        assert line.far.ahead - line.far.slack <= ahead + 1e-6, "one that tells whole seconds"


def test_it_is_told_now_and_then_and_at_once_when_ours_was_set() -> None:
    line = Line(0.0)
    assert line.far.is_due()
    line.asked(0.1)
    assert not line.far.is_due()
    line._pass(61.0)
    assert line.far.is_due()
    line.asked(0.1)
    line.wall -= 3600.0
    assert line.far.is_due()
    assert line.asked(0.1) == 0.0
    line.wall += 7200.0  # and nothing over there
    line.ahead = -7200.0
    assert line.asked(0.1) == pytest.approx(-7200, abs=0.3)


def test_doctor_says_how_far_a_clock_is_off_and_what_sets_it() -> None:
    assert [*clock("build", 0.0, "ssh build")] == []
    (found,) = clock("build", -7200.0, "ssh build")
    assert "its clock is 2h behind ours" in found.what
    assert found.fix == "ssh build 'sudo timedatectl set-ntp true'"


def test_what_a_provider_named_stays_what_it_is() -> None:
    at = datetime(2026, 5, 1, tzinfo=UTC)
    hour = timedelta(hours=1)
    window = PlanWindow("five_hour", resets_at=at, refused_at=at)
    told = {"a": (AgentSeen(at, "x", since=at, windows=(window,)), [None, "text", 3])}
    seen = moved(told, hour)["a"][0]
    assert (seen.at, seen.since) == (at + hour, at + hour)
    assert (seen.windows[0].resets_at, seen.windows[0].refused_at) == (at, at + hour)
    assert moved(told, timedelta()) is told
