"""A scripted model on loopback: speaks the messages, responses and chat-completions APIs, and writes down what it served.

What it does stands in the prompt itself, one step a line; an answer of the agent's tool moves it on:

    :say WORDS        end the turn with these words (a turn without one ends with "Done.")
    :run COMMAND      use the agent's shell
    :ask COMMAND      the same, where the agent is expected to ask for permission first
    :think SECONDS    take this long before the next step is answered

So it needs no state of its own, and a conversation that is resumed goes on where it was. Trouble is
put upon it from outside: ``trouble`` holds the HTTP codes of the next answers. Every request becomes
one ``Served`` in ``log``: when it came, how it ended, what it cost. That log is the second witness of
a test: it knows what the agent was doing without asking the agent or Ennio.
"""

from __future__ import annotations

import argparse
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

STEP = re.compile(r"^[ \t]*:(say|run|ask|think)[ \t]+(.+?)[ \t]*$", re.MULTILINE)
SHELLS = ("Bash", "bash", "shell_command", "exec_command", "shell", "local_shell")
BEAT = 0.1  # seconds between two signs of life of an answer that takes its time


@dataclass(slots=True)
class Served:
    """One request.

    ``scripted``: it moved a script on; agents ask for other things too, a title for instance.
    ``ended`` is 0 while it is being answered. ``end`` is one of ``final`` (the turn is over), ``tool``,
    ``ask``, ``error``, ``broken`` (the agent hung up).
    """

    id: str
    api: str
    began: float
    words: str
    scripted: bool
    end: str = ""
    code: int = 200
    ended: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """What is answered: a command for the agent's shell, or words that end the turn; after a pause."""

    command: str | None = None
    words: str = "Done."
    asks: bool = False
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A request in one shape: the prompt that counts, the tool answers since, the tools there are."""

    words: str
    answers: int
    tools: dict[str, dict[str, Any]]
    model: str
    stream: bool


def steps(words: str) -> list[Step]:
    """The steps of a prompt; the last one always ends the turn."""
    found: list[Step] = []
    pause = 0.0
    for kind, rest in STEP.findall(words):
        if kind == "think":
            pause = float(rest)
            continue
        found.append(Step(words=rest, pause=pause) if kind == "say" else Step(rest, asks=kind == "ask", pause=pause))
        pause = 0.0
    return found if found and found[-1].command is None else [*found, Step(pause=pause)]


def step_of(asked: Asked) -> Step:
    """The step that is due."""
    script = steps(asked.words)
    due = script[min(asked.answers, len(script) - 1)]
    if due.command is not None and not asked.tools:  # an agent without tools finds the command in the words
        return Step(words=f"```bash\n{due.command}\n```", asks=True, pause=due.pause)
    return due if due.command is None or shell_of(asked.tools) else Step(words="There is no shell.")


def shell_of(tools: dict[str, dict[str, Any]]) -> str | None:
    """The name of the agent's shell among its tools."""
    return next((name for name in SHELLS if name in tools), None)


def arguments(tool: str, schema: dict[str, Any], command: str, *, asks: bool) -> dict[str, Any]:
    """How this agent's shell wants its command; ``asks`` where the model itself has to want a permission."""
    properties = schema.get("properties", {})
    wanting = {"sandbox_permissions": "require_escalated", "justification": "May I run a step of the script?"}
    if tool == "exec_command":
        return {"cmd": command} | (wanting if asks and "sandbox_permissions" in properties else {})
    if properties.get("command", {}).get("type") == "array":
        return {"command": ["bash", "-c", command]}
    given: dict[str, Any] = {"command": command}
    return given | ({"description": "a step of the script"} if "description" in properties else {})


class Model:
    """The server; used as a context. ``base`` is its address without a path."""

    def __init__(self, port: int = 0) -> None:
        self.log: list[Served] = []
        self.trouble: list[int] = []
        self.unknown: list[str] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), lambda *words: _Handler(self, *words))
        self._server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def begin(self, api: str, asked: Asked) -> Served:
        """Write a request down; its numbers are its own, so that none can be taken for another's."""
        with self._lock:
            number = len(self.log) + 1
            code = self.trouble.pop(0) if self.trouble else 200
            scripted = bool(STEP.search(asked.words)) and (bool(asked.tools) or api == "chat")
            served = Served(f"answer_{number:04d}", api, time.time(), asked.words[-400:], scripted, code=code)
            served.input_tokens, served.output_tokens = 1000 + 7 * number, 10 + number
            self.log.append(served)
            return served

    @property
    def good(self) -> list[Served]:
        """The answers that arrived whole."""
        return [served for served in self.log if served.end in ("final", "tool", "ask")]

    @property
    def tokens(self) -> tuple[int, int]:
        """What was served, in and out."""
        return sum(served.input_tokens for served in self.good), sum(served.output_tokens for served in self.good)

    @property
    def busy(self) -> bool:
        """Whether it is answering right now."""
        return any(not served.ended for served in self.log)

    def turns(self) -> int:
        """How many turns it has ended."""
        return sum(served.end == "final" and served.scripted for served in self.log)


@dataclass(slots=True)
class _Answer:
    served: Served
    asked: Asked
    step: Step
    chunks: list[str] = field(default_factory=list)

    @property
    def tool(self) -> tuple[str, dict[str, Any]] | None:
        if self.step.command is None:
            return None
        name = shell_of(self.asked.tools) or ""
        return name, arguments(name, self.asked.tools[name], self.step.command, asks=self.step.asks)

    @property
    def call(self) -> str:
        return self.served.id.replace("answer", "call")


# --- the three ways of asking ------------------------------------------------------------------


def read_messages(body: dict[str, Any]) -> Asked:
    """The messages API."""
    words, answers = "", 0
    for message in body.get("messages", ()):
        if message["role"] != "user":
            continue
        content = message["content"]
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        for part in parts:
            if part["type"] == "tool_result":
                answers += 1
            elif part["type"] == "text" and (STEP.search(part["text"]) or not words):
                words, answers = part["text"], 0
    tools = {tool["name"]: tool.get("input_schema", {}) for tool in body.get("tools") or ()}
    return Asked(words, answers, tools, body.get("model", ""), bool(body.get("stream")))


def read_responses(body: dict[str, Any]) -> Asked:
    """The responses API."""
    words, answers = "", 0
    given = body.get("input") or ()
    for item in [{"type": "message", "role": "user", "content": given}] if isinstance(given, str) else given:
        kind = item.get("type", "message")
        if kind in ("function_call_output", "custom_tool_call_output", "local_shell_call_output"):
            answers += 1
        elif kind == "message" and item.get("role") == "user":
            content = item["content"]
            for text in [content] if isinstance(content, str) else [part.get("text", "") for part in content]:
                if STEP.search(text) or not words:
                    words, answers = text, 0
    tools = {tool.get("name", tool["type"]): tool.get("parameters", {}) for tool in body.get("tools") or ()}
    return Asked(words, answers, tools, body.get("model", ""), bool(body.get("stream")))


def read_chat(body: dict[str, Any]) -> Asked:
    """The chat-completions API."""
    words, answers = "", 0
    for message in body.get("messages", ()):
        if message["role"] == "system" and "title generator" in str(message["content"]):
            return Asked("a title", 0, {}, body.get("model", ""), bool(body.get("stream")))
        if message["role"] == "tool":
            answers += 1
        elif message["role"] == "user":
            content = message["content"]
            text = content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)
            if STEP.search(text) or not words:
                words, answers = text, 0
    tools = {tool["function"]["name"]: tool["function"].get("parameters", {}) for tool in body.get("tools") or ()}
    return Asked(words, answers, tools, body.get("model", ""), bool(body.get("stream")))


# --- the three ways of answering ---------------------------------------------------------------


def _event(data: dict[str, Any], named: bool = True) -> str:
    name = f"event: {data['type']}\n" if named else ""
    return f"{name}data: {json.dumps(data)}\n\n"


def tell_messages(answer: _Answer) -> Iterator[str]:
    """A stream of the messages API; the pause is between its first and its second event."""
    served, tool = answer.served, answer.tool
    usage = {"input_tokens": served.input_tokens, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    message: dict[str, Any] = {
        "id": served.id, "type": "message", "role": "assistant", "model": answer.asked.model, "content": [],
        "stop_reason": None, "stop_sequence": None, "usage": {**usage, "output_tokens": 1},
    }  # fmt: skip
    yield _event({"type": "message_start", "message": message})
    yield from (_event({"type": "ping"}) for _ in _beats(answer.step.pause))
    block = {"type": "text", "text": ""} if tool is None else {"type": "tool_use", "id": answer.call, "name": tool[0], "input": {}}
    yield _event({"type": "content_block_start", "index": 0, "content_block": block})
    told = {"type": "text_delta", "text": answer.step.words}
    delta = told if tool is None else {"type": "input_json_delta", "partial_json": json.dumps(tool[1])}
    yield _event({"type": "content_block_delta", "index": 0, "delta": delta})
    yield _event({"type": "content_block_stop", "index": 0})
    reason = "end_turn" if tool is None else "tool_use"
    usage["output_tokens"] = served.output_tokens
    yield _event({"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": usage})
    yield _event({"type": "message_stop"})


def tell_responses(answer: _Answer) -> Iterator[str]:
    """A stream of the responses API."""
    served, tool = answer.served, answer.tool
    head = {"id": served.id, "object": "response", "model": answer.asked.model, "output": []}
    yield _event({"type": "response.created", "response": {**head, "status": "in_progress"}})
    yield from (_event({"type": "response.in_progress", "response": {**head, "status": "in_progress"}}) for _ in _beats(answer.step.pause))
    if tool is None:
        text = {"type": "output_text", "text": answer.step.words, "annotations": []}
        item: dict[str, Any] = {"type": "message", "id": f"{served.id}_m", "role": "assistant", "status": "completed", "content": [text]}
        yield _event({"type": "response.output_item.added", "output_index": 0, "item": {**item, "content": [], "status": "in_progress"}})
        place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
        yield _event({"type": "response.output_text.delta", **place, "delta": answer.step.words})
    else:
        call = {"call_id": answer.call, "name": tool[0], "arguments": json.dumps(tool[1])}
        item = {"type": "function_call", "id": f"{served.id}_f", "status": "completed", **call}
        yield _event({"type": "response.output_item.added", "output_index": 0, "item": {**item, "arguments": "", "status": "in_progress"}})
    yield _event({"type": "response.output_item.done", "output_index": 0, "item": item})
    usage = {
        "input_tokens": served.input_tokens, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": served.output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": served.input_tokens + served.output_tokens,
    }  # fmt: skip
    yield _event({"type": "response.completed", "response": {**head, "status": "completed", "output": [item], "usage": usage}})


def tell_chat(answer: _Answer) -> Iterator[str]:
    """A stream of the chat-completions API."""
    head = {"id": answer.served.id, "object": "chat.completion.chunk", "created": int(time.time()), "model": answer.asked.model}
    yield from (": a sign of life\n\n" for _ in _beats(answer.step.pause))
    message = chat_message(answer)
    for call in message.get("tool_calls", ()):
        call["index"] = 0
    yield _event({**head, "choices": [{"index": 0, "delta": message, "finish_reason": None}]}, named=False)
    yield _event({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": _finish(answer)}]}, named=False)
    yield _event({**head, "choices": [], "usage": chat_usage(answer.served)}, named=False)
    yield "data: [DONE]\n\n"


def chat_message(answer: _Answer) -> dict[str, Any]:
    """The assistant's message of the chat-completions API."""
    tool = answer.tool
    if tool is None:
        return {"role": "assistant", "content": answer.step.words}
    function = {"name": tool[0], "arguments": json.dumps(tool[1])}
    return {"role": "assistant", "content": None, "tool_calls": [{"id": answer.call, "type": "function", "function": function}]}


def chat_usage(served: Served) -> dict[str, int]:
    """The usage of the chat-completions API."""
    total = served.input_tokens + served.output_tokens
    return {"prompt_tokens": served.input_tokens, "completion_tokens": served.output_tokens, "total_tokens": total}


def _finish(answer: _Answer) -> str:
    return "stop" if answer.tool is None else "tool_calls"


def whole_messages(answer: _Answer) -> dict[str, Any]:
    """An answer of the messages API in one piece."""
    tool = answer.tool
    use = {"type": "tool_use", "id": answer.call, "name": tool[0], "input": tool[1]} if tool is not None else {}
    block = use or {"type": "text", "text": answer.step.words}
    usage = {"input_tokens": answer.served.input_tokens, "output_tokens": answer.served.output_tokens}
    reason = "end_turn" if tool is None else "tool_use"
    head = {"id": answer.served.id, "type": "message", "role": "assistant", "model": answer.asked.model}
    return {**head, "content": [block], "stop_reason": reason, "stop_sequence": None, "usage": usage}


def whole_chat(answer: _Answer) -> dict[str, Any]:
    """An answer of the chat-completions API in one piece."""
    choice = {"index": 0, "message": chat_message(answer), "finish_reason": _finish(answer)}
    head = {"id": answer.served.id, "object": "chat.completion", "created": int(time.time()), "model": answer.asked.model}
    return {**head, "choices": [choice], "usage": chat_usage(answer.served)}


def _beats(seconds: float) -> Iterator[None]:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        threading.Event().wait(BEAT)
        yield


Reader = Callable[[dict[str, Any]], Asked]
Teller = Callable[[_Answer], Iterator[str]]
Whole = Callable[[_Answer], dict[str, Any]]
APIS: dict[str, tuple[str, Reader, Teller, Whole | None]] = {
    "/messages": ("messages", read_messages, tell_messages, whole_messages),
    "/responses": ("responses", read_responses, tell_responses, None),
    "/chat/completions": ("chat", read_chat, tell_chat, whole_chat),
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, model: Model, *words: Any) -> None:
        self._model = model
        super().__init__(*words)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """The log is ours."""

    def do_HEAD(self) -> None:
        """Somebody asks whether it is there."""
        self._whole(200, {})

    def do_GET(self) -> None:
        """The list of models."""
        self._whole(200, {"object": "list", "data": [{"id": "scripted", "object": "model", "type": "model"}], "models": []})

    def do_POST(self) -> None:
        """An answer is asked for."""
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0]
        api = next((api for ending, api in APIS.items() if path.endswith(ending)), None)
        if api is None:
            self._model.unknown.append(path)
            self._whole(200, {"input_tokens": 1} if path.endswith("count_tokens") else {})
            return
        name, read, tell, whole = api
        asked = read(json.loads(raw))
        served = self._model.begin(name, asked)
        step = step_of(asked)
        try:
            self._serve(served, _Answer(served, asked, step), tell, whole)
            served.end = "error" if served.code != 200 else "ask" if step.asks else "final" if step.command is None else "tool"
        except OSError:
            served.end = "broken"
            self.close_connection = True
        finally:
            served.ended = time.time()

    def _serve(self, served: Served, answer: _Answer, tell: Teller, whole: Whole | None) -> None:
        if served.code != 200:
            kind = "rate_limit_error" if served.code == 429 else "api_error"
            self._whole(served.code, {"type": "error", "error": {"type": kind, "message": "the model was told to fail"}})
        elif answer.asked.stream or whole is None:
            self._stream(tell(answer))
        else:
            for _ in _beats(answer.step.pause):
                pass
            self._whole(200, whole(answer))

    def _whole(self, code: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _stream(self, pieces: Iterator[str]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in pieces:
            data = piece.encode()
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")


def main() -> None:
    """Serve until interrupted, printing the log as it grows: for trying an agent by hand."""
    parser = argparse.ArgumentParser(description="a scripted model on loopback")
    parser.add_argument("--port", type=int, default=8765)
    with Model(parser.parse_args().port) as model:
        print(f"listening on {model.base}", flush=True)
        told = 0
        while True:
            threading.Event().wait(0.2)
            while told < len(model.log) and model.log[told].ended:
                print(json.dumps(asdict(model.log[told])), flush=True)
                told += 1


if __name__ == "__main__":
    main()
