"""The written side of a session: its row, memory, facts, events and messages,
changed together or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ennio import tracing
from ennio.actors.bookkeeping import SessionBooks
from ennio.actors.dependencies import Dependencies
from ennio.actors.forecasting import SilenceGauge, ended
from ennio.actors.messages import SessionWritten
from ennio.actors.registry import RELAY
from ennio.model import codec
from ennio.model.errors import EnnioError
from ennio.model.events import Draft, EventType
from ennio.model.evidence import Evidence
from ennio.model.facts import Facts, Presence, ProcessSeen
from ennio.model.message import Message, Origin
from ennio.model.session import Activity, Session, Usage
from ennio.policy.lifecycle import LifecycleState, PendingMessage
from ennio.policy.lifecycle.state import Pause, Phase, TurnGrant
from ennio.policy.metering import metered

OUTPUT_STEP = timedelta(seconds=5)
MessageChange = tuple[Message, Message]
"""A message as it was read, and as it is to be."""


@dataclass(slots=True)
class SessionState:
    """What is known of one session right now; ``write`` makes it durable.
    Held by its actor alone.
    """

    deps: Dependencies
    session: Session
    memory: LifecycleState
    facts: Facts
    written: tuple[Session, LifecycleState, Facts]
    books: SessionBooks
    silence: SilenceGauge
    doubted: bool = False
    """Whether the last write failed: what is ``written`` may not be what stands in the store."""

    @classmethod
    def load(cls, deps: Dependencies, session_id: str) -> SessionState:
        """Read it back after a restart; what was seen must be seen again. Raises NotFound."""
        session = deps.store.sessions.need(session_id)
        text = deps.store.memories.get(session_id)
        memory = (
            codec.loads(LifecycleState, text)
            if text
            else LifecycleState(session.status, session.created_at)
        )
        stored = deps.store.facts.get(session_id)
        facts, written = stored.adopted(deps.clock.now()), (session, memory, stored)
        books, silence = SessionBooks(deps, session), SilenceGauge(deps, session_id)
        return cls(deps, session, memory, facts, written, books, silence)

    def write(
        self,
        events: Sequence[Draft] = (),
        evidence: Evidence | None = None,
        messages: Sequence[MessageChange] = (),
    ) -> bool:
        """Write what changed, with its events, in one transaction; False when
        there was nothing to write.

        Raises Conflict when a message is not as it was read.
        """
        session, memory, facts = self.written
        self.session = _row(self.session, self.memory, self.facts, self.books.usage)
        changed_facts = noteworthy(facts, self.facts)
        if (
            not (events or messages or evidence)
            and self.memory == memory
            and self.session == session
            and not changed_facts
        ):
            return False
        store, session_id = self.deps.store, self.session.id
        kept, self.doubted = None if self.doubted else session, True
        with store.transaction() as tx:
            if self.session != session or kept is None:
                store.sessions.save(self.session, kept)
                self._learn(session)
            if self.session.status.terminal and not session.status.terminal:
                store.budgets.release(session_id)
            if self.memory != memory:
                store.memories.save(session_id, codec.dumps(self.memory))
            if changed_facts:
                store.facts.save(session_id, self.facts)
            self._meter(events)
            if evidence is not None:
                store.evidence.add(session_id, evidence)
            for before, after in messages:
                store.messages.settle(before, after, self.deps.clock.now())
            for draft in events:
                tx.emit(session_id, self.session.project_id, draft)
        self.written = (self.session, self.memory, self.facts if changed_facts else facts)
        self.doubted = False
        self.deps.actors.tell(RELAY, SessionWritten(self.session))
        _trace_usage(session, self.session)
        return True

    def stands(self) -> bool:
        """Whether the store holds what is known here; False also where it cannot be asked."""
        try:
            found = SessionState.load(self.deps, self.session.id)
        except EnnioError:
            return False
        return (found.session, found.memory) == (self.session, self.memory)

    def note_step(self, step: str, words: str) -> None:
        """Write what changed, with one event that tells how far a person's order has got."""
        self.write([Draft(EventType.SESSION_STEP, words, data={"step": step})])

    def _learn(self, before: Session) -> None:
        """What others are foretold from: how long it was silent, and what became of it."""
        after = self.session
        self.silence.note(before, after)
        came_to = [(one.status, one.outcome, one.usage) for one in (before, after)]
        if after.status.terminal and came_to[0] != came_to[1]:
            ended(self.deps, after)

    def _meter(self, events: Sequence[Draft]) -> None:
        """The session's numbers change with the events that change them."""
        before = self.deps.store.metrics.get(self.session.id)
        age = (self.deps.clock.now() - self.session.created_at).total_seconds()
        after = metered(before, events, age)
        if after != before:
            self.deps.store.metrics.save(after)

    def pending(self, pauses: dict[str, datetime]) -> PendingMessage | None:
        """The oldest message that is still to be delivered."""
        first = self.deps.store.messages.next(self.session.id)
        if first is None:
            return None
        return PendingMessage(
            first.id,
            first.state,
            pauses.get(first.id),
            first.detail,
            first.carried,
            first.by_person,
            first.origin is Origin.PROMPT,
        )


def noteworthy(before: Facts, after: Facts) -> bool:
    """Whether facts differ; output counts in steps of seconds. Since when somebody
    is unknown is news, too.
    """
    return _still(before, before.process) != _still(after, before.process) or _unknown_since(
        before
    ) != _unknown_since(after)


def _trace_usage(before: Session, after: Session) -> None:
    """What it has used since it was written last; one that counts from zero again used that."""
    if after.usage is None or after.usage == before.usage or not tracing.is_on():
        return
    known = before.usage or Usage()
    cost, costed = known.cost_usd or 0, after.usage.cost_usd
    told: dict[str, str | int | float] = {
        tracing.PROJECT: after.project_id,
        "gen_ai.usage.input_tokens": _more(known.input_tokens, after.usage.input_tokens),
        "gen_ai.usage.output_tokens": _more(known.output_tokens, after.usage.output_tokens),
    }
    if costed is not None and (costed != cost or after.usage.unpriced == known.unpriced):
        told["gen_ai.usage.cost"] = float(costed - cost if costed >= cost else costed)
    tracing.usage(after.agent_name or "", after.id, after.usage.model, told)


def _more(before: int, after: int) -> int:
    return after - before if after >= before else after


def _unknown_since(facts: Facts) -> list[datetime | None]:
    return [
        seen.at if seen is not None and seen.presence is Presence.UNKNOWN else None
        for seen in (facts.process, facts.forge)
    ]


def _still(facts: Facts, reference: ProcessSeen | None) -> Facts:
    """The facts without what changes at every look."""
    process = facts.process
    if process is not None:
        output = process.output_at
        known = reference.output_at if reference is not None else None
        if output is not None and known is not None and abs(output - known) < OUTPUT_STEP:
            output = known
        process = replace(process, title="", output_at=output)
    return replace(facts, process=process)


def _row(session: Session, memory: LifecycleState, facts: Facts, usage: Usage | None) -> Session:
    """The session's row as its memory, its facts and the books have it."""
    agent, forge = facts.agent, facts.forge
    lost, pause = _lost(memory, facts), memory.pause
    pull = forge.pull if forge is not None else None
    return replace(
        session,
        status=memory.status,
        activity=memory.activity,
        reason=memory.failure or memory.rule or None,
        outcome=memory.outcome,
        no_signal_since=min((since for since, _ in lost), default=None),
        no_signal="; ".join(why for _, why in lost) or None,
        paused_since=pause.since if pause is not None else None,
        paused=_why_paused(pause),
        last_activity_at=last_activity(session, memory, facts),
        pr_number=memory.pull,
        pr_url=pull.url if pull is not None else session.pr_url,
        usage=usage or session.usage,
        summary=agent.summary if agent is not None and agent.summary else session.summary,
        archived_at=memory.cleaned_at if memory.finished else session.archived_at,
    )


def _why_paused(pause: Pause | None) -> str | None:
    if pause is None:
        return None
    let = "" if pause.grant is TurnGrant.NONE else "; a person lets it end its turn"
    return f"{pause.why}{let}"


def _lost(memory: LifecycleState, facts: Facts) -> list[tuple[datetime, str]]:
    """What cannot be seen: since when, what it is, and why. An agent that was looked for in vain is
    shown so at once, though it takes a while until that is told; of a forge many a question fails.
    """
    process, forge = facts.process, facts.forge
    in_vain = process is not None and memory.phase is Phase.LAUNCHED and not process.untried
    watched = (
        ("the agent", process, memory.signal_lost or in_vain),
        ("the forge", forge, memory.forge_lost),
    )
    return [
        (seen.at, f"{what}: {seen.detail or 'it cannot be seen'}")
        for what, seen, lost in watched
        if seen is not None
        and seen.presence is Presence.UNKNOWN
        and lost
        and not memory.status.terminal
    ]


def last_activity(session: Session, memory: LifecycleState, facts: Facts) -> datetime:
    """When the agent itself last did something; what Ennio did does not count."""
    moments = [session.last_activity_at]
    if memory.ready_at is not None:
        moments.append(memory.ready_at)
    if facts.agent is not None and facts.agent.since is not None:
        moments.append(facts.agent.since)
    process = facts.process
    output = (
        process.output_at
        if process is not None and memory.activity is not Activity.EXITED
        else None
    )
    if output is not None and output - session.last_activity_at >= OUTPUT_STEP:
        moments.append(output)
    return max(moments)
