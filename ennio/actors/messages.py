"""Every message an actor can receive. Frozen; no actor shares anything else with another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ennio.model.errors import EnnioError
from ennio.model.facts import ForgeSeen, Place
from ennio.policy.reactions.cases import Situation

# --- to any actor ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ping:
    """Answered with ``True`` once the actor has started."""


@dataclass(frozen=True, slots=True)
class Wake:
    """The time an actor wanted to be woken at has come."""


@dataclass(frozen=True, slots=True)
class EffectResult:
    """An effect of the actor's own has ended: with a result, or with an error somebody can act on."""

    what: Any
    result: Any = None
    error: EnnioError | None = None


# --- to the root supervisor --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Down:
    """A child has ended; ``error`` is None when it was told to.

    ``outage`` is True when something outside did not answer (the store's disk): no fault of the child's.
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


# --- to pollers --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GetHealth:
    """Answered with the source's pulse."""


@dataclass(frozen=True, slots=True)
class WatchWorkspace:
    """A working copy to be looked at: of which kind, where, on which branch, of which repository."""

    kind: str
    path: Path
    branch: str
    source: Path


@dataclass(frozen=True, slots=True)
class WatchPane:
    """Tell this session what the runtime sees of it; ``screen`` when it needs the screen as well.

    ``place`` is its working copy, once that was made: it is looked at too.
    """

    session_id: str
    screen: bool = False
    place: WatchWorkspace | None = None


@dataclass(frozen=True, slots=True)
class WatchBranch:
    """Tell this session what the forge knows of its branch."""

    session_id: str
    branch: str
    base: str
    number: int | None = None
    resting: bool = False
    title: str = ""
    body: str = ""
    workspace: Path | None = None


@dataclass(frozen=True, slots=True)
class Unwatch:
    """This session wants to hear no more."""

    session_id: str


@dataclass(frozen=True, slots=True)
class LookNow:
    """Look at once instead of at the next tick; many of these make one look."""

    session_id: str | None = None


# --- to a session ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Resubscribe:
    """A poller was restarted and knows nothing: tell it again what to look for."""


@dataclass(frozen=True, slots=True)
class RuntimeObserved:
    """What a survey of the runtime saw of the session: its pane, none, or (not ``surveyed``) nothing.

    ``begun`` is the monotonic time before the survey: what is older than an effect is not believed.
    """

    pane: Any
    surveyed: bool
    begun: float
    source: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ReadAgent:
    """Time to read what the agent tells; ``screen`` for those who want it (None: it was not seen)."""

    screen: str | None = None


@dataclass(frozen=True, slots=True)
class WorkspaceObserved:
    """What a glance at the session's working copy saw, when it is not what it saw before."""

    place: Place
    where: str
    elsewhere: str = ""


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
class Interrupt:
    """Press Escape in the agent's terminal."""


@dataclass(frozen=True, slots=True)
class AnswerQuestion:
    """Answer the question on the agent's screen. Asked; answered when the keys are pressed."""

    text: str


@dataclass(frozen=True, slots=True)
class MessageQueued:
    """A message for this session is in the store."""


@dataclass(frozen=True, slots=True)
class BranchChosen:
    """The effect that makes the workspace has chosen the branch; asked, so that it is written first."""

    branch: str
    title: str


@dataclass(frozen=True, slots=True)
class MessageMarked:
    """The delivery is about to type a message; asked, so that it is written first."""

    message_id: str


@dataclass(frozen=True, slots=True)
class DraftTaken:
    """The delivery is about to take out what a person has begun to type; asked, so that it is written first."""

    draft: str


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


# --- to those who follow the event log ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EventsWritten:
    """The log has grown by something that concerns the follower; its cursor says from where on."""
