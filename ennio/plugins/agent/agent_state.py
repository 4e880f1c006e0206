"""What is known of an agent so far: its own word, what its screen showed, what it used up.

Two witnesses. The agent's own word (hooks, transcript) is exact but can be lost; the screen is
always up to date but has to be interpreted. The later one counts, and at the same moment the
agent's own. What helpers that the agent began do is nothing that the agent does; what they ask is
asked of a person all the same. A screen that goes on showing what is believed already changes
nothing here, so it need not be taken in again.

What an agent writes may be anything: numbers and times beyond all sense are none, words are cut to
a length, and half a character (a surrogate, where something was cut before) becomes ``?``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from ennio.model.facts import AgentSeen, Presence, ProcessSeen
from ennio.model.session import Activity, Usage
from ennio.model.usage import RequestUsage
from ennio.plugins.agent import plan_windows
from ennio.plugins.agent.asks import Ask, as_lists, asks, options, words
from ennio.plugins.agent.screen_state import ScreenState

# seconds by which a screen, on a machine that is busy, may be older than the moment it is read
_SLACK = 1.0
_SILENCE = timedelta(seconds=30)
MONEY = 1e9  # dollars; what is not below is no count of money
_TOKENS = 10**12
_LATEST = (
    253_402_214_399.0  # the last day but one of the year 9999: what is added to it stays a date
)
_SENSE = 1e15  # seconds or milliseconds; what is not below is no time
_LONGEST = 2000
_OPEN = 64  # answers whose usage may still grow; older ones are only in the sum


_FORMER = {
    "told": "reported",
    "told_at": "reported_at",
    "shown": "on_screen",
    "shown_at": "on_screen_at",
    "shown_since": "on_screen_since",
    "shown_question": "screen_question",
    "shown_choices": "screen_choices",
    "showing": "still_on_screen",
    "heard": "last_signal",
}
"""How earlier versions called what a cursor holds."""


@dataclass(slots=True)
class AgentState:
    """Kept as JSON in the cursor. Times are seconds since the epoch; ``start``
    names the present process.

    ``reported`` is the agent's own last word and ``on_screen`` the screen's; both are values of
    Activity. ``asks`` are the questions that are open, as lists (see ``asks.py``). ``helpers``
    are those at work, with what each is for. ``still_on_screen`` is True while the screen goes
    on saying it; ``last_signal`` is then not counted on. ``usage`` holds the answers still
    open: input and output by message id. ``cost`` is in dollars. ``tier`` is the one that its
    requests ask for now, ``billing`` who paid for the last one. ``windows`` are those of its plan.
    ``requests`` are those that this look told of, and not kept.
    """

    start: str = ""
    ready: bool = False
    reported: str | None = None
    reported_at: float = 0.0
    question: str | None = None
    asks: list[list[Any]] = field(default_factory=list)
    helpers: dict[str, str] = field(default_factory=dict)
    on_screen: str | None = None
    on_screen_at: float = 0.0
    on_screen_since: float = 0.0
    screen_question: str | None = None
    screen_choices: str = ""
    still_on_screen: bool = False
    detail: str = ""
    last_signal: float = 0.0
    summary: str | None = None
    turns: int = 0
    prompts: int = 0
    input: int = 0
    output: int = 0
    model: str | None = None
    tier: str | None = None
    billing: str | None = None
    usage: dict[str, list[int]] = field(default_factory=dict)
    cost: str | None = None
    windows: plan_windows.Kept = field(default_factory=dict)
    requests: list[RequestUsage] = field(default_factory=list)

    @classmethod
    def of(cls, text: str | None) -> AgentState:
        """The state kept in a cursor; a blank one when there is none or it cannot be read."""
        try:
            kept = {
                _FORMER.get(name, name): value for name, value in json.loads(text or "{}").items()
            }
            return cls(
                **{name: value for name, value in kept.items() if name in cls.__slots__}
            )  # an older Ennio kept others
        except (ValueError, TypeError, AttributeError):
            return cls()

    def as_text(self) -> str:
        """The state for a cursor."""
        return json.dumps(asdict(replace(self, requests=[])), separators=(",", ":"))

    def begin(self, process: ProcessSeen, now: datetime) -> bool:
        """Forget what belonged to an earlier process; True when this is a new one."""
        start = f"{process.number or ''}:{process.pid or ''}"
        if start == self.start:
            return False
        self.start, self.ready, self.last_signal = start, False, now.timestamp()
        self.reported = self.on_screen = self.question = self.screen_question = None
        self.detail, self.still_on_screen, self.screen_choices = "", False, ""
        self.asks, self.helpers = [], {}
        plan_windows.begin(self.windows)
        return True

    def report(
        self, activity: Activity, at: float, question: str | None = None, detail: str = ""
    ) -> None:
        """The agent's own word; one that comes late, after a later one, changes nothing."""
        if self.reported is not None and at < self.reported_at:
            return
        if activity.value != self.reported or activity is Activity.WAITING_INPUT:
            self.question, self.detail = question, detail
        self.reported, self.reported_at, self.ready = activity.value, at, True
        if activity is Activity.ACTIVE:
            plan_windows.works(self.windows, at)
        if activity is not Activity.WAITING_INPUT:
            self._close(lambda ask: ask.asker == "")
        self.note_signal(at)

    def note_signal(self, at: float) -> None:
        """It gave a sign of life then."""
        self.last_signal = max(self.last_signal, at)

    def open_ask(self, ask: Ask) -> None:
        """It, or a helper of its, asks a person; the same asked again is the same."""
        self.note_signal(ask.at)
        if not any((one.asker, one.key) == (ask.asker, ask.key) for one in self._asks):
            self.asks += as_lists([ask])
        if ask.asker == "":
            self.report(Activity.WAITING_INPUT, ask.at)

    def close_asks(self, asker: str, key: str | None = None) -> None:
        """What a helper, or the agent itself (the empty asker), asked is
        settled: this one, or all of it.
        """
        self._close(lambda ask: ask.asker == asker and key in (None, ask.key))

    def has_open_ask(self, asker: str, key: str | None = None) -> bool:
        """Whether this is open."""
        return any(ask.asker == asker and key in (None, ask.key) for ask in self._asks)

    @property
    def _asks(self) -> tuple[Ask, ...]:
        return asks(self.asks) if self.asks else ()

    def _close(self, over: Callable[[Ask], bool]) -> None:
        if self.asks:
            self.asks = as_lists(ask for ask in self._asks if not over(ask))

    def update_screen(self, screen: ScreenState | None, now: datetime) -> None:
        """What its screen shows, right now or when that was seen; None when it says nothing."""
        if screen is None:
            self._screen_says_nothing(now)
            return
        at = (screen.at or now).timestamp()
        if screen.activity.value != self.on_screen:
            self.on_screen, self.on_screen_since, self.on_screen_at = screen.activity.value, at, at
        elif not self.still_on_screen or not self._is_settled:
            self.on_screen_at = at
        self.still_on_screen, self.screen_question, self.screen_choices = (
            True,
            screen.question,
            screen.choices,
        )
        if (
            screen.activity is not Activity.WAITING_INPUT
        ):  # a person answered, and the tool that was asked for takes its time
            self._close(lambda ask: at - ask.at >= _SLACK)
        self.ready = self.ready or screen.activity is not Activity.WAITING_INPUT
        if screen.activity is Activity.BLOCKED:
            self.detail = screen.question or ""

    def _screen_says_nothing(self, now: datetime) -> None:
        if self.still_on_screen:  # until now it did, however long ago it was taken in
            self.still_on_screen, self.last_signal = False, max(self.last_signal, now.timestamp())

    @property
    def _is_contradicted(self) -> bool:
        return self.on_screen != self.reported and self.on_screen_at - self.reported_at >= _SLACK

    @property
    def _is_settled(self) -> bool:
        """Whether the screen changes nothing by going on as it is."""
        return self.reported is None or self.on_screen == self.reported or self._is_contradicted

    def add_usage(self, request: RequestUsage) -> None:
        """The usage of one answer; told again it replaces what was told of that answer before."""
        answer, given, made = request.id, request.tokens.given, request.tokens.output
        self.requests.append(replace(request, model=_words(request.model)))
        before = self.usage.pop(answer, [0, 0])
        self.input += given - before[0]
        self.output += made - before[1]
        self.usage[answer] = [given, made]
        self.model = request.model or self.model
        while len(self.usage) > _OPEN:
            del self.usage[next(iter(self.usage))]

    def facts(self, process: ProcessSeen, now: datetime, source: str) -> AgentSeen:
        """The state as facts."""
        activity, since, question, source = self._judged(source)
        question = _words(question)
        if process.presence is Presence.GONE:
            activity, since, question, source = Activity.EXITED, None, None, "process"
        silent = self._can_fall_silent(process) and now - date_of(self.last_signal) > _SILENCE
        return AgentSeen(
            at=now,
            source=source,
            activity=activity,
            ready=self.ready and process.presence is not Presence.GONE,
            since=since,
            question=question,
            options=self._options(activity),
            helpers=len(self.helpers),
            summary=_words(self.summary),
            turns=self.turns,
            prompts=self.prompts,
            usage=self._usage(),
            detail=_words(self._detail(activity)) or "",
            silent_since=date_of(self.last_signal) if silent else None,
            windows=plan_windows.facts(self.windows),
        )

    def until(self, process: ProcessSeen, now: datetime) -> datetime | None:
        """When the facts change by the clock alone: it has then been silent for too
        long. None when they do not.
        """
        silent = date_of(self.last_signal) + _SILENCE
        return silent if self._can_fall_silent(process) and now <= silent else None

    def _can_fall_silent(self, process: ProcessSeen) -> bool:
        return (
            process.presence is Presence.ALIVE
            and not self.still_on_screen
            and self.reported != Activity.EXITED
        )

    def _detail(self, activity: Activity | None) -> str:
        if activity is Activity.READY and self.helpers:
            noun = "helper is" if len(self.helpers) == 1 else "helpers are"
            return (
                f"its turn is over, {len(self.helpers)} {noun} at work: "
                f"{', '.join(filter(None, self.helpers.values()))}".rstrip(": ")
            )
        return self.detail if activity in (Activity.BLOCKED, Activity.READY) else ""

    def _usage(self) -> Usage | None:
        if not (self.input or self.output):
            return None
        return Usage(
            self.input,
            self.output,
            Decimal(self.cost) if self.cost is not None else None,
            _words(self.model),
        )

    def _judged(self, source: str) -> tuple[Activity | None, datetime | None, str | None, str]:
        helpers = [ask for ask in self._asks if ask.asker]
        if helpers and self.reported != Activity.WAITING_INPUT:
            return Activity.WAITING_INPUT, date_of(helpers[0].at), self._question(), source
        if self.on_screen is not None and (self.reported is None or self._is_contradicted):
            question = self.screen_question if self.on_screen == Activity.WAITING_INPUT else None
            return Activity(self.on_screen), date_of(self.on_screen_since), question, "screen"
        if self.reported is None:
            return None, None, None, source
        question = self._question() if self.reported == Activity.WAITING_INPUT else None
        return Activity(self.reported), date_of(self.reported_at), question, source

    def _options(self, activity: Activity | None) -> tuple[str, ...]:
        """Only of what the agent itself tells that it asks: a screen does not say what for."""
        if activity is not Activity.WAITING_INPUT:
            return ()
        return tuple(filter(None, map(_words, options(self._asks))))

    def _question(self) -> str | None:
        is_shown = self.still_on_screen and self.on_screen == Activity.WAITING_INPUT
        told = words(
            self._asks,
            self.screen_question if is_shown else None,
            self.screen_choices if is_shown else "",
        )
        return told or self.question or self.screen_question


def moment(entry: Mapping[str, Any], key: str = "timestamp") -> float | None:
    """The time in a line, seconds since the epoch; None when it has none, or one before the
    epoch or beyond all sense.
    """
    value = entry.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool):
        try:
            value = datetime.fromisoformat(str(value)).timestamp()
        except (ValueError, OverflowError):
            return None
    return float(value) if 0 <= value < _SENSE else None


def count(value: object) -> int:
    """A number of tokens; whatever is none counts nothing."""
    return (
        value
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _TOKENS
        else 0
    )


def _words(text: str | None) -> str | None:
    return None if text is None else text[:_LONGEST].encode("utf-8", "replace").decode()


def date_of(at: float) -> datetime:
    """Seconds since the epoch as a date."""
    return datetime.fromtimestamp(min(at, _LATEST), UTC)
