"""``hook.py FOLDER``: writes down what an agent just told, then tells the supervisor.

``hook.py FOLDER status`` is for a status line: of what it is told only the money
is kept, in ``cost.json``.

Run by the agent itself, with the session's folder; it must be quick, need nothing but Python, print
nothing and never fail: an agent takes a failing hook for a veto. What it told is one line of
``hooks.jsonl`` there, so that nothing is lost while nobody listens. What it tells (address and
token in ``bell.json``) only says "look again".
"""

import json
import os
import socket
import sys
import time
from contextlib import suppress

KEPT = (
    "hook_event_name",
    "session_id",
    "agent_id",
    "prompt",
    "source",
    "reason",
    "message",
    "notification_type",
    "tool_name",
    "error",
)
TASK = ("id", "type", "status", "description")
CUT = ("last_assistant_message",)
INPUT = ("command", "file_path", "url", "description", "questions", "plan")
LONGEST = 2000
PATIENCE = 0.3
DOOR = "/run/ennio/hook.sock"
"""Where a sandbox rings: address and token are on the other side."""


def kept(told: dict) -> dict:  # type: ignore[type-arg] # no typing here: every import is paid for at each hook
    """What of it is kept: no tool's output, and of its input only what a question shows."""
    found = {key: told[key] for key in KEPT if key in told}
    found.update({key: str(told[key])[:LONGEST] for key in CUT if told.get(key)})
    given = told.get("tool_input")
    if isinstance(given, dict):
        found["tool_input"] = {key: _short(given[key]) for key in INPUT if key in given}
    tasks = told.get("background_tasks")
    if isinstance(tasks, list):
        found["background_tasks"] = [
            {key: _short(task[key]) for key in TASK if key in task}
            for task in tasks
            if isinstance(task, dict)
        ]
    return found


def line(told: dict) -> dict:  # type: ignore[type-arg]
    """It with the time and the launch."""
    return {"t": time.time(), "launch": os.environ.get("ENNIO_LAUNCH", ""), **kept(told)}


def _short(value: object) -> object:
    text = value if isinstance(value, str) else json.dumps(value)
    return text[:LONGEST] if isinstance(value, str) or len(text) > LONGEST else value


def append(folder: str, entry: dict) -> None:  # type: ignore[type-arg]
    """One write, so that lines of hooks that run at the same time never mix."""
    file = os.open(
        os.path.join(folder, "hooks.jsonl"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600
    )
    try:
        os.write(file, json.dumps(entry).encode() + b"\n")
    finally:
        os.close(file)


def keep_cost(folder: str, told: dict) -> None:  # type: ignore[type-arg]
    """What the agent says each conversation has cost so far, in place of what it said before; a
    total that stands is not written again.
    """
    file = os.path.join(folder, "cost.json")
    counts: dict = {}  # type: ignore[type-arg]
    windows = None
    with (
        suppress(OSError, ValueError, KeyError, TypeError, RecursionError),
        open(file, encoding="utf-8") as known,
    ):
        document = json.load(known)
        windows = document.get("rate_limits")
        counts = dict(document["conversations"])
    total, name = told["cost"]["total_cost_usd"], str(told.get("session_id", ""))
    limits = told.get("rate_limits", windows)
    stands = isinstance(counts.get(name), dict) and counts[name].get("total") == total
    if stands and limits == windows:
        return
    if not stands:
        counts[name] = {"total": total, "t": time.time()}
    text = json.dumps({"conversation": name, "conversations": counts, "rate_limits": limits})
    with open(f"{file}.{os.getpid()}", "w", encoding="utf-8") as draft:
        draft.write(text)
    os.replace(draft.name, file)


def notify(folder: str) -> None:
    """Say "look again" to the supervisor, without waiting for more than its first word."""
    if os.path.exists(DOOR):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(DOOR)
            connection.recv(1)
        return
    with open(os.path.join(folder, "bell.json"), encoding="utf-8") as file:
        hook = json.load(file)
    head = (
        f"POST {hook['path']} HTTP/1.1\r\nHost: {hook['host']}:{hook['port']}\r\nAuthorization: "
        f"Bearer {hook['token']}\r\n"
    )
    with socket.create_connection((hook["host"], hook["port"]), PATIENCE) as connection:
        connection.settimeout(PATIENCE)
        connection.sendall(f"{head}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
        connection.recv(16)


if __name__ == "__main__":
    if sys.argv[2:] == ["status"]:
        with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            keep_cost(sys.argv[1], json.loads(sys.stdin.read()))
        sys.exit()
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        append(sys.argv[1], line(json.loads(sys.stdin.read())))
    with suppress(OSError, ValueError, KeyError, TypeError):
        notify(sys.argv[1])
