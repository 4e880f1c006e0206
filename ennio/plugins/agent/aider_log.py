"""The files aider keeps of a session, in the session's own folder, and what their lines mean.

aider.events.jsonl    {"event", "properties": {...}, "time": whole seconds}; nothing of it is sent
                      anywhere
aider.chat.history.md what was said, a person's words after ``#### ``, its own remarks after ``> ``
aider.input.history   a line ``# time`` without a zone, then the words, each line after a ``+``
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from ennio.machine import single
from ennio.machine.interface import FileSpan, FileState
from ennio.model.session import Activity
from ennio.model.usage import RequestUsage, Tokens
from ennio.plugins.agent import jsonl
from ennio.plugins.agent.agent_state import MONEY, AgentState, count, date_of, moment
from ennio.plugins.agent.interface import AgentContext

_TAIL = 4 << 20
_LARGEST = 64 << 20  # bytes of a chat; what is larger is restored as it is
_CLEARED = re.compile(
    r"^#### /(?:clear|reset)[ \t]*\n(?:[ \t]*\n)*> All (?:files dropped and )?chat history "
    r"cleared\.[ \t]*\n",
    re.MULTILINE,
)


def events(context: AgentContext) -> Path:
    """Its event log."""
    return context.directory / "aider.events.jsonl"


def chat(context: AgentContext) -> Path:
    """What was said, which it restores after a restart."""
    return context.directory / "aider.chat.history.md"


def cleared(context: AgentContext) -> Mapping[Path, str]:
    """What the chat has to be so that only what came after the last ``/clear`` is restored, and
    where the rest is kept; empty as a rule.

    Raises OSError, but for a missing file.
    """
    try:
        text = single.content(context.machine, chat(context), _LARGEST).decode(errors="replace")
    except (FileNotFoundError, ValueError):
        return {}
    found = list(_CLEARED.finditer(text))
    if not found:
        return {}
    end = found[-1].end()
    return {
        chat(context).with_suffix(f".{end}.md"): text[:end],
        chat(context): text[end:],
    }  # the first is written first


def history(context: AgentContext) -> Path:
    """What was typed to it."""
    return context.directory / "aider.input.history"


def apply_new(state: AgentState, context: AgentContext, on: dict[str, str], now: datetime) -> None:
    """Take in the new lines of the event log; where to go on and the money are
    written into the cursor.
    """
    before = int(on.get("events", "0"))
    lines, offset = jsonl.read_on(context.machine, events(context), before)
    if offset < before:
        on.pop("sent", None)
    on["events"] = str(offset)
    for number, line in enumerate(lines, 1):
        newest = context if number == len(lines) else None
        _apply(state, line, on, _at(line, newest, now))


def _apply(state: AgentState, line: Mapping[str, Any], on: dict[str, str], at: float) -> None:
    told = line.get("properties")
    properties: Mapping[str, Any] = told if isinstance(told, Mapping) else {}
    match line.get("event"):
        case "message_send_starting":
            state.report(Activity.ACTIVE, at)
            state.prompts += 1
        case "message_send":
            state.report(Activity.ACTIVE, at)  # it has yet to apply what it was answered
            state.input += count(properties.get("prompt_tokens"))
            state.output += count(properties.get("completion_tokens"))
            on["cost"] = str(cost(on) + _money(properties.get("cost")))
            _request(state, line, properties, on)


def _request(
    state: AgentState, line: Mapping[str, Any], properties: Mapping[str, Any], on: dict[str, str]
) -> None:
    """A request has no name there: it is the so-manieth of its log, sent at that second."""
    sent = on["sent"] = str(int(on.get("sent", "0")) + 1)
    at = moment(line, "time") or 0.0
    state.requests.append(
        RequestUsage(
            id=f"{int(at)}:{sent}",
            at=date_of(at),
            tokens=Tokens(
                count(properties.get("prompt_tokens")), count(properties.get("completion_tokens"))
            ),
            model=_model(properties.get("main_model"), state.model),
            cost_usd=_money(properties.get("cost")) or None,
        )
    )


def _model(told: object, configured: str | None) -> str | None:
    """The model of a request. Of one that aider does not know it writes down the part before the
    slash only, or ``None``: that is then the configured one, if this begins alike.
    """
    if not isinstance(told, str):
        return configured
    before, _, name = told.rpartition("/")
    if name not in ("REDACTED", "None"):
        return told
    known = configured or ""
    return configured if known.rpartition("/")[0].partition("/")[0] == before else None


def cost(on: Mapping[str, str]) -> Decimal:
    """The dollars of a cursor."""
    return Decimal(on.get("cost", "0"))


def _money(value: object) -> Decimal:
    try:
        money = Decimal(str(value)) if isinstance(value, int | float) else Decimal(0)
    except InvalidOperation:
        return Decimal(0)
    return money if money.is_finite() and 0 < money < MONEY else Decimal(0)


def _at(line: Mapping[str, Any], newest: AgentContext | None, now: datetime) -> float:
    """When it was written: the log has whole seconds, but for its last
    line the file knows better.
    """
    at = moment(line, "time") or now.timestamp()
    (found,) = newest.machine.stat([events(newest)]) if newest is not None else (None,)
    written = found.modified / 1e9 if isinstance(found, FileState) else at
    return written if at <= written < at + 1 else at


def inputs(context: AgentContext) -> list[tuple[datetime, str]]:
    """The words it took and when, as far back as a few megabytes reach. Raises
    OSError, but for a missing file.
    """
    (part,) = context.machine.read([FileSpan(history(context), -_TAIL, _TAIL)])
    if isinstance(part, FileNotFoundError):
        return []
    if isinstance(part, OSError):
        raise part
    return list(_entries(part.data.decode(errors="replace").split("\n")))


def sends(context: AgentContext, since: datetime) -> bool:
    """Whether it has begun with a prompt since then; the log has whole seconds, the file
    knows better. Raises OSError.
    """
    log, begun = events(context), since.timestamp()
    found = single.state(context.machine, log)
    later = found is not None and found.modified / 1e9 >= begun
    starts = [
        moment(line, "time") or 0.0
        for line in jsonl.ending(context.machine, log)
        if line.get("event") == "message_send_starting"
    ]
    return any(at >= begun or (later and at == int(begun)) for at in starts[-1:])


def _entries(lines: list[str]) -> Iterator[tuple[datetime, str]]:
    at: datetime | None = None
    words: list[str] = []
    for line in (*lines, "# "):
        if line.startswith("+"):
            words.append(line[1:])
        elif line.startswith("# "):
            if at is not None and words:
                yield at, "\n".join(words)
            at, words = _time(line[2:]), []


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.strip()).astimezone()
    except ValueError:
        return None
