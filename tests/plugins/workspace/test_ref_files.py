"""Refs read from files: either what git says of them, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ennio.machine.local import LocalMachine
from ennio.plugins.workspace import ref_files
from ennio.plugins.workspace.worktree import WorktreeWorkspace
from tests.plugins.workspace.ground import Ground, git

REFS = ("refs/heads/main", "refs/heads/nowhere", "refs/heads/a/b")


@pytest.fixture
def hub(ground: Ground) -> Path:
    git(ground.hub, "branch", "a/b", "main")
    return ground.hub


def told(hub: Path, refs: tuple[str, ...] = REFS) -> Mapping[str, str] | None:
    return ref_files.tips(LocalMachine(), hub, hub, refs)


def by_git(hub: Path) -> Mapping[str, str]:
    lines = git(hub, "for-each-ref", "--format=%(refname) %(objectname)", *REFS).splitlines()
    return dict(line.split(" ") for line in lines)


def _packed_and_moved_on(hub: Path) -> None:
    git(hub, "pack-refs", "--all")
    later = git(hub, "commit-tree", "-p", "main", "-m", "later", "main^{tree}")
    git(hub, "update-ref", "refs/heads/main", later)


@pytest.mark.parametrize(
    "act",
    [
        lambda hub: hub,
        lambda hub: git(hub, "pack-refs", "--all"),
        _packed_and_moved_on,
        lambda hub: (
            git(hub, "tag", "-a", "-m", "first", "v1", "main") + git(hub, "pack-refs", "--all")
        ),
    ],
    ids=["loose", "packed", "moved on since it was packed", "packed beside a peeled tag"],
)
def test_plain_refs_are_what_git_says(hub: Path, act: Callable[[Path], object]) -> None:
    act(hub)

    assert told(hub) == by_git(hub)
    assert set(by_git(hub)) == {"refs/heads/main", "refs/heads/a/b"}


def _linked(hub: Path) -> None:
    ref = hub / "refs" / "heads" / "main"
    git(hub, "branch", "other", "main")
    ref.unlink()
    ref.symlink_to("other")


@pytest.mark.parametrize(
    "act",
    [
        lambda hub: git(hub, "symbolic-ref", "refs/heads/nowhere", "refs/heads/main"),
        _linked,
        lambda hub: (hub / "refs/heads/nowhere").write_text("no commit\n"),
        lambda hub: (hub / "refs/heads/nowhere").mkdir(),
        lambda hub: (hub / "packed-refs").write_text("broken refs/heads/nowhere\n"),
        lambda hub: (hub / "packed-refs").write_bytes(b"#" * (2 << 20)),
        lambda hub: git(hub, "config", "extensions.worktreeConfig", "true"),
        lambda hub: git(hub, "config", "core.repositoryFormatVersion", "1"),
        lambda hub: (hub / "config").unlink() or (hub / "config").mkdir(),
    ],
    ids=[
        "a ref that stands for another",
        "a ref that is a link",
        "a broken ref",
        "a folder in its place",
        "broken packed refs",
        "packed refs without an end",
        "an extension",
        "another format",
        "a configuration that cannot be read",
    ],
)
def test_what_only_git_can_tell_is_left_to_it(hub: Path, act: Callable[[Path], object]) -> None:
    assert told(hub) is not None
    act(hub)

    assert told(hub) is None


def test_a_repository_in_which_git_would_not_work_for_us_is_left_to_it(hub: Path) -> None:
    class Others(LocalMachine):
        user = LocalMachine().user + 1  # type: ignore[assignment]

    assert ref_files.tips(Others(), hub, hub, REFS) is None


def test_what_leads_to_a_repository_is_left_to_git_but_for_a_link(hub: Path) -> None:
    link, tree = hub.parent / "link.git", hub.parent / "tree"
    link.symlink_to(hub)
    git(hub, "worktree", "add", "--quiet", str(tree), "a/b")

    assert ref_files.tips(LocalMachine(), link, hub, REFS) == by_git(hub)
    assert ref_files.tips(LocalMachine(), tree, hub, REFS) is None


def test_a_base_whose_commit_is_gone_here_is_fetched_again(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    workspace.create(ground.order("worktree"))
    newest = ground.publish("later", "later\n")
    kept = ground.source / ".git" / "refs" / "ennio" / "base" / "main"
    kept.write_text(f"{newest}\n")

    made = workspace.create(ground.order("worktree", "app-2"))

    assert made.base_head == newest
    assert (made.path / "later").read_text() == "later\n"
    assert git(made.path, "symbolic-ref", "--short", "HEAD") == "app-2"
