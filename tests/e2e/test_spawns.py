"""Spawns that fail at one of their steps: the session says why, nothing half made
stays, and mending helps.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import eventually
from tests.e2e.house import Ground, Supervised, project, story, supervised, turn

pytestmark = pytest.mark.e2e

HANG = story(turn("prompt", [{"say": "..."}, "hang"]))


def fails(house: Supervised, *reasons: str, **order: Any) -> str:
    """Spawn, and see the session exited with all these words and without a trace on the machine."""
    name = house.spawn(**order)
    reason = house.becomes(name, "exited")["reason"]
    for words in reasons:
        assert words in reason, reason
    eventually(lambda: name not in house.ground.worktrees(), why="its workspace is undone")
    assert name not in house.ground.agents()
    assert name not in house.ground.terminals()
    eventually(
        lambda: name not in house.ground.git("worktree", "list"), why="git has forgotten it too"
    )
    told = [
        event for event in house.events(session_id=name) if event["event_type"] == "session_exited"
    ]
    assert len(told) == 1
    done = house.ground.ennio("session", "why", name)
    assert reasons[0] in done.out
    return name


def comes_back(house: Supervised, name: str) -> None:
    """What was mended can be restored, and works then."""
    done = house.ground.ennio("session", "restore", name)
    assert done.code == 0, done.err
    house.becomes(name, "working")
    assert house.ground.worktrees().count(name) == 1
    assert [entry["type"] for entry in house.ground.transcript(name)].count("ready") == 1


def test_a_post_create_command_that_fails_is_undone_and_works_once_mended(tmp_path: Path) -> None:
    flag = tmp_path / "mended"
    commands = ["echo half > half.txt", f"test -e {flag} || {{ echo no flag here; exit 3; }}"]
    with supervised(
        tmp_path, lambda g: project(g, agent_config=HANG, post_create=commands)
    ) as house:
        name = fails(house, "test -e", "no flag here")
        branches = house.ground.git("branch", "--list", name)
        assert branches == "", "the branch it made is gone too"
        flag.touch()
        comes_back(house, name)
        assert (house.ground.home / "worktrees" / "score" / name / "half.txt").exists()


def test_a_post_create_command_that_hangs_is_ended_with_all_it_started(tmp_path: Path) -> None:
    commands = ["sleep 1000 & sleep 1001"]
    with supervised(
        tmp_path,
        lambda g: project(g, agent_config=HANG, post_create=commands, post_create_timeout="1s"),
    ) as house:
        fails(house, "sleep 1000")


def test_a_default_branch_that_is_missing_is_said_and_works_once_it_is_there(
    tmp_path: Path,
) -> None:
    with supervised(
        tmp_path, lambda g: project(g, agent_config=HANG, default_branch="develop")
    ) as house:
        git, ennio = house.ground.git, house.ground.ennio
        refused = ennio("spawn", "score", "-p", "Play")
        assert refused.code == 5
        assert "has no branch develop; it has: main" in refused.err
        git("push", "--quiet", "origin", "main:develop")
        name = ennio("spawn", "score", "-p", "Play", "--hold", "--json").document["id"]
        git("push", "--quiet", "origin", "--delete", "develop")
        ennio("queue", "release", name)
        assert "develop" in house.becomes(name, "exited", within=70)["reason"]
        git("push", "--quiet", "origin", "main:develop")
        comes_back(house, name)


def test_a_repository_that_is_gone_is_said_and_works_once_it_is_back(tmp_path: Path) -> None:
    with supervised(tmp_path, lambda g: project(g, agent_config=HANG)) as house:
        aside = house.ground.clone.with_name("aside")
        held = house.ground.ennio("spawn", "score", "-p", "Play", "--hold", "--json")
        name = held.document["id"]
        (house.ground.clone / ".git").rename(aside)
        refused = house.ground.ennio("spawn", "score", "-p", "Play")
        assert refused.code == 5
        assert f"path {house.ground.clone} is not the top of a git repository" in refused.err
        house.ground.ennio("queue", "release", name)
        reason = house.becomes(name, "exited", within=70)["reason"]
        assert "score" in reason
        aside.rename(house.ground.clone / ".git")
        comes_back(house, name)


def test_an_agent_that_is_not_installed_is_said_and_works_once_it_is(tmp_path: Path) -> None:
    program = tmp_path / "my-agent"

    def made(ground: Ground) -> dict[str, Any]:
        return project(
            ground,
            agent="command",
            agent_config={"passthrough": {"argv": [str(program), "{prompt}"]}},
        )

    def installed() -> None:
        program.write_text("#!/bin/sh\nexec sleep 1000\n")
        program.chmod(0o755)

    with supervised(tmp_path, made) as house:
        spawn = ("spawn", "score", "-p", "Play")
        for words in (spawn, (*spawn, "--dry-run")):
            refused = house.ground.ennio(*words)
            assert (refused.code, "my-agent is not installed" in refused.err) == (5, True), words
        assert house.client.get("/sessions") == []
        installed()
        held = house.ground.ennio(*spawn, "--hold", "--json")
        assert held.code == 0, held.err
        program.unlink()  # between being asked for and beginning
        name = held.document["id"]
        house.ground.ennio("queue", "release", name)
        assert "my-agent is not installed" in house.becomes(name, "exited")["reason"]
        installed()
        done = house.ground.ennio("session", "restore", name)
        assert done.code == 0, done.err
        house.becomes(name, "working")


def test_a_refused_spawn_has_one_exit_code_and_the_same_words_beforehand(tmp_path: Path) -> None:
    with supervised(tmp_path, lambda g: project(g, agent_config=HANG)) as house:
        house.ground.ennio("spawn", "score", "-p", "Play", "--hold", "--branch", "taken")
        none = ("budget", "set", "global", "--limit", "0")
        for codes, spoiled in ((((5, "taken"), (5, "main"), (2, "a..b")), ()), (((5, "x"),), none)):
            done = house.ground.ennio(*spoiled) if spoiled else None
            assert done is None or done.code == 0, done.err
            for code, branch in codes:
                spawn = ("spawn", "score", "-p", "Play", "--branch", branch)
                refused, foreseen = (
                    house.ground.ennio(*spawn),
                    house.ground.ennio(*spawn, "--dry-run"),
                )
                assert (refused.code, refused.err) == (foreseen.code, foreseen.err)
                assert refused.code == code, refused.err


def test_a_machine_without_tmux_says_so_and_works_once_it_is_installed(tmp_path: Path) -> None:
    """``tmux`` is a link in a folder of the supervisor's PATH; taking it
    away is uninstalling it.
    """
    tools = tmp_path / "tools"
    tools.mkdir()
    for folder in os.environ["PATH"].split(os.pathsep):
        for tool in Path(folder).iterdir() if Path(folder).is_dir() else ():
            if not (tools / tool.name).is_symlink():
                (tools / tool.name).symlink_to(tool)
    tmux = (tools / "tmux").resolve()
    with supervised(tmp_path, lambda g: project(g, agent_config=HANG), path=str(tools)) as house:
        held = house.ground.ennio("spawn", "score", "-p", "Play", "--hold", "--json")
        name = held.document["id"]
        (tools / "tmux").unlink()
        spawn = ("spawn", "score", "-p", "Play")
        refused, foreseen = house.ground.ennio(*spawn), house.ground.ennio(*spawn, "--dry-run")
        assert (refused.code, refused.err) == (foreseen.code, foreseen.err)
        assert refused.code == 5
        assert "tmux is not installed; install it, or set `runtime: process`" in refused.err
        house.ground.ennio("queue", "release", name)
        reason = house.becomes(name, "exited", within=70)["reason"]
        assert "tmux is not installed" in reason
        (tools / "tmux").symlink_to(tmux)
        comes_back(house, name)


def test_incident_10_an_agent_outlives_a_runtime_that_cannot_be_asked(tmp_path: Path) -> None:
    with supervised(tmp_path, lambda g: project(g, agent_config=HANG)) as house:
        name = house.spawn()
        house.becomes(name, "working")
        server = int(house.ground.tmux("display-message", "-p", "#{pid}").stdout)
        os.kill(server, 19)
        try:
            eventually(lambda: house.session(name)["no_signal_since"], 60, "the silence is shown")
            assert house.session(name)["status"] == "working"
        finally:
            os.kill(server, 18)
        eventually(lambda: house.session(name)["no_signal_since"] is None, 60, "it is seen again")
        assert house.session(name)["status"] == "working"


def test_a_killed_tmux_server_is_told_as_the_end_of_the_agent_and_restored(tmp_path: Path) -> None:
    with supervised(tmp_path, lambda g: project(g, agent_config=HANG)) as house:
        name = house.spawn()
        house.becomes(name, "working")
        house.ground.tmux("kill-server")
        assert house.becomes(name, "exited")["reason"]
        assert house.ground.worktrees() == [name]
        done = house.ground.ennio("session", "restore", name)
        assert done.code == 0, done.err
        house.becomes(name, "working")
