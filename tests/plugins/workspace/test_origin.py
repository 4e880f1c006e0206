"""Worktrees of a project that is about the clone itself, or about another of its remotes."""

from __future__ import annotations

from dataclasses import replace

from ennio.plugins.workspace.interface import Made
from ennio.plugins.workspace.routes import environment
from ennio.plugins.workspace.worktree import WorktreeWorkspace
from tests.plugins.workspace.ground import SESSION, Ground, commit, git, git_ok, possessions

PRESERVED = f"refs/ennio/preserved/{SESSION}"


def test_in_the_project_s_own_repository_a_commit_is_where_it_belongs(workspace: WorktreeWorkspace, ground: Ground) -> None:
    order = ground.order("worktree", repo=str(ground.hub), source=ground.hub)
    made = workspace.create(order)
    head = commit(made.path, "work", "work\n")

    git(made.path, "push", "--quiet", "-u", "origin", "HEAD", env=environment(made.path))
    seen = workspace.inspect(order)
    freed = workspace.remove(order)

    assert (seen.unpushed, freed.preserved) == (0, None)
    assert git(ground.hub, "rev-parse", order.branch) == head


def test_in_the_project_s_own_repository_a_branch_goes_once_it_is_merged_or_squashed(workspace: WorktreeWorkspace, ground: Ground) -> None:
    merged, squashed, opened = (ground.order("worktree", name, source=ground.hub) for name in ("app-1", "app-2", "app-3"))
    for order in (merged, squashed, opened):
        workspace.create(order)
        commit(order.path, order.session_id, "work\n")
    git(ground.hub, "update-ref", "refs/heads/main", git(merged.path, "rev-parse", "HEAD"))
    tree = git(ground.hub, "merge-tree", "--write-tree", "main", squashed.branch)
    git(ground.hub, "update-ref", "refs/heads/main", git(squashed.path, "commit-tree", tree, "-p", "main", "-m", "squashed"))

    for order in (merged, squashed, opened):
        (order.path / "leftover").write_text("x")
        assert workspace.remove(order).preserved is not None

    assert git(ground.hub, "for-each-ref", "--format=%(refname:short)", "refs/heads").split() == ["app-3", "main"]


def test_detached_commits_in_the_project_s_own_repository_are_kept(workspace: WorktreeWorkspace, ground: Ground) -> None:
    order = ground.order("worktree", source=ground.hub)
    workspace.create(order)
    git(order.path, "checkout", "--quiet", "--detach")
    head = commit(order.path, "work", "work\n")

    assert workspace.inspect(order).unpushed == 1
    freed = workspace.remove(order)

    assert (freed.preserved, freed.preserved_commits) == (PRESERVED, 1)
    assert git(ground.hub, "rev-parse", PRESERVED) == head


def test_origin_is_the_ordered_repository_where_the_clone_s_origin_is_another(workspace: WorktreeWorkspace, ground: Ground) -> None:
    other = ground.home.parent / "other.git"
    git(ground.home.parent, "clone", "--quiet", "--bare", str(ground.hub), str(other))
    before = possessions(ground.source)
    order = ground.order("worktree", repo=str(other))
    made = workspace.create(order)
    head = commit(made.path, "work", "work\n")

    git(made.path, "push", "--quiet", "-u", "origin", "HEAD", env=environment(made.path))
    git(made.path, "fetch", "--quiet", "origin", env=environment(made.path))

    assert git(other, "rev-parse", order.branch) == head
    assert not git_ok(ground.hub, "rev-parse", "--verify", order.branch)
    assert git(made.path, "config", "user.name", env=environment(made.path)) == "Pat"
    assert workspace.inspect(order).unpushed == 0
    workspace.remove(order)
    assert possessions(ground.source) == before


def test_a_project_about_a_clone_does_not_push_to_where_the_clone_came_from(workspace: WorktreeWorkspace, ground: Ground) -> None:
    order = ground.order("worktree", repo=str(ground.source))
    made = workspace.create(order)
    commit(made.path, "work", "work\n")

    git(made.path, "push", "--quiet", "origin", "HEAD", env=environment(made.path))

    assert not git_ok(ground.hub, "rev-parse", "--verify", order.branch)


def test_post_create_commands_know_the_route_too(workspace: WorktreeWorkspace, ground: Ground) -> None:
    order = replace(ground.order("worktree", source=ground.hub), post_create=("git fetch origin && git rev-parse origin/main",))
    workspace.create(order)
    workspace.prepare(order, Made(order.path, order.branch, ""))
    assert environment(ground.home) == environment(ground.source) == {}


def test_another_remote_of_the_clone_is_found_by_its_address(workspace: WorktreeWorkspace, ground: Ground) -> None:
    upstream = ground.home.parent / "upstream.git"
    git(ground.home.parent, "clone", "--quiet", "--bare", str(ground.hub), str(upstream))
    git(ground.source, "remote", "add", "upstream", upstream.as_uri())
    order = ground.order("worktree", repo=str(upstream))

    made = workspace.create(order)
    commit(made.path, "work", "work\n")
    git(made.path, "push", "--quiet", "origin", "HEAD", env=environment(made.path))

    assert git_ok(upstream, "rev-parse", "--verify", order.branch)
    assert workspace.inspect(order).unpushed == 0


def test_a_mirror_s_own_branches_are_not_moved_by_fetching(workspace: WorktreeWorkspace, ground: Ground) -> None:
    mirror = ground.home.parent / "mirror.git"
    git(ground.home.parent, "clone", "--quiet", "--mirror", str(ground.hub), str(mirror))
    mine = git(mirror, "commit-tree", "main^{tree}", "-p", "main", "-m", "not pushed yet")
    git(mirror, "update-ref", "refs/heads/main", mine)
    newest = ground.publish("later", "later\n")

    made = workspace.create(ground.order("worktree", source=mirror))

    assert made.base_head == newest
    assert git(mirror, "rev-parse", "main") == mine


def test_a_bare_clone_without_refspecs_and_a_single_branch_clone_remember_pushes(workspace: WorktreeWorkspace, ground: Ground) -> None:
    bare, single = ground.home.parent / "bare.git", ground.home.parent / "single"
    git(ground.home.parent, "clone", "--quiet", "--bare", str(ground.hub), str(bare))
    git(ground.home.parent, "clone", "--quiet", "--single-branch", str(ground.hub), str(single))
    for source, session in ((bare, "app-1"), (single, "app-2")):
        order = ground.order("worktree", session, source=source)
        made = workspace.create(order)
        commit(made.path, session, "work\n")
        git(made.path, "fetch", "--quiet", "origin", env=environment(made.path))
        git(made.path, "push", "--quiet", "-u", "origin", "HEAD", env=environment(made.path))
        assert workspace.inspect(order).unpushed == 0
        assert git(made.path, "rev-parse", "origin/main") == made.base_head
        assert workspace.remove(order).preserved is None
