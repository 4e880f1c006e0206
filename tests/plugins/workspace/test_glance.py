"""What a look that starts no process sees of a working copy."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ennio.machine.local import LocalMachine
from ennio.model.facts import Place
from ennio.plugins.workspace.clone import CloneWorkspace
from ennio.plugins.workspace.interface import Glance, WorkspaceSpec
from ennio.plugins.workspace.worktree import WorktreeWorkspace
from tests.plugins.workspace.ground import Ground, commit, git, git_ok

KINDS: dict[str, type[WorktreeWorkspace | CloneWorkspace]] = {
    "worktree": WorktreeWorkspace,
    "clone": CloneWorkspace,
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def order(kind: str, ground: Ground) -> WorkspaceSpec:
    made = ground.order(kind)
    KINDS[kind](LocalMachine()).create(made)
    return made


@pytest.fixture
def look(
    kind: str, order: WorkspaceSpec, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Glance | None]:
    """Looks, and fails when it takes a process."""

    def looked() -> Glance | None:
        with monkeypatch.context() as here:
            here.setattr(subprocess, "Popen", None)
            return KINDS[kind](LocalMachine()).glance(order.path, order.branch, order.source)

    return looked


Look = Callable[[], Glance | None]


def test_what_stands_stands_also_with_packed_refs_and_in_the_middle_of_a_rebase(
    order: WorkspaceSpec, look: Look
) -> None:
    seen = [look()]
    git(order.path, "pack-refs", "--all")
    seen.append(look())
    commit(order.path, "README", "here\n")
    git(order.path, "branch", "other", "HEAD~1")
    git(order.path, "checkout", "--quiet", "other")
    commit(order.path, "README", "there\n")
    git(order.path, "checkout", "--quiet", order.branch)
    assert not git_ok(order.path, "rebase", "other")
    seen.append(look())

    assert seen == [Glance(Place.STANDING)] * 3


def test_a_folder_that_was_removed_is_gone(order: WorkspaceSpec, look: Look) -> None:
    shutil.rmtree(order.path)
    seen = look()
    assert seen is not None
    assert seen.place is Place.GONE


def test_a_worktree_that_was_moved_is_found(ground: Ground) -> None:
    order = ground.order("worktree")
    workspace = WorktreeWorkspace(LocalMachine())
    workspace.create(order)
    git(ground.source, "worktree", "move", str(order.path), str(ground.home / "moved"))
    assert workspace.glance(order.path, order.branch, order.source) == Glance(
        Place.MOVED, str(ground.home / "moved")
    )


def test_a_branch_that_was_deleted_with_its_worktree_is_told_of(ground: Ground) -> None:
    order = ground.order("worktree")
    workspace = WorktreeWorkspace(LocalMachine())
    workspace.create(order)
    git(ground.source, "worktree", "remove", "--force", str(order.path))
    assert workspace.glance(order.path, order.branch, order.source) == Glance(Place.GONE)
    git(ground.source, "branch", "-D", order.branch)
    assert workspace.glance(order.path, order.branch, order.source) == Glance(
        Place.GONE, order.branch
    )


def test_a_deleted_branch_a_detached_head_and_another_branch_are_told_apart(
    order: WorkspaceSpec, look: Look
) -> None:
    head = git(order.path, "rev-parse", "HEAD")
    git(order.path, "checkout", "--quiet", "--detach")
    detached = look()
    git(order.path, "checkout", "--quiet", "-b", "feature/other")
    astray = look()
    git(order.path, "checkout", "--quiet", order.branch)
    git(order.path, "update-ref", "-d", f"refs/heads/{order.branch}")

    assert (detached, astray) == (
        Glance(Place.DETACHED, head[:10]),
        Glance(Place.ASTRAY, "feature/other"),
    )
    assert look() == Glance(Place.BRANCHLESS, head)


def test_files_without_their_repository_are_cut_off(order: WorkspaceSpec, look: Look) -> None:
    place = order.path / ".git"
    place.rename(order.path / "away")
    assert look() == Glance(Place.CUT_OFF)


def test_a_disk_that_is_away_is_unknown_and_not_gone(
    order: WorkspaceSpec, look: Look, ground: Ground
) -> None:
    ground.home.rename(ground.home.with_name("unmounted"))
    assert look() is None


def test_a_worktree_that_was_removed_is_made_again_with_all_that_was_committed(
    ground: Ground,
) -> None:
    order = ground.order("worktree")
    workspace = WorktreeWorkspace(LocalMachine())
    workspace.create(order)
    head = commit(order.path, "work", "work\n")
    shutil.rmtree(order.path)

    workspace.create(order)

    assert git(order.path, "rev-parse", "HEAD") == head
    assert Path(order.path / "work").read_text() == "work\n"


@pytest.mark.parametrize("holder", ["main", "worktree"])
def test_a_branch_that_is_checked_out_elsewhere_is_told_with_the_place(
    ground: Ground, holder: str
) -> None:
    order = ground.order("worktree")
    workspace = WorktreeWorkspace(LocalMachine())
    workspace.create(order)
    git(order.path, "checkout", "--quiet", "--detach")
    place = ground.source
    if holder == "main":
        git(ground.source, "stash", "--include-untracked", "--quiet")
        git(ground.source, "checkout", "--quiet", order.branch)
    else:
        place = ground.home / "mine"
        git(ground.source, "worktree", "add", "--quiet", str(place), order.branch)

    seen = workspace.glance(order.path, order.branch, order.source)

    assert seen is not None
    assert (seen.place, seen.elsewhere) == (Place.DETACHED, str(place))
