"""The three ways of asking a model, each read into one shape: the prompt that counts, the tool
answers since, the tools.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tests.agents.script import Asked

Part = str | None  # words of the user, or None for an answer of a tool
Moves = Callable[[str], bool]
ASIDES = ("title generator", "Git commit messages", "summarize this partial conversation")
"""What agents ask for beside their work, as it stands in the system's words."""


def _asked(
    parts: Iterable[Part], moves: Moves, tools: dict[str, dict[str, Any]], body: dict[str, Any]
) -> Asked:
    words, answers, heard = "", 0, []
    for part in parts:
        if part is None:
            answers += 1
        elif moves(part):
            words, answers = part, 0
            heard.append(part)
        elif not words:
            words, answers = part, 0
    return Asked(
        words, answers, tools, body.get("model", ""), bool(body.get("stream")), tuple(heard)
    )


def read_messages(body: dict[str, Any], moves: Moves) -> Asked:
    """The messages API."""
    tools = {tool["name"]: tool.get("input_schema", {}) for tool in body.get("tools") or ()}
    return _asked(_of_messages(body), moves, tools, body)


def _of_messages(body: dict[str, Any]) -> Iterator[Part]:
    for message in body.get("messages", ()):
        if message["role"] != "user":
            continue
        content = message["content"]
        for part in [{"type": "text", "text": content}] if isinstance(content, str) else content:
            if part["type"] in ("tool_result", "text"):
                yield part["text"] if part["type"] == "text" else None


def read_responses(body: dict[str, Any], moves: Moves) -> Asked:
    """The responses API; a tool may stand in a namespace, which is kept with it."""
    tools = {}
    for tool in body.get("tools") or ():
        tools[tool.get("name", tool["type"])] = tool.get("parameters", {})
        for inner in tool.get("tools") or ():
            tools[inner["name"]] = inner.get("parameters", {}) | {"namespace": tool["name"]}
    return _asked(_of_responses(body), moves, tools, body)


def _of_responses(body: dict[str, Any]) -> Iterator[Part]:
    given = body.get("input") or ()
    for item in (
        [{"type": "message", "role": "user", "content": given}] if isinstance(given, str) else given
    ):
        kind = item.get("type", "message")
        if kind in ("function_call_output", "custom_tool_call_output", "local_shell_call_output"):
            yield None
        elif kind == "message" and item.get("role") == "user":
            content = item["content"]
            yield from (
                [content]
                if isinstance(content, str)
                else [part.get("text", "") for part in content]
            )


def read_chat(body: dict[str, Any], moves: Moves) -> Asked:
    """The chat-completions API."""
    messages = body.get("messages", ())
    if any(
        aside in str(message["content"])
        for message in messages
        if message["role"] == "system"
        for aside in ASIDES
    ):
        return Asked("an aside", 0, {}, body.get("model", ""), bool(body.get("stream")))
    tools = {
        tool["function"]["name"]: tool["function"].get("parameters", {})
        for tool in body.get("tools") or ()
    }
    return _asked(_of_chat(messages), moves, tools, body)


def _of_chat(messages: Iterable[dict[str, Any]]) -> Iterator[Part]:
    for message in messages:
        if message["role"] == "tool":
            yield None
        elif message["role"] == "user":
            content = message["content"]
            yield (
                content
                if isinstance(content, str)
                else "\n".join(part.get("text", "") for part in content)
            )
