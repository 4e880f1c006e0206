"""When a plan's window begins anew, from the words of an agent: ``resets 3pm (Europe/Berlin)``.

An hour without a zone is one of the machine the agent is on. Of the hours it may mean it is the
first that is not over when it was said; an hour that a clock shows twice is the earlier, unless
that is over, and one that it skips is the moment it would have been. Pure, but for the zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SAID = r"(?:resets?|try again|available again)"
_EPOCH = re.compile(r"\|\s*(\d{10})\b")
_LENGTH = re.compile(rf"{_SAID}\s+in\s+((?:\d+\s*[a-z]+[\s,]*(?:and\s+)?)+)", re.IGNORECASE)
_PART = re.compile(r"(\d+)\s*([dhms])", re.IGNORECASE)
_HOUR = re.compile(
    rf"{_SAID}\s+(?:(?:on|at)\s+)?"
    rf"(?:(?P<weekday>{'|'.join(_DAYS)})[a-z]*,?\s+(?:at\s+)?)?"
    rf"(?:(?P<month>{'|'.join(_MONTHS)})[a-z]*\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?"
    r"(?:,\s*(?P<year>\d{4}))?(?:,?\s+at|,)?\s+)?"
    r"(?P<hour>\d{1,2})(?::(?P<minute>\d\d))?\s*(?P<half>[ap]\.?m\b)?"
    r"(?:\s*\((?P<zone>[^()\s]+)\))?",
    re.IGNORECASE,
)
_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_LATE = 300.0  # seconds: who says at a minute past three that it resets at three means that hour


def reset_at(words: str, said: float) -> float | None:
    """The moment, in seconds since the epoch, from words said then; None where they name none."""
    found = _EPOCH.search(words)
    if found is not None:
        return float(found[1])
    length = _LENGTH.search(words)
    if length is not None:
        parts = [(int(many), unit.lower()) for many, unit in _PART.findall(length[1])]
        return said + sum(many * _UNITS[unit] for many, unit in parts)
    hour = _HOUR.search(words)
    told = hour is not None and (hour["minute"] or hour["half"])
    return _first(hour, said) if hour is not None and told else None


def _first(told: re.Match[str], said: float) -> float | None:
    try:
        clock, zone = _clock(told), _zone(told["zone"])
        moments = (at for day in _days(told, said, zone) for at in _moments(day, clock, zone))
        return min((at for at in moments if at >= said - _LATE), default=None)
    except (ValueError, OverflowError, OSError, KeyError):
        return None


def _clock(told: re.Match[str]) -> time:
    hour, half = int(told["hour"]), (told["half"] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            raise ValueError(told[0])
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    return time(hour, int(told["minute"] or 0))


def _zone(name: str | None) -> tzinfo | None:
    return None if name is None else ZoneInfo(name)


def _days(told: re.Match[str], said: float, zone: tzinfo | None) -> Iterator[date]:
    """The days it may be on. One that names no day is on a day around the one it was said on."""
    today = datetime.fromtimestamp(said, zone).date()
    if told["month"]:
        month, day = _MONTHS.index(told["month"].lower()) + 1, int(told["day"])
        years = (int(told["year"]),) if told["year"] else (today.year, today.year + 1)
        yield from (date(year, month, day) for year in years)
        return
    near = 8 if told["weekday"] else 2
    for ahead in range(-1, near):
        day_of = today + timedelta(days=ahead)
        if not told["weekday"] or day_of.weekday() == _DAYS.index(told["weekday"].lower()):
            yield day_of


def _moments(day: date, clock: time, zone: tzinfo | None) -> list[float]:
    """That hour of that day: one moment, two where the clock is put back then."""
    both = [datetime.combine(day, clock.replace(fold=fold), zone) for fold in (0, 1)]
    shown = [at for at in both if _shows(at.timestamp(), zone) == at.replace(tzinfo=None, fold=0)]
    return [at.timestamp() for at in shown or both[:1]]


def _shows(at: float, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(at, zone).replace(tzinfo=None, fold=0)
