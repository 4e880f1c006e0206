"""Branches whose names differ in letter case alone, where file names do not tell it apart."""

from __future__ import annotations

import pytest

from ennio.machine.local import LocalMachine
from ennio.model.errors import Refused
from ennio.plugins.workspace.clone import CloneWorkspace
from ennio.plugins.workspace.interface import Workspace
from ennio.plugins.workspace.worktree import WorktreeWorkspace
from tests.plugins.workspace.ground import Ground, git

KINDS: dict[str, type[WorktreeWorkspace | CloneWorkspace]] = {
    "worktree": WorktreeWorkspace,
    "clone": CloneWorkspace,
}


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def workspace(kind: str) -> Workspace:
    return KINDS[kind](LocalMachine())


def caseless(ground: Ground) -> None:
    """What git writes down where it makes a repository on such a disk."""
    git(ground.source, "config", "core.ignorecase", "true")
    with (ground.source.parent / "person" / ".gitconfig").open("a") as file:
        file.write("[core]\n\tignorecase = true\n")


def test_a_branch_of_the_remote_in_other_letters_is_refused_and_nothing_is_made(
    workspace: Workspace, kind: str, ground: Ground
) -> None:
    ground.publish("theirs", "theirs\n", "feature/Login")
    caseless(ground)
    before = git(ground.source, "for-each-ref")
    for name in ("feature/login", "Feature/other"):
        order = ground.order(kind, branch=name)
        with pytest.raises(Refused, match=r"differ in letter case alone.*choose another name"):
            workspace.create(order)
        assert not order.path.exists()
    there = git(ground.source, "for-each-ref", "refs/heads", "refs/ennio/made", "refs/remotes")
    assert set(there.splitlines()) <= set(before.splitlines())
    assert workspace.create(ground.order(kind, branch="feature/Login")).path.is_dir()


def test_where_file_names_tell_letter_case_apart_both_are_made(
    workspace: Workspace, kind: str, ground: Ground
) -> None:
    ground.publish("theirs", "theirs\n", "Fix")
    assert workspace.create(ground.order(kind, branch="fix")).branch == "fix"


def test_a_branch_that_is_only_here_in_other_letters_is_refused_too(ground: Ground) -> None:
    workspace = WorktreeWorkspace(LocalMachine())
    workspace.create(ground.order("worktree", "app-1", branch="Fix"))
    caseless(ground)
    with pytest.raises(Refused, match="branch fix and the branch Fix"):
        workspace.create(ground.order("worktree", "app-2", branch="fix"))
    assert workspace.create(ground.order("worktree", "app-1", branch="Fix")).branch == "Fix"
    assert workspace.create(ground.order("worktree", "app-3", branch="fixes")).branch == "fixes"
