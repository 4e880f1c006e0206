"""What claude-code's hooks and transcript mean.

    hook line         {"t", "launch", "hook_event_name", "agent_id", ...} as ``hook.py`` keeps it;
                      the id is that of a helper
    transcript line   {"type": "assistant" | "user" | ..., "timestamp", "message": {...}}

One answer may span several transcript lines that repeat its usage: it counts once per message id.
Escape fires no hook; the transcript tells of it when there was an answer, else the screen must.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ennio.model.session import Activity
from ennio.model.usage import FAST, Billing, RequestUsage, Tokens
from ennio.plugins.agent import claude_limits
from ennio.plugins.agent.agent_state import AgentState, count, date_of, moment
from ennio.plugins.agent.asks import Ask, Item
from ennio.plugins.agent.claude_cost import ClaudeCost
from ennio.plugins.agent.words import visible

EVENTS = (
    "SessionStart",
    "UserPromptSubmit",
    "PreToolUse",
    "PermissionRequest",
    "Notification",
    "PostToolUse",
    "PostToolUseFailure",
    "PreCompact",
    "SubagentStart",
    "SubagentStop",
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
_FORM = "AskUserQuestion"
_ASKED_BY = (_FORM, "ExitPlanMode")
_INTERRUPTED = "[Request interrupted by user"
_LONGEST = 2000
_CATCHES_UP = 2.0  # seconds a screen may need to show a dialog
_NOTICE = re.compile(r"\A\s*<task-notification>\s*(?:<task-id>([^<]*)</task-id>)?")
_PASTED = re.compile(r"</?pasted_content[^>\n]*>")


def apply(
    state: AgentState,
    money: ClaudeCost,
    kind: str,
    entry: Mapping[str, Any],
    launch: int | None,
    billing: Billing = Billing.METERED,
) -> None:
    """Take in a line: of a hook (``hook``), of the conversation (``line``) or of one that it
    began itself (``side``).
    """
    if kind == "hook":
        _hook(state, entry, launch)
    elif entry.get("type") == "assistant":
        _usage(state, money, entry, billing)
        _refused(state, kind, entry, moment(entry) or 0.0)
    elif kind == "line" and _is_interruption(entry):
        # those it waited for ended with it, and whoever goes on in the background is heard again
        state.helpers = {}
        state.report(Activity.READY, moment(entry) or 0.0, detail="interrupted")


def _refused(state: AgentState, kind: str, entry: Mapping[str, Any], at: float) -> None:
    """A refusal ends the turn, and its line is there before the hook that says so; one of what a
    helper does ends nothing here.
    """
    used_up = claude_limits.refused(state.windows, entry, at)
    if used_up and kind == "line" and entry.get("isSidechain") is not True:
        state.report(Activity.READY, at, detail=str(entry.get("error") or ""))


def _hook(state: AgentState, entry: Mapping[str, Any], launch: int | None) -> None:
    name, helper = str(entry.get("hook_event_name")), str(entry.get("agent_id") or "")
    at = moment(entry, "t") or 0.0
    if name == "UserPromptSubmit" and not helper:
        state.prompts += notice(entry) is None
    elif name in ("Stop", "StopFailure") and not helper:
        state.turns += 1
        state.summary = _first(entry.get("last_assistant_message")) or state.summary
    if launch is not None and entry.get("launch") not in ("", None, str(launch)):
        return  # told by an earlier process: what it did then says nothing about now
    if helper:
        _of_helper(state, name, helper, entry, at)
    else:
        _of_agent(state, name, entry, at)


def _of_helper(
    state: AgentState, name: str, helper: str, entry: Mapping[str, Any], at: float
) -> None:
    """What a helper does is not what the agent does; that it is there, and what it asks, counts."""
    state.note_signal(at)
    if name in ("SubagentStop", "SessionEnd"):
        state.helpers.pop(helper, None)
        state.close_asks(helper)
        return
    state.helpers.setdefault(helper, "")
    if _is_question(name, entry):
        state.open_ask(_ask(helper, entry, at))
    else:
        state.close_asks(helper, None if name in ("SubagentStart", "PreToolUse") else _key(entry))


def _of_agent(state: AgentState, name: str, entry: Mapping[str, Any], at: float) -> None:
    _helpers(state, name, entry)
    if _is_question(name, entry):
        state.open_ask(_ask("", entry, at))
        return
    if name in ("PreToolUse", "PostToolUse", "PostToolUseFailure") and _is_beside(
        state, name, entry, at
    ):
        state.note_signal(at)
        return
    activity = Activity.WAITING_INPUT if _is_notification(name, entry) else _MEANS.get(name)
    if activity is not None:
        state.report(activity, at, None, str(entry.get("error") or ""))


def _helpers(state: AgentState, name: str, entry: Mapping[str, Any]) -> None:
    """Who is at work for it: it tells at the end of each turn, and of each that has ended."""
    tasks = entry.get("background_tasks")
    if name == "Stop" and isinstance(tasks, list):
        # a command that goes on in the background may be a server, and is no helper
        found = [
            task
            for task in tasks
            if isinstance(task, Mapping)
            and task.get("status") == "running"
            and task.get("type") != "shell"
        ]
        state.helpers = {
            str(task.get("id")): str(task.get("description") or "")[:80] for task in found
        }
    elif name == "SessionStart":
        state.helpers = {}
    elif name == "UserPromptSubmit" and (over := notice(entry)) is not None:
        state.helpers.pop(over, None)


def _is_beside(state: AgentState, name: str, entry: Mapping[str, Any], at: float) -> bool:
    """Whether a tool that is not asked about goes on beside the one that is: the question stands.

    The screen decides in the end: a tool that was refused is told of by no hook.
    """
    if "tool_input" not in entry:
        return False
    key = _key(entry)
    if name != "PreToolUse" and state.has_open_ask("", key):
        state.close_asks("", key)
        return state.has_open_ask("")
    on_screen = state.still_on_screen and state.on_screen == Activity.WAITING_INPUT
    return (
        state.reported == Activity.WAITING_INPUT
        and state.has_open_ask("")
        and (on_screen or at - state.reported_at < _CATCHES_UP)
    )


def notice(entry: Mapping[str, Any]) -> str | None:
    """The task whose end a prompt tells of, when it is no person's prompt but such a notice."""
    found = _NOTICE.match(str(entry.get("prompt") or ""))
    return None if found is None else found[1] or ""


def _is_question(name: str, entry: Mapping[str, Any]) -> bool:
    return name == "PermissionRequest" or (
        name == "PreToolUse" and entry.get("tool_name") in _ASKED_BY
    )


def _is_notification(name: str, entry: Mapping[str, Any]) -> bool:
    """Whether a notification comes after the hook that knows more, or tells what no hook told."""
    return name == "Notification" and entry.get("notification_type") in _ASKING


def _key(entry: Mapping[str, Any]) -> str:
    told = f"{entry.get('tool_name')}:{json.dumps(entry.get('tool_input'), sort_keys=True)}"
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _ask(asker: str, entry: Mapping[str, Any], at: float) -> Ask:
    return Ask(asker, _key(entry), at, tuple(_items(entry)))


def _items(entry: Mapping[str, Any]) -> Iterator[Item]:
    """What is asked, as far as the hook tells: the tool and what it would do, or
    each question of a form.
    """
    tool, given = str(entry.get("tool_name")), entry.get("tool_input")
    told = given if isinstance(given, Mapping) else {}
    asked = told.get("questions")
    if isinstance(asked, list) and asked:
        # another tool may take questions too: then it is asked whether it may run
        own = tool == _FORM
        yield from (_of_form(one, own=own) for one in asked if isinstance(one, Mapping))
        return
    if tool == "ExitPlanMode":
        plan = str(told.get("plan") or "").strip()
        yield Item(
            "plan",
            f"may it go on with this plan: {plan}"[:_LONGEST] if plan else "may it leave plan mode",
        )
        return
    what = str(
        next(
            (
                told[key]
                for key in ("command", "file_path", "url", "plan", "description")
                if told.get(key)
            ),
            "",
        )
    )
    yield Item(what, f"may it use {tool}: {what}"[:_LONGEST] if what else f"may it use {tool}")


def _of_form(one: Mapping[str, Any], *, own: bool) -> Item:
    options = one.get("options")
    labels = (
        [str(option.get("label")) for option in options if isinstance(option, Mapping)]
        if isinstance(options, list)
        else []
    )
    several = "any of " if one.get("multiSelect") is True else ""
    choices = (
        f"[{' / '.join(f'{number}. {label}' for number, label in enumerate(labels, 1))}]"
        if labels
        else ""
    )
    text = str(one.get("question", ""))[:_LONGEST]
    return Item(text, text, f"{several}{choices}", labels if own and not several else ())


def _usage(
    state: AgentState, money: ClaudeCost, entry: Mapping[str, Any], billing: Billing
) -> None:
    message = entry.get("message")
    usage = message.get("usage") if isinstance(message, Mapping) else None
    if (
        not isinstance(message, Mapping)
        or not isinstance(usage, Mapping)
        or message.get("model") == "<synthetic>"
    ):
        return
    at, model = moment(entry) or 0.0, message.get("model")
    money.used(str(message.get("id")), usage, at)
    state.add_usage(
        RequestUsage(
            id=str(message.get("id")),
            at=date_of(at),
            tokens=_tokens(usage),
            model=model if isinstance(model, str) else None,
            provider="anthropic",
            tier=_tier(usage),
            billing=billing,
        )
    )


def _tier(usage: Mapping[str, Any]) -> str | None:
    """The way it was served; one that is fast costs more, and says so beside its tier."""
    told = FAST if usage.get("speed") == FAST else usage.get("service_tier")
    return told if isinstance(told, str) else None


def _tokens(usage: Mapping[str, Any]) -> Tokens:
    written, told = count(usage.get("cache_creation_input_tokens")), usage.get("cache_creation")
    long = count(told.get("ephemeral_1h_input_tokens")) if isinstance(told, Mapping) else 0
    tools = usage.get("server_tool_use")
    return Tokens(
        input=count(usage.get("input_tokens")),
        output=count(usage.get("output_tokens")),
        cache_read=count(usage.get("cache_read_input_tokens")),
        cache_write=max(written - long, 0),
        cache_write_1h=min(long, written),
        web_searches=count(tools.get("web_search_requests")) if isinstance(tools, Mapping) else 0,
    )


def prompt_of(entry: Mapping[str, Any]) -> str | None:
    """The words of a transcript line that is a prompt, else None."""
    message = entry.get("message")
    if entry.get("type") != "user" or entry.get("isMeta") or not isinstance(message, Mapping):
        return None
    content = message.get("content")
    if isinstance(content, str):
        return content
    texts = (
        [part.get("text") for part in content if isinstance(part, Mapping)]
        if isinstance(content, list)
        else []
    )
    return "\n".join(text for text in texts if isinstance(text, str)) or None


def is_same(told: str, text: str) -> bool:
    """Whether a prompt as it is told is this text: pastes of many lines are told in a wrapping,
    letters that show nothing are left out.
    """
    return visible(_PASTED.sub("", told)) == visible(text)


def _is_interruption(entry: Mapping[str, Any]) -> bool:
    return (prompt_of(entry) or "").startswith(_INTERRUPTED)


def _first(text: object) -> str | None:
    lines = str(text).strip().splitlines() if text else []
    return lines[0][:200] if lines else None
