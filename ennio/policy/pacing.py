"""When a channel may be told something: its quiet hours, and how much it takes at once. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from ennio.config.model import QuietHours, RateLimit
from ennio.model.session import Priority


def quiet_until(quiet: QuietHours | None, priority: Priority, now: datetime) -> datetime | None:
    """When the quiet hours end that keep this from being told now; None where nothing does."""
    if quiet is None or priority.rank >= quiet.unless.rank:
        return None
    here = now.astimezone(ZoneInfo(quiet.timezone) if quiet.timezone else None)
    minute = here.hour * 60 + here.minute
    over_midnight = quiet.start > quiet.end
    if over_midnight:
        within = minute >= quiet.start or minute < quiet.end
    else:
        within = quiet.start <= minute < quiet.end
    if not within:
        return None
    ends_tomorrow = over_midnight and minute >= quiet.start
    return _at(quiet, here.date() + timedelta(days=ends_tomorrow), now)


def _at(quiet: QuietHours, day: date, now: datetime) -> datetime:
    """The end on a day, by the clock of the zone: a night may have an hour more or less."""
    hour, minute = divmod(quiet.end, 60)
    zone = ZoneInfo(quiet.timezone) if quiet.timezone else None
    end = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
    return end.astimezone(now.tzinfo)


def room(limit: RateLimit, told: Collection[datetime], now: datetime) -> int:
    """How many messages a channel takes now, after those it was told at these times.

    A time to come is one from before the clock was put back, and counts for nothing.
    """
    since = now - timedelta(seconds=limit.within)
    return max(0, limit.messages - sum(1 for at in told if since < at <= now))


def free_at(limit: RateLimit, told: Collection[datetime], now: datetime) -> datetime:
    """When it takes one more; ``now`` for at once."""
    if room(limit, told, now):
        return now
    recent = sorted(at for at in told if at <= now)
    return recent[-limit.messages] + timedelta(seconds=limit.within)


def is_burst(waiting: int, room: int, held_back: int) -> bool:
    """Whether those that wait become one message: they are more than fit, or were held back."""
    return waiting > 1 and (waiting > room or held_back > 1)
