"""What git said of remotes is kept while its files say the same, and not a moment longer."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ennio.machine.local import LocalMachine
from ennio.plugins.git import Git
from ennio.plugins.workspace.remotes import ASKED, Remotes
from ennio.plugins.workspace.settled_remotes import SettledRemotes
from tests.plugins.workspace.ground import Ground, git


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "system"
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", str(place))
    return place


@pytest.fixture
def files(ground: Ground, person: Path, system: Path) -> dict[str, Path]:
    """Where git reads settings from."""
    return {
        "repository": ground.source / ".git" / "config",
        "person": person / ".gitconfig",
        "xdg": person / ".config" / "git" / "config",
        "system": system,
    }


def now(kept: SettledRemotes, ground: Ground) -> Remotes:
    return kept.now(Git(LocalMachine(), ground.source), ground.source / ".git")


def by_git(ground: Ground) -> Remotes:
    return Remotes.read(Git(LocalMachine(), ground.source).run(*ASKED, check=False))


def test_git_is_asked_once_while_nothing_changes(
    ground: Ground, files: dict[str, Path], asked: list[str]
) -> None:
    kept = SettledRemotes()

    first, second = now(kept, ground), now(kept, ground)

    assert first == second == Remotes({"remote.origin.url": (str(ground.hub),)} | first.settings)
    assert len(asked) == 1


@pytest.mark.parametrize("where", ["repository", "person", "xdg", "system"])
def test_a_setting_is_noticed_in_whatever_file_it_comes(
    ground: Ground, files: dict[str, Path], where: str
) -> None:
    kept, place = SettledRemotes(), files[where]
    now(kept, ground)
    place.parent.mkdir(parents=True, exist_ok=True)

    git(ground.source, "config", "--file", str(place), "url.other/.insteadOf", str(ground.hub))

    assert now(kept, ground).has_rewrites
    assert now(kept, ground) == by_git(ground)
    place.write_text("".join(place.read_text().split("[url", 1)[0]))
    assert not now(kept, ground).has_rewrites


def test_what_is_written_down_of_branches_is_no_reason_to_ask(
    ground: Ground, files: dict[str, Path], asked: list[str]
) -> None:
    kept = SettledRemotes()
    now(kept, ground)
    git(ground.source, "branch", "--quiet", "--track", "a/b", "origin/main")
    git(ground.source, "config", "branch.mine.description", "one\ntwo")
    now(kept, ground)
    asked.clear()

    git(ground.source, "branch", "--quiet", "--track", "other", "origin/main")
    assert now(kept, ground).remembers("origin", "main")
    git(ground.source, "remote", "add", "other", "/nowhere")
    assert "/nowhere" in now(kept, ground).addresses

    assert len([line for line in asked if " --get-regexp " in line]) == 1


@pytest.mark.parametrize(
    "line",
    ['[branch "x"][url "a"]insteadOf = b\n', '[branch "x"]\n[url "a"]\n\tinsteadOf = b\n'],
)
def test_a_setting_beside_those_of_a_branch_is_noticed(
    ground: Ground, files: dict[str, Path], line: str
) -> None:
    kept, place = SettledRemotes(), files["repository"]
    now(kept, ground)

    with place.open("a") as file:
        file.write(line)

    assert now(kept, ground).has_rewrites


def test_a_line_that_goes_on_is_no_setting_of_a_branch(
    ground: Ground, files: dict[str, Path]
) -> None:
    kept, place = SettledRemotes(), files["repository"]
    with place.open("a") as file:
        file.write('[remote "r"]\n\turl = a\\\n[branch "x"]\n')
    assert 'a[branch "x"]'.replace('"', "") in now(kept, ground).addresses

    place.write_text(place.read_text().replace('[branch "x"]\n', '[branch "y"]\n'))

    assert now(kept, ground) == by_git(ground)


def _included(ground: Ground, files: dict[str, Path]) -> None:
    other = files["person"].parent / "other"
    other.write_text("[user]\n\tname = Other\n")
    with files["person"].open("a") as file:
        file.write(f"[include]\n\tpath = {other}\n")


def _extended(ground: Ground, files: dict[str, Path]) -> None:
    git(ground.source, "config", "extensions.worktreeConfig", "true")


def _unreadable(ground: Ground, files: dict[str, Path]) -> None:
    files["system"].mkdir()


@pytest.mark.parametrize(
    "act",
    [_included, _extended, _unreadable],
    ids=["files that are included", "an extension", "a folder"],
)
def test_where_that_cannot_be_known_git_is_asked_each_time(
    ground: Ground,
    files: dict[str, Path],
    asked: list[str],
    act: Callable[[Ground, dict[str, Path]], None],
) -> None:
    act(ground, files)
    kept = SettledRemotes()
    asked.clear()

    now(kept, ground), now(kept, ground)

    assert len(asked) == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GIT_CONFIG_COUNT", "0"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", "relative"),
    ],
)
def test_variables_that_git_reads_settings_by_are_left_to_it(
    ground: Ground,
    files: dict[str, Path],
    asked: list[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
) -> None:
    kept = SettledRemotes()
    now(kept, ground)
    asked.clear()
    monkeypatch.setenv(name, value)

    assert now(kept, ground) == by_git(ground)
    now(kept, ground)

    assert len(asked) == 3


def test_where_the_system_s_file_lies_is_what_git_says(
    ground: Ground, files: dict[str, Path], asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GIT_CONFIG_SYSTEM")
    kept = SettledRemotes()

    first, second = now(kept, ground), now(kept, ground)

    assert first == second
    assert len([line for line in asked if " --get-regexp " in line]) == 1


@pytest.mark.parametrize("there", [True, False])
def test_a_git_that_was_built_with_another_place_names_it(
    ground: Ground,
    files: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    there: bool,
) -> None:
    programs, real = tmp_path / "bin", LocalMachine().which("git")
    programs.mkdir()
    stub = programs / "git"
    stub.write_text(f'#!/bin/sh\nGIT_CONFIG_SYSTEM={files["system"]} exec {real} "$@"\n')
    stub.chmod(0o755)
    if there:
        files["system"].write_text("[user]\n\tname = All\n")
        monkeypatch.delenv("GIT_CONFIG_SYSTEM")
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    kept = SettledRemotes()
    assert not now(kept, ground).has_rewrites

    git(ground.source, "config", "--file", str(files["system"]), "url.a/.insteadOf", "b")

    assert now(kept, ground).has_rewrites
