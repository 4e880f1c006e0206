"""How each agent is led past a proxy, and whom it would ask by itself."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ennio.config.model import AgentConfig
from ennio.machine.local import LocalMachine
from ennio.model.errors import Refused
from ennio.plugins.agent.aider import Aider
from ennio.plugins.agent.claude_code import ClaudeCode
from ennio.plugins.agent.codex import Codex
from ennio.plugins.agent.command import CommandAgent
from ennio.plugins.agent.interface import AgentContext, CommandLine
from ennio.plugins.agent.metering import Meterable
from ennio.plugins.agent.opencode import OpenCode
from ennio.plugins.agent.scripted.agent import ScriptedAgent

BASE = "http://127.0.0.1:7/token"
OF_A_PROFILE = """
profile = "p"
[profiles.p]
model_provider = "my own"
[model_providers."my own"]
base_url = "http://mine/v1"
"""
RUN = AgentConfig(passthrough={"run": "true"})


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AgentContext:
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    return AgentContext(
        "app-1",
        "app",
        tmp_path / "w",
        tmp_path / "own",
        "6ba7b810-9dad-41d1-80b4-00c04fd430c8",
        AgentConfig(),
        system="A rule.",
        home=tmp_path,
        machine=LocalMachine(),
    )


def written(desk: AgentContext, path: str, text: str) -> None:
    (desk.home / path).parent.mkdir(parents=True, exist_ok=True)
    (desk.home / path).write_text(text)


def led(agent: Any, desk: AgentContext, env: Mapping[str, str]) -> CommandLine:
    """Its command, with the base of each address it asks by the address' name."""
    names = agent.upstreams(desk, env)
    told: CommandLine = agent.led(
        agent.launch(desk, "go"), {name: f"{BASE}-{name}" for name in names}
    )
    return told


@pytest.mark.parametrize("agent", [Aider(AgentConfig()), CommandAgent(RUN), ScriptedAgent()])
def test_what_looks_at_variables_is_led_by_them(agent: Meterable, desk: AgentContext) -> None:
    assert agent.upstreams(desk, {}) == {"anthropic": "", "openai": ""}
    env = {"ANTHROPIC_BASE_URL": "http://one/", "OPENAI_API_BASE": "http://other/v1"}
    assert agent.upstreams(desk, env) == {"anthropic": "http://one", "openai": "http://other/v1"}
    command = led(agent, desk, env)
    assert command.env["ANTHROPIC_BASE_URL"] == f"{BASE}-anthropic"
    assert command.env["OPENAI_API_BASE"] == command.env["OPENAI_BASE_URL"] == f"{BASE}-openai"


def test_an_address_that_is_none_is_refused_by_the_name_of_its_place(desk: AgentContext) -> None:
    with pytest.raises(Refused, match="ANTHROPIC_BASE_URL") as refused:
        ClaudeCode().upstreams(desk, {"ANTHROPIC_BASE_URL": "model:secret@host"})
    assert "secret" not in str(refused.value)
    written(desk, ".codex/config.toml", 'model_provider = "mine"\n[model_providers.mine]\n')
    with pytest.raises(Refused, match=r"model_providers.mine.base_url"):
        Codex(AgentConfig()).upstreams(desk, {})


def test_claude_is_led_above_the_settings_of_its_person_and_past_what_a_repository_says(
    desk: AgentContext,
) -> None:
    claude = ClaudeCode()
    assert claude.upstreams(desk, {}) == {"anthropic": ""}
    assert claude.upstreams(desk, {"ANTHROPIC_BASE_URL": "http://env"}) == {
        "anthropic": "http://env"
    }
    elsewhere = json.dumps({"env": {"ANTHROPIC_BASE_URL": "http://settings"}})
    written(desk, "w/.claude/settings.json", elsewhere.replace("settings", "stranger"))
    written(desk, ".claude/settings.json", elsewhere)
    assert claude.upstreams(desk, {"ANTHROPIC_BASE_URL": "http://env"}) == {
        "anthropic": "http://settings"
    }
    command = led(claude, desk, {})
    assert command.env["ANTHROPIC_BASE_URL"] == f"{BASE}-anthropic"
    (settings,) = (json.loads(text) for text in command.files.values())
    assert settings["env"] == {"ANTHROPIC_BASE_URL": f"{BASE}-anthropic"}
    assert "hooks" in settings


def told_by_options(command: CommandLine) -> list[dict[str, Any]]:
    """What codex reads from its ``-c`` options: each dot of a key is a step."""
    argv, found = command.argv, []
    for told in (argv[at + 1] for at, word in enumerate(argv) if word == "-c"):
        path, _, value = told.partition("=")
        read = tomllib.loads(f"value={value}")["value"]
        for step in reversed(path.split(".")):
            read = {step: read}
        found.append(read)
    return found


@pytest.mark.parametrize(
    ("config", "env", "upstreams", "told"),
    [
        ("", {}, {"openai": ""}, {"openai_base_url": f"{BASE}-openai"}),
        (
            "",
            {"OPENAI_BASE_URL": "http://env/v1"},
            {"openai": "http://env/v1"},
            {"openai_base_url": f"{BASE}-openai"},
        ),
        (
            'openai_base_url = "http://file/v1"',
            {"OPENAI_BASE_URL": "http://env/v1"},
            {"openai": "http://file/v1"},
            {"openai_base_url": f"{BASE}-openai"},
        ),
        (
            OF_A_PROFILE,
            {},
            {"my own": "http://mine/v1"},
            {"model_providers": {"my own": {"base_url": f"{BASE}-my own"}}},
        ),
    ],
)
def test_codex_is_led_where_its_person_has_chosen_a_provider(
    desk: AgentContext,
    config: str,
    env: Mapping[str, str],
    upstreams: Mapping[str, str],
    told: Mapping[str, Any],
) -> None:
    written(desk, ".codex/config.toml", config)
    codex = Codex(AgentConfig())
    assert codex.upstreams(desk, env) == upstreams
    command = led(codex, desk, env)
    assert told in told_by_options(command)
    assert command.argv[-1] == "go"


def test_codex_on_a_plan_asks_where_plans_are_asked(desk: AgentContext) -> None:
    codex = Codex(AgentConfig())
    written(desk, ".codex/auth.json", json.dumps({"tokens": {"access_token": "x"}}))
    assert codex.upstreams(desk, {}) == {"chatgpt": ""}
    assert codex.upstreams(desk, {"OPENAI_API_KEY": "k"}) == {"openai": ""}
    assert {"openai_base_url": f"{BASE}-chatgpt"} in told_by_options(led(codex, desk, {}))


def test_opencode_is_led_for_every_provider_it_may_ask(desk: AgentContext) -> None:
    opencode = OpenCode(AgentConfig())
    with pytest.raises(Refused, match=r"baseURL"):
        opencode.upstreams(desk, {})
    written(
        desk,
        ".config/opencode/opencode.jsonc",
        '{\n  // mine\n  "provider": {"loop": {"options": {"baseURL": "http://loop//v1", }}},\n}',
    )
    env = {"ANTHROPIC_API_KEY": "k"}
    assert opencode.upstreams(desk, env) == {
        "loop": "http://loop//v1",
        "anthropic-versioned": "",
    }
    content = json.loads(led(opencode, desk, env).env["OPENCODE_CONFIG_CONTENT"])
    assert content["provider"] == {
        "loop": {"options": {"baseURL": f"{BASE}-loop"}},
        "anthropic": {"options": {"baseURL": f"{BASE}-anthropic-versioned"}},
    }
    assert len(content["instructions"]) == 1


def test_every_shipped_agent_can_be_led() -> None:
    for agent in (Aider(), ClaudeCode(), Codex(), CommandAgent(RUN), OpenCode(), ScriptedAgent()):
        assert isinstance(agent, Meterable), agent.name
