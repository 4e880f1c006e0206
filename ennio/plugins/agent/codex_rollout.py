"""Codex's rollouts: the files of its conversations, by day below ``sessions``,
and what their lines mean.

    {"timestamp", "type": "session_meta" | "event_msg" | "response_item" | ..., "payload": {...}}

A session begins with one, and has another after each ``/new``, and after each rewind (the same
conversation in a new file). The one that was written to last is the present one; a
conversation that is resumed goes on in its old file. The sums in ``token_count`` are
cumulative, so the last one counts, and after a rewind they begin with what was kept of the
conversation. Dialogs are not written down.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ennio.machine import single
from ennio.machine.interface import FileKind, FileSpan, Machine
from ennio.model.session import Activity
from ennio.model.usage import Billing, RequestUsage, Tokens
from ennio.plugins.agent import codex_limits
from ennio.plugins.agent.agent_state import AgentState, count, date_of, moment
from ennio.plugins.agent.interface import AgentContext

COUNTS = (
    "input_tokens",  # all that were sent: the next two are among them
    "cached_input_tokens",
    "cache_write_input_tokens",
    "output_tokens",
)
_LOOK_BACK = 2000  # rollouts, newest first; who has more has long forgotten the oldest
_LONGEST_TIER = 100  # characters
_GRAIN = 2.0  # seconds: the coarsest clock of a file system
_USUAL = 64 << 10  # bytes of a first line, as a rule
_LOOK_NOW = 100  # of them at one look, while the conversation has not begun


@dataclass(frozen=True, slots=True)
class FoundRollouts:
    """The rollouts of a workspace, oldest first: its ``own``, and those of ``helpers`` that its
    agent began. Up to the name ``above`` all is known.
    """

    own: tuple[Path, ...]
    helpers: tuple[Path, ...]
    above: str


def found(context: AgentContext, above: str = "") -> FoundRollouts:
    """The rollouts of this workspace named after ``above``, among the newest. Raises OSError."""
    known: list[str] = []
    own: list[Path] = []
    helpers: list[Path] = []
    machine = context.machine
    for file in _newest(machine, sessions(context), _LOOK_NOW):
        if file.name <= above:
            break
        meta = _meta(machine, file)
        if meta is None:
            # it is being written: it is looked at again, and so is what came after it
            known.clear()
            continue
        known.append(file.name)
        if _is_held_in(meta, context.workspace):
            own.insert(0, file)
        elif _is_helper_in(meta, context.workspace):
            helpers.insert(0, file)
    return FoundRollouts(tuple(own), tuple(helpers), max(known, default=above))


def latest(context: AgentContext) -> Path | None:
    """The rollout of this workspace that was written to last, or None. Raises OSError."""
    own = found(context).own
    if not own:  # of a session that rested while a hundred others began
        far = (
            file
            for file in _newest(context.machine, sessions(context), _LOOK_BACK)
            if _is_held_in(_meta(context.machine, file) or {}, context.workspace)
        )
        return next(far, None)
    states = context.machine.stat(own)
    written = [
        (getattr(state, "modified", 0), file) for state, file in zip(states, own, strict=True)
    ]
    return max(written, key=lambda one: one[0])[1]


def folders(context: AgentContext) -> tuple[Path, ...]:
    """The folders in which the next rollout will appear, or the next
    folder for it. Raises OSError.
    """
    places = [sessions(context)]
    for _ in range(3):
        deeper = _descending(context.machine, places[-1])
        if not deeper:
            break
        places.append(deeper[0])
    return tuple(places)


def stamp(context: AgentContext, now: datetime) -> str:
    """Something that changes whenever a rollout appears; empty when one may have appeared just now
    without a trace. Raises OSError.
    """
    prints = []
    for place in folders(context):
        found = single.state(context.machine, place)
        if found is not None and found.kind is FileKind.FOLDER:
            prints.append((place.name, found.modified / 1e9))
    return json.dumps(prints) if all(at < now.timestamp() - _GRAIN for _, at in prints) else ""


def sessions(context: AgentContext) -> Path:
    """Where codex keeps its rollouts."""
    return Path(context.machine.environ.get("CODEX_HOME") or context.home / ".codex") / "sessions"


def _newest(machine: Machine, folder: Path, most: int) -> Iterator[Path]:
    # days and files are named by their time, so they sort by age, and old days are not even opened
    days = (
        day
        for year in _descending(machine, folder)
        for month in _descending(machine, year)
        for day in _descending(machine, month)
    )
    files = (
        file
        for day in days
        for file in _descending(machine, day)
        if file.name.startswith("rollout-") and file.suffix == ".jsonl"
    )
    return itertools.islice(files, most)


def _descending(machine: Machine, folder: Path) -> list[Path]:
    try:
        return [folder / name for name in sorted(machine.list(folder), reverse=True)]
    except (FileNotFoundError, NotADirectoryError):
        return []  # whatever else cannot be read just then says nothing, and is said


def conversation(context: AgentContext, file: Path) -> str | None:
    """The id of the conversation a rollout holds, when it was held in its workspace."""
    meta = _meta(context.machine, file) or {}
    return str(meta["id"]) if _is_held_in(meta, context.workspace) else None


def _is_held_in(meta: Mapping[str, Any], workspace: Path) -> bool:
    """Whether it is a conversation that was held there in a terminal: none of a helper's,
    and none of ``codex exec``.
    """
    its_own = meta.get("thread_source") in (None, "user") and meta.get("source") in (None, "cli")
    return meta.get("cwd") == str(workspace) and isinstance(meta.get("id"), str) and its_own


def _is_helper_in(meta: Mapping[str, Any], workspace: Path) -> bool:
    """Whether it is the conversation of an agent that another one began there."""
    source = meta.get("source")
    helps = meta.get("thread_source") == "subagent" or (
        isinstance(source, Mapping) and "subagent" in source
    )
    return helps and meta.get("cwd") == str(workspace)


def _first_line(machine: Machine, file: Path) -> bytes | None:
    """The first line, None while it has no end. Raises OSError."""
    for most in (_USUAL, 1 << 20):
        (part,) = machine.read([FileSpan(file, most=most)])
        if isinstance(part, OSError):
            raise part
        line, end, _ = part.data.partition(b"\n")
        if end or len(part.data) < most:
            break
    return line if end else None


def _meta(machine: Machine, file: Path) -> Mapping[str, Any] | None:
    """What the first line says of the conversation; empty when it is none of codex's, None when it
    cannot be read, or not yet.
    """
    try:
        line = _first_line(machine, file)
        first = json.loads(line.decode(errors="replace")) if line is not None else None
    except OSError:
        return None
    except (ValueError, RecursionError):
        return {}
    if first is None:
        return None
    meta = (
        first.get("payload")
        if isinstance(first, dict) and first.get("type") == "session_meta"
        else None
    )
    return meta if isinstance(meta, dict) else {}


def apply(state: AgentState, entry: Mapping[str, Any], sums: dict[str, int], file: str) -> None:
    """Take in a line; ``sums`` are those of its file, and change with it."""
    payload = entry.get("payload")
    if not isinstance(payload, Mapping):
        return
    if entry.get("type") == "turn_context" and isinstance(payload.get("model"), str):
        state.model = payload["model"]
    if entry.get("type") == "event_msg":
        at = moment(entry) or 0.0
        _event(state, payload, at, sums, file)
        if codex_limits.apply(state.windows, payload, at):  # it ends the turn before that is told
            state.report(Activity.READY, at, detail=_first(payload.get("message")) or "")


def _event(
    state: AgentState, payload: Mapping[str, Any], at: float, sums: dict[str, int], file: str
) -> None:
    match payload.get("type"):
        case "task_started":
            state.report(Activity.ACTIVE, at)
        case "thread_settings_applied":
            state.tier = tier_of(payload.get("thread_settings"))
        case "task_complete":
            state.turns += 1
            error = payload.get("error")
            failure = error.get("message") if isinstance(error, Mapping) else None
            state.summary = (
                _first(failure) or _first(payload.get("last_agent_message")) or state.summary
            )
            state.report(Activity.READY, at, detail=_first(failure) or "")
        case "turn_aborted":
            state.report(Activity.READY, at, detail=str(payload.get("reason") or "aborted"))
        case "token_count":
            before = dict(sums)
            _usage(payload, sums)
            _request(state, payload, at, before, sums, file)
        case _:
            state.prompts += prompt_of({"type": "event_msg", "payload": payload}) is not None


def _first(text: object) -> str | None:
    lines = text.strip().splitlines() if isinstance(text, str) else []
    return lines[0][:200] if lines else None


def _usage(payload: Mapping[str, Any], sums: dict[str, int]) -> None:
    info = payload.get("info")
    total = info.get("total_token_usage") if isinstance(info, Mapping) else None
    last = info.get("last_token_usage") if isinstance(info, Mapping) else None
    if not isinstance(total, Mapping):
        return
    for name in COUNTS:
        # what a file begins with was used, and counted, in the one it comes from
        before = (
            max(count(total.get(name)) - count(last.get(name)), 0)
            if isinstance(last, Mapping)
            else 0
        )
        sums.setdefault(f"before_{name}", before)
        sums[name] = max(count(total.get(name)) - sums[f"before_{name}"], 0)


def _request(
    state: AgentState,
    payload: Mapping[str, Any],
    at: float,
    before: Mapping[str, int],
    sums: Mapping[str, int],
    file: str,
) -> None:
    """What the sums have grown by is one request; it is named after where they stand then."""
    tokens = tokens_of({name: sums.get(name, 0) - before.get(name, 0) for name in COUNTS})
    if not any(tokens.counts):
        return
    billing = _billing(payload.get("rate_limits"))
    state.billing = billing.value
    state.requests.append(
        RequestUsage(
            id=f"{file}:{sums['input_tokens']}:{sums['output_tokens']}",
            at=date_of(at),
            tokens=tokens,
            model=state.model,
            provider="openai",
            tier=state.tier,
            billing=billing,
        )
    )


def tokens_of(counts: Mapping[str, int]) -> Tokens:
    """What codex counts, apart: what has to do with the cache is among the input there."""
    given, read, wrote, made = (max(counts[name], 0) for name in COUNTS)
    cached = min(read, given)
    written = min(wrote, given - cached)
    return Tokens(given - cached - written, made, cached, written)


def tier_of(settings: object) -> str | None:
    """The tier that the turn's requests ask for; none where they ask for none, or an older version
    does not say so. How they were served then, it does not write down.
    """
    told = settings.get("service_tier") if isinstance(settings, Mapping) else None
    return told[:_LONGEST_TIER] if isinstance(told, str) and told else None


def _billing(limits: object) -> Billing:
    """A login of a plan has windows, and says which plan it is; a key has none."""
    told = isinstance(limits, Mapping) and isinstance(limits.get("plan_type"), str)
    return Billing.PLAN if told else Billing.METERED


def prompt_of(entry: Mapping[str, Any]) -> str | None:
    """The words of a line that says that a prompt was taken, else None. Versions
    differ in how they say it.
    """
    payload = entry.get("payload")
    if entry.get("type") != "event_msg" or not isinstance(payload, Mapping):
        return None
    if payload.get("type") == "user_message":
        return str(payload.get("message"))
    item = payload.get("item")
    if (
        payload.get("type") != "item_completed"
        or not isinstance(item, Mapping)
        or item.get("type") != "UserMessage"
    ):
        return None
    parts = item.get("content")
    return (
        "\n".join(str(part.get("text", "")) for part in parts if isinstance(part, Mapping))
        if isinstance(parts, list)
        else None
    )
