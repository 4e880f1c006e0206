"""Whether a session is out of the ordinary for what sessions like it came to before. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from ennio.model.clock import rfc3339
from ennio.model.forecast import AnomalyLimit, AnomalyMetric, TaskGroup
from ennio.model.session import Activity, Session
from ennio.policy.reactions.seen_item import SeenItem


@dataclass(frozen=True, slots=True)
class Anomaly:
    """How much of what was seen, and beyond which limit it is."""

    item: SeenItem
    seen: Decimal
    limit: AnomalyLimit

    def __str__(self) -> str:
        """In words."""
        limit = self.limit
        words = _WORDS[limit.metric]
        seen, usual = (words.format(_number(limit.metric, n)) for n in (self.seen, limit.median))
        sessions = f"{limit.n} sessions {_group(limit.group)}"
        return f"{seen}, where half of {sessions} came to {usual} at most"


_WORDS = {
    AnomalyMetric.TOKENS: "{} tokens",
    AnomalyMetric.COST: "${}",
    AnomalyMetric.SILENCE: "{} s of silence",
}


def _number(metric: AnomalyMetric, value: Decimal) -> str:
    return f"{value:.2f}" if metric is AnomalyMetric.COST else f"{value:,.0f}"


def _group(group: TaskGroup) -> str:
    parts = (
        f"of {group.project_id}" if group.project_id else "of all projects",
        f"by {group.agent}" if group.agent else "",
        f"with {group.model}" if group.model else "",
        f"on {group.size} tasks" if group.size else "",
    )
    return " ".join(filter(None, parts))


def anomalies(
    session: Session, limits: Sequence[AnomalyLimit], quiet_since: datetime | None, now: datetime
) -> tuple[Anomaly, ...]:
    """What is out of the ordinary now; ``quiet_since`` is since when its agent is silent at work,
    None while it is not at work.
    """
    return tuple(_anomalies(session, limits, quiet_since, now))


def _anomalies(
    session: Session, limits: Sequence[AnomalyLimit], quiet_since: datetime | None, now: datetime
) -> Iterator[Anomaly]:
    for limit in limits:
        seen = _seen(limit.metric, session, quiet_since, now)
        if seen is not None and seen > limit.limit:
            yield Anomaly(_item(limit.metric, session), seen, limit)


def _seen(
    metric: AnomalyMetric, session: Session, quiet_since: datetime | None, now: datetime
) -> Decimal | None:
    usage = session.usage
    if metric is AnomalyMetric.SILENCE:
        silent = None if quiet_since is None else (now - quiet_since).total_seconds()
        return None if silent is None else Decimal(int(silent))
    if usage is None:
        return None
    if metric is AnomalyMetric.TOKENS:
        return Decimal(usage.input_tokens + usage.output_tokens)
    return usage.cost_usd  # the known part: all of it together is no less


def _item(metric: AnomalyMetric, session: Session) -> SeenItem:
    """Tokens and money only grow, and are one episode; each silence is one of its own."""
    if metric is AnomalyMetric.SILENCE:
        return SeenItem(f"{metric}:{rfc3339(session.last_activity_at)}")
    return SeenItem(metric.value)


def silent_until(
    session: Session, limits: Sequence[AnomalyLimit], quiet_since: datetime | None, now: datetime
) -> datetime | None:
    """When the silence that goes on will be out of the ordinary; None where it is already."""
    for limit in limits:
        if limit.metric is AnomalyMetric.SILENCE and quiet_since is not None:
            at = quiet_since + timedelta(seconds=int(limit.limit) + 1)
            return at if at > now and session.activity is Activity.ACTIVE else None
    return None
