"""What agents, hooks and checks are given of the supervisor's environment: what was
declared, and nothing besides.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from ennio.machine.inherited import NAMES
from tests.security.planted import AGENTS, KEYS, SECRETS, TOOLS, Scene, own

PLAIN = NAMES | {
    "TERM",
    "ENNIO_SESSION_ID",
    "ENNIO_PROJECT_ID",
    "ENNIO_HOME",
    "ENNIO_BRANCH",
    "ENNIO_REMOTE",
    "OWN_TOKEN",
}
SHELLS = frozenset({"PWD", "OLDPWD", "SHLVL", "_"})
CHECKS = frozenset(
    {
        "CI",
        "ENNIO_CHECKOUT",
        "ENNIO_PROJECT",
        "ENNIO_PULL",
        "ENNIO_BASE",
        "ENNIO_HEAD",
        "ENNIO_CHECK",
    }
)
DECLARED = re.compile(r"(ANTHROPIC|CLAUDE|OPENAI|OPENCODE|CODEX|GEMINI|GOOGLE)_")


def of_process(pid: int) -> dict[str, str]:
    entries = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
    return dict(entry.partition("=")[::2] for entry in entries if entry)


def of_note(path: Path) -> dict[str, str]:
    return dict(line.partition("=")[::2] for line in path.read_text().splitlines() if "=" in line)


def secrets_in(environment: dict[str, str]) -> set[str]:
    """By the names of the supervisor's variables, whatever they are called here."""
    return {
        name
        for name, value in SECRETS.items()
        if any(value in given for given in environment.values())
    }


@pytest.mark.parametrize("agent", AGENTS)
def test_an_agent_has_the_keys_its_plugin_declares_its_project_s_env_and_no_other_secret(
    scene: Scene, agent: str
) -> None:
    pids = scene.ground.agents()[scene.sessions[agent]]
    assert pids
    for pid in pids:
        assert secrets_in(of_process(pid)) == AGENTS[agent] | {own(agent)}


@pytest.mark.parametrize("agent", AGENTS)
def test_an_agent_inherits_no_variable_nobody_declared(scene: Scene, agent: str) -> None:
    doors = (
        {"OPENCODE_SERVER_USERNAME", "OPENCODE_SERVER_PASSWORD"} if agent == "opencode" else set()
    )
    declared = doors | set(
        scene.house.client.post("/sessions", {"project_id": agent, "prompt": "x"}, dry_run=True)[
            "env"
        ]
    )
    supervisors = set(of_process(scene.house.workers()[0]))
    for pid in scene.ground.agents()[scene.sessions[agent]]:
        assert set(of_process(pid)) <= declared | SHELLS
    stray = (declared & supervisors) - PLAIN - set(KEYS)
    assert not {name for name in stray if not DECLARED.match(name)}


@pytest.mark.parametrize("agent", AGENTS)
def test_a_hook_of_a_project_has_its_env_and_nothing_else_that_is_secret(
    scene: Scene, agent: str
) -> None:
    given = of_note(scene.ground.note(f"hook-{agent}"))
    assert secrets_in(given) == {own(agent)}
    assert set(given) <= PLAIN | SHELLS


def test_a_check_has_no_secret_at_all(scene: Scene) -> None:
    given = of_note(scene.ground.note("check-scripted"))
    assert secrets_in(given) == set()
    assert set(given) <= (PLAIN | SHELLS | CHECKS) - {"OWN_TOKEN"}


@pytest.mark.parametrize("agent", AGENTS)
def test_agents_hooks_and_checks_find_what_a_person_s_tools_need(scene: Scene, agent: str) -> None:
    for pid in scene.ground.agents()[scene.sessions[agent]]:
        assert of_process(pid).items() >= TOOLS.items()
    assert of_note(scene.ground.note(f"hook-{agent}")).items() >= TOOLS.items()
    assert of_note(scene.ground.note("check-scripted")).items() >= TOOLS.items()


def test_what_keeps_the_terminals_has_no_secret(scene: Scene) -> None:
    tmux = int(scene.ground.tmux("display-message", "-p", "#{pid}").stdout)
    keepers = [
        int(place.parent.name)
        for place in Path("/proc").glob("[0-9]*/cmdline")
        if _keeps(place, scene)
    ]
    assert keepers, "two of the agents are in the process runtime"
    for pid in (tmux, *keepers):
        assert secrets_in(of_process(pid)) == set()
        assert not {name for name in of_process(pid) if name.startswith("ENNIO_")}


def _keeps(place: Path, scene: Scene) -> bool:
    try:
        words = place.read_bytes().split(b"\0")
    except OSError:
        return False
    return b"keep" in words and any(os.fsencode(scene.ground.home) in word for word in words)


def test_the_supervisor_itself_had_every_secret(scene: Scene) -> None:
    """Else all of this would prove nothing."""
    assert secrets_in(of_process(scene.house.workers()[0])) == set(SECRETS)
