"""The words with which an agent ended its last turn, whole, out of the files it writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ennio.model.review_pack import LONGEST_WORDS
from ennio.plugins.agent import codex_rollout, jsonl
from ennio.plugins.agent.claude_conversations import HOOKS, present, transcript
from ennio.plugins.agent.interface import AgentContext


class QuotedClaude:
    """The last words of claude-code."""

    def last_message(self, context: AgentContext) -> str | None:
        """See ``Quotable.last_message``."""
        try:
            file = transcript(context, present(context))
            lines = jsonl.ending(context.machine, file) if file else ()
            hooks = jsonl.ending(context.machine, context.directory / HOOKS)
        except OSError:
            return None
        return of_claude(lines, hooks)


class QuotedCodex:
    """Those of codex."""

    def last_message(self, context: AgentContext) -> str | None:
        """See ``Quotable.last_message``."""
        try:
            file = codex_rollout.latest(context)
            lines = jsonl.ending(context.machine, file) if file else ()
        except OSError:
            return None
        return of_codex(lines)


def of_claude(lines: Iterable[Mapping[str, Any]], hooks: Iterable[Mapping[str, Any]]) -> str | None:
    """By its conversation; else by what its hooks kept, which is cut."""
    said = [_claude_text(one) for one in lines if one.get("type") == "assistant"]
    ends = (one.get("last_assistant_message") for one in hooks if not one.get("agent_id"))
    return _last(said) or _last(one if isinstance(one, str) else "" for one in ends)


def _claude_text(entry: Mapping[str, Any]) -> str:
    """The words of a line; a helper's, and those that only call a tool, are none."""
    message = entry.get("message")
    content = message.get("content") if isinstance(message, Mapping) else None
    if entry.get("isSidechain") or not isinstance(content, list):
        return ""
    texts = (
        part.get("text")
        for part in content
        if isinstance(part, Mapping) and part.get("type") == "text"
    )
    return "\n".join(text for text in texts if isinstance(text, str))


def of_codex(lines: Iterable[Mapping[str, Any]]) -> str | None:
    """By the ends of its turns."""
    payloads = (one.get("payload") for one in lines if one.get("type") == "event_msg")
    ends = (one.get("last_agent_message") for one in payloads if isinstance(one, Mapping))
    return _last(one if isinstance(one, str) else "" for one in ends)


def _last(texts: Iterable[str]) -> str | None:
    """The last one that says something."""
    said = [text.strip() for text in texts if text.strip()]
    if not said:
        return None
    return said[-1][:LONGEST_WORDS].encode("utf-8", "replace").decode()
