"""What is shown of a session: the session itself, and what is known of it besides."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter
from typing import Self

from ennio.model.facts import AgentSeen
from ennio.model.forecast import CostEstimate, TaskForecast
from ennio.model.message import Message
from ennio.model.plan_window import PlanWindow
from ennio.model.session import Session
from ennio.model.shape import SOMETIMES
from ennio.model.usage import Counted
from ennio.policy.metering import SessionMetrics

_FIELDS = tuple(each.name for each in fields(Session))
_read = attrgetter(*_FIELDS)


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """Where it stands in the queue, counted from 1, and what it waits for."""

    position: int
    reason: str
    held: bool


@dataclass(frozen=True, slots=True)
class WaitingMessage:
    """Since when a message waits for its agent, and why."""

    since: datetime
    reason: str

    @classmethod
    def of(cls, message: Message | None) -> Self | None:
        """That of a message, if there is one."""
        return None if message is None else cls(message.created_at, message.detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView(Session):
    """A session, the place it has in the queue, the message that waits, and what
    its agent says of itself.

    ``windows`` are those of its plan. ``silent_since`` is since when neither the agent nor its
    screen says anything; ``counted`` what a proxy counted of its present launch, and what its
    agent told of that.
    """

    queued: QueuePlace | None = None
    message_waits: WaitingMessage | None = None
    question: str | None = None
    detail: str | None = None
    helpers: int = 0
    windows: tuple[PlanWindow, ...] = ()
    silent_since: datetime | None = None
    counted: Counted | None = None

    @classmethod
    def of(
        cls,
        session: Session,
        place: QueuePlace | None,
        agent: AgentSeen | None,
        message: WaitingMessage | None,
    ) -> Self:
        """The view of a session. What its agent said counts until the session has ended."""
        known = dict(zip(_FIELDS, _read(session), strict=True))
        if agent is None or session.status.terminal:
            counted = agent.counted if agent is not None else None
            return cls(**known, queued=place, message_waits=message, counted=counted)
        return cls(
            **known,
            queued=place,
            message_waits=message,
            question=agent.question,
            detail=agent.detail or None,
            helpers=agent.helpers,
            windows=agent.windows,
            silent_since=agent.silent_since,
            counted=agent.counted,
        )

    def with_detail(
        self,
        status_since: datetime | None,
        metrics: SessionMetrics,
        forecast: TaskForecast | None,
        estimate: CostEstimate | None,
    ) -> SessionDetail:
        """The same with what is only shown of one."""
        known = {each.name: getattr(self, each.name) for each in fields(self)}
        return SessionDetail(
            **known,
            status_since=status_since,
            metrics=metrics,
            forecast=forecast,
            estimate=estimate,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionDetail(SessionView):
    """One session; ``status_since`` is when its status was decided, ``metrics`` how it went.

    ``forecast`` is what was said of it at its spawn, ``estimate`` what it costs by what it has
    cost so far; None once it has ended, and where that is not known.
    """

    status_since: datetime | None = field(metadata=SOMETIMES)
    metrics: SessionMetrics = field(metadata=SOMETIMES)
    forecast: TaskForecast | None = field(metadata=SOMETIMES)
    estimate: CostEstimate | None = field(metadata=SOMETIMES)
