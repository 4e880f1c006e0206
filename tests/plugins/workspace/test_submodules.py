"""Submodules stay empty unless they are wanted; then they are filled, with theirs,
and work in them is saved.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ennio.machine.local import LocalMachine
from ennio.model.errors import EnnioError
from ennio.plugins.workspace.clone import CloneWorkspace
from ennio.plugins.workspace.interface import Workspace, WorkspaceSpec
from ennio.plugins.workspace.worktree import WorktreeWorkspace
from tests.plugins.workspace.ground import Ground, commit, git

KINDS: dict[str, type[WorktreeWorkspace | CloneWorkspace]] = {
    "worktree": WorktreeWorkspace,
    "clone": CloneWorkspace,
}
ALLOW = ("-c", "protocol.file.allow=always")


@pytest.fixture(params=KINDS)
def workspace(request: pytest.FixtureRequest) -> Workspace:
    return KINDS[request.param](LocalMachine())


@pytest.fixture
def order(workspace: Workspace, ground: Ground, person: Path, tmp_path: Path) -> WorkspaceSpec:
    """A project with a submodule that has one of its own; the person's git may
    take them from this disk.
    """
    for name, inner in (("deep", None), ("library", "deep")):
        git(tmp_path, "init", "--quiet", name)
        commit(tmp_path / name, "lib", f"{name}\n")
        if inner:
            git(
                tmp_path / name, *ALLOW, "submodule", "--quiet", "add", str(tmp_path / inner), inner
            )
            git(tmp_path / name, "commit", "--quiet", "-m", "submodule")
    main = tmp_path / "main"
    git(tmp_path, "clone", "--quiet", str(ground.hub), str(main))
    git(main, *ALLOW, "submodule", "--quiet", "add", str(tmp_path / "library"), "library")
    git(main, "commit", "--quiet", "-m", "submodule")
    git(main, "push", "--quiet", "origin", "HEAD:main")
    git(ground.source, "config", "--global", "protocol.file.allow", "always")
    return ground.order(workspace.name, submodules=True)


def test_without_the_wish_they_stay_empty(workspace: Workspace, order: WorkspaceSpec) -> None:
    plain = replace(order, submodules=False)
    workspace.create(plain)
    workspace.prepare(plain)
    assert list((order.path / "library").iterdir()) == []
    assert workspace.inspect(plain).settled
    assert workspace.remove(plain).preserved is None


def test_they_are_filled_before_the_commands_run(
    workspace: Workspace, order: WorkspaceSpec
) -> None:
    wish = replace(order, post_create=("cat library/deep/lib > seen",))
    workspace.create(wish)
    workspace.prepare(wish)
    assert (order.path / "seen").read_text() == "deep\n"


def test_work_in_them_is_not_undone_by_a_second_preparation_and_is_saved(
    workspace: Workspace, order: WorkspaceSpec, ground: Ground
) -> None:
    workspace.create(order)
    workspace.prepare(order)
    settled = workspace.inspect(order)
    head = commit(order.path / "library", "committed", "committed\n")
    (order.path / "library" / "deep" / "lib").write_text("changed\n")
    workspace.prepare(order)

    workspace.remove(order)

    assert settled.settled
    refs = git(ground.source, "for-each-ref", "--format=%(refname)", "refs/ennio/preserved").split()
    assert any(head in git(ground.source, "rev-list", ref).split() for ref in refs)
    trees = [git(ground.source, "ls-tree", "--name-only", ref).split() for ref in refs]
    assert any(
        tree == ["lib"] and git(ground.source, "show", f"{ref}:lib") == "changed"
        for ref, tree in zip(refs, trees, strict=True)
    )
    assert not order.path.exists()


def test_one_that_cannot_be_had_is_named(
    workspace: Workspace, order: WorkspaceSpec, tmp_path: Path
) -> None:
    (tmp_path / "deep").rename(tmp_path / "away")
    workspace.create(order)
    with pytest.raises(EnnioError, match="deep"):
        workspace.prepare(order)


def test_a_project_without_any_is_as_ever(workspace: Workspace, ground: Ground) -> None:
    order = ground.order(workspace.name, submodules=True)
    workspace.create(order)
    workspace.prepare(order)
    assert workspace.inspect(order).settled
