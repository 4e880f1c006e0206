"""The command as a process: exit codes, streams, signals, start-up time."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time

import pytest

from tests.cli.conftest import Api, Place
from tests.conftest import eventually

SESSION = {
    "id": "ma-1a2b3c4d",
    "project_id": "my-app",
    "status": "working",
    "activity": "active",
    "branch": "b",
    "pr_url": None,
}
SESSION |= {
    "pr_number": None,
    "agent_name": "scripted",
    "created_at": "2026-01-01T00:00:00+00:00",
    "reason": "the agent is alive",
    "title": "Log in",
    "turn": "agent",
    "word": "works",
    "turn_why": "the agent is alive",
    "turn_since": "2026-01-01T00:00:00+00:00",
}


def test_without_a_configuration_the_way_out_is_told(place: Place) -> None:
    ended = place.ennio("status")
    assert ended.code == 3
    assert "ennio init" in ended.err
    assert ended.out == ""


def test_without_a_supervisor_the_exit_code_is_4(place: Place) -> None:
    (place.folder / "ennio.yaml").write_text("projects: []\n")
    ended = place.ennio("status")
    assert ended.code == 4
    assert "ennio start" in ended.err
    assert place.ennio("status", "--json").document["code"] == 4
    assert place.ennio("stop").code == 4


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (404, "NotFound", 3),
        (402, "OverBudget", 5),
        (401, "Unauthorized", 5),
        (409, "Conflict", 1),
        (400, "Invalid", 2),
        (504, "TimedOut", 1),
        (500, "", 1),
    ],
)
def test_the_exit_code_follows_from_who_can_act(
    api: Api, status: int, error: str, code: int
) -> None:
    api.on("GET", "/sessions", "what happened", status=status, error=error)
    ended = api.ennio("status")
    assert (ended.code, ended.out) == (code, "")
    assert "what happened" in ended.err
    told = api.ennio("status", "--json")
    assert told.document == {"error": "what happened", "code": code}
    assert told.err == ""


def test_incident_52_no_command_warns_of_what_nobody_configured(api: Api) -> None:
    api.on("GET", "/sessions", [SESSION]).on("GET", "/queue", []).on("GET", "/pulls", []).on(
        "GET", "/events", []
    )
    api.on("GET", "/status", {"config_problem": None})
    api.on("GET", "/budgets", []).on("GET", "/verbs", [])
    for words in (
        ["status"],
        ["session", "list"],
        ["pr", "list"],
        ["queue", "list"],
        ["events"],
        ["version"],
        ["board", "--once"],
    ):
        ended = api.ennio(*words, PYTHONWARNINGS="default")
        assert (ended.code, ended.err) == (0, ""), words


def test_the_token_made_by_the_supervisor_is_found_and_never_printed(api: Api) -> None:
    api.on("GET", "/sessions", []).on("GET", "/queue", [])
    ended = api.ennio("status")
    sent = api.tokens[-1]
    assert sent is not None
    assert len(sent) > len("Bearer ") + 30
    assert sent.removeprefix("Bearer ") not in ended.out + ended.err


def test_a_closed_pipe_ends_the_command_quietly(api: Api) -> None:
    event = {
        "seq": 1,
        "session_id": "ma-1",
        "project_id": "p",
        "event_type": "x",
        "priority": "info",
        "timestamp": "2026-01-01T00:00:00Z",
    }
    api.on(
        "GET", "/events", [event | {"message": "m" * 500, "seq": number} for number in range(1000)]
    )
    command = api.place.command("events")
    with subprocess.Popen(
        command,
        cwd=api.place.folder,
        env=api.place.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(20) == 141


def test_ctrl_c_ends_with_130_and_without_a_traceback(api: Api) -> None:
    log = api.place.ennio("logs")
    assert log.code == 3
    from ennio.machine.home import Home

    run_dir = Home(api.place.home / "ennio").run(api.place.folder / "ennio.yaml")
    (run_dir / "supervisor.log").write_text("begun\n")
    command = api.place.command("logs", "-f")
    with subprocess.Popen(
        command,
        cwd=api.place.folder,
        env=api.place.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"begun\n"
        with (run_dir / "supervisor.log").open("a") as stream:
            stream.write("more\n")
        assert process.stdout.readline() == b"more\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        assert process.stderr.read() == b""


def _on_terminal(place: Place, *words: str, **env: str) -> str:
    reader, writer = pty.openpty()
    subprocess.run(
        place.command(*words),
        cwd=place.folder,
        env=place.env | {"TERM": "xterm"} | env,
        stdout=writer,
        stdin=writer,
        timeout=30,
        check=True,
    )
    os.close(writer)
    said = b""
    try:
        while piece := os.read(reader, 4096):
            said += piece
    except OSError:
        pass
    os.close(reader)
    return said.decode()


def test_colours_are_for_terminals_only_and_can_be_switched_off(api: Api) -> None:
    api.on("GET", "/sessions", [SESSION]).on("GET", "/queue", [])
    api.on("GET", "/status", {"config_problem": None})
    assert "\x1b[34m" in _on_terminal(api.place, "status")
    assert "\x1b[" not in _on_terminal(api.place, "status", NO_COLOR="1")
    assert json.loads(_on_terminal(api.place, "status", "--json"))["sessions"]
    assert "\x1b[" not in api.ennio("status").out


def test_status_answers_within_fifteen_times_the_start_of_python(api: Api) -> None:
    api.on("GET", "/sessions", [SESSION] * 20).on("GET", "/queue", [])
    api.on("GET", "/status", {"config_problem": None})
    api.ennio("status")  # the bytecode is there from now on

    def took(command: list[str]) -> float:
        begin = time.perf_counter()
        subprocess.run(
            command, cwd=api.place.folder, env=api.place.env, stdout=subprocess.DEVNULL, check=True
        )
        return time.perf_counter() - begin

    def ratio() -> float:
        bare = sorted(took([sys.executable, "-c", "pass"]) for _ in range(7))[3]
        return sorted(took(api.place.command("status")) for _ in range(7))[3] / bare

    eventually(
        lambda: ratio() <= 15, within=30, why="status takes more than 15 times python -c pass"
    )
