"""What claude-code's hooks and transcript mean.

    hook line         {"t", "launch", "hook_event_name", ...} as ``hook.py`` keeps it
    transcript line   {"type": "assistant" | "user" | ..., "timestamp", "message": {...}}

One answer may span several transcript lines that repeat its usage: it counts once per message id.
Escape fires no hook; the transcript tells of it when there was an answer, else the screen must.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ennio.model import Activity
from ennio.plugins.agent.account import Account, count, moment

EVENTS = (
    "SessionStart",
    "UserPromptSubmit",
    "PreToolUse",
    "PermissionRequest",
    "Notification",
    "PostToolUse",
    "PostToolUseFailure",
    "PreCompact",
    "Stop",
    "StopFailure",
    "SessionEnd",
)
_MEANS = {
    "SessionStart": Activity.READY,
    "UserPromptSubmit": Activity.ACTIVE,
    "PreToolUse": Activity.ACTIVE,
    "PermissionRequest": Activity.WAITING_INPUT,
    "PostToolUse": Activity.ACTIVE,
    "PostToolUseFailure": Activity.ACTIVE,
    "PreCompact": Activity.ACTIVE,
    "Stop": Activity.READY,
    "StopFailure": Activity.READY,
}
_ASKING = ("permission_prompt", "elicitation_dialog")
_ASKED_BY = ("AskUserQuestion", "ExitPlanMode")
_INTERRUPTED = "[Request interrupted by user"
_LONGEST = 2000
_PASTED = re.compile(r"</?pasted_content[^>\n]*>")


def take(account: Account, kind: str, entry: Mapping[str, Any], launch: int | None) -> None:
    """Take in a line: of a hook (``hook``), of the conversation (``line``) or of one that it began itself (``side``)."""
    if kind == "hook":
        _hook(account, entry, launch)
    elif entry.get("type") == "assistant":
        _usage(account, entry)
    elif kind == "line" and _interrupted(entry):
        account.tells(Activity.READY, moment(entry) or 0.0, detail="interrupted")


def _hook(account: Account, entry: Mapping[str, Any], launch: int | None) -> None:
    name, at = str(entry.get("hook_event_name")), moment(entry, "t") or 0.0
    if name == "UserPromptSubmit":
        account.prompts += 1
    elif name in ("Stop", "StopFailure"):
        account.turns += 1
        account.summary = _first(entry.get("last_assistant_message")) or account.summary
    if launch is not None and entry.get("launch") not in ("", None, str(launch)):
        return  # told by an earlier process: what it did then says nothing about now
    activity = _meaning(name, entry)
    if activity is not None:
        account.tells(activity, at, _question(entry) if activity is Activity.WAITING_INPUT else None, str(entry.get("error") or ""))


def _meaning(name: str, entry: Mapping[str, Any]) -> Activity | None:
    if name == "Notification":
        return Activity.WAITING_INPUT if entry.get("notification_type") in _ASKING else None
    if name == "PreToolUse" and entry.get("tool_name") in _ASKED_BY:
        return Activity.WAITING_INPUT
    return _MEANS.get(name)


def _question(entry: Mapping[str, Any]) -> str | None:
    """What is asked, as far as the hook tells: the tool and what it would do."""
    tool, given = entry.get("tool_name"), entry.get("tool_input")
    if not tool:
        return None  # a notification comes after the hook that knows more
    told = given if isinstance(given, Mapping) else {}
    asked = told.get("questions")
    if isinstance(asked, list):
        return " ".join(str(one.get("question", "")) for one in asked if isinstance(one, Mapping)).strip()[:_LONGEST] or str(tool)
    what = next((told[key] for key in ("command", "file_path", "url", "plan", "description") if told.get(key)), "")
    return f"may it use {tool}: {what}"[:_LONGEST] if what else f"may it use {tool}"


def _usage(account: Account, entry: Mapping[str, Any]) -> None:
    message = entry.get("message")
    usage = message.get("usage") if isinstance(message, Mapping) else None
    if not isinstance(message, Mapping) or not isinstance(usage, Mapping) or message.get("model") == "<synthetic>":
        return
    given = sum(count(usage.get(key)) for key in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"))
    model = message.get("model")
    account.uses(str(message.get("id")), given, count(usage.get("output_tokens")), model if isinstance(model, str) else None)


def prompt_of(entry: Mapping[str, Any]) -> str | None:
    """The words of a transcript line that is a prompt, else None."""
    message = entry.get("message")
    if entry.get("type") != "user" or entry.get("isMeta") or not isinstance(message, Mapping):
        return None
    content = message.get("content")
    if isinstance(content, str):
        return content
    texts = [part.get("text") for part in content if isinstance(part, Mapping)] if isinstance(content, list) else []
    return "\n".join(text for text in texts if isinstance(text, str)) or None


def same(told: str, text: str) -> bool:
    """Whether a prompt as it is told is this text. What was pasted in many lines is told in a wrapping of its own."""
    return "".join(_PASTED.sub("", told).split()) == "".join(text.split())


def _interrupted(entry: Mapping[str, Any]) -> bool:
    return (prompt_of(entry) or "").startswith(_INTERRUPTED)


def _first(text: object) -> str | None:
    lines = str(text).strip().splitlines() if text else []
    return lines[0][:200] if lines else None
