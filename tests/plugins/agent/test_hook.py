"""The hook script, run as an agent runs it."""

from __future__ import annotations

import json
import shlex
import socket
import subprocess
import sys
import threading
from pathlib import Path
from unittest.mock import ANY

import pytest

from ennio.config.model import AgentConfig
from ennio.machine.local import LocalMachine
from ennio.plugins.agent import hook
from ennio.plugins.agent.claude_code import ClaudeCode
from ennio.plugins.agent.interface import AgentContext

pytestmark = pytest.mark.real


def run(folder: Path, given: str, launch: str = "3") -> subprocess.CompletedProcess[str]:
    env = {"ENNIO_LAUNCH": launch, "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-I", "-S", str(Path(hook.__file__)), str(folder)]
    return subprocess.run(
        command, input=given, env=env, capture_output=True, text=True, timeout=20, check=False
    )


def told(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "hooks.jsonl").read_text().splitlines()]


def test_what_an_agent_tells_becomes_one_private_line(tmp_path: Path) -> None:
    run(tmp_path, json.dumps({"hook_event_name": "UserPromptSubmit", "prompt": "füge\nhinzu"}))
    run(tmp_path, json.dumps({"hook_event_name": "Stop", "last_assistant_message": "done"}))
    first, second = told(tmp_path)
    assert (first["hook_event_name"], first["prompt"], first["launch"]) == (
        "UserPromptSubmit",
        "füge\nhinzu",
        "3",
    )
    assert float(str(first["t"])) <= float(str(second["t"]))
    assert (tmp_path / "hooks.jsonl").stat().st_mode & 0o777 == 0o600


def test_no_output_of_a_tool_is_kept_and_no_file_it_writes(tmp_path: Path) -> None:
    entry = {
        "hook_event_name": "PostToolUse",
        "tool_name": "Write",
        "tool_response": {"stdout": "SECRET"},
    }
    run(
        tmp_path,
        json.dumps(
            {
                **entry,
                "tool_input": {"file_path": "/w/a", "content": "SECRET", "command": "x" * 9000},
            }
        ),
    )
    text = (tmp_path / "hooks.jsonl").read_text()
    assert "SECRET" not in text
    assert len(text) < 3000


@pytest.mark.parametrize(
    "given",
    ["", "no json", "[]", "null", '{"tool_input": 7}', '{"prompt": "\\ud83d"}', "[" * 100_000],
)
def test_a_hook_never_fails_and_never_speaks(tmp_path: Path, given: str) -> None:
    for folder in (tmp_path, tmp_path / "gone"):
        done = run(folder, given)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_of_a_status_line_only_the_money_is_kept(tmp_path: Path) -> None:
    command = [sys.executable, "-I", "-S", str(Path(hook.__file__)), str(tmp_path), "status"]
    for given in (
        json.dumps({"cost": {"total_cost_usd": 0.25}, "cwd": "/secret"}),
        "no json",
        "{}",
    ):
        done = subprocess.run(
            command, input=given, capture_output=True, text=True, timeout=20, check=False
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    told = json.loads((tmp_path / "cost.json").read_text())
    assert (told["conversation"], told["conversations"][""]["total"]) == ("", 0.25)
    assert "secret" not in json.dumps(told)
    assert not (tmp_path / "hooks.jsonl").exists()


def test_the_count_of_each_conversation_is_kept_and_written_when_it_changes(tmp_path: Path) -> None:
    for name, total in (("one", 0.25), ("two", 0), ("two", 0.5)):
        hook.keep_cost(str(tmp_path), {"session_id": name, "cost": {"total_cost_usd": total}})
    file = tmp_path / "cost.json"
    told = json.loads(file.read_text())
    assert {name: meter["total"] for name, meter in told["conversations"].items()} == {
        "one": 0.25,
        "two": 0.5,
    }
    assert told["conversation"] == "two"
    before = file.stat().st_ino
    hook.keep_cost(str(tmp_path), {"session_id": "two", "cost": {"total_cost_usd": 0.5}})
    assert file.stat().st_ino == before


def test_of_tasks_in_the_background_it_is_kept_who_they_are(tmp_path: Path) -> None:
    task = {
        "id": "a1",
        "type": "subagent",
        "status": "running",
        "description": "looks",
        "command": "secret",
    }
    assert hook.line({"hook_event_name": "Stop", "agent_id": "h", "background_tasks": [task, 7]}) == {
        "t": ANY, "launch": ANY, "hook_event_name": "Stop", "agent_id": "h",
        "background_tasks": [{"id": "a1", "type": "subagent", "status": "running", "description": "looks"}],
    }  # fmt: skip


def test_it_rings_with_the_sessions_own_token(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        bell = {
            "host": "127.0.0.1",
            "port": door.getsockname()[1],
            "path": "/api/v1/sessions/a-1/look",
            "token": "t1",
        }
        (tmp_path / "bell.json").write_text(json.dumps(bell))
        heard: list[bytes] = []

        def open_door() -> None:
            visitor, _ = door.accept()
            with visitor:
                heard.append(visitor.recv(4096))
                visitor.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

        listener = threading.Thread(target=open_door)
        listener.start()
        run(tmp_path, json.dumps({"hook_event_name": "Stop"}))
        listener.join(30)
    head = heard[0].decode()
    assert head.startswith("POST /api/v1/sessions/a-1/look HTTP/1.1\r\n")
    assert "Authorization: Bearer t1\r\n" in head


def test_a_supervisor_that_does_not_answer_holds_no_agent_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        bell = {"host": "127.0.0.1", "port": deaf.getsockname()[1], "path": "/", "token": "t"}
        (tmp_path / "bell.json").write_text(json.dumps(bell))
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(Path(hook.__file__)), str(tmp_path)],
            input="{}",
            text=True,
            timeout=5,
            check=False,
        )
    assert done.returncode == 0
    assert told(tmp_path)


def test_claude_is_given_the_hook_as_a_line_a_shell_takes_apart_again(tmp_path: Path) -> None:
    folder = tmp_path / "it's $(here)"
    desk = AgentContext("s", "p", tmp_path, folder, "c", AgentConfig(), machine=LocalMachine())
    settings = json.loads(ClaudeCode().launch(desk, "go").files[folder / "claude-settings.json"])
    command = settings["hooks"]["Stop"][0]["hooks"][0]["command"]
    assert shlex.split(command)[-1] == str(folder)
    assert not (folder / "hooks.jsonl").exists()
