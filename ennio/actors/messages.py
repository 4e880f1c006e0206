"""Every message an actor can receive. Frozen; no actor shares anything else with another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ennio.hosts.brief import Brief
from ennio.hosts.observation import Observation
from ennio.model.errors import EnnioError
from ennio.model.facts import ForgeSeen, ProcessSeen
from ennio.model.idempotency import IdempotentRequest
from ennio.model.node import NodeStep
from ennio.model.session import RuntimeHandle, Session
from ennio.policy.lifecycle.parked import ResumeWhen
from ennio.policy.reactions.situation import Situation
from ennio.store.answer_links import AnswerLink

# --- to any actor ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ping:
    """Answered with ``True`` once the actor has started."""


@dataclass(frozen=True, slots=True)
class Wake:
    """The time an actor wanted to be woken at has come."""


@dataclass(frozen=True, slots=True)
class EffectResult:
    """An effect of the actor's own has ended: with a result, or with an
    error somebody can act on.
    """

    what: Any
    result: Any = None
    error: EnnioError | None = None


# --- to the root supervisor --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Down:
    """A child has ended; ``error`` is None when it was told to.

    ``outage`` is True when something outside did not answer (the store's disk):
    no fault of the child's.
    """

    name: str
    urn: str
    error: str | None = None
    outage: bool = False


@dataclass(frozen=True, slots=True)
class StartSession:
    """A session is in the store and wants its actor."""

    session_id: str


@dataclass(frozen=True, slots=True)
class SessionOver:
    """A session has nothing left to do, ever; its actor may end."""

    session_id: str


@dataclass(frozen=True, slots=True)
class RestartDue:
    """The pause before a child's restart is over."""

    name: str


@dataclass(frozen=True, slots=True)
class RestartChild:
    """A person asks for an actor that was given up."""

    name: str


@dataclass(frozen=True, slots=True)
class ListChildren:
    """Answered with the state of every child by name."""


@dataclass(frozen=True, slots=True)
class CrashForTest:
    """Let the actor end with an error; the demo shows with it that nothing is lost."""


# --- to whoever keeps a metering proxy ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BudgetsMoved:
    """There is more or less for somebody than the proxy was told, since that moment (monotonic)."""

    since: float


# --- to pollers --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GetHealth:
    """Answered with the source's health."""


@dataclass(frozen=True, slots=True)
class WatchProcess:
    """Tell this session what the runtime sees of its agent, by the handle of its launch."""

    session_id: str
    handle: RuntimeHandle | None = None


@dataclass(frozen=True, slots=True)
class WatchAgent:
    """Read what this session's agent tells, from ``cursor`` on; ``screen`` when it
    needs the screen as well.

    ``place``: look at its working copy too. ``afresh``: what it would only say again is wanted as
    well. ``eager``: it wants to hear of every look, also of one that brought nothing.
    """

    session_id: str
    brief: Brief
    cursor: Mapping[str, str]
    screen: bool = False
    place: bool = False
    afresh: bool = False
    eager: bool = False


@dataclass(frozen=True, slots=True)
class Unwatch:
    """This session wants to hear no more."""

    session_id: str


@dataclass(frozen=True, slots=True)
class LookNow:
    """Look at once instead of at the next tick; many of these make one look."""

    session_id: str | None = None


@dataclass(frozen=True, slots=True)
class LookSince:
    """Tell the session what the next look sees that is made no earlier than that, also where it is
    nothing new. Said again it asks for no further look.
    """

    session_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class NewsTold:
    """Something may have become of these sessions; ``waits`` False: nobody
    waits for that any more.
    """

    sessions: tuple[str, ...] = ()
    everybody: bool = False
    waits: bool = True


# --- to a session ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Resubscribe:
    """A poller was restarted and knows nothing: tell it again what to look for."""


@dataclass(frozen=True, slots=True)
class RuntimeObserved:
    """What a survey of the runtime saw of the session's agent.

    ``begun`` is the monotonic time before the survey: what is older than an effect is not believed.
    """

    seen: ProcessSeen
    begun: float


@dataclass(frozen=True, slots=True)
class AgentObserved:
    """What a look at the session's agent brought (None: it could not be read) and when it began,
    as in ``RuntimeObserved``.
    """

    reading: Observation | None
    begun: float


@dataclass(frozen=True, slots=True)
class ForgeObserved:
    """What a survey of the forge saw of the session's branch."""

    seen: ForgeSeen
    begun: float


@dataclass(frozen=True, slots=True)
class Admit:
    """There is room: start."""


@dataclass(frozen=True, slots=True)
class Kill:
    """End the session for good. Asked; answered with the session."""

    by: str


@dataclass(frozen=True, slots=True)
class Restore:
    """Start an exited session again. Asked; answered with the session."""


@dataclass(frozen=True, slots=True)
class Clean:
    """Remove the workspace of an ended session. Asked; answered when it is written down."""

    force: bool = False


@dataclass(frozen=True, slots=True)
class ResumeParked:
    """A person says when a session goes on that is parked for its agent's plan; answered with
    the session.
    """

    when: ResumeWhen


@dataclass(frozen=True, slots=True)
class GoOn:
    """A budget holds the session, and a person lets it end its turn. Asked; answered when that is
    written down.
    """


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Press Escape in the agent's terminal."""


@dataclass(frozen=True, slots=True)
class AnswerQuestion:
    """Answer the question on the agent's screen. Asked; answered when the keys are pressed.

    ``link``: only the question that it is for, and it is used up by that. ``once``: its keys are
    pressed once, however often it is asked for. ``question``: only this one.
    """

    text: str
    link: AnswerLink | None = None
    once: IdempotentRequest | None = None
    question: str | None = None


@dataclass(frozen=True, slots=True)
class MessageQueued:
    """A message for this session is in the store."""


@dataclass(frozen=True, slots=True)
class BranchChosen:
    """The effect that makes the workspace has chosen the branch; asked, so that it is written
    first. ``path`` is the one place where the working copy can be, as its host says.
    """

    branch: str
    title: str
    asked: int
    path: str


# --- to the reaction, merge, notifier and queue actors -----------------------------------------


@dataclass(frozen=True, slots=True)
class SessionChanged:
    """A session changed; its situation now."""

    situation: Situation


@dataclass(frozen=True, slots=True)
class MergeDue:
    """A merge is written down and wants to be done."""

    session_id: str


@dataclass(frozen=True, slots=True)
class NotificationDue:
    """A notification is written down and wants to be sent."""


@dataclass(frozen=True, slots=True)
class QueueChanged:
    """Somebody came, left, or was moved: look who may start."""


# --- to the keeper of another machine ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NodeWanted:
    """A session needs the machine."""


@dataclass(frozen=True, slots=True)
class NodeAwaited:
    """A person waits for something of it: where it is away it is tried now."""


@dataclass(frozen=True, slots=True)
class NodeDoubted:
    """Somebody who looks there could not; it is asked whether it is still there."""


@dataclass(frozen=True, slots=True)
class NodeSeen:
    """Somebody who looks there was answered: what was wrong with it is over."""


@dataclass(frozen=True, slots=True)
class ConnectNode:
    """A person wants it asked now. Asked; answered with the node as it is then."""


@dataclass(frozen=True, slots=True)
class PartNode:
    """A person has its daemon shut down. Asked; answered with the number of its sessions once that
    is written down.
    """


@dataclass(frozen=True, slots=True)
class GetNode:
    """Answered with the node. ``look``: somebody watches, so that it is asked again soon."""

    look: bool = False


@dataclass(frozen=True, slots=True)
class NodeStepped:
    """One step on the way to its daemon has ended."""

    step: NodeStep


# --- to those who follow the event log ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EventsWritten:
    """The log has grown by something that concerns the follower; its cursor says from where on."""


@dataclass(frozen=True, slots=True)
class GetRelayState:
    """Answered with how the relay to NATS is doing."""


@dataclass(frozen=True, slots=True)
class GetRadarState:
    """Answered with how far the conflict radar has come."""


@dataclass(frozen=True, slots=True)
class SessionWritten:
    """A session, its facts or its numbers are others than they were."""

    session: Session


@dataclass(frozen=True, slots=True)
class PublishRows:
    """The pause is over after which what became of sessions is published again."""
