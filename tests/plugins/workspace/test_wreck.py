"""Worktrees that were cut short, damaged or taken elsewhere: found again, with
everything that was in them.
"""

from __future__ import annotations

import subprocess

import pytest

from ennio.machine.local import LocalMachine
from ennio.model.errors import Refused
from ennio.plugins.workspace import folder
from ennio.plugins.workspace.worktree import WorktreeWorkspace
from tests.plugins.workspace.ground import SESSION, Ground, commit, git

PRESERVED = f"refs/ennio/preserved/{SESSION}"


def test_incident_03_a_worktree_on_another_branch_or_in_the_middle_of_a_rebase_is_returned_as_it_is(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    order = ground.order("worktree")
    workspace.create(order)
    git(order.path, "checkout", "--quiet", "--detach")
    (order.path / "README").write_text("200 uncommitted lines\n")

    detached = workspace.create(order)
    git(order.path, "checkout", "--quiet", "-b", "agents-own")
    elsewhere = workspace.create(order)

    assert (detached.branch, elsewhere.branch) == (order.branch, "agents-own")
    assert (order.path / "README").read_text() == "200 uncommitted lines\n"


def test_incident_05_a_half_made_worktree_is_made_again(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    order = ground.order("worktree")
    for name in range(300):
        (ground.source / f"many{name}").write_text("x" * 2000)
    git(ground.source, "add", ".")
    git(ground.source, "commit", "--quiet", "-m", "many")
    git(ground.source, "push", "--quiet", "origin", "HEAD:main")
    slow = ground.source / ".git" / "info" / "attributes"
    slow.write_text("many* filter=slow\n")
    git(ground.source, "config", "filter.slow.smudge", "sleep 0.2; cat")
    order.path.parent.mkdir(parents=True)
    command = [
        "git",
        "-C",
        str(ground.source),
        "worktree",
        "add",
        "-q",
        "-b",
        order.branch,
        str(order.path),
    ]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        while not list(order.path.glob("many*")):
            assert process.poll() is None
        process.kill()
    git(ground.source, "config", "--remove-section", "filter.slow")
    slow.unlink()
    assert "locked initializing" in git(ground.source, "worktree", "list", "--porcelain")

    made = workspace.create(order)

    assert git(made.path, "status", "--porcelain") == ""
    assert len(list(made.path.glob("many*"))) == 300


@pytest.mark.parametrize("leave_folder", [True, False])
def test_a_worktree_whose_folder_was_deleted_is_made_again_and_its_commits_are_kept(
    workspace: WorktreeWorkspace, ground: Ground, leave_folder: bool
) -> None:
    order = ground.order("worktree")
    workspace.create(order)
    git(order.path, "checkout", "--quiet", "--detach")
    lonely = commit(order.path, "work", "work\n")
    folder.discard(LocalMachine(), order.path)
    if leave_folder:
        order.path.mkdir()

    workspace.create(order)

    assert git(order.path, "symbolic-ref", "--short", "HEAD") == order.branch
    assert git(ground.source, "rev-parse", PRESERVED) == lonely


def test_only_the_session_s_own_missing_worktree_is_forgotten(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    away = ground.home.parent / "on-a-disk-that-is-not-mounted"
    git(ground.source, "worktree", "add", "-q", "--detach", str(away))
    away.rename(away.with_name("unmounted"))
    order = ground.order("worktree")
    workspace.create(order)
    folder.discard(LocalMachine(), order.path)

    workspace.create(order)
    workspace.remove(order)

    assert str(away) in git(ground.source, "worktree", "list")


def test_a_deleted_git_file_is_written_again_over_nothing(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    order = ground.order("worktree")
    workspace.create(order)
    (order.path / "work").write_text("work\n")
    (order.path / ".git").unlink()

    seen = workspace.inspect(order)
    workspace.create(order)

    assert seen.uncommitted == 1
    assert (order.path / "work").read_text() == "work\n"
    assert git(order.path, "status", "--porcelain") == "?? work"


def test_a_folder_of_somebody_else_s_is_neither_used_nor_removed(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    order = ground.order("worktree")
    order.path.mkdir(parents=True)
    (order.path / "theirs").write_text("theirs")

    for call in (workspace.create, workspace.remove, workspace.inspect):
        with pytest.raises(Refused, match="in the way"):
            call(order)
    assert (order.path / "theirs").read_text() == "theirs"
