"""A small world for the lifecycle: one agent, one terminal, one forge, and a supervisor
that can die at any point.

The supervisor part does what the session actor does: it keeps state and messages durable before it
acts, performs one effect at a time, and forgets everything else when it dies.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from ennio.config.model import CleanupPolicy, Restart
from ennio.model.errors import Conflict, Refused, Unreachable
from ennio.model.facts import AgentSeen, Facts, ForgeSeen, Presence, ProcessSeen, WorkspaceSeen
from ennio.model.message import MessageState
from ennio.model.pulls import Check, CheckState, Mergeability, PullRequest, PullState, ReviewState
from ennio.model.session import Activity, SessionStatus
from ennio.policy.lifecycle import (
    DeliverMessage,
    Effect,
    Inputs,
    InspectWorkspace,
    LaunchAgent,
    LifecycleState,
    MakeWorkspace,
    PendingMessage,
    Plan,
    PrepareWorkspace,
    RemoveWorkspace,
    SettleMessage,
    Spec,
    StopAgent,
    orders,
    step,
)

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Agent:
    """One launch of the agent in the world."""

    number: int
    alive: bool = True
    exit_code: int | None = None
    killed: bool = False


@dataclass
class World:
    """The truth, and the supervisor's durable and volatile halves."""

    spec: Spec = field(
        default_factory=lambda: Spec(
            restart=Restart(attempts=2, within=60, delay=1), cleanup=CleanupPolicy(merged_after=30)
        )
    )
    now: datetime = START
    # the truth
    agent: Agent | None = None
    starts: list[int] = field(default_factory=list)
    stops: int = 0
    workspace: bool = False
    dirty: bool = False
    received: list[str] = field(default_factory=list)
    pull: PullRequest | None = None
    visible: bool = True
    forge_visible: bool = True
    # durable
    state: LifecycleState = field(default_factory=lambda: orders.fresh(START))
    mail: dict[str, MessageState] = field(default_factory=dict)
    seen_workspace: WorkspaceSeen | None = None
    # volatile
    facts: Facts = field(default_factory=Facts)
    current: Effect | None = None
    # the record
    statuses: list[SessionStatus] = field(default_factory=lambda: [SessionStatus.SPAWNING])
    launches: list[tuple[LaunchAgent, Presence | None]] = field(default_factory=list)

    # --- looking ----------------------------------------------------------------------------------

    def look(self) -> None:
        """What pollers would tell right now."""
        self.facts = replace(
            self.facts,
            process=self._process(),
            agent=self._agent(),
            forge=self._forge(),
            workspace=self.seen_workspace,
        )

    def _process(self) -> ProcessSeen | None:
        before = self.facts.process
        if not self.visible:
            if before is None:
                return ProcessSeen(Presence.UNKNOWN, self.now, "survey", detail="nobody can look")
            return (
                before
                if before.presence is Presence.UNKNOWN
                else before.blind(self.now, "nobody can look")
            )
        if self.agent is None:
            return ProcessSeen(Presence.GONE, self.now, "survey")
        if self.agent.alive:
            return ProcessSeen(
                Presence.ALIVE, self.now, "survey", pid=100, number=self.agent.number
            )
        signal = 9 if self.agent.killed else None
        return ProcessSeen(
            Presence.GONE,
            self.now,
            "survey",
            exit_code=self.agent.exit_code,
            signal=signal,
            number=self.agent.number,
        )

    def _agent(self) -> AgentSeen | None:
        if not self.visible or self.agent is None or not self.agent.alive:
            return self.facts.agent
        return AgentSeen(self.now, "own word", Activity.READY, ready=True, since=START)

    def _forge(self) -> ForgeSeen:
        if not self.forge_visible:
            return ForgeSeen(
                Presence.UNKNOWN,
                self.now,
                "forge",
                (self.pull and (self.facts.forge and self.facts.forge.pull)) or None,
            )
        presence = Presence.GONE if self.pull is None else Presence.ALIVE
        return ForgeSeen(presence, self.now, "forge", self.pull)

    # --- the supervisor ---------------------------------------------------------------------------

    def advance(self) -> Plan:
        """One step of the supervisor; the effect it asks for is then under way."""
        oldest = next(((i, s) for i, s in self.mail.items() if s.pending), None)
        mail = PendingMessage(*oldest) if oldest is not None else None
        plan = step(
            self.spec, Inputs(self.facts, mail, self.current is not None), self.state, self.now
        )
        self.state = plan.state
        if plan.state.status is not self.statuses[-1]:
            self.statuses.append(plan.state.status)
        if plan.effect is not None:
            self.current = plan.effect
            if isinstance(plan.effect, LaunchAgent):
                process = self.facts.process
                self.launches.append((plan.effect, process and process.presence))
        return plan

    def admit(self) -> None:
        """Its turn in the queue has come."""
        self.state = orders.admit(self.state)

    def settle(self, rounds: int = 80) -> None:
        """Let the world hold still: everything can be seen, every effect succeeds, there is
        room, time passes as wanted.
        """
        self.visible = self.forge_visible = True
        self.admit()
        for _ in range(rounds):
            self.look()
            before = self.state
            plan = self.advance()
            if self.current is not None:
                self.perform()
            elif self.state == before and plan.wake_at is None:
                return
            elif self.state == before and plan.wake_at is not None:
                self.now = max(self.now, plan.wake_at)

    def die(self) -> None:
        """Kill -9 of the supervisor: only what is durable is left."""
        self.current = None
        self.facts = Facts(workspace=self.seen_workspace).adopted(self.now)

    # --- effects ----------------------------------------------------------------------------------

    def perform(self, *, reported: bool = True) -> None:
        """The effect happens in the world; ``reported``: and its result is written down."""
        effect, self.current = self.current, None
        assert effect is not None
        match effect:
            case MakeWorkspace():
                self.workspace = True
                self.state = orders.workspace_made(self.state) if reported else self.state
            case PrepareWorkspace():
                assert self.workspace, "prepared without a workspace"
                self.state = orders.prepared(self.state) if reported else self.state
            case LaunchAgent():
                self._launch(effect, reported)
            case StopAgent():
                self.stops += 1
                if self.agent is not None and self.agent.alive:
                    self.agent = replace(self.agent, alive=False, killed=True)
                self.state = orders.stopped(self.state) if reported else self.state
                self._distrust()
            case InspectWorkspace():
                if reported:
                    self.seen_workspace = WorkspaceSeen(
                        self.now, self.workspace, uncommitted=int(self.dirty)
                    )
                    self.state = orders.inspected(self.state)
            case RemoveWorkspace():
                self.workspace = False
                self.state = orders.removed(self.state, self.now) if reported else self.state
            case DeliverMessage(message_id):
                self.mail[message_id] = MessageState.SENDING
                self.received.append(message_id)
                if reported:
                    self.mail[message_id] = MessageState.DELIVERED
            case SettleMessage(message_id):
                if reported:
                    arrived = message_id in self.received
                    self.mail[message_id] = (
                        MessageState.DELIVERED if arrived else MessageState.QUEUED
                    )
        if not reported:
            self.die()

    def _launch(self, effect: LaunchAgent, reported: bool) -> None:
        assert self.workspace, "launched without a workspace"
        if self.agent is not None and self.agent.alive and self.agent.number != effect.number:
            raise AssertionError(f"launch {effect.number} while launch {self.agent.number} lives")
        if self.agent is None or self.agent.number != effect.number:
            self.agent = Agent(effect.number)
            self.starts.append(effect.number)
            if effect.message:
                self.mail[effect.message] = MessageState.SENDING
                self.received.append(effect.message)
        if reported:
            self.state = orders.launched(self.state, effect.number, self.now)
            process = ProcessSeen(Presence.ALIVE, self.now, "start", number=effect.number)
            self.facts = replace(self.facts, process=process, agent=None)
            if effect.message and self.mail[effect.message] is MessageState.SENDING:
                self.mail[effect.message] = MessageState.SENT_UNSURE

    def _distrust(self) -> None:
        process = self.facts.process
        if process is not None:
            self.facts = replace(
                self.facts, process=process.blind(self.now, "an effect has just ended")
            )

    def refuse(self, *, for_good: bool) -> None:
        """The effect fails without having happened."""
        effect, self.current = self.current, None
        assert effect is not None
        if isinstance(effect, DeliverMessage | SettleMessage):
            return
        error = Refused("no") if for_good else Unreachable("not now")
        self.state = orders.failed(self.state, effect, error, self.now)

    # --- persons ----------------------------------------------------------------------------------

    def try_order(self, order: str) -> None:
        """A person's order; one that does not fit the state is refused and changes nothing."""
        before = self.state
        try:
            if order == "kill":
                self.state = orders.kill(self.state, "a person")
                if not isinstance(self.current, StopAgent | RemoveWorkspace):
                    self.current = None
                    self._distrust()
            elif order == "restore":
                self.state = orders.restore(self.state)
            else:
                self.state = orders.clean(self.state, force=True)
        except Conflict:
            self.state = before


def pull_request(number: int = 1, **changes: object) -> PullRequest:
    """An open, green pull request, changed as told."""
    plain = PullRequest(
        number=number,
        url=f"x://{number}",
        title="t",
        branch="b",
        base="main",
        head="h1",
        state=PullState.OPEN,
        mergeability=Mergeability.CLEAN,
        checks=CheckState.PASSING,
        check_runs=(Check("1", "tests", CheckState.PASSING),),
        review=ReviewState.NONE,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]
