"""When the first start of claude-code is settled, and with what."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ennio.config.model import AgentConfig
from ennio.machine.local import LocalMachine
from ennio.model.errors import Refused
from ennio.plugins.agent.claude_code import ClaudeCode
from ennio.plugins.agent.interface import AgentContext, CommandLine

KEY = "sk-very-secret-1234567890"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AgentContext:
    for name in (
        "CLAUDE_CONFIG_DIR",
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "CLAUDE_CODE_OAUTH_TOKEN",
    ):
        monkeypatch.delenv(name, raising=False)
    return AgentContext(
        "s",
        "p",
        Path("/w/s"),
        tmp_path / "s",
        "c",
        AgentConfig(),
        home=tmp_path,
        machine=LocalMachine(),
    )


def settled(command: CommandLine) -> tuple[bool, bool]:
    """Whether the first start is skipped, and whether the key comes from a helper."""
    (settings,) = command.files.values()
    assert KEY not in settings
    return command.env.get("IS_DEMO") == "1", "apiKeyHelper" in json.loads(settings)


def test_a_key_of_the_project_is_enough_to_start_where_nobody_did(desk: AgentContext) -> None:
    agent = ClaudeCode(env={"ANTHROPIC_API_KEY": KEY})
    assert settled(agent.launch(desk, "go")) == (True, True)
    assert settled(agent.resume(desk, "on")) == (True, True)


def test_a_key_of_the_supervisor_is_too(
    desk: AgentContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    assert settled(ClaudeCode().launch(desk, "go")) == (True, True)


@pytest.mark.parametrize("name", ["ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"])
def test_a_token_needs_no_helper(desk: AgentContext, name: str) -> None:
    assert settled(ClaudeCode(env={name: KEY}).launch(desk, "go")) == (True, False)


def test_without_a_login_the_first_start_is_the_persons(desk: AgentContext) -> None:
    assert settled(ClaudeCode().launch(desk, "go")) == (False, False)


def test_who_has_been_through_it_decides_about_keys(desk: AgentContext) -> None:
    (desk.home / ".claude.json").write_text('{"hasCompletedOnboarding": true}')
    assert settled(ClaudeCode(env={"ANTHROPIC_API_KEY": KEY}).launch(desk, "go")) == (False, False)


def test_a_file_that_cannot_be_read_is_told(desk: AgentContext) -> None:
    (desk.home / ".claude.json").write_text("{half")
    with pytest.raises(Refused, match=r"\.claude\.json"):
        ClaudeCode(env={"ANTHROPIC_API_KEY": KEY}).launch(desk, "go")
