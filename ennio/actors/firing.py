"""A reaction's rule that came to something: what is written down of it, and told.

Nothing here decides, and nothing is written here: the rows and events are the actor's to write.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ennio.actors.reaction_cause import ReactionCause
from ennio.config.model import Reaction, ReactionAction
from ennio.model.events import Draft, EventType
from ennio.model.session import Priority, Session
from ennio.policy import reactions
from ennio.policy.reactions import Case, Decision, Verdict
from ennio.policy.reactions.anomaly import Anomaly
from ennio.store import Notice, ReactionRecord

ALL_COMPLETE = "all-complete"


@dataclass(frozen=True, slots=True)
class Firing:
    """One rule, held against one case of a session, and what was decided about it.

    ``word`` is that of the session's turn. ``of_project`` are all sessions that it is about, where
    it is about a whole project.
    """

    key: str
    rule: Reaction
    case: Case
    decision: Decision
    session: Session
    now: datetime
    word: str = ""
    of_project: tuple[Session, ...] = ()

    @property
    def escalated(self) -> bool:
        """Whether a person is called, since the rule's own action did not help a session."""
        return self.decision.verdict is Verdict.ESCALATE and self.key != ALL_COMPLETE

    @property
    def action(self) -> ReactionAction:
        """What is done: what the rule says, unless a person is to be told in its place."""
        tells = self.escalated or self.case.tells
        return ReactionAction.NOTIFY if tells else self.rule.action

    @property
    def headline(self) -> str:
        """What holds, as it is told: of new words what they ask for, also where it is another's
        turn by what the forge says of the older ones.
        """
        acts = self.decision.verdict is Verdict.ACT
        return self.case.asks if acts and self.case.asks else self.case.headline

    @property
    def fingerprint(self) -> str:
        """What its action is known by: the rule and exactly what was seen; of a person called in
        vain, and of a whole project, also the episode.
        """
        episode = self.decision.state.episode
        if self.key == ALL_COMPLETE:
            return f"@{self.session.project_id}:{episode}"
        seen = "\n".join(sorted(map(str, self.decision.items)))
        digest = hashlib.sha256(seen.encode()).hexdigest()[:16]
        known = f"{self.session.id}:{self.key}:{digest}"
        return f"{known}:escalated:{episode}" if self.escalated else known

    @property
    def priority(self) -> Priority:
        """How much it matters; whoever is called in vain is called loudly."""
        if not self.escalated:
            return self.rule.priority
        return max(self.rule.priority, Priority.URGENT, key=lambda priority: priority.rank)

    def event(self) -> Draft:
        """What the log tells of it."""
        state, headline, reason = self.decision.state, self.headline, self.decision.reason
        if self.key == ALL_COMPLETE:
            return Draft(EventType.ALL_COMPLETE, headline, self.priority)
        told = {"reaction": self.key, "attempts": state.attempts, "reason": reason}
        if self.escalated:
            words = f"{self.key}: {headline}; {reason}"
            return Draft(EventType.REACTION_ESCALATED, words, self.priority, told)
        action = self.action.value
        done = {
            "action": action,
            "attempt": state.attempts,
            "items": [*map(str, self.decision.items)],
        }
        words = f"{self.key}: {headline} -> {action} ({reason})"
        data = {"reaction": self.key} | done
        return Draft(EventType.REACTION_TRIGGERED, words, self.priority, data)

    def events(self) -> Sequence[Draft]:
        """All that the log tells of it: before what is done about it each thing that is out of the
        ordinary, once.
        """
        new = (one for one in self.case.anomalies if one.item in self.decision.items)
        return [*map(self._anomaly, new), self.event()]

    def _anomaly(self, one: Anomaly) -> Draft:
        known = {"metric": one.limit.metric, "seen": one.seen, "limit": one.limit.limit}
        data = known | {"median": one.limit.median, "n": one.limit.n, "group": one.limit.group}
        return Draft(EventType.ANOMALY_DETECTED, str(one), self.rule.priority, data)

    @property
    def cause(self) -> ReactionCause:
        """Why somebody is told."""
        return ReactionCause(self.key, self.session, self.fingerprint, self.now)

    def notice(self) -> Notice:
        """What a person is to be told."""
        return self.cause.notice(self.event().event_type, self.priority, self._words())

    def _words(self) -> str:
        rule, headline = self.rule, self.headline
        if self.of_project:
            return reactions.notice_of_project(rule, headline, self.of_project)
        if self.case.tells:  # its words are for whom the rule would have told
            rule = replace(rule, message=None)
        escalated = self.decision.reason if self.escalated else None
        return reactions.notice(
            self.key, rule, headline, self.session, self.word, escalated=escalated
        )

    def record(self) -> ReactionRecord:
        """What its history keeps: what was done, or why nothing was."""
        verdict = self.decision.verdict
        skipped = verdict is Verdict.QUIET
        done = "escalate" if self.escalated else self.action.value
        return ReactionRecord(
            id=str(uuid.uuid4()),
            session_id=self.session.id,
            key=self.key,
            at=self.now,
            action="none" if skipped else done,
            attempt=self.decision.state.attempts,
            fingerprint=self.fingerprint,
            outcome="skipped" if skipped else verdict.value,
            detail=f"{self.headline}: {self.decision.reason}" if skipped else self.decision.reason,
        )
