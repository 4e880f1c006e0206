"""What a token may still ask: quotas, their reset, pauses, and a breaker on trouble. Pure.

Observations stop at a reserve that is kept for actions (a merge, a reply). Nothing is asked before
a time the server named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ennio.model.failpoints import seconds

RESERVE = 0.1
MOST_STRETCH = 20.0
_PATIENT_FAILURES = 3
_SECONDARY = 60.0
_LONGEST = 900.0
_BREAK = seconds(15.0, shortened=2.0)


@dataclass(frozen=True, slots=True)
class Quota:
    """One of the counters of a token, as the server last told it."""

    limit: int
    remaining: int
    resets_at: datetime

    @property
    def reserve(self) -> int:
        """What observations leave for actions."""
        return int(self.limit * RESERVE)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing may be asked now, and when it may be asked again."""

    why: str
    until: datetime

    def __str__(self) -> str:
        return f"{self.why} {self.until:%H:%M:%S} UTC"


@dataclass(frozen=True, slots=True)
class RequestBudget:
    """All that is known of one token at one server.

    ``paused_until`` is a time before which nothing at all is asked, since ``paused_since``, ``why``
    in words; ``failures`` and ``rate_limits`` count what went wrong in a row.
    """

    quotas: Mapping[str, Quota] = field(default_factory=dict)
    paused_until: datetime | None = None
    why: str = ""
    failures: int = 0
    rate_limits: int = 0
    paused_since: datetime | None = None

    def refusal(self, bucket: str, now: datetime, *, action: bool) -> Refusal | None:
        """Why nothing may be asked now; None: go on."""
        # a pause that begins in a time to come is one from before the clock was put back
        if self.paused_until is not None and (self.paused_since or now) <= now < self.paused_until:
            return Refusal(f"{self.why}; asked again at", self.paused_until)
        quota = self._current(bucket, now)
        if quota is None or quota.remaining > (0 if action else quota.reserve):
            return None
        left = f"{quota.remaining} of {quota.limit} requests ({bucket}) are left"
        kept = "" if action else ", kept for actions"
        return Refusal(
            f"the quota of the token is used up: {left}{kept}; it is full again at", quota.resets_at
        )

    def stretch(self, bucket: str, now: datetime) -> float:
        """How much longer to wait between observations so that the quota lasts
        until its reset; 1 at least.
        """
        quota = self._current(bucket, now)
        if quota is None or quota.limit <= 0:
            return 1.0
        spendable = (quota.remaining - quota.reserve) / max(1, quota.limit - quota.reserve)
        hour_left = min(1.0, (quota.resets_at - now).total_seconds() / 3600)
        if spendable <= 0:
            return MOST_STRETCH
        # below half of what an even pace would have left, it is time to slow down
        return min(MOST_STRETCH, max(1.0, 0.5 * hour_left / spendable))

    def resets_at(self, bucket: str, now: datetime) -> datetime | None:
        """When the counter is full again, or None when nothing is known of it."""
        quota = self._current(bucket, now)
        return quota.resets_at if quota is not None else None

    def answered(self, bucket: str, quota: Quota | None) -> RequestBudget:
        """The budget after an answer; counters only fall within one period, in
        whatever order answers arrive.
        """
        quotas = dict(self.quotas)
        if quota is not None:
            known = quotas.get(bucket)
            same = known is not None and known.resets_at == quota.resets_at
            quotas[bucket] = (
                replace(quota, remaining=min(known.remaining, quota.remaining))
                if known and same
                else quota
            )
        return RequestBudget(quotas)

    def exhausted(
        self, bucket: str, quota: Quota | None, now: datetime, seconds: float | None = None
    ) -> RequestBudget:
        """The budget after the server said that the quota is used up; ``seconds`` if it told no
        reset to come, but a pause.
        """
        known = quota or self.quotas.get(bucket)
        if known is None or known.resets_at <= now:
            return self.rate_limited(seconds, now)
        return replace(self, quotas={**self.quotas, bucket: replace(known, remaining=0)})

    def rate_limited(self, seconds: float | None, now: datetime) -> RequestBudget:
        """The budget after a secondary limit: a pause for as long as was said,
        else a minute, then longer.
        """
        wait = (
            min(_SECONDARY * 2**self.rate_limits, _LONGEST)
            if seconds is None
            else max(1.0, seconds)
        )
        why = "the server asked for a pause (secondary rate limit)"
        return replace(
            self,
            paused_until=now + timedelta(seconds=wait),
            why=why,
            rate_limits=self.rate_limits + 1,
            paused_since=now,
        )

    def failed(self, words: str, now: datetime) -> RequestBudget:
        """The budget after trouble; the third in a row opens the breaker,
        each further one for longer.
        """
        failures = self.failures + 1
        if failures < _PATIENT_FAILURES:
            return replace(self, failures=failures)
        pause = min(_BREAK * 2 ** (failures - _PATIENT_FAILURES), _LONGEST)
        why = f"the server failed {failures} times in a row (last: {words})"
        return replace(
            self,
            failures=failures,
            paused_until=now + timedelta(seconds=pause),
            why=why,
            paused_since=now,
        )

    def _current(self, bucket: str, now: datetime) -> Quota | None:
        """The counter while its period lasts; afterwards nothing is known, so nothing forbids."""
        quota = self.quotas.get(bucket)
        return quota if quota is not None and now < quota.resets_at else None
