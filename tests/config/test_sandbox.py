"""``isolation`` and ``sandbox`` in the file: what they imply, what they refuse, and when trust is
asked for again.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ennio.config.model import Config
from ennio.model.isolation import IsolationKind, NetworkAccess
from tests.config.writing import PROJECT, loaded, problems

APART = f"{PROJECT}    isolation: bubblewrap\n"


def _canonical(config: Config) -> set[str]:
    return {demand.canonical for demand in config.demands}


def test_a_sandbox_implies_a_clone_whatever_the_defaults_say(tmp_path: Path) -> None:
    (project,) = loaded(tmp_path, f"defaults: {{workspace: worktree}}\n{APART}").projects
    assert project.isolation is IsolationKind.BUBBLEWRAP
    assert project.workspace == "clone"
    assert project.sandbox.network is NetworkAccess.HOST


def test_without_one_nothing_changes(tmp_path: Path) -> None:
    (project,) = loaded(tmp_path, PROJECT).projects
    assert (project.isolation, project.workspace) == (IsolationKind.NONE, "worktree")


def test_its_paths_are_those_of_the_person(tmp_path: Path) -> None:
    more = "    sandbox: {readable: [~/.npmrc], writable: [cache], ports: [5432]}\n"
    (project,) = loaded(tmp_path, APART + more).projects
    assert project.sandbox.readable == (Path("/home/someone/.npmrc"),)
    assert project.sandbox.writable == (tmp_path / "cache",)
    assert project.sandbox.ports == (5432,)


@pytest.mark.parametrize(
    ("lines", "place", "words"),
    [
        ("workspace: worktree", "workspace", "needs `clone`"),
        ("runtime: ssh", "runtime", "use tmux or process"),
        ("agent: opencode", "agent", "use claude-code, codex or aider"),
        (
            "ssh_config: {host: b.example.com, username: me, auth: {type: agent}}",
            "isolation",
            "for this machine alone",
        ),
        (
            "sandbox: {network: none}\n    agent_config: {metering: proxy}",
            "sandbox.network",
            "use loopback",
        ),
        ("sandbox: {network: none, ports: [80]}", "sandbox.ports", "use loopback"),
        ("sandbox: {network: some}", "sandbox.network", "none of host, loopback, none"),
        ("sandbox: {ports: [0]}", "sandbox.ports", "1"),
    ],
)
def test_what_cannot_be_with_it_is_refused_with_the_reason(
    tmp_path: Path, lines: str, place: str, words: str
) -> None:
    told = problems(tmp_path, f"{APART}    {lines}\n")
    assert any(place in line and words in line for line in told), told


def test_a_sandbox_that_nobody_asked_for_is_refused(tmp_path: Path) -> None:
    told = problems(tmp_path, f"{PROJECT}    sandbox: {{network: none}}\n")
    assert any("add `isolation: bubblewrap`" in line for line in told), told


@pytest.mark.parametrize(
    ("more", "less"),
    [
        ("    isolation: bubblewrap\n", ""),
        (
            "    isolation: bubblewrap\n    sandbox: {network: loopback}\n",
            "    isolation: bubblewrap\n",
        ),
        (
            "    isolation: bubblewrap\n",
            "    isolation: bubblewrap\n    sandbox: {writable: [/srv]}\n",
        ),
        (
            "    isolation: bubblewrap\n",
            "    isolation: bubblewrap\n    sandbox: {ports: [5432]}\n",
        ),
    ],
    ids=["none any more", "a wider network", "a folder", "a port"],
)
def test_lower_walls_ask_for_trust_again(tmp_path: Path, more: str, less: str) -> None:
    before, after = (_canonical(loaded(tmp_path, PROJECT + lines)) for lines in (more, less))
    assert after - before


def test_the_walls_are_told_to_whoever_is_asked(tmp_path: Path) -> None:
    told = [word for demand in loaded(tmp_path, APART).demands for word in demand.words]
    assert "isolation: bubblewrap, network host" in told
