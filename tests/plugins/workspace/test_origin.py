"""Worktrees of a project that is about the clone itself, or about another of its remotes."""

from __future__ import annotations

from ennio.plugins.workspace.worktree import WorktreeWorkspace
from tests.plugins.workspace.ground import SESSION, Ground, commit, git, git_ok, possessions

PRESERVED = f"refs/ennio/preserved/{SESSION}"


def test_in_the_project_s_own_repository_a_commit_is_where_it_belongs(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    order = ground.order("worktree", repo=str(ground.hub), source=ground.hub)
    made = workspace.create(order)
    head = commit(made.path, "work", "work\n")

    seen = workspace.inspect(order)
    freed = workspace.remove(order)

    assert made.remote == ""
    assert (seen.unpushed, freed.preserved) == (0, None)
    assert git(ground.hub, "rev-parse", order.branch) == head


def test_in_the_project_s_own_repository_a_branch_goes_once_it_is_merged_or_squashed(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    merged, squashed, opened = (
        ground.order("worktree", name, source=ground.hub) for name in ("app-1", "app-2", "app-3")
    )
    for order in (merged, squashed, opened):
        workspace.create(order)
        commit(order.path, order.session_id, "work\n")
    git(ground.hub, "update-ref", "refs/heads/main", git(merged.path, "rev-parse", "HEAD"))
    tree = git(ground.hub, "merge-tree", "--write-tree", "main", squashed.branch)
    git(
        ground.hub,
        "update-ref",
        "refs/heads/main",
        git(squashed.path, "commit-tree", tree, "-p", "main", "-m", "squashed"),
    )

    for order in (merged, squashed, opened):
        (order.path / "leftover").write_text("x")
        assert workspace.remove(order).preserved is not None

    assert git(ground.hub, "for-each-ref", "--format=%(refname:short)", "refs/heads").split() == [
        "app-3",
        "main",
    ]


def test_detached_commits_in_the_project_s_own_repository_are_kept(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    order = ground.order("worktree", source=ground.hub)
    workspace.create(order)
    git(order.path, "checkout", "--quiet", "--detach")
    head = commit(order.path, "work", "work\n")

    assert workspace.inspect(order).unpushed == 1
    freed = workspace.remove(order)

    assert (freed.preserved, freed.preserved_commits) == (PRESERVED, 1)
    assert git(ground.hub, "rev-parse", PRESERVED) == head


def test_a_clone_that_has_no_name_for_the_ordered_repository_is_given_a_remote_that_everybody_has(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    other = ground.home.parent / "other.git"
    git(ground.home.parent, "clone", "--quiet", "--bare", str(ground.hub), str(other))
    order = ground.order("worktree", repo=str(other))
    foreseen = workspace.remote(order)
    made = workspace.create(order)
    head = commit(made.path, "work", "work\n")

    git(made.path, "push", "--quiet", "-u", made.remote, "HEAD")

    assert foreseen == made.remote == workspace.create(order).remote == "ennio"
    assert git(ground.source, "remote", "get-url", "ennio") == str(other)
    assert git(other, "rev-parse", order.branch) == head
    assert not git_ok(ground.hub, "rev-parse", "--verify", order.branch)
    assert workspace.inspect(order).unpushed == 0
    assert workspace.create(ground.order("worktree", "app-2", repo=str(other))).remote == "ennio"
    assert git(ground.source, "remote").split() == ["ennio", "origin"]


def test_a_repository_without_any_remote_is_given_its_origin(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    git(ground.source, "remote", "remove", "origin")
    assert workspace.create(ground.order("worktree")).remote == "origin"
    assert git(ground.source, "remote", "get-url", "origin") == str(ground.hub)


def test_a_person_in_a_worktree_pulls_pushes_and_fetches_like_anywhere(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    """With nothing in the environment, in a clone that calls the ordered
    repository by another name.
    """
    git(ground.source, "remote", "rename", "origin", "upstream")
    made = workspace.create(ground.order("worktree"))
    commit(made.path, "work", "work\n")
    git(made.path, "push", "--quiet", "-u", made.remote, "HEAD")
    newest = ground.publish("review", "review\n", branch=made.branch)

    git(made.path, "fetch")
    git(made.path, "pull")
    mine = commit(made.path, "mine", "mine\n")
    git(made.path, "push")

    assert made.remote == "upstream"
    assert git(ground.hub, "rev-parse", made.branch) == mine
    assert git(made.path, "rev-parse", "HEAD~1") == newest
    remotes = {
        ref.split("/")[2]
        for ref in git(ground.source, "for-each-ref", "--format=%(refname)", "refs/remotes").split()
    }
    assert remotes == {"upstream"}


def test_another_remote_of_the_clone_is_found_by_its_address(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    upstream = ground.home.parent / "upstream.git"
    git(ground.home.parent, "clone", "--quiet", "--bare", str(ground.hub), str(upstream))
    git(ground.source, "remote", "add", "upstream", upstream.as_uri())
    before = possessions(ground.source)
    order = ground.order("worktree", repo=str(upstream))

    made = workspace.create(order)
    commit(made.path, "work", "work\n")
    git(made.path, "push", "--quiet", made.remote, "HEAD")

    assert made.remote == "upstream"
    assert git_ok(upstream, "rev-parse", "--verify", order.branch)
    assert workspace.inspect(order).unpushed == 0
    workspace.remove(order)
    assert possessions(ground.source) == before


def test_a_mirror_s_own_branches_are_not_moved_by_fetching(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    mirror = ground.home.parent / "mirror.git"
    git(ground.home.parent, "clone", "--quiet", "--mirror", str(ground.hub), str(mirror))
    mine = git(mirror, "commit-tree", "main^{tree}", "-p", "main", "-m", "not pushed yet")
    git(mirror, "update-ref", "refs/heads/main", mine)
    newest = ground.publish("later", "later\n")

    made = workspace.create(ground.order("worktree", source=mirror))

    assert made.base_head == newest
    assert git(mirror, "rev-parse", "main") == mine


def test_a_bare_clone_without_refspecs_and_a_single_branch_clone_remember_pushes(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    bare, single = ground.home.parent / "bare.git", ground.home.parent / "single"
    git(ground.home.parent, "clone", "--quiet", "--bare", str(ground.hub), str(bare))
    git(ground.home.parent, "clone", "--quiet", "--single-branch", str(ground.hub), str(single))
    for source, session in ((bare, "app-1"), (single, "app-2")):
        order = ground.order("worktree", session, source=source)
        made = workspace.create(order)
        commit(made.path, session, "work\n")
        assert workspace.inspect(order).unpushed == 1
        git(made.path, "push", "--quiet", "-u", "origin", "HEAD")
        assert workspace.inspect(order).unpushed == 0
        assert workspace.remove(order).preserved is None
