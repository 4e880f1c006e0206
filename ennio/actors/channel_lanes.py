"""What holds a channel up: its quiet hours, how much it was told lately, whether it answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ennio.config.model import NotifierConfig
from ennio.model.delivery import DeliveryRecord, DeliveryState
from ennio.model.errors import EnnioError, Unreachable
from ennio.policy import delivering, pacing
from ennio.store import Notice


@dataclass(slots=True)
class _Lane:
    """When it was told something, how often in a row nobody answered, and until when it is left."""

    told: list[datetime] = field(default_factory=list)
    failures: int = 0
    until: datetime | None = None


class ChannelLanes:
    """The lanes of the channels there are; what is kept here is learnt anew after a crash."""

    def __init__(self, channels: Iterable[NotifierConfig], retry: delivering.Retry) -> None:
        self._channels: Mapping[str, NotifierConfig] = {one.name: one for one in channels}
        self._lanes = {name: _Lane() for name in self._channels}
        self._retry = retry

    @property
    def memory(self) -> timedelta:
        """How far back it matters what a channel was told."""
        longest = max((one.rate_limit.within for one in self._channels.values()), default=0.0)
        return timedelta(seconds=longest)

    def remember(self, tried: Iterable[DeliveryRecord]) -> None:
        """Take up what an earlier life told."""
        for one in tried:
            if one.state is DeliveryState.DONE and one.tried_at and one.lane in self._lanes:
                self._lanes[one.lane].told.append(one.tried_at)

    def due(self, delivery: DeliveryRecord, notice: Notice, now: datetime) -> datetime:
        """When a delivery may be tried; ``now`` or earlier for at once.

        What may have been told already is settled whatever the hour.
        """
        at = delivering.due(delivery, self._retry, now)
        lane, channel = self._lanes.get(delivery.lane), self._channels.get(delivery.lane)
        if lane is None or channel is None or delivery.state is DeliveryState.DOING:
            return at
        quiet = pacing.quiet_until(channel.quiet_hours, notice.priority, now)
        free = pacing.free_at(channel.rate_limit, lane.told, now)
        return max(one for one in (at, quiet, free, lane.until) if one is not None)

    def ended(
        self, after: DeliveryRecord, error: EnnioError | None, now: datetime
    ) -> DeliveryRecord:
        """Take note of how a try ended, and put off the next by how the channel has been doing."""
        lane = self._lanes.get(after.lane)
        if lane is None:
            return after
        if not isinstance(error, Unreachable):
            lane.failures, lane.until = 0, None
            if error is None:
                since = now - self.memory
                lane.told = [*(at for at in lane.told if at > since), now]
            return after
        lane.failures += 1
        again = now + self._retry.pause(lane.failures)
        lane.until = max(again, error.until or again)
        if not after.state.open:
            return after
        return delivering.postponed(after, lane.until, str(error))

    def is_burst(self, lane: str, waiting: Mapping[str, Notice], now: datetime) -> bool:
        """Whether what waits to be told on a lane is told together."""
        channel = self._channels.get(lane)
        if channel is None:
            return False
        room = pacing.room(channel.rate_limit, self._lanes[lane].told, now)
        held = sum(
            1
            for one in waiting.values()
            if pacing.quiet_until(channel.quiet_hours, one.priority, one.at) is not None
        )
        return pacing.is_burst(len(waiting), room, held)
