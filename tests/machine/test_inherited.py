"""What children of the supervisor inherit of its environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from ennio.config.secrets import is_secret
from ennio.hosts import environment
from ennio.machine.inherited import NAMES, inherited
from ennio.machine.local import LocalMachine
from ennio.plugins.agent.aider import Aider
from ennio.plugins.agent.claude_code import ClaudeCode
from ennio.plugins.agent.codex import Codex
from ennio.plugins.agent.opencode import OpenCode
from ennio.plugins.workspace import hooks

FOUND = {
    name: f"of {name}"
    for name in (
        "XDG_CONFIG_HOME",
        "https_proxy",
        "NODE_EXTRA_CA_CERTS",
        "GNUPGHOME",
        "GIT_SSH_COMMAND",
        "SSH_AUTH_SOCK",
    )
}
STRANGE = {
    name: f"of {name}"
    for name in (
        "GITHUB_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "XDG_SESSION_COOKIE",
        "LC_MYTOKEN",
        "GIT_ASKPASS",
        "X_Y",
    )
}


def test_the_list_names_no_secret_and_no_program_that_asks() -> None:
    assert not {name for name in NAMES if is_secret(name)}
    assert not {name for name in NAMES if "ASKPASS" in name}


def test_only_what_is_on_the_list_is_inherited() -> None:
    assert inherited(FOUND | STRANGE) == FOUND


def test_agents_and_hooks_inherit_by_the_same_list(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (FOUND | STRANGE).items():
        monkeypatch.setenv(name, value)
    agent = environment.plain(FOUND | STRANGE, "ma-1", "my-app", Path("/h"))
    hook = hooks.environment(LocalMachine(), {"OWN": "1"})
    for given in (agent, hook):
        assert given.items() >= FOUND.items()
        assert not STRANGE.keys() & given.keys()


@pytest.mark.parametrize("kind", [Aider, ClaudeCode, Codex, OpenCode])
def test_no_agent_declares_what_all_inherit(
    kind: type[Aider | ClaudeCode | Codex | OpenCode],
) -> None:
    assert not NAMES & set(kind.passed_variables)
