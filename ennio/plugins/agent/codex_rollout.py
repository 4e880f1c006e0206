"""Codex's rollout: the file of one conversation, by day below ``sessions``, and what its lines mean.

    {"timestamp", "type": "session_meta" | "event_msg" | "response_item" | ..., "payload": {...}}

The sums in ``token_count`` are cumulative, so the last one counts. Dialogs are not written down.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ennio.model import Activity
from ennio.plugins.agent.account import Account, count, moment
from ennio.plugins.agent.interface import Desk

_LOOK_BACK = 2000  # rollouts, newest first; who has more has long forgotten the oldest
_LOOK_NOW = 100  # of them at one look, while the conversation has not begun


def find(desk: Desk, above: str = "", most: int = _LOOK_BACK) -> tuple[Path | None, str]:
    """The newest rollout of this workspace among those named after ``above``, and the name up to which all is known."""
    known: list[str] = []
    for file in _newest(sessions(desk), most):
        if file.name <= above:
            break
        meta = _meta(file)
        if meta is None:
            known.clear()  # it is being written: it is looked at again, and so is what came after it
            continue
        known.append(file.name)
        if _held_in(meta, desk.workspace):
            return file, max(known)
    return None, max(known, default=above)


def find_now(desk: Desk, above: str) -> tuple[Path | None, str]:
    """The same among a few, for every look."""
    return find(desk, above, _LOOK_NOW)


def sessions(desk: Desk) -> Path:
    """Where codex keeps its rollouts."""
    return Path(os.environ.get("CODEX_HOME") or desk.home / ".codex") / "sessions"


def _newest(folder: Path, most: int) -> Iterator[Path]:
    # days and files are named by their time, so they sort by age, and old days are not even opened
    days = (day for year in _descending(folder) for month in _descending(year) for day in _descending(month))
    files = (file for day in days for file in _descending(day) if file.name.startswith("rollout-") and file.suffix == ".jsonl")
    return itertools.islice(files, most)


def _descending(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir(), key=lambda path: path.name, reverse=True)
    except OSError:
        return []


def conversation(file: Path, workspace: Path) -> str | None:
    """The id of the conversation a rollout holds, when it was held in this workspace."""
    meta = _meta(file) or {}
    return str(meta["id"]) if _held_in(meta, workspace) else None


def _held_in(meta: Mapping[str, Any], workspace: Path) -> bool:
    return meta.get("cwd") == str(workspace) and isinstance(meta.get("id"), str)


def _meta(file: Path) -> Mapping[str, Any] | None:
    """What the first line says of the conversation; empty when it is none of codex's, None when there is no whole line yet."""
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            line = lines.readline(1 << 20)
            first = json.loads(line) if line.endswith("\n") else None
    except (OSError, ValueError, RecursionError):
        return {}
    if first is None:
        return None
    meta = first.get("payload") if isinstance(first, dict) and first.get("type") == "session_meta" else None
    return meta if isinstance(meta, dict) else {}


def take(account: Account, entry: Mapping[str, Any]) -> None:
    """Take in a line."""
    payload = entry.get("payload")
    if not isinstance(payload, Mapping):
        return
    if entry.get("type") == "turn_context" and isinstance(payload.get("model"), str):
        account.model = payload["model"]
    if entry.get("type") == "event_msg":
        _event(account, payload, moment(entry) or 0.0)


def _event(account: Account, payload: Mapping[str, Any], at: float) -> None:
    match payload.get("type"):
        case "task_started":
            account.tells(Activity.ACTIVE, at)
        case "task_complete":
            account.turns += 1
            error = payload.get("error")
            failure = error.get("message") if isinstance(error, Mapping) else None
            account.summary = _first(failure) or _first(payload.get("last_agent_message")) or account.summary
            account.tells(Activity.READY, at, detail=_first(failure) or "")
        case "turn_aborted":
            account.tells(Activity.READY, at, detail=str(payload.get("reason") or "aborted"))
        case "token_count":
            _usage(account, payload)
        case _:
            account.prompts += prompt_of({"type": "event_msg", "payload": payload}) is not None


def _first(text: object) -> str | None:
    lines = text.strip().splitlines() if isinstance(text, str) else []
    return lines[0][:200] if lines else None


def _usage(account: Account, payload: Mapping[str, Any]) -> None:
    info = payload.get("info")
    total = info.get("total_token_usage") if isinstance(info, Mapping) else None
    if isinstance(total, Mapping):
        account.input, account.output = count(total.get("input_tokens")), count(total.get("output_tokens"))


def prompt_of(entry: Mapping[str, Any]) -> str | None:
    """The words of a line that says that a prompt was taken, else None. Versions differ in how they say it."""
    payload = entry.get("payload")
    if entry.get("type") != "event_msg" or not isinstance(payload, Mapping):
        return None
    if payload.get("type") == "user_message":
        return str(payload.get("message"))
    item = payload.get("item")
    if payload.get("type") != "item_completed" or not isinstance(item, Mapping) or item.get("type") != "UserMessage":
        return None
    parts = item.get("content")
    return "\n".join(str(part.get("text", "")) for part in parts if isinstance(part, Mapping)) if isinstance(parts, list) else None
