"""Worktrees of a person's clone: nothing of the person's moves, nothing of the agent's is lost."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ennio.machine.local import LocalMachine
from ennio.model.errors import Refused, Unreachable
from ennio.plugins import git as all_git
from ennio.plugins.git import Git
from ennio.plugins.workspace.worktree import WorktreeWorkspace
from tests.plugins.workspace.ground import SESSION, Ground, commit, git, git_ok, possessions

PRESERVED = f"refs/ennio/preserved/{SESSION}"

MADE = f"refs/ennio/made/{SESSION}"


def test_it_starts_from_what_the_base_is_now(workspace: WorktreeWorkspace, ground: Ground) -> None:
    newest = ground.publish("later", "later\n")

    made = workspace.create(ground.order("worktree"))

    assert made.base_head == newest
    assert git(made.path, "rev-parse", "HEAD") == newest


def test_two_sessions_in_a_row_start_from_two_bases(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    first = workspace.create(ground.order("worktree"))
    newest = ground.publish("later", "later\n")
    second = workspace.create(ground.order("worktree", "app-2"))

    assert first.base_head != newest
    assert second.base_head == newest


def test_what_a_session_asks_of_git_does_not_grow_with_the_branches(
    workspace: WorktreeWorkspace, ground: Ground, asked: list[str]
) -> None:
    workspace.create(ground.order("worktree"))
    heads = "".join(f"create refs/heads/b{number} HEAD\n" for number in range(30))
    for directory, ref in ((ground.hub, "main"), (ground.source, "HEAD")):
        subprocess.run(
            ["git", "update-ref", "--stdin"],
            cwd=directory,
            input=heads.replace("HEAD", ref),
            text=True,
            check=True,
        )
    asked.clear()
    workspace.create(ground.order("worktree", "app-2"))

    verbs = ("config", "show-ref", "update-ref", "worktree", "")
    of_verbs = [next(verb for verb in verbs if f" {verb}" in line) for line in asked]
    assert sorted(of_verbs) == ["update-ref", "worktree"]
    assert not [line for line in asked if "refs/heads/b" in line]


def test_a_remote_that_has_another_address_since_the_last_session_is_noticed(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    workspace.create(ground.order("worktree"))
    newest = ground.publish("later", "later\n")
    copy = ground.hub.parent / "copy.git"
    git(ground.hub.parent, "clone", "--quiet", "--bare", str(ground.hub), str(copy))
    git(ground.source, "remote", "rename", "origin", "upstream")
    git(ground.source, "remote", "add", "origin", str(copy))
    git(ground.source, "fetch", "--quiet", "origin")

    made = workspace.create(ground.order("worktree", "app-2"))

    assert made.base_head == newest
    assert made.remote == "upstream"


def test_nothing_of_the_person_s_is_touched(workspace: WorktreeWorkspace, ground: Ground) -> None:
    before = possessions(ground.source)
    order = ground.order("worktree")

    made = workspace.create(order)
    workspace.prepare(order)
    (made.path / "work").write_text("work\n")
    workspace.inspect(order)
    during = possessions(ground.source)
    workspace.remove(order)

    assert during == before
    assert possessions(ground.source) == before
    assert not git_ok(
        made.path if made.path.exists() else ground.source,
        "config",
        f"branch.{order.branch}.remote",
    )


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


def test_an_agent_can_push_and_its_work_counts_as_pushed(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    order = ground.order("worktree")
    made = workspace.create(order)
    head = commit(made.path, "work", "work\n")
    before = workspace.inspect(order)

    git(made.path, "push", "--quiet", "-u", "origin", "HEAD")

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
    assert (
        len(counter.read_text().splitlines()) <= 6
    )  # asked once or twice by all together, not twenty times


def test_two_creates_of_one_session_at_once_make_one_worktree(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    order = ground.order("worktree")
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(workspace.create, [order] * 4))
    assert all(one == made[0] for one in made)


def test_another_git_s_lock_is_waited_for(ground: Ground) -> None:
    lock = ground.source / ".git" / "index.lock"
    lock.touch()
    with subprocess.Popen(
        [sys.executable, "-c", f"import time, os; time.sleep(0.5); os.unlink({str(lock)!r})"]
    ):
        Git(LocalMachine(), ground.source).run("add", "untracked")
    assert "A  untracked" in git(ground.source, "status", "--porcelain")


def test_a_branch_that_is_at_the_remote_is_continued(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    head = ground.publish("theirs", "theirs\n", branch="feature")

    made = workspace.create(ground.order("worktree", branch="feature"))

    assert git(made.path, "rev-parse", "HEAD") == head
    assert made.base_head == git(ground.hub, "rev-parse", "main")


def test_a_local_branch_behind_the_remote_s_is_brought_forward(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    git(ground.source, "branch", "feature", "HEAD")
    head = ground.publish("theirs", "theirs\n", branch="feature")

    assert (
        git(workspace.create(ground.order("worktree", branch="feature")).path, "rev-parse", "HEAD")
        == head
    )


def test_a_local_branch_that_went_another_way_is_left_to_the_person(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    ground.publish("theirs", "theirs\n", branch="feature")
    mine = git(ground.source, "commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "mine")
    git(ground.source, "branch", "feature", mine)

    with pytest.raises(Refused, match="different ways"):
        workspace.create(ground.order("worktree", branch="feature"))
    assert git(ground.source, "rev-parse", "feature") == mine


def test_a_local_branch_nobody_has_is_continued_and_survives_the_session(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    git(ground.source, "branch", "feature", "HEAD")
    order = ground.order("worktree", branch="feature")

    workspace.create(order)
    workspace.remove(order)

    assert git_ok(ground.source, "rev-parse", "--verify", "refs/heads/feature")


def test_a_branch_held_elsewhere_is_refused_and_the_place_is_named(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    with pytest.raises(Refused, match=f"branch mine is checked out in {ground.source}"):
        workspace.create(ground.order("worktree", branch="mine"))
    assert not ground.order("worktree").path.exists()


def test_a_base_that_is_not_there_is_refused_with_those_that_are(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    with pytest.raises(
        Refused, match=r"has no branch master; it has: main \(set the project's default_branch\)"
    ):
        workspace.create(ground.order("worktree", base="master"))


def test_a_base_that_is_not_there_is_refused_before_anything_is_made(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    workspace.insist(ground.order("worktree"))
    with pytest.raises(Refused, match="has no branch master; it has: main"):
        workspace.insist(ground.order("worktree", base="master"))
    git(ground.source, "pack-refs", "--all")
    workspace.insist(ground.order("worktree"))
    workspace.insist(ground.order("worktree", base="master", repo="http://127.0.0.1:9/app.git"))


BESIDE = [("mine/x", "mine"), ("feat", "feat/same"), ("feat/same/a/b", "feat/same")]


@pytest.mark.parametrize("where", ["here", "packed", "there"])
@pytest.mark.parametrize(("name", "other"), BESIDE)
def test_a_branch_that_git_cannot_make_beside_another_is_refused_with_the_other(
    workspace: WorktreeWorkspace,
    ground: Ground,
    asked: list[str],
    name: str,
    other: str,
    where: str,
) -> None:
    holder = ground.hub if where == "there" else ground.source
    git(holder, "branch", "--force", "feat/same", "main")
    if where == "there":
        git(holder, "branch", "mine", "main")
        git(ground.source, "checkout", "--quiet", "-B", "else")
        git(ground.source, "branch", "--quiet", "-D", "mine")
    if where == "packed":
        git(holder, "pack-refs", "--all")
    order = ground.order("worktree", branch=name)
    with pytest.raises(
        Refused, match=f"branch {name} cannot be made .* branch {other} in {holder}, as"
    ):
        workspace.insist(order)
    if where != "there":  # a remote says so when it is pushed
        with pytest.raises(Refused, match=f"branch {name} cannot be made .* branch {other} in "):
            workspace.create(order)
        assert not order.path.exists()

    git(holder, "branch", "--move", other, "out-of-the-way")
    asked.clear()
    workspace.insist(order)
    assert [line for line in asked if "for-each-ref" in line] == []
    workspace.create(order)


def test_a_folder_that_a_branch_left_is_in_nobody_s_way(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    (ground.source / ".git/refs/heads/feat/a").mkdir(parents=True)
    order = ground.order("worktree", branch="feat")
    workspace.insist(order)
    workspace.create(order)


def test_a_branch_that_a_server_has_no_place_for_is_refused(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    git(ground.source, "config", f"url.{ground.hub}.insteadOf", "https://there.test/app.git")
    git(ground.hub, "branch", "feat/same", "main")
    order = ground.order("worktree", branch="feat", repo="https://there.test/app.git")
    with pytest.raises(
        Refused, match=r"branch feat cannot be made .* branch feat/same in .*there.test"
    ):
        workspace.create(order)
    assert not git_ok(ground.source, "rev-parse", "--verify", "refs/heads/feat")


def test_a_remote_that_does_not_answer_is_unreachable_and_leaves_nothing(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    order = ground.order("worktree", repo="http://127.0.0.1:9/app.git")

    with pytest.raises(Unreachable):
        workspace.create(order)

    assert not order.path.exists()
    assert not git_ok(ground.source, "rev-parse", "--verify", f"refs/heads/{order.branch}")


def test_a_source_that_is_only_inside_a_repository_is_refused(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    (ground.source / "packages").mkdir()
    with pytest.raises(Refused, match="not the top of a git repository"):
        workspace.create(ground.order("worktree", source=ground.source / "packages"))
    with pytest.raises(Refused, match="does not exist: git clone"):
        workspace.create(ground.order("worktree", source=ground.source / "nowhere"))


def test_a_failed_create_leaves_neither_branch_nor_folder(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
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


def test_worktrees_are_listed_with_their_branches(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    order = ground.order("worktree")
    workspace.create(order)
    assert [
        (one.session_id, one.branch) for one in workspace.existing(order.path.parent, order.source)
    ] == [(SESSION, order.branch)]


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who meets a lock has the patience of a moment; what then becomes of the lock is the same."""
    monkeypatch.setattr("ennio.plugins.git._LOCK_PATIENCE", 0.1)
    words = (*all_git._QUIET, "-c", "core.filesRefLockTimeout=100")
    monkeypatch.setattr("ennio.plugins.git._QUIET", words)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("at", ["branch", "mark", "removal"])
def test_a_lock_that_a_killed_git_left_on_a_session_s_branch_stops_nothing(
    workspace: WorktreeWorkspace, ground: Ground, at: str
) -> None:
    order = ground.order("worktree")
    if at == "removal":
        workspace.create(order)
    ref = MADE if at == "mark" else f"refs/heads/{order.branch}"
    lock = ground.source / ".git" / f"{ref}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()

    if at == "removal":
        workspace.remove(order)
        assert not git_ok(ground.source, "rev-parse", "--verify", f"refs/heads/{order.branch}")
    else:
        assert git(workspace.create(order).path, "symbolic-ref", "--short", "HEAD") == order.branch
    assert not lock.exists()


@pytest.mark.usefixtures("hasty")
def test_a_lock_that_moves_is_somebody_s_and_stays(
    workspace: WorktreeWorkspace, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = ground.order("worktree")
    lock = ground.source / ".git" / f"refs/heads/{order.branch}.lock"
    lock.touch()

    def meanwhile(_seconds: float) -> None:
        lock.write_text("a git that is at it\n")

    monkeypatch.setattr("ennio.plugins.workspace.branch_locks.time.sleep", meanwhile)
    with pytest.raises(Unreachable, match=r"\.lock"):
        workspace.create(order)
    assert lock.exists()


def _fail(path: Path) -> None:
    raise KeyboardInterrupt(path)
