"""Decides what is done about what happens: writes it down, then tells who does it.

Each decision, its message or notification and its events are one transaction, so a crash can
neither lose nor double them. After a restart every session is looked at again.
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, assert_never

import pykka

from ennio.actors.actor import Actor
from ennio.actors.dependencies import Dependencies
from ennio.actors.firing import ALL_COMPLETE, Firing
from ennio.actors.forecasting import Forecaster, kind_of
from ennio.actors.messages import (
    MergeDue,
    MessageQueued,
    NotificationDue,
    Ping,
    SessionChanged,
    Wake,
)
from ennio.actors.registry import MERGES, NOTICES, session_name
from ennio.actors.situation import situation_of
from ennio.actors.timers import Alarm
from ennio.actors.turns import word_of
from ennio.config.model import Reaction, ReactionAction
from ennio.machine.installation import program
from ennio.model import codec
from ennio.model.clock import ClockJump, parse_time, rfc3339
from ennio.model.events import EventType
from ennio.model.message import Message
from ennio.model.pulls import MergeMethod
from ennio.model.session import Session
from ennio.policy import reactions
from ennio.policy.lifecycle import LifecycleState
from ennio.policy.reactions import Case, Decision, ReactionState, Situation, Verdict
from ennio.policy.reactions.cases import SESSION_KEYS
from ennio.store import Merge

RESUMED = "resumed_at"
"""Under what the moment the machine last woke, or its clock was set, is kept."""


class ReactionActor(Actor):
    """Holds every rule against every session that changed."""

    def __init__(self, deps: Dependencies, name: str, watcher: pykka.ActorRef[Any] | None) -> None:
        super().__init__(name, watcher)
        self._deps = deps
        self._situations: dict[str, Situation] = {}
        self._due: dict[str, datetime] = {}
        self._states: dict[tuple[str, str], ReactionState] = {}
        self._of_projects: dict[str, ReactionState] = {}
        self._alarm = Alarm(self, deps.clock, Wake())
        self._clock_jump = ClockJump(deps.clock)
        self._resumed_at: datetime | None = None
        self._forecaster = Forecaster(deps)

    def on_start(self) -> None:
        """Read back what was done, and look at everything once."""
        for key, told in self._deps.store.reactions.all().items():
            self._states[key] = codec.loads(ReactionState, told)
        for project_id, told in self._deps.store.reactions.of_projects(ALL_COMPLETE).items():
            self._of_projects[project_id] = codec.loads(ReactionState, told)
        resumed = self._deps.store.meta.get(RESUMED)
        self._resumed_at = parse_time(resumed) if resumed else None
        facts = self._deps.store.facts.load_all()
        now = self._deps.clock.now()
        ended: dict[str, Session] = {}
        for session in self._deps.store.sessions.list():
            project = self._deps.config.project(session.project_id)
            if project is None or session.id not in facts:
                continue
            text = self._deps.store.memories.get(session.id)
            state = (
                codec.loads(LifecycleState, text)
                if text is not None
                else LifecycleState(session.status, now)
            )
            seen = facts[session.id].adopted(now)
            if self._look_at_session(situation_of(project, session, state, seen)):
                ended[session.project_id] = session
        for last in ended.values():  # once each, however many of them have ended
            self._look_at_project(last, now)
        self._set_alarm()
        # what was written down by a life that ended before it told of it
        self._deps.actors.tell(NOTICES, Wake())
        self._deps.actors.tell(MERGES, Wake())

    def on_stop(self) -> None:
        """No more deadlines."""
        self._alarm.cancel()

    def on_receive(self, message: Any) -> Any:
        """A session changed, or a deadline has come."""
        if (jump := self._clock_jump.taken()) is not None:
            self._on_clock_jump(jump)
        match message:
            case SessionChanged(situation):
                self._look(situation)
                self._set_alarm()
            case Wake():
                self._on_deadline()
            case Ping():
                return True
            case _:
                assert_never(message)
        return None

    def _on_deadline(self) -> None:
        now = self._deps.clock.now()
        for session_id in [who for who, at in self._due.items() if at <= now]:
            self._look(self._situations[session_id])
        self._set_alarm()

    def _on_clock_jump(self, jump: timedelta) -> None:
        """The machine slept, or its clock was set: what is waited for moves along, and nobody
        is called silent for it.
        """
        self._resumed_at = self._deps.clock.now()
        moved = {
            key: reactions.shifted(state, jump)
            for key, state in self._states.items()
            if state.since is not None
        }
        projects = {
            name: reactions.shifted(state, jump)
            for name, state in self._of_projects.items()
            if state.since is not None
        }
        with self._deps.store.transaction():
            self._deps.store.meta.set(RESUMED, rfc3339(self._resumed_at))
            for key, state in moved.items():
                self._deps.store.reactions.save(*key, codec.dumps(state))
            for project_id, state in projects.items():
                self._deps.store.reactions.save_of_project(
                    project_id, ALL_COMPLETE, codec.dumps(state)
                )
        self._states |= moved
        self._of_projects |= projects
        for situation in list(self._situations.values()):
            self._look(situation)
        self._set_alarm()

    def _set_alarm(self) -> None:
        self._alarm.set(min(self._due.values(), default=None))

    def _look(self, situation: Situation) -> None:
        """Hold every rule against one session, and that of its project where it has ended."""
        if self._look_at_session(situation):
            self._look_at_project(situation.session, self._deps.clock.now())

    def _look_at_session(self, situation: Situation) -> bool:
        """Hold every rule of one session against it; tells whether it has ended."""
        usual = self._forecaster.limits(kind_of(self._deps, situation.session))
        situation = replace(situation, resumed_at=self._resumed_at, usual=usual)
        session_id = situation.session.id
        rules = self._deps.project(situation.session.project_id).reactions
        now = self._deps.clock.now()
        wakes = [
            self._hold(key, rules[key], situation, now) for key in SESSION_KEYS if key in rules
        ]
        self._due.pop(session_id, None)
        due = min((at for at in wakes if at is not None), default=None)
        forge = situation.facts.forge
        if forge is not None and forge.pull is not None and forge.pull.merging:
            self._deps.actors.tell(
                MERGES, MergeDue(session_id)
            )  # the forge merges by itself: perhaps not what was approved
        if situation.session.status.terminal:
            self._situations.pop(session_id, None)
            return True
        self._situations[session_id] = situation
        self._end_of_project_episode(situation.session, now)
        if due is not None:
            self._due[session_id] = due
        return False

    def _hold(
        self, key: str, rule: Reaction, situation: Situation, now: datetime
    ) -> datetime | None:
        session = situation.session
        case = reactions.case(key, rule, situation, now)
        before = self._states.get((session.id, key), ReactionState())
        if before.attempts and case.holds:
            case = reactions.on_its_way(
                case, self._last(session.id, key), situation.facts.agent, now
            )
        decision = reactions.decide(rule, case, before, now)
        if decision.state != before:
            word = "" if decision.verdict is Verdict.QUIET else word_of(self._deps, session)
            firing = Firing(key, rule, case, decision, session, now, word)
            self._carry_out(firing, situation, before)
        # what holds may come to hold for another reason as well
        wakes = (decision.wake_at, case.wake_at)
        return min((at for at in wakes if at is not None), default=None)

    def _last(self, session_id: str, key: str) -> Message | None:
        """What the agent was told last, or is to be told, by one reaction."""
        told = [
            message
            for message in self._deps.store.messages.list(session_id)
            if message.reaction == key
        ]
        return told[-1] if told else None

    # --- a whole project --------------------------------------------------------------------------

    def _look_at_project(self, last: Session, now: datetime) -> None:
        rule = self._deps.project(last.project_id).reactions.get(ALL_COMPLETE)
        if rule is None:
            return
        if self._deps.store.sessions.count_unended(last.project_id):
            # most of the time; then the others, of which there may be hundreds, are not read
            self._hold_project(rule, reactions.all_complete(()), last, now)
            return
        sessions = list(self._deps.store.sessions.list(last.project_id)) or [last]
        self._hold_project(rule, reactions.all_complete(sessions), last, now, tuple(sessions))

    def _end_of_project_episode(self, session: Session, now: datetime) -> None:
        rule = self._deps.project(session.project_id).reactions.get(ALL_COMPLETE)
        before = self._of_projects.get(session.project_id)
        if rule is not None and before is not None and before.since is not None:
            self._hold_project(rule, Case(False, ""), session, now)

    def _hold_project(
        self,
        rule: Reaction,
        case: Case,
        session: Session,
        now: datetime,
        sessions: tuple[Session, ...] = (),
    ) -> None:
        project_id = session.project_id
        before = self._of_projects.get(project_id, ReactionState())
        decision = reactions.decide(rule, case, before, now)
        if decision.state == before:
            return
        self._of_projects[project_id] = decision.state
        with self._deps.store.transaction() as tx:
            self._deps.store.reactions.save_of_project(
                project_id, ALL_COMPLETE, codec.dumps(decision.state)
            )
            if reactions.is_over(before, decision.state):
                self._deps.store.notifications.resolve(ALL_COMPLETE, now, project_id=project_id)
            if decision.verdict is not Verdict.QUIET:
                firing = Firing(
                    *(ALL_COMPLETE, rule, case, decision, session, now), of_project=sessions
                )
                tx.emit(session.id, project_id, firing.event())
                self._deps.store.notifications.add(firing.notice())
        self._deps.actors.tell(NOTICES, NotificationDue())

    # --- what is done -----------------------------------------------------------------------------

    def _carry_out(self, firing: Firing, situation: Situation, before: ReactionState) -> None:
        """Write down what was decided, with what it is to bring about; then tell who does it."""
        session, store, decision = firing.session, self._deps.store, firing.decision
        self._states[(session.id, firing.key)] = decision.state
        quiet = decision.verdict is Verdict.QUIET
        with store.transaction() as tx:
            store.reactions.save(session.id, firing.key, codec.dumps(decision.state))
            gone = self._take_back(firing, before)
            if not quiet:
                self._act(firing, situation)
                for draft in firing.events():
                    tx.emit(session.id, session.project_id, draft)
            if not quiet or _passes_over(decision, before):
                store.reactions.record(firing.record())
        if not quiet:
            self._deps.actors.tell(session_name(session.id), MessageQueued())
            self._deps.actors.tell(MERGES, MergeDue(session.id))
        if gone or not quiet:
            self._deps.actors.tell(NOTICES, NotificationDue())

    def _take_back(self, firing: Firing, before: ReactionState) -> bool:
        """Say of notices that they hold no more; tells whether there were any."""
        after, whose = firing.decision.state, {"session_id": firing.session.id}
        if reactions.is_called_off(before, after):
            whose["event_type"] = EventType.REACTION_ESCALATED.value
        elif not reactions.is_over(before, after):
            return False
        return self._deps.store.notifications.resolve(firing.key, firing.now, **whose)

    def _act(self, firing: Firing, situation: Situation) -> None:
        """The rows of what is to be done."""
        store, decision = self._deps.store, firing.decision
        match firing.action:
            case ReactionAction.SEND_TO_AGENT:
                text = reactions.to_agent(
                    firing.key,
                    firing.rule,
                    situation,
                    decision.items,
                    self._answering(firing.session),
                    edited=decision.edited,
                )
                store.messages.add(firing.cause.message(text))
            case ReactionAction.NOTIFY:
                store.notifications.add(firing.notice())
            case ReactionAction.AUTO_MERGE:
                self._intend_merge(situation, firing.fingerprint, firing.now)

    def _answering(self, session: Session) -> str:
        """How the agent calls us to answer on its forge; empty where the forge takes no answers."""
        forge = self._deps.plugins.forge(self._deps.project(session.project_id))
        # a forge of somebody's own may be older than these
        takes = hasattr(forge, "reply") and hasattr(forge, "resolve")
        return f"{program()} --config {shlex.quote(str(self._deps.config.source))}" if takes else ""

    def _intend_merge(self, situation: Situation, mark: str, now: datetime) -> None:
        forge = situation.facts.forge
        if forge is None or forge.pull is None:
            return
        project = self._deps.project(situation.session.project_id)
        method = MergeMethod(
            str((project.forge.config if project.forge else {}).get("merge_method", "squash"))
        )
        pull = forge.pull
        merge = Merge(
            session_id=situation.session.id,
            number=pull.number,
            head=pull.head,
            method=method,
            fingerprint=mark,
            at=now,
        )
        self._deps.store.merges.intend(merge, situation.session.project_id)


def _passes_over(decision: Decision, before: ReactionState) -> bool:
    """Whether there is something new on which nothing is done; the reason is kept once."""
    return bool(decision.items) and decision.state.passed_over != before.passed_over
