"""A branch that was deleted by hand goes on at its last commit, and where it cannot, that is said."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from ennio.machine.local import LocalMachine
from ennio.plugins.workspace.clone import CloneWorkspace
from ennio.plugins.workspace.interface import Created, WorkspaceSpec
from ennio.plugins.workspace.worktree import WorktreeWorkspace
from tests.plugins.workspace.ground import SESSION, Ground, commit, git, git_ok


@pytest.fixture
def order(ground: Ground) -> WorkspaceSpec:
    return ground.order("worktree")


def made(order: WorkspaceSpec, *seen: str) -> Created:
    return WorktreeWorkspace(LocalMachine()).create(replace(order, seen_heads=seen))


def worked(order: WorkspaceSpec) -> str:
    """A session that committed something; its head."""
    made(order)
    return commit(order.path, "work", "not pushed\n")


def deleted(order: WorkspaceSpec, *, branch: bool = True) -> None:
    """A person deletes the working copy, and its branch."""
    shutil.rmtree(order.path)
    git(order.source, "worktree", "prune")
    if branch:
        git(order.source, "branch", "-D", order.branch)


def head(order: WorkspaceSpec) -> str:
    return git(order.path, "rev-parse", "HEAD")


def loose(order: WorkspaceSpec, name: str) -> Path:
    """The file of an object."""
    found = git(order.source, "rev-parse", name)
    return order.source / ".git" / "objects" / found[:2] / found[2:]


def preserved(order: WorkspaceSpec) -> list[str]:
    refs = git(order.source, "for-each-ref", "--format=%(objectname)", "refs/ennio/preserved")
    return refs.split()


def test_what_was_seen_of_a_branch_that_stands_changes_nothing(order: WorkspaceSpec) -> None:
    last = worked(order)
    deleted(order, branch=False)

    again = made(order, last)

    assert (head(order), again.note, again.lost) == (
        last,
        f"it goes on at {last[:7]}, its last commit",
        False,
    )


def test_a_branch_without_a_commit_of_its_own_begins_at_the_base_of_today(
    ground: Ground, order: WorkspaceSpec
) -> None:
    made(order)
    begun = head(order)
    deleted(order)
    today = ground.publish("news", "of today\n")

    again = made(order, begun)

    assert (head(order), again.note) == (today, "")


def test_the_latest_of_those_that_were_seen_counts(order: WorkspaceSpec) -> None:
    first = worked(order)
    second = commit(order.path, "more", "later\n")
    deleted(order)

    again = made(order, first, second, "0" * 40, "--all")

    assert (head(order), again.lost) == (second, False)


def test_a_commit_that_git_has_cleared_away_is_said_to_be_gone(order: WorkspaceSpec) -> None:
    last = worked(order)
    deleted(order)
    git(order.source, "reflog", "expire", "--expire=now", "--all")
    git(order.source, "gc", "--quiet", "--prune=now")

    again = made(order, last)

    assert again.lost
    assert again.note == (
        f"its last commit {last[:7]} is not in {order.source} any more: {SESSION} begins again "
        f"at {head(order)[:7]}"
    )


def test_a_commit_that_lacks_a_file_is_gone_and_nothing_is_made_of_it(order: WorkspaceSpec) -> None:
    last = worked(order)
    blob = loose(order, f"{last}:work")
    deleted(order)
    blob.unlink()

    again = made(order, last)

    assert again.lost
    assert (again.base_head, preserved(order)) == (head(order), [])
    assert git_ok(order.source, "fsck", "--connectivity-only")


def test_a_commit_goes_on_although_the_base_was_written_anew(
    ground: Ground, order: WorkspaceSpec
) -> None:
    last = worked(order)
    deleted(order)
    ground.publish("news", "of today\n")
    other = ground.hub.parent / "somebody"
    git(other, "commit", "--quiet", "--amend", "--reset-author", "-m", "another beginning")
    git(other, "push", "--quiet", "--force", "origin", "main")

    assert (made(order, last).lost, head(order)) == (False, last)


def test_incident_03_a_branch_that_was_made_again_is_never_moved_and_what_was_seen_is_kept(
    order: WorkspaceSpec,
) -> None:
    last = worked(order)
    deleted(order)
    git(order.source, "branch", order.branch, "mine")
    stands = git(order.source, "rev-parse", order.branch)

    again = made(order, last)

    assert (head(order), again.lost, preserved(order)) == (stands, True, [last])
    assert again.note == (
        f"its last commit {last[:7]} is not on {SESSION}, which is at {stands[:7]}; it is kept: "
        f"git -C {order.source} log refs/ennio/preserved/{SESSION}"
    )


def test_a_commit_that_was_amended_since_it_was_seen_is_no_loss(order: WorkspaceSpec) -> None:
    seen = worked(order)
    git(order.path, "commit", "--quiet", "--amend", "-m", "in other words")
    last = head(order)
    deleted(order, branch=False)

    again = made(order, seen)

    assert (head(order), again.note, preserved(order)) == (last, "", [])


@pytest.mark.parametrize("beyond", [True, False], ids=["beyond", "behind"])
def test_a_branch_that_was_pushed_goes_on_at_the_later_of_both(
    ground: Ground, order: WorkspaceSpec, *, beyond: bool
) -> None:
    last = worked(order)
    git(order.path, "push", "--quiet", "origin", "HEAD")
    pushed = last if beyond else ground.publish("review", "a person's\n", order.branch)
    if beyond:
        last = commit(order.path, "more", "not pushed\n")
    deleted(order)

    assert (made(order, last).lost, head(order)) == (False, last if beyond else pushed)


def test_what_went_another_way_than_the_pushed_branch_is_kept(
    ground: Ground, order: WorkspaceSpec
) -> None:
    made(order)
    git(order.path, "push", "--quiet", "origin", "HEAD")
    last = commit(order.path, "work", "not pushed\n")
    pushed = ground.publish("review", "a person's\n", order.branch)
    deleted(order)

    again = made(order, last)

    assert (head(order), again.lost, preserved(order)) == (pushed, True, [last])


def test_a_second_order_says_again_what_the_first_did(order: WorkspaceSpec) -> None:
    last = worked(order)
    deleted(order)
    made(order, last)

    assert made(order, last).note == f"it goes on at {last[:7]}, its last commit"


def test_where_the_branch_began_is_remembered_and_what_is_merged_goes_with_it(
    order: WorkspaceSpec,
) -> None:
    last = worked(order)
    begun = git(order.source, "rev-parse", f"refs/ennio/made/{SESSION}")
    deleted(order)
    made(order, last)

    assert git(order.source, "rev-parse", f"refs/ennio/made/{SESSION}") == begun
    git(order.path, "push", "--quiet", "origin", "HEAD:main")
    WorktreeWorkspace(LocalMachine()).remove(order)
    assert not git_ok(order.source, "rev-parse", "--verify", f"refs/heads/{SESSION}")


def test_nothing_is_left_of_a_branch_whose_worktree_cannot_be_added(
    order: WorkspaceSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = worked(order)
    deleted(order)

    def refuse(*_given: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr("ennio.plugins.workspace.worktree._check", refuse)
    with pytest.raises(OSError, match="no room"):
        made(order, last)
    assert not git_ok(order.source, "rev-parse", "--verify", f"refs/heads/{SESSION}")
    monkeypatch.undo()

    assert (made(order, last).lost, head(order)) == (False, last)


def test_a_clone_goes_on_at_what_its_remote_still_gives_away(ground: Ground) -> None:
    order = ground.order("clone")
    workspace = CloneWorkspace(LocalMachine())
    workspace.create(order)
    last = commit(order.path, "work", "pushed\n")
    git(order.path, "push", "--quiet", "origin", "HEAD")
    git(ground.hub, "config", "uploadpack.allowAnySHA1InWant", "true")
    git(ground.hub, "branch", "-D", order.branch)
    shutil.rmtree(order.path)

    again = workspace.create(replace(order, seen_heads=(last,)))

    assert (head(order), again.lost) == (last, False)
