"""The desks of the shipped agents, and what each of them may write there: the worlds in
which a lookout reads them.
"""

from __future__ import annotations

import itertools
import json
import os
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ennio.plugins.agent import opencode_database
from ennio.plugins.agent.interface import AgentContext

Write = Callable[[AgentContext, float], None]
_AGES = itertools.count(1_000_000_000_000_000_000)


def age(folder: Path) -> None:
    """Make what was written lately look as if it had been long ago, and
    each time another moment.
    """
    for path in (*folder.rglob("*"), folder):
        if path.stat().st_mtime_ns > 1_700_000_000_000_000_000:
            at = next(_AGES)
            os.utime(path, ns=(at, at))


def _append(file: Path, entry: Mapping[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as out:
        out.write(json.dumps(entry) + "\n")


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


# --- claude-code ----------------------------------------------------------------------------------


def _hook(name: str, **more: object) -> Write:
    return lambda desk, at: _append(
        desk.directory / "hooks.jsonl", {"t": at, "hook_event_name": name, **more}
    )


def _claude(desk: AgentContext) -> Path:
    return desk.home / ".claude" / "projects" / "-w" / f"{desk.conversation}.jsonl"


def _answered(desk: AgentContext, at: float) -> None:
    message = {"id": str(at), "model": "opus", "usage": {"input_tokens": 3, "output_tokens": 4}}
    _append(_claude(desk), {"type": "assistant", "timestamp": _stamp(at), "message": message})


def _answered_aside(desk: AgentContext, at: float) -> None:
    message = {"id": str(at), "model": "opus", "usage": {"input_tokens": 5, "output_tokens": 6}}
    file = _claude(desk).with_suffix("") / "subagents" / f"{int(at) % 2}.jsonl"
    _append(file, {"type": "assistant", "timestamp": _stamp(at), "message": message})


def _interrupted(desk: AgentContext, at: float) -> None:
    _append(
        _claude(desk),
        {
            "type": "user",
            "timestamp": _stamp(at),
            "message": {"content": "[Request interrupted by user]"},
        },
    )


def _cost(desk: AgentContext, at: float) -> None:
    draft = desk.directory / "cost.new"
    draft.write_text(
        json.dumps({"conversations": {desk.conversation: {"total": round(at % 1000, 3), "t": at}}})
    )
    draft.replace(desk.directory / "cost.json")


# --- codex ----------------------------------------------------------------------------------------


def _rollout(desk: AgentContext, name: str = "0") -> Path:
    return (
        desk.home
        / ".codex"
        / "sessions"
        / "2026"
        / "03"
        / "01"
        / f"rollout-2026-03-01T00-00-0{name}.jsonl"
    )


def _begun(cwd: str, name: str) -> Write:
    def write(desk: AgentContext, at: float) -> None:
        payload = {"id": "one", "cwd": cwd or str(desk.workspace)}
        _append(
            _rollout(desk, name),
            {"timestamp": _stamp(at), "type": "session_meta", "payload": payload},
        )

    return write


def _half_begun(desk: AgentContext, at: float) -> None:
    """The first line of a rollout, of which the end is yet to be written."""
    file = _rollout(desk)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as out:
        out.write('{"timestamp": "')


def _event(kind: str, **more: object) -> Write:
    return lambda desk, at: _append(
        _rollout(desk),
        {"timestamp": _stamp(at), "type": "event_msg", "payload": {"type": kind, **more}},
    )


# --- aider ----------------------------------------------------------------------------------------


def _logged(event: str) -> Write:
    told = {
        "event": event,
        "properties": {"prompt_tokens": 3, "completion_tokens": 2, "cost": 0.01},
    }
    return lambda desk, at: _append(
        desk.directory / "aider.events.jsonl", {**told, "time": int(at)}
    )


# --- opencode -------------------------------------------------------------------------------------


def _message(role: str, **data: object) -> Write:
    def write(desk: AgentContext, at: float) -> None:
        file, moment = opencode_database.database(desk), int(at * 1000)
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists() and not file.read_bytes().startswith(b"SQLite"):
            file.unlink()
        base = sqlite3.connect(file)
        base.execute(
            "CREATE TABLE IF NOT EXISTS session (id PRIMARY KEY, directory, parent_id, "
            "time_updated)"
        )
        base.execute(
            "CREATE TABLE IF NOT EXISTS message (id PRIMARY KEY, session_id, time_created, "
            "time_updated, data)"
        )
        base.execute(
            "INSERT OR IGNORE INTO session VALUES ('own', ?, NULL, 1)", (str(desk.workspace),)
        )
        time = {"created": moment, **({"completed": moment} if data.get("finish") else {})}
        told = json.dumps({"role": role, "time": time, "tokens": {"input": 2, "output": 1}, **data})
        base.execute(
            "INSERT OR REPLACE INTO message VALUES (?, 'own', ?, ?, ?)",
            (str(moment), moment, moment, told),
        )
        base.commit()
        base.close()

    return write


def _broken(desk: AgentContext, at: float) -> None:
    """Something that is no database, in its place."""
    file = opencode_database.database(desk)
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        file.write_text(
            f"{at} is not a database, and is long enough to be looked at as if it were one" * 20
        )


# --- scripted -------------------------------------------------------------------------------------


def _played(kind: str, **more: object) -> Write:
    return lambda desk, at: _append(
        desk.directory / "transcript.jsonl", {"t": at, "type": kind, **more}
    )


@dataclass(frozen=True, slots=True)
class World:
    """What one agent may write, and what its terminal may show."""

    writes: tuple[Write, ...]
    screens: tuple[str, ...]
    titles: tuple[str, ...] = ("",)


WORLDS = {
    "claude-code": World(
        (
            *(_hook(name) for name in ("SessionStart", "UserPromptSubmit", "Stop")),
            _hook("PermissionRequest", tool_name="Bash", tool_input={"command": "rm x"}),
            *(_answered, _answered_aside, _interrupted, _cost),
        ),
        (
            *("● Done.\n\n❯ \n", "✶ Nucleating… (2s)\n\n❯ \n  esc to interrupt\n"),
            *(
                "Do you want to proceed?\n❯ 1. Yes\n  2. No\n\nEsc to cancel\n",
                "retrying in 2s · attempt 3/10\n",
            ),
        ),
        ("✳ at rest", "◐ at work"),
    ),
    "codex": World(
        (
            *(
                _begun("", "0"),
                _begun("/elsewhere", "1"),
                _half_begun,
                _event("task_started"),
                _event("task_complete"),
            ),
            _event(
                "token_count", info={"total_token_usage": {"input_tokens": 3, "output_tokens": 4}}
            ),
        ),
        (
            *("• Done.\n\n› Ask\n", "• Working (2s • esc to interrupt)\n\n› Ask\n"),
            "  $ make\n\n› 1. Yes\n  2. No\n\n  Press enter to confirm\n",
        ),
        ("at rest", "\u2807 at work", "[ . ] Action Required | x"),
    ),
    "aider": World(
        (_logged("message_send_starting"), _logged("message_send"), _hook("Waiting")),
        (
            "diff> \n",
            "Waiting for the model",
            "touch x\nRun shell command? (Y)es/(N)o [Yes]: \n",
            "Retrying in 2.0 seconds...\n",
        ),
    ),
    "opencode": World(
        (
            *map(_message, ("user", "assistant")),
            *(_message("assistant", finish=how) for how in ("stop", "tool-calls")),
            _broken,
        ),
        (
            "Ask anything\n",
            "Ask anything\n  esc interrupt\n",
            "Permission required\n  Allow once   Allow always   Reject\n",
        ),
    ),
    "scripted": World(
        (
            _played("ready", pid=7),
            *map(_played, ("turn_started", "turn_ended", "exit")),
            _played("waiting", question="Which?"),
        ),
        ("> ",),
    ),
    "command": World((), ("$ \n", "at work\n")),
}
