"""What sessions are expected to come to, and what became of that: asks the predictor, and keeps
what it said beside the session.

What finished sessions came to is read once and kept until another one has ended; so to hold a
session against its limits takes no query.
"""

from __future__ import annotations

import logging
from datetime import datetime
from decimal import Decimal

from ennio.actors.dependencies import Dependencies
from ennio.model.errors import EnnioError
from ennio.model.forecast import (
    AnomalyLimit,
    CostEstimate,
    FinishedTask,
    TaskForecast,
    TaskKind,
    TaskSize,
)
from ennio.model.session import Activity, Session
from ennio.plugins.predictor.interface import Predictor
from ennio.policy import forecast
from ennio.policy.forecast import words_asked
from ennio.store.forecasts import ForecastRecord

ASKED = "asked"
"""Under what a session keeps how many words its task was put in, once its issue was read."""
LEAST_SILENCE = 60
"""Seconds; what is shorter is no silence, and not written down."""
log = logging.getLogger(__name__)


def asked(session: Session) -> int | None:
    """How many words its task was put in; None while its issue was not read."""
    told = session.metadata.get(ASKED)
    if told is not None:
        return int(told)
    return None if session.issue_id else words_asked(session.prompt)


def kind_of(deps: Dependencies, session: Session, words: int | None = None) -> TaskKind:
    """What a session is like; its model is the one it uses, or else the one it is told to use."""
    project = deps.config.project(session.project_id)
    used = session.usage.model if session.usage is not None else None
    wanted = project.agent_config.model if project is not None else None
    many = asked(session) if words is None else words
    size = None if many is None else TaskSize.of_words(many)
    return TaskKind(session.project_id, session.agent_name or "", used or wanted, size)


class Forecaster:
    """Asks the predictor of the configuration, and hands it what it learns from."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps
        self._learned_from: tuple[FinishedTask, ...] = ()
        self._limits: dict[TaskKind, tuple[AnomalyLimit, ...]] = {}

    def forecast(self, kind: TaskKind) -> TaskForecast:
        """What a session of this kind is expected to come to."""
        predictor, history = self._predictor, self.history()
        return TaskForecast(
            kind,
            predictor.success(kind, history),
            predictor.duration(kind, history),
            predictor.tokens(kind, history),
            predictor.cost(kind, history),
            forecast.LEAST,
        )

    def estimate(self, kind: TaskKind, spent: Decimal) -> CostEstimate:
        """What one that has cost so much is expected to cost in all, and from now on."""
        return self._predictor.estimate(kind, spent, self.history())

    def likely_cost(self, kind: TaskKind) -> Decimal | None:
        """What half of the sessions like it cost at most; None where there are too few."""
        return forecast.likely_cost(kind, self.history())

    def limits(self, kind: TaskKind) -> tuple[AnomalyLimit, ...]:
        """Beyond what one of this kind is out of the ordinary; looked up once a kind, until
        another session has ended.
        """
        history = self.history()
        if history is not self._learned_from:
            self._learned_from, self._limits = history, {}
        if kind not in self._limits:
            self._limits[kind] = self._asked_for_limits(kind, history)
        return self._limits[kind]

    def _asked_for_limits(
        self, kind: TaskKind, history: tuple[FinishedTask, ...]
    ) -> tuple[AnomalyLimit, ...]:
        """None of them where the predictor fails: then nothing is out of the ordinary."""
        try:
            return self._predictor.limits(kind, history)
        except EnnioError as error:
            log.warning("no limits", extra={"project": kind.project_id, "error": str(error)})
            return ()

    def history(self) -> tuple[FinishedTask, ...]:
        """What finished sessions came to, the latest first."""
        return self._deps.store.forecasts.finished()

    @property
    def _predictor(self) -> Predictor:
        return self._deps.plugins.predictor(self._deps.config.defaults.predictor)


def foretold(deps: Dependencies, session: Session) -> ForecastRecord:
    """What is to be kept of a new session."""
    kind, now = kind_of(deps, session), deps.clock.now()
    words, told_of = asked(session), told(deps, kind)
    return ForecastRecord(session.id, kind.project_id, kind.agent, now, kind.model, words, told_of)


def told(deps: Dependencies, kind: TaskKind) -> TaskForecast | None:
    """What a session of this kind is expected to come to; None where the predictor fails."""
    try:
        return Forecaster(deps).forecast(kind)
    except EnnioError as error:
        log.warning("not forecast", extra={"project": kind.project_id, "error": str(error)})
        return None


def estimated(deps: Dependencies, session: Session) -> CostEstimate | None:
    """What a session under way costs in all, and from now on, by what it has cost; None where that
    is not known.
    """
    usage = session.usage
    if session.status.terminal or usage is None or usage.unpriced or usage.cost_usd is None:
        return None
    try:
        return Forecaster(deps).estimate(kind_of(deps, session), usage.cost_usd)
    except EnnioError as error:
        log.warning("not estimated", extra={"session": session.id, "error": str(error)})
        return None


def read_issue(deps: Dependencies, session: Session) -> None:
    """Its issue was read by now, so that the size of its task is known: it is forecast anew."""
    before = deps.store.forecasts.get(session.id)
    if before is not None and before.words is None and before.ended_at is None:
        deps.store.forecasts.save(foretold(deps, session))


def ended(deps: Dependencies, session: Session) -> None:
    """Keep what became of a session; inside the transaction of its end, or of what it used later
    still.
    """
    repository, now = deps.store.forecasts, deps.clock.now()
    before = repository.get(session.id)
    if before is None:  # it was taken in, or is older than forecasts
        before = ForecastRecord(
            session.id, session.project_id, session.agent_name or "", session.created_at
        )
    repository.save(_completed(before, session, before.ended_at or now))


def _completed(before: ForecastRecord, session: Session, at: datetime) -> ForecastRecord:
    usage = session.usage
    cost = usage.cost_usd if usage is not None and not usage.unpriced else None
    return ForecastRecord(
        session.id,
        before.project_id,
        before.agent,
        before.made_at,
        model=(usage.model if usage is not None else None) or before.model,
        words=asked(session) if before.words is None else before.words,
        forecast=before.forecast,
        silence=before.silence or 0,
        ended_at=at,
        outcome=session.outcome or session.status.value,
        seconds=int(max(0.0, (at - session.created_at).total_seconds())),
        tokens=None if usage is None else usage.input_tokens + usage.output_tokens,
        cost_usd=cost,
    )


class SilenceGauge:
    """How long the agent of one session was silent at work at the longest."""

    def __init__(self, deps: Dependencies, session_id: str) -> None:
        self._deps = deps
        self._session_id = session_id
        self._longest = 0
        self._heard = deps.clock.running()

    def note(self, before: Session, after: Session) -> None:
        """It was heard again, perhaps; what is longer than before is written down. A silence
        through which the machine slept was no longer than it was awake.
        """
        if after.last_activity_at <= before.last_activity_at:
            return
        awake, self._heard = self._deps.clock.running() - self._heard, self._deps.clock.running()
        gap = (after.last_activity_at - before.last_activity_at).total_seconds()
        silent = int(min(gap, awake))
        if before.activity is Activity.ACTIVE and silent > max(self._longest, LEAST_SILENCE):
            self._deps.store.forecasts.silent(self._session_id, silent)
            self._longest = silent
