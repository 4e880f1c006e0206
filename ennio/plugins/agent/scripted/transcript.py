"""What the player's transcript says, read on from where the last look ended. The
format is in ``report``.

Total: whatever the lines hold, there is a reading. Usage counts once per
message id, by its last line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from ennio.machine.interface import FilePart, FileSpan, Machine
from ennio.model.facts import AgentSeen, Presence, ProcessSeen
from ennio.model.session import Activity, Usage
from ennio.model.usage import Billing, RequestUsage, Tokens
from ennio.plugins.agent import plan_windows
from ennio.plugins.agent.agent_state import count

_CHUNK = 8 << 20  # bytes read in one look; the rest waits for the next
_WHOLE = 1 << 30
_MEANS = {
    "ready": Activity.READY,
    "turn_started": Activity.ACTIVE,
    "waiting": Activity.WAITING_INPUT,
    "turn_ended": Activity.READY,
    "exit": Activity.EXITED,
}
_OPEN = 64  # messages whose usage may still grow; older ones are closed and only summed up


@dataclass(slots=True)
class TranscriptState:
    """What has been read so far; kept as JSON in the cursor. ``usage`` holds
    the messages still open.

    ``requests`` are those of this look, and not kept.
    """

    pids: list[int] = field(default_factory=list)
    launch: str = ""
    activity: str | None = None
    since: float = 0.0
    question: str | None = None
    options: list[str] = field(default_factory=list)
    summary: str | None = None
    detail: str = ""
    turns: int = 0
    prompts: int = 0
    input: int = 0
    output: int = 0
    cost: str | None = None
    model: str | None = None
    usage: dict[str, list[Any]] = field(default_factory=dict)
    windows: plan_windows.Kept = field(default_factory=dict)
    helpers: int = 0
    requests: list[RequestUsage] = field(default_factory=list)

    @classmethod
    def of(cls, text: str) -> TranscriptState:
        """The state kept in a cursor; a blank one when it cannot be read."""
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError):
            return cls()

    def as_text(self) -> str:
        """The state for a cursor."""
        return json.dumps(asdict(replace(self, requests=[])), separators=(",", ":"))

    def read(self, line: bytes) -> None:
        """Take in one line; anything that is no line of the player's changes nothing."""
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            return
        if not isinstance(entry, dict) or not _is_number(entry.get("t")):
            return
        kind = entry.get("type")
        self._becomes(_MEANS.get(kind) if isinstance(kind, str) else None, entry)
        self._tells(kind, entry)

    def _tells(self, kind: object, entry: Mapping[str, Any]) -> None:
        match kind:
            case "ready":
                self.pids = [
                    pid for pid in (entry.get("pid"), entry.get("ppid")) if type(pid) is int
                ]
                launch = entry.get("launch")
                self.launch = launch if isinstance(launch, str) else ""
                self.helpers = 0
                plan_windows.begin(self.windows)
            case "prompt":
                self.prompts += 1
                self._becomes(Activity.ACTIVE if entry.get("answer") is True else None, entry)
            case "activity":
                self._becomes(entry.get("activity"), entry)
            case "waiting":
                self.question = _text(entry.get("question"))
                self.options = [*_texts(entry.get("options"))]
            case "turn_ended":
                self.turns += 1
                self.detail = _text(entry.get("text")) or self.detail
            case "usage":
                self._used(entry)
            case "summary":
                self.summary = _text(entry.get("text"))
            case "error":
                self.detail = _text(entry.get("text")) or ""
            case _:
                self._tells_of_itself(kind, entry)

    def _tells_of_itself(self, kind: object, entry: Mapping[str, Any]) -> None:
        match kind:
            case "turn_started":
                plan_windows.works(self.windows, entry["t"])
            case "window":
                self._window(entry)
            case "helpers":
                self.helpers = count(entry.get("count"))

    def _window(self, entry: Mapping[str, Any]) -> None:
        name, account = _text(entry.get("name")) or "", _text(entry.get("account")) or ""
        until = entry.get("resets_at")
        if entry.get("refused") is True:
            plan_windows.refuse(self.windows, name, entry["t"], resets_at=until, account=account)
        else:
            plan_windows.tell(
                self.windows, name, used=entry.get("used"), resets_at=until, account=account
            )

    def _becomes(self, activity: object, entry: Mapping[str, Any]) -> None:
        if not isinstance(activity, str) or activity not in tuple(Activity):
            return
        if self.activity != activity:
            self.activity, self.since, self.question = str(activity), entry["t"], None
            self.options = []
        if activity == Activity.ACTIVE:
            self.detail = _text(entry.get("text")) or ""

    def _used(self, entry: Mapping[str, Any]) -> None:
        name, tokens = entry.get("id"), (entry.get("input"), entry.get("output"))
        if not isinstance(name, str) or not all(
            type(count) is int and count >= 0 for count in tokens
        ):
            return
        self.usage[name] = [*tokens, _money(entry.get("cost"))]
        told = _text(entry.get("model"))
        self.model = told or self.model
        given, made, cost = self.usage[name]
        self.requests.append(
            RequestUsage(
                id=name,
                at=_moment(entry["t"]),
                tokens=Tokens(
                    given, made, count(entry.get("cache_read")), count(entry.get("cache_write"))
                ),
                model=told,
                tier=_text(entry.get("tier")),
                cost_usd=None if cost is None else Decimal(cost),
                billing=Billing.PLAN if entry.get("plan") is True else Billing.METERED,
            )
        )
        while len(self.usage) > _OPEN:
            self._close(*self.usage.pop(next(iter(self.usage))))

    def _close(self, tokens_in: int, tokens_out: int, cost: str | None) -> None:
        self.input += tokens_in
        self.output += tokens_out
        self.cost = self.cost if cost is None else str(Decimal(self.cost or 0) + Decimal(cost))

    def used(self) -> Usage | None:
        """Everything used so far, None before the first word of it."""
        if not self.usage and not self.input and not self.output:
            return None
        costs = [
            Decimal(cost)
            for cost in (self.cost, *(used[2] for used in self.usage.values()))
            if cost is not None
        ]
        return Usage(
            input_tokens=self.input + sum(used[0] for used in self.usage.values()),
            output_tokens=self.output + sum(used[1] for used in self.usage.values()),
            cost_usd=sum(costs, Decimal(0)) if costs else None,
            model=self.model,
        )

    def _is_of(self, process: ProcessSeen) -> bool:
        """Whether it was this process that began last; in a sandbox it knows itself by another
        number, and the launch tells.
        """
        if process.pid is None or process.pid in self.pids:
            return True
        return self.launch != "" and self.launch == str(process.number)

    def seen(self, process: ProcessSeen, now: datetime) -> AgentSeen:
        """The facts; what an earlier start of the agent told is not what the present one does."""
        gone = process.presence is Presence.GONE
        present = not gone and bool(self.pids) and self._is_of(process)
        activity = (
            Activity.EXITED
            if gone
            else Activity(self.activity)
            if present and self.activity
            else None
        )
        return AgentSeen(
            at=now,
            source="transcript",
            activity=activity,
            ready=present and activity is not Activity.EXITED,
            since=_moment(self.since) if present else None,
            question=self.question if activity is Activity.WAITING_INPUT else None,
            options=tuple(self.options) if activity is Activity.WAITING_INPUT else (),
            summary=self.summary,
            turns=self.turns,
            prompts=self.prompts,
            usage=self.used(),
            detail=self.detail,
            helpers=self.helpers if present else 0,
            windows=plan_windows.facts(self.windows),
        )


def go_on(
    machine: Machine, path: Path, cursor: Mapping[str, str]
) -> tuple[TranscriptState, dict[str, str]]:
    """The state after everything that was added since the cursor, and the new cursor.

    A transcript that is shorter than before is another one: it is read from its beginning.
    """
    offset = _offset(cursor)
    (part,) = machine.read([FileSpan(path, offset, _CHUNK)])
    if isinstance(part, FilePart) and part.state.size < offset:
        offset = 0
        (part,) = machine.read([FileSpan(path, offset, _CHUNK)])
    if isinstance(part, OSError):
        return TranscriptState.of(cursor.get("state", "")), dict(cursor)
    state, data = TranscriptState.of(cursor.get("state", "")), part.data
    if not offset:
        state = TranscriptState()
    # a line without its end is still being written, unless it is longer than
    # any line of the player's
    end = data.rfind(b"\n") + 1 or (len(data) if len(data) == _CHUNK else 0)
    for line in data[:end].split(b"\n"):
        state.read(line)
    return state, {"offset": str(offset + end), "state": state.as_text()}


def prompts(machine: Machine, path: Path) -> Iterator[tuple[datetime, str]]:
    """Every text the player says it took, with its time. Raises OSError, also
    when there is no transcript.
    """
    (part,) = machine.read([FileSpan(path, most=_WHOLE)])
    if isinstance(part, OSError):
        raise part
    for line in part.data.split(b"\n"):
        if b'"prompt"' not in line:
            continue
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if not isinstance(entry, dict) or entry.get("type") != "prompt":
            continue
        if isinstance(entry.get("text"), str) and _is_number(entry.get("t")):
            yield _moment(entry["t"]), entry["text"]


def _offset(cursor: Mapping[str, str]) -> int:
    text = cursor.get("offset", "")
    return int(text) if text.isdecimal() else 0


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e11


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _texts(value: object) -> Iterator[str]:
    return (one for one in (value if isinstance(value, list) else ()) if isinstance(one, str))


def _money(value: object) -> str | None:
    try:
        amount = Decimal(value) if isinstance(value, str) else None
    except InvalidOperation:
        return None
    return (
        value
        if isinstance(value, str) and amount is not None and amount.is_finite() and amount >= 0
        else None
    )
