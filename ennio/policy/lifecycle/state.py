"""What a session remembers between two steps, what it is given at each, and what its parts find."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from ennio.config.model import CleanupPolicy, Restart
from ennio.model.events import Draft
from ennio.model.evidence import Ground
from ennio.model.facts import Facts
from ennio.model.message import MessageState, Origin
from ennio.model.pulls import CheckState, PullState, ReviewState
from ennio.model.session import Activity, SessionStatus
from ennio.model.session import SessionStatus as S
from ennio.policy.lifecycle.parked import Parked


class Desired(StrEnum):
    """What is wanted of the agent: wait for admission, be started, be left alone, be ended."""

    WAIT = "wait"
    RUN = "run"
    WATCH = "watch"
    END = "end"


class Phase(StrEnum):
    """What has been made so far, in this order. ``launching``: a launch is
    written down but not confirmed.
    """

    NEW = "new"
    WORKSPACE = "workspace"
    PREPARED = "prepared"
    LAUNCHING = "launching"
    LAUNCHED = "launched"


class TurnGrant(StrEnum):
    """What a paused agent is let do by a person: nothing, take the next message, end its turn."""

    NONE = "none"
    MESSAGE = "message"
    TURN = "turn"


@dataclass(frozen=True, slots=True)
class Stop:
    """What budgets say of a session right now: one of them is used up, until when, and whether that
    ends it.
    """

    budget: str
    why: str
    until: datetime | None = None
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """That a budget holds a session, and what was done about it.

    ``cut``: its agent was interrupted in the middle of its turn and has yet to be told to go on.
    ``pressed`` counts the interrupts, ``pressed_at`` is when the last of them was ordered.
    """

    since: datetime
    budget: str
    why: str
    until: datetime | None = None
    cut: bool = False
    pressed: int = 0
    pressed_at: datetime | None = None
    grant: TurnGrant = TurnGrant.NONE
    granted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LastAnswer:
    """An answer to what its agent asked was typed, from ``begun_at`` until ``at``; ``question`` is
    what it was known to ask then.
    """

    question: str | None
    begun_at: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class Spec:
    """What the configuration says about a session's life. Durations in seconds.

    ``tells``: the agent itself says what it does. ``forge``: there is one to look for pull
    requests. ``checks_grace``: how long "no checks" may mean "not registered yet". ``count_stale``:
    an approval of an earlier head is as good as one of this. ``resume_at_reset``: who is parked for
    a used up plan goes on by itself once that begins anew.
    """

    tells: bool = True
    one_shot: bool = False
    forge: bool = True
    ready_threshold: float = 2.0
    quiet_after: float = 10.0
    idle_after: float = 300.0
    checks_grace: float = 30.0
    signal_grace: float = 10.0
    count_stale: bool = False
    restart: Restart = Restart()
    cleanup: CleanupPolicy = CleanupPolicy()
    resume_at_reset: bool = False


@dataclass(frozen=True, slots=True)
class PendingMessage:
    """The oldest message not yet delivered; ``detail`` is what it is known to wait for.

    ``carried``: a command line carried it, so that it waits for nothing. ``by_person``: what a
    person has begun to type keeps it. ``first``: nothing was said to the agent before it.
    """

    id: str
    state: MessageState
    not_before: datetime | None = None
    detail: str = ""
    carried: bool = False
    by_person: bool = False
    first: bool = False


@dataclass(frozen=True, slots=True)
class Inputs:
    """The world at one step: the facts, the oldest pending message, whether an effect of this
    session is under way. ``waiting`` tells, while it is parked, whose messages wait to be typed.
    ``stop`` is what budgets say.
    """

    facts: Facts = field(default_factory=Facts)
    pending: PendingMessage | None = None
    busy: bool = False
    waiting: tuple[Origin, ...] = ()
    stop: Stop | None = None


@dataclass(frozen=True, slots=True)
class LifecycleState:
    """A session's state: written before anything is done about it.

    ``begun`` is True once a workspace may stand, however little of it. ``launches`` counts launches
    ordered. ``ready_at`` is when the present launch was first ready. ``inspected`` and ``stopped``
    are the launches after whose end the workspace was looked at, and the leftovers ended; ``swept``
    is True once what was begun for the session has been ended, launch or not. ``failure`` is why
    the last effect failed, ``retry_at`` when it may be tried again. ``restarts`` are the times of
    launches made without a person. ``red_heads`` are heads whose checks failed since the last green
    one. ``unseen_at`` is since when the forge cannot be seen, and ``unseen`` for how many seconds
    it could not be before that, since there was this head.
    ``pushed`` is the commit on the base that was last told of. ``checks`` is what was last
    told of the checks, and ``checks_head`` of which head; ``review`` and ``pull_state`` what was
    last told of the pull request. ``by_push``: it was merged by a push. ``place`` is what was last
    told to be wrong with the workspace. ``signal_lost`` and ``forge_lost``: the agent's process,
    the forge has not been seen for a while, and that was told. ``parked``: a window of its plan is
    used up; ``went_on_for`` is the latest reset after which it was told to go on. ``pause``: a
    budget holds it; ``released_at`` is when one last let it go on. ``answered`` is what it was
    answered last.
    """

    status: SessionStatus
    status_since: datetime
    desired: Desired = Desired.WAIT
    phase: Phase = Phase.NEW
    begun: bool = False
    activity: Activity | None = None
    activity_since: datetime | None = None
    rule: str = ""
    outcome: str | None = None
    launches: int = 0
    launched_at: datetime | None = None
    ready_at: datetime | None = None
    inspected: int = 0
    stopped: int = 0
    swept: bool = False
    failure: str | None = None
    failures: int = 0
    retry_at: datetime | None = None
    restarts: tuple[datetime, ...] = ()
    killed_by: str | None = None
    pull: int | None = None
    head: str | None = None
    head_at: datetime | None = None
    unseen_at: datetime | None = None
    unseen: float = 0.0
    red_heads: tuple[str, ...] = ()
    checks: CheckState | None = None
    checks_head: str | None = None
    review: ReviewState | None = None
    merge_ready: str = ""
    place: str = ""
    pushed: str | None = None
    pull_state: PullState | None = None
    by_push: bool = False
    signal_lost: bool = False
    forge_lost: bool = False
    clean_wanted: bool = False
    cleaned_at: datetime | None = None
    parked: Parked | None = None
    went_on_for: datetime | None = None
    pause: Pause | None = None
    released_at: datetime | None = None
    answered: LastAnswer | None = None

    @property
    def running_since(self) -> datetime | None:
        """Since when the present launch could be heard: since it was confirmed, or let go on after
        a pause; None while nothing runs that Ennio has started.
        """
        if self.phase is not Phase.LAUNCHED:
            return None
        # a session of an older Ennio runs, and nobody wrote down since when
        begun = self.launched_at or self.status_since
        return max(begun, self.released_at or begun)

    @property
    def under_way(self) -> bool:
        """Whether something that was begun for the session may still run: an agent, or
        what prepares its workspace.
        """
        return self.launches > self.stopped or (self.begun and not self.swept)

    @property
    def finished(self) -> bool:
        """Nothing is left to do for this session, ever."""
        return self.status.terminal and self.cleaned_at is not None


@dataclass(frozen=True, slots=True)
class DerivedStatus:
    """A status, the rule that gave it in words, and the facts it rests on."""

    status: S
    rule: str
    grounds: tuple[Ground, ...] = ()
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """The state with what was new in it, and the events that tell of them."""

    state: LifecycleState
    events: tuple[Draft, ...] = ()
