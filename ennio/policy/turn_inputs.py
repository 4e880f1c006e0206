"""What whose turn it is in a session is judged by, and what a judgement says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from ennio.model.facts import AgentSeen, ForgeSeen, PlaceSeen, Presence, ProcessSeen
from ennio.model.pulls import PullRequest, PullState
from ennio.model.session import Session
from ennio.policy.lifecycle.state import LifecycleState
from ennio.policy.reactions import ReactionState

UNWATCHED = "its actor"
"""How ``Session.no_signal`` begins where the actor of a session was given up."""


class Turn(StrEnum):
    """Whose turn it is: a person's, the agent's, somebody's out there, or nobody's any more."""

    YOU = "you"
    AGENT = "agent"
    WORLD = "world"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class TurnRules:
    """What the configuration and the forge of a project say.

    ``resumes``: who was parked goes on by itself. ``merges``: what is approved and green is merged
    without a person. ``calls`` are the reactions that notify a person. ``reviewed_here``: a review
    that is wanted is wanted of whoever uses Ennio. ``forge``: pull requests can be acted upon;
    ``reruns``, ``reminds`` and ``withdraws``: its forge runs checks again, tells reviewers again,
    takes back an order to merge later. ``stray``: its project or its host is not known, so nothing
    can be done but to end it.
    """

    resumes: bool = False
    merges: bool = False
    calls: frozenset[str] = frozenset()
    reviewed_here: bool = False
    ready_threshold: float = 2.0
    forge: bool = False
    reruns: bool = False
    reminds: bool = False
    withdraws: bool = False
    stray: bool = False


@dataclass(frozen=True, slots=True)
class InQueue:
    """That a session waits in the queue: since when, for what, since when a person holds it, and
    since when it waits for what only a person can mend.
    """

    since: datetime
    reason: str
    held: bool = False
    held_since: datetime | None = None
    blocked_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class TurnInputs:
    """One session as it is judged; what is None was not seen.

    ``process`` is only needed where the agent has ended or cannot be seen. ``seen`` are the marks
    of the escalations that a person has seen, by reaction. ``waits``: a message waits for the
    agent.
    """

    session: Session
    state: LifecycleState
    agent: AgentSeen | None = None
    forge: ForgeSeen | None = None
    process: ProcessSeen | None = None
    reactions: Mapping[str, ReactionState] = field(default_factory=dict)
    seen: Mapping[str, str] = field(default_factory=dict)
    queued: InQueue | None = None
    waits: bool = False
    rules: TurnRules = TurnRules()
    place: PlaceSeen | None = None

    @property
    def pull(self) -> PullRequest | None:
        """The open pull request, as it was seen last."""
        pull = self.forge.pull if self.forge is not None else None
        return pull if pull is not None and pull.state is PullState.OPEN else None

    @property
    def over(self) -> bool:
        """Whether it has ended, or its end was ordered."""
        return self.session.status.terminal or self.state.killed_by is not None

    @property
    def unwatched(self) -> bool:
        """Whether its actor was given up."""
        return (self.session.no_signal or "").startswith(UNWATCHED)

    @property
    def silent_since(self) -> datetime | None:
        """Since when there has been no signal of its agent; a forge out of sight is none of it."""
        if self.over:
            return None
        session, moments = self.session, []
        if session.no_signal_since is not None and not (session.no_signal or "").startswith(
            "the forge"
        ):
            blind = self.process is not None and self.process.presence is Presence.UNKNOWN
            moments.append(
                self.process.at if blind and self.process is not None else session.no_signal_since
            )
        if self.agent is not None and self.agent.silent_since is not None:
            moments.append(self.agent.silent_since)
        return min(moments, default=None)


@dataclass(frozen=True, slots=True)
class TurnMatch:
    """What a rule found: the turn, its word, since when, why, and what may be done about it."""

    turn: Turn
    word: str
    since: datetime
    why: str
    verbs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TurnVerdict:
    """A match with the name of its rule. ``until`` is when time alone may make it another."""

    rule: str
    match: TurnMatch
    until: datetime | None = None
