"""The command lines of the four agents, and how each finds its conversation again."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from ennio.config.model import AgentConfig
from ennio.machine.local import LocalMachine
from ennio.plugins.agent.aider import Aider
from ennio.plugins.agent.claude_code import ClaudeCode
from ennio.plugins.agent.codex import Codex
from ennio.plugins.agent.command import CommandAgent
from ennio.plugins.agent.interface import AgentContext
from ennio.plugins.agent.opencode import OpenCode
from ennio.plugins.agent.scripted.agent import ScriptedAgent

CONVERSATION = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AgentContext:
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    return AgentContext(
        "app-1",
        "app",
        tmp_path / ".w" / "app-1",
        tmp_path,
        CONVERSATION,
        AgentConfig(model="m"),
        system='Rule "one".\nTwo.',
        home=tmp_path,
        machine=LocalMachine(),
    )


def after(argv: tuple[str, ...], flag: str) -> str:
    return argv[argv.index(flag) + 1]


def test_claude_keeps_its_conversation_and_its_permissions(desk: AgentContext) -> None:
    desk = replace(
        desk,
        config=AgentConfig(
            model="opus",
            permissions="--dangerously-skip-permissions",
            passthrough={"max_turns": 200},
        ),
    )
    first = ClaudeCode().launch(desk, "-go")
    assert after(first.argv, "--session-id") == CONVERSATION
    assert first.argv[-2:] == ("--", "-go")
    assert after(first.argv, "--append-system-prompt") == desk.system
    assert (after(first.argv, "--model"), after(first.argv, "--max-turns")) == ("opus", "200")
    (desk.home / ".claude/projects/-w").mkdir(parents=True)
    (desk.home / f".claude/projects/-w/{CONVERSATION}.jsonl").touch()
    again = ClaudeCode().resume(desk, None)
    assert after(again.argv, "--resume") == CONVERSATION
    assert "--session-id" not in again.argv
    assert "--dangerously-skip-permissions" in again.argv
    assert not again.carries


def test_claude_begins_a_conversation_that_never_began(desk: AgentContext) -> None:
    assert after(ClaudeCode().resume(desk, "on").argv, "--session-id") == CONVERSATION


def test_who_has_no_conversation_to_go_on_with_says_so(desk: AgentContext) -> None:
    run, on = {"argv": ["agent"]}, {"resume_argv": ["agent", "on"]}
    forgets = CommandAgent(AgentConfig(passthrough=run))
    for agent in (ClaudeCode(), Codex(), OpenCode(), Aider(), ScriptedAgent(), forgets):
        assert not agent.remembers(desk), agent.name
    assert CommandAgent(AgentConfig(passthrough=run | on)).remembers(desk)
    (desk.home / ".claude/projects/-w").mkdir(parents=True)
    (desk.home / f".claude/projects/-w/{CONVERSATION}.jsonl").touch()
    rollout(desk, 1, "own", desk.workspace)
    database(desk, [("ses_own", None, str(desk.workspace), 1)])
    (desk.directory / "aider.chat.history.md").write_text("#### go\n")
    (desk.directory / "aider.input.history").write_text("\n# 2026-01-01 00:00:00.0\n+go\n")
    (desk.directory / "transcript.jsonl").touch()
    for agent in (ClaudeCode(), Codex(), OpenCode(), Aider(), ScriptedAgent()):
        assert agent.remembers(desk), agent.name


def test_a_command_that_remembers_nothing_is_given_the_rules_each_time(desk: AgentContext) -> None:
    run, on = {"argv": ["agent", "{prompt}"]}, {"resume_argv": ["agent", "on", "{prompt}"]}
    forgets = CommandAgent(AgentConfig(passthrough=run))
    assert forgets.resume(desk, "Go on").argv == ("agent", f"{desk.system}\n\nGo on")
    knows = CommandAgent(AgentConfig(passthrough=run | on))
    assert knows.resume(desk, "Go on").argv == ("agent", "on", "Go on")


def test_claude_gets_settings_of_the_sessions_own(desk: AgentContext) -> None:
    command = ClaudeCode().launch(desk, "go")
    settings = desk.directory / "claude-settings.json"
    assert after(command.argv, "--settings") == str(settings)
    given = json.loads(command.files[settings])
    assert set(given) == {"hooks", "statusLine", "autoContinueAtUsageLimit"}
    assert given["autoContinueAtUsageLimit"] is False, "only Ennio says that it goes on"
    bypassing = replace(desk, config=AgentConfig(permissions="--dangerously-skip-permissions"))
    assert (
        json.loads(ClaudeCode().launch(bypassing, "go").files[settings])[
            "skipDangerousModePermissionPrompt"
        ]
        is True
    )


def test_nothing_of_a_surrounding_claude_is_passed_on() -> None:
    assert not {"CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_SSE_PORT"} & set(
        ClaudeCode.passed_variables
    )


def test_incident_40_codex_leaves_no_daemon(desk: AgentContext) -> None:
    for command in (Codex().launch(desk, "go"), Codex().resume(desk, "on")):
        assert {"--no-daemon", "--no-alt-screen"} <= set(command.argv)


def test_codex_trusts_the_working_copy_for_this_start_only(desk: AgentContext) -> None:
    overrides = [
        word
        for flag, word in zip(
            *(Codex().launch(desk, "go").argv[at:] for at in (0, 1)), strict=False
        )
        if flag == "-c"
    ]
    told = [tomllib.loads(override) for override in overrides]
    assert told == [
        {"projects": {str(desk.workspace): {"trust_level": "trusted"}}},
        {"developer_instructions": desk.system},
    ]


def rollout(desk: AgentContext, day: int, name: str, cwd: Path) -> None:
    folder = desk.home / f".codex/sessions/2026/01/{day:02d}"
    folder.mkdir(parents=True, exist_ok=True)
    meta = {"type": "session_meta", "payload": {"id": name, "cwd": str(cwd)}}
    (folder / f"rollout-2026-01-{day:02d}T00-00-00-{name}.jsonl").write_text(
        json.dumps(meta) + "\n{}\n"
    )


def test_codex_resumes_the_newest_conversation_of_this_working_copy(desk: AgentContext) -> None:
    rollout(desk, 1, "older", desk.workspace)
    rollout(desk, 2, "newer", desk.workspace)
    rollout(desk, 3, "foreign", Path("/elsewhere"))
    (desk.home / ".codex/sessions/2026/01/03/rollout-2026-01-04-garbage.jsonl").write_bytes(
        b"\xff\x00["
    )
    command = Codex().resume(desk, "-on")
    assert command.argv[1] == "resume"
    assert command.argv[-3:] == ("--", "newer", "-on")
    assert Codex().resume(desk, None).argv[-2:] == ("--", "newer")


def test_codex_without_a_conversation_begins_one(desk: AgentContext) -> None:
    command = Codex().resume(desk, "on")
    assert "resume" not in command.argv
    assert command.argv[-2:] == ("--", "on")


def database(desk: AgentContext, rows: list[tuple[str, str | None, str, int]]) -> None:
    folder = desk.home / ".local/share/opencode"
    folder.mkdir(parents=True)
    with contextlib.closing(sqlite3.connect(folder / "opencode.db")) as base, base:
        base.execute(
            "CREATE TABLE session (id TEXT PRIMARY KEY, parent_id TEXT, directory TEXT, "
            "time_updated INTEGER)"
        )
        base.executemany("INSERT INTO session VALUES (?, ?, ?, ?)", rows)


def test_opencode_resumes_its_own_conversation_and_no_neighbours(desk: AgentContext) -> None:
    own = str(desk.workspace)
    database(
        desk,
        [
            ("ses_old", None, own, 1),
            ("ses_new", None, own, 2),
            ("ses_sub", "ses_new", own, 3),
            ("ses_other", None, "/else", 9),
        ],
    )
    command = OpenCode().resume(desk, "--on")
    assert after(command.argv, "--session") == "ses_new"
    assert command.argv[-1] == "--prompt=--on"
    assert "--continue" not in command.argv


@pytest.mark.parametrize("content", [None, b"", b"no database"])
def test_opencode_without_a_readable_database_begins_anew(
    desk: AgentContext, content: bytes | None
) -> None:
    if content is not None:
        (desk.home / ".local/share/opencode").mkdir(parents=True)
        (desk.home / ".local/share/opencode/opencode.db").write_bytes(content)
    assert "--session" not in OpenCode().resume(desk, "on").argv


def test_opencode_reads_the_rules_from_a_file_of_the_session(desk: AgentContext) -> None:
    command = OpenCode().launch(desk, "go")
    assert json.loads(command.env["OPENCODE_CONFIG_CONTENT"]) == {
        "instructions": [str(desk.directory / "system.md")]
    }
    assert command.files[desk.directory / "system.md"] == desk.system


def test_incident_26_aider_is_never_given_words_that_would_end_it(desk: AgentContext) -> None:
    for command in (Aider().launch(desk, "go\non"), Aider().resume(desk, "go\non")):
        assert not command.carries
        assert not {"--message", "--message-file", "-m", "-f"} & set(command.argv)


def test_incident_45_aider_keeps_its_files_out_of_the_repository(desk: AgentContext) -> None:
    command = Aider().launch(desk, "go")
    assert "--no-gitignore" in command.argv
    for flag in ("--chat-history-file", "--input-history-file", "--read"):
        assert Path(after(command.argv, flag)).parent == desk.directory


def test_aider_restores_the_history_it_wrote(desk: AgentContext) -> None:
    first, again = Aider().launch(desk, "go"), Aider().resume(desk, None)
    assert "--restore-chat-history" in again.argv
    assert after(first.argv, "--chat-history-file") == after(again.argv, "--chat-history-file")
