"""The hook in plain sh, run as an agent on another machine runs it, by each shell there is."""

from __future__ import annotations

import json
import os
import select
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from unittest.mock import ANY

import psutil
import pytest

from ennio.config.model import AgentConfig
from ennio.machine.local import LocalMachine
from ennio.plugins.agent import claude_cost, hook, hook_script
from ennio.plugins.agent.claude_code import ClaudeCode
from ennio.plugins.agent.interface import AgentContext
from tests.conftest import eventually
from tests.shells import POSIX, words_of

pytestmark = pytest.mark.real


class FarMachine(LocalMachine):
    """As one elsewhere is: nothing of ours lies there."""

    @property
    def name(self) -> str:
        return "me@far"


@pytest.fixture(params=POSIX)
def shell(request: pytest.FixtureRequest) -> list[str]:
    return words_of(request.param)


def run(shell: list[str], folder: Path, given: str, *words: str) -> None:
    (folder / "hook.sh").write_text(hook_script.files(FarMachine(), folder)[folder / "hook.sh"])
    command = [*shell, str(folder / "hook.sh"), str(folder), *words]
    env = {"ENNIO_LAUNCH": "3", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        command, input=given, env=env, capture_output=True, text=True, timeout=20, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), "a veto, to an agent"


def told(folder: Path) -> list[object]:
    return [dict(line) for line in hook_script.ending(LocalMachine(), folder / "hooks.jsonl")]


def test_what_an_agent_tells_is_read_as_the_other_hook_would_have_kept_it(
    shell: list[str], tmp_path: Path
) -> None:
    odd = {"hook_event_name": "UserPromptSubmit", "prompt": "füge\nhinzu $(id) `id` '\\ %s %d \"x"}
    tool = {
        "hook_event_name": "PostToolUse",
        "tool_name": "Bash",
        "tool_input": {"command": "ls", "content": "much"},
        "tool_response": {"stdout": "SECRET" * 50_000},
        "tool_use_id": "t",
    }
    run(shell, tmp_path, json.dumps(odd, ensure_ascii=False))
    run(shell, tmp_path, json.dumps(tool, separators=(",", ":")))
    run(shell, tmp_path, json.dumps({"hook_event_name": "Stop"}, indent=2))
    assert told(tmp_path) == [
        {"t": ANY, "launch": "3", **hook.kept(entry)}
        for entry in (odd, tool, {"hook_event_name": "Stop"})
    ]
    assert "SECRET" not in (tmp_path / "hooks.jsonl").read_text()
    assert (tmp_path / "hooks.jsonl").stat().st_mode & 0o777 == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {"hooks.jsonl", "hook.sh"}


@pytest.mark.parametrize("given", ["", "no json", "[]", "null", '{"tool_input": 7}'])
def test_it_never_fails_and_never_speaks(shell: list[str], tmp_path: Path, given: str) -> None:
    run(shell, tmp_path, given)
    run(shell, tmp_path, given, "status")
    run(shell, tmp_path, json.dumps({"hook_event_name": "Stop"}))
    assert told(tmp_path)[-1] == {"t": ANY, "launch": "3", "hook_event_name": "Stop"}


def test_of_a_status_line_only_the_money_is_kept_of_every_conversation(
    shell: list[str], tmp_path: Path
) -> None:
    windows = {"five_hour": {"used": 3, "resets_at": 7}, "seven_day": {"used": 1}}
    for name, total in (("one", 0.25), ("two", 1e-05), ("one", 0.5)):
        line = {"session_id": name, "rate_limits": windows, "cost": {"total_cost_usd": total}}
        run(shell, tmp_path, json.dumps({**line, "cwd": "/w"}, separators=(",", ":")), "status")
    counts, limits = claude_cost.read(LocalMachine(), tmp_path)
    assert counts == {"one": {"total": 0.5, "t": ANY}, "two": {"total": 1e-05, "t": ANY}}
    assert limits == windows
    before = (tmp_path / "cost.json").stat()
    run(
        shell,
        tmp_path,
        json.dumps({"session_id": "one", "cost": {"total_cost_usd": 0.5}}),
        "status",
    )
    assert (tmp_path / "cost.json").stat() == before, "a total that stands is not written again"


@pytest.fixture
def pipes(tmp_path: Path) -> Path:
    """The folder in which pipes are."""
    (tmp_path / "notify").mkdir()
    (tmp_path / "sessions" / "fix-1").mkdir(parents=True)
    return tmp_path / "notify"


def read(pipe: Path) -> int:
    """A pipe, and who reads it."""
    os.mkfifo(pipe)
    return os.open(pipe, os.O_RDWR | os.O_NONBLOCK)


def ringing(folder: Path) -> bool:
    """Whether anything that it began is still there."""
    return any(str(folder) in words for words in _command_lines())


def _command_lines() -> Iterator[str]:
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # it may end meanwhile
            yield " ".join(process.cmdline())


def test_it_writes_to_every_pipe_and_to_nothing_else(shell: list[str], pipes: Path) -> None:
    folder = pipes.parent / "sessions" / "fix-1"
    (pipes / "no pipe").write_text("")
    listening = [read(pipes / name) for name in ("far:1", "it's; $(odd)")]
    try:
        run(shell, folder, '{"hook_event_name": "Stop"}')
        assert told(folder) == [{"t": ANY, "launch": "3", "hook_event_name": "Stop"}]
        for each in listening:
            eventually(lambda: select.select([each], [], [], 0)[0])  # noqa: B023
            assert os.read(each, 100) == b"fix-1\n"
        assert (pipes / "no pipe").read_text() == ""
        run(shell, folder, '{"session_id": "one", "cost": {"total_cost_usd": 1}}', "status")
        eventually(lambda: not ringing(folder))
        assert select.select(listening, [], [], 0)[0] == [], "money is no news"
    finally:
        for each in listening:
            os.close(each)


def test_it_waits_for_nobody_who_listens_and_leaves_nobody_waiting(
    shell: list[str], pipes: Path
) -> None:
    folder = pipes.parent / "sessions" / "fix-1"
    os.mkfifo(pipes / "far:1")
    slow = read(pipes / "far:2")
    with suppress(BlockingIOError):
        while True:
            os.write(slow, b"." * 4096)
    try:
        for _ in range(3):
            run(shell, folder, '{"hook_event_name": "Stop"}')
    finally:
        os.close(slow)
    assert len(told(folder)) == 3
    eventually(lambda: not ringing(folder), why="they end with whom they wait for")


def test_claude_elsewhere_is_given_the_script_and_the_line_that_runs_it(tmp_path: Path) -> None:
    folder = tmp_path / "it's a folder"
    folder.mkdir()
    context = AgentContext(
        "fix-1", "play", tmp_path, folder, "c", AgentConfig(), machine=FarMachine()
    )
    command = ClaudeCode().launch(context, "play")
    for path, text in command.files.items():
        path.write_text(text)
    settings = next(
        json.loads(text) for path, text in command.files.items() if path.suffix == ".json"
    )
    line = settings["hooks"]["Stop"][0]["hooks"][0]["command"]
    subprocess.run(line, shell=True, input=b'{"hook_event_name": "Stop"}', check=True)  # noqa: S602
    assert told(folder) == [{"t": ANY, "launch": "", "hook_event_name": "Stop"}]
