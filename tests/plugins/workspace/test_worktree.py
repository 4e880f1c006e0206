"""Worktrees of a person's clone: nothing of the person's moves, nothing of the agent's is lost."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from ennio.errors import Refused, Unreachable
from ennio.plugins.git import Git
from ennio.plugins.workspace import folder
from ennio.plugins.workspace.interface import Made
from ennio.plugins.workspace.routes import environment
from ennio.plugins.workspace.worktree import WorktreeWorkspace
from tests.plugins.workspace.ground import SESSION, Ground, commit, git, git_ok, possessions

PRESERVED = f"refs/ennio/preserved/{SESSION}"
MADE = f"refs/ennio/made/{SESSION}"


@pytest.fixture
def workspace() -> WorktreeWorkspace:
    return WorktreeWorkspace()


def test_it_starts_from_what_the_base_is_now(workspace: WorktreeWorkspace, ground: Ground) -> None:
    newest = ground.publish("later", "later\n")

    made = workspace.create(ground.order("worktree"))

    assert made.base_head == newest
    assert git(made.path, "rev-parse", "HEAD") == newest


def test_two_sessions_in_a_row_start_from_two_bases(workspace: WorktreeWorkspace, ground: Ground) -> None:
    first = workspace.create(ground.order("worktree"))
    newest = ground.publish("later", "later\n")
    second = workspace.create(ground.order("worktree", "app-2"))

    assert first.base_head != newest
    assert second.base_head == newest


def test_nothing_of_the_person_s_is_touched(workspace: WorktreeWorkspace, ground: Ground) -> None:
    before = possessions(ground.source)
    order = ground.order("worktree")

    made = workspace.create(order)
    workspace.prepare(order, made)
    (made.path / "work").write_text("work\n")
    workspace.inspect(order)
    during = possessions(ground.source)
    workspace.remove(order)

    assert during == before
    assert possessions(ground.source) == before
    assert not git_ok(made.path if made.path.exists() else ground.source, "config", f"branch.{order.branch}.remote")


def test_a_person_s_hooks_do_not_fire(workspace: WorktreeWorkspace, ground: Ground) -> None:
    for name in ("post-checkout", "reference-transaction", "pre-commit", "post-index-change"):
        hook = ground.source / ".git" / "hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {ground.home.parent}/fired-{name}\nexit 1\n")
        hook.chmod(0o755)
    order = ground.order("worktree")

    workspace.create(order)
    (order.path / "work").write_text("work\n")
    assert workspace.remove(order).preserved == PRESERVED

    assert not list(ground.home.parent.glob("fired-*"))


def test_an_agent_can_push_and_its_work_counts_as_pushed(workspace: WorktreeWorkspace, ground: Ground) -> None:
    order = ground.order("worktree")
    made = workspace.create(order)
    head = commit(made.path, "work", "work\n")
    before = workspace.inspect(order)

    git(made.path, "push", "--quiet", "-u", "origin", "HEAD", env=environment(made.path))

    assert environment(made.path) == {}
    assert (before.unpushed, workspace.inspect(order).unpushed) == (1, 0)
    assert git(ground.hub, "rev-parse", order.branch) == head


def test_twenty_sessions_start_at_once(workspace: WorktreeWorkspace, ground: Ground) -> None:
    counter = ground.home.parent / "asked"
    script = ground.home.parent / "upload-pack"
    script.write_text(f'#!/bin/sh\necho x >> {counter}\nexec git-upload-pack "$@"\n')
    script.chmod(0o755)
    git(ground.source, "config", "remote.origin.uploadpack", str(script))
    newest = ground.publish("later", "later\n")
    orders = [ground.order("worktree", f"app-{number:08x}") for number in range(20)]

    with ThreadPoolExecutor(20) as pool:
        made = list(pool.map(workspace.create, orders))

    assert {one.base_head for one in made} == {newest}
    assert len({one.path for one in made}) == 20
    assert all(git(one.path, "status", "--porcelain") == "" for one in made)
    assert len(counter.read_text().splitlines()) <= 6  # asked once or twice by all together, not twenty times


def test_two_creates_of_one_session_at_once_make_one_worktree(workspace: WorktreeWorkspace, ground: Ground) -> None:
    order = ground.order("worktree")
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(workspace.create, [order] * 4))
    assert all(one == made[0] for one in made)


def test_another_git_s_lock_is_waited_for(ground: Ground) -> None:
    lock = ground.source / ".git" / "index.lock"
    lock.touch()
    with subprocess.Popen([sys.executable, "-c", f"import time, os; time.sleep(0.5); os.unlink({str(lock)!r})"]):
        Git(ground.source).run("add", "untracked")
    assert "A  untracked" in git(ground.source, "status", "--porcelain")


def test_a_branch_that_is_at_the_remote_is_continued(workspace: WorktreeWorkspace, ground: Ground) -> None:
    head = ground.publish("theirs", "theirs\n", branch="feature")

    made = workspace.create(ground.order("worktree", branch="feature"))

    assert git(made.path, "rev-parse", "HEAD") == head
    assert made.base_head == git(ground.hub, "rev-parse", "main")


def test_a_local_branch_behind_the_remote_s_is_brought_forward(workspace: WorktreeWorkspace, ground: Ground) -> None:
    git(ground.source, "branch", "feature", "HEAD")
    head = ground.publish("theirs", "theirs\n", branch="feature")

    assert git(workspace.create(ground.order("worktree", branch="feature")).path, "rev-parse", "HEAD") == head


def test_a_local_branch_that_went_another_way_is_left_to_the_person(workspace: WorktreeWorkspace, ground: Ground) -> None:
    ground.publish("theirs", "theirs\n", branch="feature")
    mine = git(ground.source, "commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "mine")
    git(ground.source, "branch", "feature", mine)

    with pytest.raises(Refused, match="different ways"):
        workspace.create(ground.order("worktree", branch="feature"))
    assert git(ground.source, "rev-parse", "feature") == mine


def test_a_local_branch_nobody_has_is_continued_and_survives_the_session(workspace: WorktreeWorkspace, ground: Ground) -> None:
    git(ground.source, "branch", "feature", "HEAD")
    order = ground.order("worktree", branch="feature")

    workspace.create(order)
    workspace.remove(order)

    assert git_ok(ground.source, "rev-parse", "--verify", "refs/heads/feature")


def test_a_branch_held_elsewhere_is_refused_and_the_place_is_named(workspace: WorktreeWorkspace, ground: Ground) -> None:
    with pytest.raises(Refused, match=f"branch mine is checked out in {ground.source}"):
        workspace.create(ground.order("worktree", branch="mine"))
    assert not ground.order("worktree").path.exists()


def test_a_base_that_is_not_there_is_refused_with_those_that_are(workspace: WorktreeWorkspace, ground: Ground) -> None:
    with pytest.raises(Refused, match=r"has no branch master; it has: main \(set the project's default_branch\)"):
        workspace.create(ground.order("worktree", base="master"))


def test_a_remote_that_does_not_answer_is_unreachable_and_leaves_nothing(workspace: WorktreeWorkspace, ground: Ground) -> None:
    order = ground.order("worktree", repo="http://127.0.0.1:9/app.git")

    with pytest.raises(Unreachable):
        workspace.create(order)

    assert not order.path.exists()
    assert not git_ok(ground.source, "rev-parse", "--verify", f"refs/heads/{order.branch}")


def test_a_source_that_is_only_inside_a_repository_is_refused(workspace: WorktreeWorkspace, ground: Ground) -> None:
    (ground.source / "packages").mkdir()
    with pytest.raises(Refused, match="not the top of a git repository"):
        workspace.create(ground.order("worktree", source=ground.source / "packages"))
    with pytest.raises(Refused, match="does not exist: git clone"):
        workspace.create(ground.order("worktree", source=ground.source / "nowhere"))


def test_a_failed_create_leaves_neither_branch_nor_folder(workspace: WorktreeWorkspace, ground: Ground) -> None:
    order = ground.order("worktree")
    ground.publish(".gitattributes", "README filter=broken\n")
    git(ground.source, "config", "filter.broken.smudge", "false")
    git(ground.source, "config", "filter.broken.required", "true")

    with pytest.raises(Refused):
        workspace.create(order)

    assert not order.path.exists()
    assert not git_ok(ground.source, "rev-parse", "--verify", f"refs/heads/{order.branch}")
    assert not git_ok(ground.source, "rev-parse", "--verify", MADE)
    assert order.session_id not in git(ground.source, "worktree", "list")


# found again


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


def test_incident_05_a_half_made_worktree_is_made_again(workspace: WorktreeWorkspace, ground: Ground) -> None:
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
    command = ["git", "-C", str(ground.source), "worktree", "add", "-q", "-b", order.branch, str(order.path)]
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
    folder.discard(order.path)
    if leave_folder:
        order.path.mkdir()

    workspace.create(order)

    assert git(order.path, "symbolic-ref", "--short", "HEAD") == order.branch
    assert git(ground.source, "rev-parse", PRESERVED) == lonely


def test_only_the_session_s_own_missing_worktree_is_forgotten(workspace: WorktreeWorkspace, ground: Ground) -> None:
    away = ground.home.parent / "on-a-disk-that-is-not-mounted"
    git(ground.source, "worktree", "add", "-q", "--detach", str(away))
    away.rename(away.with_name("unmounted"))
    order = ground.order("worktree")
    workspace.create(order)
    folder.discard(order.path)

    workspace.create(order)
    workspace.remove(order)

    assert str(away) in git(ground.source, "worktree", "list")


def test_a_deleted_git_file_is_written_again_over_nothing(workspace: WorktreeWorkspace, ground: Ground) -> None:
    order = ground.order("worktree")
    workspace.create(order)
    (order.path / "work").write_text("work\n")
    (order.path / ".git").unlink()

    seen = workspace.inspect(order)
    workspace.create(order)

    assert seen.uncommitted == 1
    assert (order.path / "work").read_text() == "work\n"
    assert git(order.path, "status", "--porcelain") == "?? work"


def test_a_folder_of_somebody_else_s_is_neither_used_nor_removed(workspace: WorktreeWorkspace, ground: Ground) -> None:
    order = ground.order("worktree")
    order.path.mkdir(parents=True)
    (order.path / "theirs").write_text("theirs")

    for call in (workspace.create, workspace.remove, workspace.inspect):
        with pytest.raises(Refused, match="in the way"):
            call(order)
    assert (order.path / "theirs").read_text() == "theirs"


# removed


def test_incident_01_commits_and_files_are_kept_in_one_ref_on_top_of_head(workspace: WorktreeWorkspace, ground: Ground) -> None:
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
    assert git(ground.source, "ls-tree", "-r", "--name-only", PRESERVED).split() == [".gitignore", "README", "committed", "untracked"]
    assert not git_ok(ground.source, "rev-parse", "--verify", f"refs/heads/{order.branch}")  # all of it is in the ref


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
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2030-01-01T00:00:00Z")  # the same work, saved at another time

    assert workspace.remove(order).preserved == PRESERVED
    assert not git_ok(ground.source, "rev-parse", "--verify", f"{PRESERVED}-2")


def test_incident_07_nothing_is_left_of_a_merged_session(workspace: WorktreeWorkspace, ground: Ground) -> None:
    order = ground.order("worktree")
    made = workspace.create(order)
    commit(order.path, "work", "work\n")
    git(order.path, "push", "--quiet", "-u", "origin", "HEAD", env=environment(made.path))

    freed = workspace.remove(order)

    assert freed.preserved is None
    assert not order.path.exists()
    assert git(ground.source, "for-each-ref", "--format=%(refname)", f"refs/heads/{order.branch}", "refs/ennio") == ""
    assert list((ground.source / ".git" / "worktrees").glob("*")) == []
    assert order.branch not in (ground.source / ".git" / "config").read_text()
    assert list(order.path.parent.iterdir()) == []


def test_incident_06_a_branch_that_is_nowhere_else_is_not_deleted_with_its_worktree(workspace: WorktreeWorkspace, ground: Ground) -> None:
    order = ground.order("worktree")
    workspace.create(order)
    head = commit(order.path, "work", "work\n")
    git(order.path, "checkout", "--quiet", "--detach", "origin/main")

    workspace.remove(order)

    assert git(ground.source, "rev-parse", order.branch) == head


def test_a_commit_that_only_a_deleted_worktree_led_to_is_kept(workspace: WorktreeWorkspace, ground: Ground) -> None:
    order = ground.order("worktree")
    workspace.create(order)
    git(order.path, "checkout", "--quiet", "--detach")
    lonely = commit(order.path, "work", "work\n")
    folder.discard(order.path)

    workspace.remove(order)

    assert git(ground.source, "rev-parse", PRESERVED) == lonely
    assert order.session_id not in git(ground.source, "worktree", "list")


def test_read_only_folders_and_a_process_inside_do_not_keep_it_from_going(workspace: WorktreeWorkspace, ground: Ground) -> None:
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

    with pytest.raises(Refused, match=r"locked \(I look at it\): git worktree unlock"):
        workspace.remove(order)
    assert order.path.exists()


def test_a_removal_without_source_and_folder_is_done(workspace: WorktreeWorkspace, ground: Ground) -> None:
    assert workspace.remove(ground.order("worktree", source=ground.source / "gone")).size == 0


def test_worktrees_are_listed_with_their_branches(workspace: WorktreeWorkspace, ground: Ground) -> None:
    order = ground.order("worktree")
    workspace.create(order)
    assert [(one.session_id, one.branch) for one in workspace.standing(order.path.parent, order.source)] == [(SESSION, order.branch)]


# the project is about the clone itself, or about another remote


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

    assert git_ok(ground.source, "rev-parse", "--verify", "refs/remotes/upstream/main")
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


def _fail(path: Path) -> None:
    raise KeyboardInterrupt(path)
