"""What is shown of a session: the session itself, and what is known of it besides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, Self

from ennio.actors.session_context import ISOLATION
from ennio.hosts.sharing import shared, shared_by
from ennio.model.changes import DiffStat
from ennio.model.conflicts import ConflictWith
from ennio.model.forecast import CostEstimate, TaskForecast
from ennio.model.message import Message
from ennio.model.plan_window import PlanWindow
from ennio.model.pulls import CheckState, PullRequest, ReviewState
from ennio.model.session import Session, Usage
from ennio.model.shape import INTERNAL, SOMETIMES
from ennio.model.usage import Billing, Counted, UsageSource
from ennio.policy import turn_verbs, turn_words
from ennio.policy.metering import SessionMetrics
from ennio.policy.turn_inputs import Turn, TurnInputs, TurnVerdict

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


@dataclass(frozen=True, slots=True)
class CheckCounts:
    """How many checks of the pull request pass, fail, and are not through."""

    passing: int
    failing: int
    pending: int

    @classmethod
    def of(cls, pull: PullRequest | None) -> Self | None:
        """Those of a pull request; None where it has none."""
        if pull is None or not pull.check_runs:
            return None
        states = Counter(run.state for run in pull.check_runs)
        passing, failing = states[CheckState.PASSING], states[CheckState.FAILING]
        return cls(passing, failing, len(pull.check_runs) - passing - failing)


@dataclass(frozen=True, slots=True)
class SessionCost:
    """What it has cost; ``amount`` is None where no price is known, and the known part where some
    is. ``source`` is who computed it. ``billing``: a plan gave all of it, or it is paid for.
    """

    amount: Decimal | None
    source: UsageSource
    billing: Billing

    @classmethod
    def of(cls, usage: Usage | None) -> Self | None:
        """That of what was used; None where nothing was."""
        if usage is None:
            return None
        on_plan = bool(usage.listed_usd) and usage.listed_usd == usage.cost_usd
        billing = Billing.PLAN if on_plan else Billing.METERED
        return cls(usage.cost_usd, usage.source, billing)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView(Session):
    """A session, the place it has in the queue, the message that waits, and what
    its agent says of itself.

    ``options`` are the answers of which one is chosen, ``windows`` those of its plan.
    ``silent_since`` is since when neither the agent nor its
    screen says anything; ``counted`` what a proxy counted of its present launch, and what its
    agent told of that. ``turn`` is whose turn it is, ``word`` for what, by which ``rule``, why and
    since when; ``wants`` are the verbs that would be accepted now. ``checks`` and ``review``
    are of its pull request, ``diff`` of its branch. ``signal_at`` is when its agent last gave a
    signal, None while it does. ``conflicts`` are those expected with branches of other sessions.
    ``isolation`` is what its programs are kept in, ``shared_by`` the strategy by which people
    reach its terminal; None where it is neither.
    ``until`` is when time alone may change whose turn it is.
    """

    queued: QueuePlace | None = None
    message_waits: WaitingMessage | None = None
    question: str | None = None
    options: tuple[str, ...] = ()
    detail: str | None = None
    helpers: int = 0
    windows: tuple[PlanWindow, ...] = ()
    silent_since: datetime | None = None
    counted: Counted | None = None
    title: str = ""
    turn: Turn
    word: str
    rule: str
    turn_why: str
    turn_since: datetime
    wants: tuple[str, ...]
    checks: CheckCounts | None = None
    review: ReviewState | None = None
    diff: DiffStat | None = None
    cost: SessionCost | None = None
    signal_at: datetime | None = None
    conflicts: tuple[ConflictWith, ...] = ()
    isolation: str | None = None
    shared_by: str | None = None
    until: datetime | None = field(default=None, metadata=INTERNAL)

    @classmethod
    def of(
        cls,
        inputs: TurnInputs,
        verdict: TurnVerdict,
        place: QueuePlace | None = None,
        message: WaitingMessage | None = None,
        conflicts: tuple[ConflictWith, ...] = (),
        diff: DiffStat | None = None,
    ) -> Self:
        """The view of a session that was judged."""
        known = dict(zip(_FIELDS, _read(inputs.session), strict=True))
        return cls(
            **known,
            **_of_agent(inputs),
            **_row(inputs, verdict),
            **_place(inputs.session),
            queued=place,
            message_waits=message,
            conflicts=conflicts,
            diff=diff,
        )

    def with_detail(
        self,
        status_since: datetime | None,
        metrics: SessionMetrics,
        forecast: TaskForecast | None,
        estimate: CostEstimate | None,
        accepts: tuple[str, ...],
    ) -> SessionDetail:
        """The same with what is only shown of one."""
        known = {each.name: getattr(self, each.name) for each in fields(self)}
        return SessionDetail(
            **known,
            status_since=status_since,
            metrics=metrics,
            forecast=forecast,
            estimate=estimate,
            accepts=accepts,
            shared=shared(self.runtime_handle.data) if self.runtime_handle else {},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionDetail(SessionView):
    """One session; ``status_since`` is when its status was decided, ``metrics`` how it went.

    ``forecast`` is what was said of it at its spawn, ``estimate`` what it costs by what it has
    cost so far; None once it has ended, and where that is not known. ``accepts`` are all verbs that
    would be accepted now, also those that nobody waits for. ``shared`` are the links by which
    people reach its terminal: whoever has one can type there.
    """

    status_since: datetime | None = field(metadata=SOMETIMES)
    metrics: SessionMetrics = field(metadata=SOMETIMES)
    forecast: TaskForecast | None = field(metadata=SOMETIMES)
    estimate: CostEstimate | None = field(metadata=SOMETIMES)
    accepts: tuple[str, ...] = field(metadata=SOMETIMES)
    shared: Mapping[str, str] = field(metadata=SOMETIMES)


def _place(session: Session) -> dict[str, Any]:
    """What is around its agent."""
    handle = session.runtime_handle
    return {
        "isolation": session.metadata.get(ISOLATION),
        "shared_by": shared_by(handle.data) or None if handle is not None else None,
    }


def _of_agent(inputs: TurnInputs) -> dict[str, Any]:
    """What its agent said; that counts until the session has ended."""
    agent = inputs.agent
    if agent is None:
        return {}
    if inputs.session.status.terminal:
        return {"counted": agent.counted}
    return {
        "question": agent.question,
        "options": agent.options,
        "detail": agent.detail or None,
        "helpers": agent.helpers,
        "windows": agent.windows,
        "silent_since": agent.silent_since,
        "counted": agent.counted,
    }


def _row(inputs: TurnInputs, verdict: TurnVerdict) -> dict[str, Any]:
    session, match = inputs.session, verdict.match
    pull = inputs.forge.pull if inputs.forge is not None else None
    return {
        "title": turn_words.title(session.metadata.get("title"), session.prompt, _named(session)),
        "turn": match.turn,
        "word": match.word,
        "rule": verdict.rule,
        "turn_why": match.why,
        "turn_since": match.since,
        "wants": turn_verbs.wants(inputs, verdict),
        "checks": CheckCounts.of(pull),
        "review": pull.review if pull is not None else None,
        "cost": SessionCost.of(session.usage),
        "signal_at": inputs.silent_since,
        "until": verdict.until,
    }


def _named(session: Session) -> str:
    return f"issue {session.issue_id}" if session.issue_id else session.branch or session.id
