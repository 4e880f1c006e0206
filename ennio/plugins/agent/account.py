"""What an agent has given account of so far: its own word, what its screen showed, what it used up.

Two witnesses. The agent's own word (hooks, transcript) is exact but can be lost; the screen is always
up to date but has to be interpreted. The later one counts, and at the same moment the agent's own.
A screen that goes on showing what is believed already changes nothing here, so it need not be taken in again.

What an agent writes may be anything: numbers and times beyond all sense are none, words are cut to a
length, and half a character (a surrogate, where something was cut before) becomes ``?``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from ennio.facts import AgentSeen, ProcessSeen, Sighting
from ennio.model import Activity, Usage
from ennio.plugins.agent.dialog import Shown

_SLACK = 1.0  # seconds by which a screen, on a machine that is busy, may be older than the moment it is read
_SILENCE = timedelta(seconds=30)
MONEY = 1e9  # dollars; what is not below is no count of money
_TOKENS = 10**12
_LATEST = 253_402_300_799.0  # the last second of the year 9999
_SENSE = 1e15  # seconds or milliseconds; what is not below is no time
_LONGEST = 2000
_OPEN = 64  # answers whose usage may still grow; older ones are only in the sum


@dataclass(slots=True)
class Account:
    """Kept as JSON in the cursor. Times are seconds since the epoch; ``start`` names the present process.

    ``told`` is the agent's own last word and ``shown`` the screen's; both are values of Activity.
    ``showing`` is True while the screen goes on saying it; ``heard`` is then not counted on.
    ``usage`` holds the answers still open: input and output by message id. ``meter`` is where the
    agent's own count of money stood, ``cost`` what it comes to.
    """

    start: str = ""
    ready: bool = False
    told: str | None = None
    told_at: float = 0.0
    question: str | None = None
    shown: str | None = None
    shown_at: float = 0.0
    shown_since: float = 0.0
    shown_question: str | None = None
    showing: bool = False
    detail: str = ""
    heard: float = 0.0
    summary: str | None = None
    turns: int = 0
    prompts: int = 0
    input: int = 0
    output: int = 0
    model: str | None = None
    usage: dict[str, list[int]] = field(default_factory=dict)
    cost: str | None = None
    meter: str = "0"

    @classmethod
    def of(cls, text: str | None) -> Account:
        """The account kept in a cursor; a blank one when there is none or it cannot be read."""
        try:
            return cls(**json.loads(text or "{}"))
        except (ValueError, TypeError):
            return cls()

    def as_text(self) -> str:
        """The account for a cursor."""
        return json.dumps(asdict(self), separators=(",", ":"))

    def begins(self, process: ProcessSeen, now: datetime) -> bool:
        """Forget what belonged to an earlier process; True when this is a new one."""
        start = f"{process.number or ''}:{process.pid or ''}"
        if start == self.start:
            return False
        self.start, self.ready, self.heard = start, False, now.timestamp()
        self.told = self.shown = self.question = self.shown_question = None
        self.detail, self.showing = "", False
        return True

    def tells(self, activity: Activity, at: float, question: str | None = None, detail: str = "") -> None:
        """The agent's own word; one that comes late, after a later one, changes nothing."""
        if self.told is not None and at < self.told_at:
            return
        if activity.value != self.told or activity is Activity.WAITING_INPUT:
            self.question, self.detail = question, detail
        self.told, self.told_at, self.ready = activity.value, at, True
        self.heard = max(self.heard, at)

    def shows(self, shown: Shown | None, now: datetime) -> None:
        """What its screen shows, right now or when that was seen; None when it says nothing."""
        if shown is None:
            self._shows_nothing(now)
            return
        at = (shown.at or now).timestamp()
        if shown.activity.value != self.shown:
            self.shown, self.shown_since, self.shown_at = shown.activity.value, at, at
        elif not self.showing or not self._settled:
            self.shown_at = at
        self.showing, self.shown_question = True, shown.question
        self.ready = self.ready or shown.activity is not Activity.WAITING_INPUT
        if shown.activity is Activity.BLOCKED:
            self.detail = shown.question or ""

    def _shows_nothing(self, now: datetime) -> None:
        if self.showing:  # until now it did, however long ago it was taken in
            self.showing, self.heard = False, max(self.heard, now.timestamp())

    @property
    def _contradicted(self) -> bool:
        return self.shown != self.told and self.shown_at - self.told_at >= _SLACK

    @property
    def _settled(self) -> bool:
        """Whether the screen changes nothing by going on as it is."""
        return self.told is None or self.shown == self.told or self._contradicted

    def uses(self, answer: str, given: int, made: int, model: str | None) -> None:
        """The usage of one answer; told again it replaces what was told of that answer before."""
        before = self.usage.pop(answer, [0, 0])
        self.input += given - before[0]
        self.output += made - before[1]
        self.usage[answer] = [given, made]
        self.model = model or self.model
        while len(self.usage) > _OPEN:
            del self.usage[next(iter(self.usage))]

    def metered(self, total: object) -> None:
        """What the agent counts in dollars. A new process counts from nothing, or on from where a resumed one stopped."""
        if isinstance(total, bool) or not isinstance(total, int | float) or not 0 <= total < MONEY:
            return
        now, before = round(Decimal(repr(total)), 6), Decimal(self.meter)
        self.cost = str(Decimal(self.cost or "0") + (now - before if now >= before else now))
        self.meter = str(now)

    def seen(self, process: ProcessSeen, now: datetime, source: str) -> AgentSeen:
        """The account as facts."""
        activity, since, question, source = self._judged(source)
        question = _words(question)
        if process.sighting is Sighting.GONE:
            activity, since, question, source = Activity.EXITED, None, None, "process"
        silent = self._can_fall_silent(process) and now - _time(self.heard) > _SILENCE
        return AgentSeen(
            at=now,
            source=source,
            activity=activity,
            ready=self.ready and process.sighting is not Sighting.GONE,
            since=since,
            question=question,
            summary=_words(self.summary),
            turns=self.turns,
            prompts=self.prompts,
            usage=self._usage(),
            detail=(_words(self.detail) or "") if activity in (Activity.BLOCKED, Activity.READY) else "",
            silent_since=_time(self.heard) if silent else None,
        )

    def until(self, process: ProcessSeen, now: datetime) -> datetime | None:
        """When the facts change by the clock alone: it has then been silent for too long. None when they do not."""
        silent = _time(self.heard) + _SILENCE
        return silent if self._can_fall_silent(process) and now <= silent else None

    def _can_fall_silent(self, process: ProcessSeen) -> bool:
        return process.sighting is Sighting.ALIVE and not self.showing and self.told != Activity.EXITED

    def _usage(self) -> Usage | None:
        if not (self.input or self.output):
            return None
        return Usage(self.input, self.output, Decimal(self.cost) if self.cost is not None else None, _words(self.model))

    def _judged(self, source: str) -> tuple[Activity | None, datetime | None, str | None, str]:
        if self.shown is not None and (self.told is None or self._contradicted):
            question = self.shown_question if self.shown == Activity.WAITING_INPUT else None
            return Activity(self.shown), _time(self.shown_since), question, "screen"
        if self.told is None:
            return None, None, None, source
        question = (self.question or self.shown_question) if self.told == Activity.WAITING_INPUT else None
        return Activity(self.told), _time(self.told_at), question, source


def moment(entry: Mapping[str, Any], key: str = "timestamp") -> float | None:
    """The time in a line, seconds since the epoch; None when it has none, or one before the epoch or beyond all sense."""
    value = entry.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool):
        try:
            value = datetime.fromisoformat(str(value)).timestamp()
        except (ValueError, OverflowError):
            return None
    return float(value) if 0 <= value < _SENSE else None


def count(value: object) -> int:
    """A number of tokens; whatever is none counts nothing."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _TOKENS else 0


def _words(text: str | None) -> str | None:
    return None if text is None else text[:_LONGEST].encode("utf-8", "replace").decode()


def _time(at: float) -> datetime:
    return datetime.fromtimestamp(min(at, _LATEST), UTC)
