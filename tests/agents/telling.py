"""The three ways of answering as a model, in a stream or in one piece."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.agents.script import Asked, Step, arguments, shell_of

BEAT = 0.1  # seconds between two signs of life of an answer that takes its time


@dataclass(slots=True)
class Served:
    """One request.

    ``scripted``: it moved a script on; agents ask for other things too, a title for instance.
    ``helper`` is the name of the helper that asked, empty for the agent itself. ``heard`` are all
    words in the conversation that move a script, oldest first. ``ended`` is 0 while it is being
    answered. ``end`` is one of ``final`` (the turn is over), ``tool``, ``ask``, ``error``,
    ``broken`` (the agent hung up). ``input_tokens`` are all that were sent, those of the cache
    among them, and ``output_tokens`` all that were answered, those of reasoning among them.
    """

    id: str
    api: str
    began: float
    words: str
    scripted: bool
    end: str = ""
    code: int = 200
    ended: float = 0.0
    helper: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0
    reasoning: int = 0
    heard: tuple[str, ...] = ()


@dataclass(slots=True)
class Answer:
    """What a request is answered with."""

    served: Served
    asked: Asked
    step: Step

    @property
    def tool(self) -> tuple[str, dict[str, Any]] | None:
        """The tool it asks for, and with what; None when it only speaks."""
        if self.step.tool is not None:
            return self.step.tool[0], json.loads(self.step.tool[1])
        if self.step.command is None:
            return None
        name = shell_of(self.asked.tools) or ""
        return name, arguments(name, self.asked.tools[name], self.step.command, asks=self.step.asks)

    @property
    def call(self) -> str:
        """The id of that call."""
        return self.served.id.replace("answer", "call")


def _event(data: dict[str, Any], named: bool = True) -> str:
    name = f"event: {data['type']}\n" if named else ""
    return f"{name}data: {json.dumps(data)}\n\n"


def tell_messages(answer: Answer) -> Iterator[str]:
    """A stream of the messages API; the pause is between its first and its second event."""
    served, tool = answer.served, answer.tool
    usage = messages_usage(served)
    message: dict[str, Any] = {
        "id": served.id, "type": "message", "role": "assistant", "model": answer.asked.model, "content": [],
        "stop_reason": None, "stop_sequence": None, "usage": {**usage, "output_tokens": 1},
    }  # fmt: skip
    yield _event({"type": "message_start", "message": message})
    yield from (_event({"type": "ping"}) for _ in beats(answer.step.pause))
    block = (
        {"type": "text", "text": ""}
        if tool is None
        else {"type": "tool_use", "id": answer.call, "name": tool[0], "input": {}}
    )
    yield _event({"type": "content_block_start", "index": 0, "content_block": block})
    told = {"type": "text_delta", "text": answer.step.words}
    delta = (
        told if tool is None else {"type": "input_json_delta", "partial_json": json.dumps(tool[1])}
    )
    yield _event({"type": "content_block_delta", "index": 0, "delta": delta})
    yield _event({"type": "content_block_stop", "index": 0})
    reason = "end_turn" if tool is None else "tool_use"
    usage["output_tokens"] = served.output_tokens
    yield _event(
        {
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": None},
            "usage": usage,
        }
    )
    yield _event({"type": "message_stop"})


def tell_responses(answer: Answer) -> Iterator[str]:
    """A stream of the responses API."""
    served, tool = answer.served, answer.tool
    head = {"id": served.id, "object": "response", "model": answer.asked.model, "output": []}
    yield _event({"type": "response.created", "response": {**head, "status": "in_progress"}})
    yield from (
        _event({"type": "response.in_progress", "response": {**head, "status": "in_progress"}})
        for _ in beats(answer.step.pause)
    )
    if tool is None:
        text = {"type": "output_text", "text": answer.step.words, "annotations": []}
        item: dict[str, Any] = {
            "type": "message",
            "id": f"{served.id}_m",
            "role": "assistant",
            "status": "completed",
            "content": [text],
        }
        yield _event(
            {
                "type": "response.output_item.added",
                "output_index": 0,
                "item": {**item, "content": [], "status": "in_progress"},
            }
        )
        place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
        yield _event({"type": "response.output_text.delta", **place, "delta": answer.step.words})
    else:
        call = {"call_id": answer.call, "name": tool[0], "arguments": json.dumps(tool[1])}
        if "namespace" in answer.asked.tools[tool[0]]:
            call["namespace"] = answer.asked.tools[tool[0]]["namespace"]
        item = {"type": "function_call", "id": f"{served.id}_f", "status": "completed", **call}
        yield _event(
            {
                "type": "response.output_item.added",
                "output_index": 0,
                "item": {**item, "arguments": "", "status": "in_progress"},
            }
        )
    yield _event({"type": "response.output_item.done", "output_index": 0, "item": item})
    details = {"cached_tokens": served.cache_read, "cache_write_tokens": served.cache_write}
    usage = {
        "input_tokens": served.input_tokens, "input_tokens_details": details,
        "output_tokens": served.output_tokens, "output_tokens_details": {"reasoning_tokens": served.reasoning},
        "total_tokens": served.input_tokens + served.output_tokens,
    }  # fmt: skip
    yield _event(
        {
            "type": "response.completed",
            "response": {**head, "status": "completed", "output": [item], "usage": usage},
        }
    )


def tell_chat(answer: Answer) -> Iterator[str]:
    """A stream of the chat-completions API."""
    head = {
        "id": answer.served.id,
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": answer.asked.model,
    }
    yield from (": a sign of life\n\n" for _ in beats(answer.step.pause))
    message = chat_message(answer)
    for call in message.get("tool_calls", ()):
        call["index"] = 0
    yield _event(
        {**head, "choices": [{"index": 0, "delta": message, "finish_reason": None}]}, named=False
    )
    yield _event(
        {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": _finish(answer)}]},
        named=False,
    )
    yield _event({**head, "choices": [], "usage": chat_usage(answer.served)}, named=False)
    yield "data: [DONE]\n\n"


def chat_message(answer: Answer) -> dict[str, Any]:
    """The assistant's message of the chat-completions API."""
    tool = answer.tool
    if tool is None:
        return {"role": "assistant", "content": answer.step.words}
    function = {"name": tool[0], "arguments": json.dumps(tool[1])}
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": answer.call, "type": "function", "function": function}],
    }


def messages_usage(served: Served) -> dict[str, Any]:
    """What was sent, as the messages API counts it: what has to do with its cache apart."""
    written, long = served.cache_write, served.cache_write_1h
    return {
        "input_tokens": served.input_tokens - served.cache_read - written - long,
        "cache_creation_input_tokens": written + long,
        "cache_read_input_tokens": served.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": written,
            "ephemeral_1h_input_tokens": long,
        },
    }


def chat_usage(served: Served) -> dict[str, Any]:
    """The usage of the chat-completions API."""
    return {
        "prompt_tokens": served.input_tokens,
        "completion_tokens": served.output_tokens,
        "total_tokens": served.input_tokens + served.output_tokens,
        "prompt_tokens_details": {"cached_tokens": served.cache_read},
        "completion_tokens_details": {"reasoning_tokens": served.reasoning},
    }


def _finish(answer: Answer) -> str:
    return "stop" if answer.tool is None else "tool_calls"


def whole_messages(answer: Answer) -> dict[str, Any]:
    """An answer of the messages API in one piece."""
    tool = answer.tool
    use = (
        {"type": "tool_use", "id": answer.call, "name": tool[0], "input": tool[1]}
        if tool is not None
        else {}
    )
    block = use or {"type": "text", "text": answer.step.words}
    usage = messages_usage(answer.served) | {"output_tokens": answer.served.output_tokens}
    reason = "end_turn" if tool is None else "tool_use"
    head = {
        "id": answer.served.id,
        "type": "message",
        "role": "assistant",
        "model": answer.asked.model,
    }
    return {
        **head,
        "content": [block],
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": usage,
    }


def whole_chat(answer: Answer) -> dict[str, Any]:
    """An answer of the chat-completions API in one piece."""
    choice = {"index": 0, "message": chat_message(answer), "finish_reason": _finish(answer)}
    head = {
        "id": answer.served.id,
        "object": "chat.completion",
        "created": int(time.time()),
        "model": answer.asked.model,
    }
    return {**head, "choices": [choice], "usage": chat_usage(answer.served)}


def beats(seconds: float) -> Iterator[None]:
    """A beat now and then for so long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        threading.Event().wait(BEAT)
        yield
