"""Worktrees removed: what was only there is kept, what was anywhere else is gone."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ennio.machine.interface import Command, CompletedCommand, Machine
from ennio.machine.local import LocalMachine
from ennio.model.errors import Refused
from ennio.plugins.workspace import folder
from ennio.plugins.workspace.worktree import WorktreeWorkspace
from tests.plugins.workspace.ground import SESSION, Ground, commit, git, git_ok

PRESERVED = f"refs/ennio/preserved/{SESSION}"


def test_incident_01_commits_and_files_are_kept_in_one_ref_on_top_of_head(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    order = ground.order("worktree")
    workspace.create(order)
    head = commit(order.path, "committed", "committed\n")
    (order.path / "README").write_text("changed\n")
    (order.path / "untracked").write_text("untracked\n")
    (order.path / "node_modules").mkdir()
    (order.path / "node_modules" / "big.js").write_text("ignored\n")

    freed = workspace.remove(order)

    assert (freed.preserved, freed.preserved_commits, freed.preserved_files) == (PRESERVED, 1, 2)
    assert git(ground.source, "rev-parse", f"{PRESERVED}^") == head
    assert git(ground.source, "show", f"{PRESERVED}:README") == "changed"
    assert git(ground.source, "ls-tree", "-r", "--name-only", PRESERVED).split() == [
        ".gitignore",
        "README",
        "committed",
        "untracked",
    ]
    assert not git_ok(
        ground.source, "rev-parse", "--verify", f"refs/heads/{order.branch}"
    )  # all of it is in the ref


def test_a_removal_that_was_cut_short_saves_nothing_twice(
    workspace: WorktreeWorkspace, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = ground.order("worktree")
    workspace.create(order)
    (order.path / "work").write_text("work\n")
    with monkeypatch.context() as broken:
        broken.setattr(folder, "discard", _fail)
        with pytest.raises(KeyboardInterrupt):
            workspace.remove(order)
    monkeypatch.setenv(
        "GIT_COMMITTER_DATE", "2030-01-01T00:00:00Z"
    )  # the same work, saved at another time

    assert workspace.remove(order).preserved == PRESERVED
    assert not git_ok(ground.source, "rev-parse", "--verify", f"{PRESERVED}-2")


def test_incident_07_nothing_is_left_of_a_merged_session(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    order = ground.order("worktree")
    workspace.create(order)
    commit(order.path, "work", "work\n")
    git(order.path, "push", "--quiet", "-u", "origin", "HEAD")

    freed = workspace.remove(order)

    assert freed.preserved is None
    assert not order.path.exists()
    assert (
        git(
            ground.source,
            "for-each-ref",
            "--format=%(refname)",
            f"refs/heads/{order.branch}",
            "refs/ennio",
        )
        == "refs/ennio/base/main"
    )
    assert list((ground.source / ".git" / "worktrees").glob("*")) == []
    assert order.branch not in (ground.source / ".git" / "config").read_text()
    assert list(order.path.parent.iterdir()) == []


@pytest.mark.parametrize("how", ["merged", "squashed"])
def test_a_branch_that_was_merged_and_let_go_leaves_the_clone_with_its_tracking_ref(
    workspace: WorktreeWorkspace, ground: Ground, how: str
) -> None:
    order = ground.order("worktree")
    made = workspace.create(order)
    head = commit(order.path, "work", "work\n")
    git(order.path, "push", "--quiet", "-u", "origin", "HEAD")
    if how == "merged":
        git(ground.hub, "update-ref", "refs/heads/main", head)
    else:
        tree = git(ground.hub, "rev-parse", f"{head}^{{tree}}")
        squashed = git(order.path, "commit-tree", tree, "-p", made.base_head, "-m", "squashed")
        git(order.path, "push", "--quiet", str(ground.hub), f"{squashed}:refs/heads/main")
    git(ground.hub, "update-ref", "-d", f"refs/heads/{order.branch}")

    workspace.remove(order)

    assert order.branch not in git(ground.source, "for-each-ref")


class CutShort(LocalMachine):
    """A machine that is switched off as it runs git for the last time."""

    def __init__(self, calls: int) -> None:
        super().__init__()
        self.left = calls

    def run(self, command: Command) -> CompletedCommand:
        if command.argv[0] == "git":
            self.left -= 1
            if self.left < 0:
                raise KeyboardInterrupt
        return super().run(command)


@pytest.mark.real
def test_a_removal_that_is_cut_short_anywhere_is_finished_by_the_next(ground: Ground) -> None:
    """Two deaths one after the other at each git in turn leave nothing behind."""
    for calls in range(200):
        order = ground.order("worktree", f"{SESSION}{calls}")
        made = WorktreeWorkspace(LocalMachine()).create(order)
        head = commit(order.path, f"work{calls}", "work\n")
        git(order.path, "push", "--quiet", "-u", "origin", "HEAD")
        tree = git(ground.hub, "rev-parse", f"{head}^{{tree}}")
        squashed = git(order.path, "commit-tree", tree, "-p", made.base_head, "-m", "squashed")
        git(order.path, "push", "--quiet", str(ground.hub), f"{squashed}:refs/heads/main")
        git(ground.hub, "update-ref", "-d", f"refs/heads/{order.branch}")
        machine = CutShort(calls)
        try:
            WorktreeWorkspace(machine).remove(order)
        except KeyboardInterrupt:
            WorktreeWorkspace(LocalMachine()).remove(order)
        left = git(ground.source, "for-each-ref", "--format=%(refname)")
        assert order.branch not in left, (calls, left)
        assert f"refs/ennio/made/{order.session_id}" not in left, (calls, left)
        assert order.branch not in (ground.source / ".git" / "config").read_text(), calls
        if machine.left >= 0:
            return
    raise AssertionError("a removal runs git more than 200 times")


def test_a_branch_that_was_let_go_without_a_merge_stays_in_the_clone(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    order = ground.order("worktree")
    workspace.create(order)
    head = commit(order.path, "work", "work\n")
    git(order.path, "push", "--quiet", "-u", "origin", "HEAD")
    git(ground.hub, "update-ref", "-d", f"refs/heads/{order.branch}")

    workspace.remove(order)

    assert git(ground.source, "rev-parse", f"refs/remotes/origin/{order.branch}") == head


def test_incident_06_a_branch_that_is_nowhere_else_is_not_deleted_with_its_worktree(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    order = ground.order("worktree")
    workspace.create(order)
    head = commit(order.path, "work", "work\n")
    git(order.path, "checkout", "--quiet", "--detach", "origin/main")

    workspace.remove(order)

    assert git(ground.source, "rev-parse", order.branch) == head


def test_a_commit_that_only_a_deleted_worktree_led_to_is_kept(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    order = ground.order("worktree")
    workspace.create(order)
    git(order.path, "checkout", "--quiet", "--detach")
    lonely = commit(order.path, "work", "work\n")
    folder.discard(LocalMachine(), order.path)

    workspace.remove(order)

    assert git(ground.source, "rev-parse", PRESERVED) == lonely
    assert order.session_id not in git(ground.source, "worktree", "list")


def test_read_only_folders_and_a_process_inside_do_not_keep_it_from_going(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    order = ground.order("worktree")
    workspace.create(order)
    cache = order.path / "node_modules" / "cache"
    cache.mkdir(parents=True)
    (cache / "file").write_text("x")
    cache.chmod(0o555)
    with subprocess.Popen(["sleep", "60"], cwd=cache) as inside:
        workspace.remove(order)
        assert inside.poll() is None
        inside.kill()
    assert list(order.path.parent.iterdir()) == []


def test_a_worktree_somebody_locked_is_left(workspace: WorktreeWorkspace, ground: Ground) -> None:
    order = ground.order("worktree")
    workspace.create(order)
    git(ground.source, "worktree", "lock", "--reason", "I look at it", str(order.path))

    with pytest.raises(Refused, match=r"locked \(I look at it\): git -C \S+ worktree unlock"):
        workspace.remove(order)
    assert order.path.exists()


def test_a_removal_without_source_and_folder_is_done(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    assert workspace.remove(ground.order("worktree", source=ground.source / "gone")).size == 0


def _fail(_: Machine, path: Path) -> None:
    raise KeyboardInterrupt(path)
