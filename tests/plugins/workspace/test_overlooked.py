"""Work that git does not look at, cannot read, or keeps out of sight: it is saved, or named, or
keeps its working copy from going.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from ennio.machine.local import LocalMachine
from ennio.model.errors import Refused
from ennio.plugins.workspace.clone import CloneWorkspace
from ennio.plugins.workspace.interface import UnsavedPath, Workspace, WorkspaceSpec
from ennio.plugins.workspace.worktree import WorktreeWorkspace
from tests.plugins.workspace.ground import SESSION, Ground, commit, git, git_ok

PRESERVED = f"refs/ennio/preserved/{SESSION}"
KINDS: dict[str, type[WorktreeWorkspace | CloneWorkspace]] = {
    "worktree": WorktreeWorkspace,
    "clone": CloneWorkspace,
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def workspace(kind: str) -> Workspace:
    return KINDS[kind](LocalMachine())


@pytest.fixture
def order(workspace: Workspace, kind: str, ground: Ground) -> WorkspaceSpec:
    made = ground.order(kind)
    workspace.create(made)
    return made


def _saved(ground: Ground) -> list[str]:
    return git(ground.source, "for-each-ref", "--format=%(refname)", "refs/ennio/preserved").split()


@pytest.mark.parametrize("flag", ["skip-worktree", "assume-unchanged"])
def test_a_change_that_git_was_told_not_to_look_at_is_saved(
    workspace: Workspace, order: WorkspaceSpec, ground: Ground, flag: str
) -> None:
    git(order.path, "update-index", f"--{flag}", "README")
    (order.path / "README").write_text("hours of work\n")
    flags = git(order.path, "ls-files", "-v")

    seen = workspace.inspect(order)
    foreseen = workspace.remove(order, dry_run=True)
    still = git(order.path, "ls-files", "-v")
    freed = workspace.remove(order)

    assert (seen.uncommitted, foreseen) == (1, freed)
    assert still == flags
    assert git(ground.source, "show", f"{PRESERVED}:README") == "hours of work"


def test_what_a_sparse_check_out_leaves_out_is_no_deletion_and_what_is_there_all_the_same_is_saved(
    workspace: Workspace, order: WorkspaceSpec, ground: Ground
) -> None:
    for name in ("in/a", "out/b", "out/c"):
        commit(order.path, name, name)
    git(order.path, "push", "--quiet", "origin", "HEAD")
    git(order.path, "sparse-checkout", "set", "in")
    assert workspace.inspect(order).uncommitted == 0
    (order.path / "out").mkdir()
    (order.path / "out" / "b").write_text("changed out of sight\n")

    assert workspace.inspect(order).uncommitted == 1
    workspace.remove(order)

    assert git(ground.source, "show", f"{PRESERVED}:out/b") == "changed out of sight"
    assert git(ground.source, "show", f"{PRESERVED}:out/c") == "out/c"


def test_ignored_files_are_named_with_their_sizes_before_they_go(
    workspace: Workspace, order: WorkspaceSpec, ground: Ground
) -> None:
    (order.path / "node_modules" / "deep").mkdir(parents=True)
    (order.path / "node_modules" / "deep" / "one").write_bytes(b"x" * 700)
    (order.path / "node_modules" / "two").write_bytes(b"x" * 11)
    (order.path / "build.log").write_bytes(b"x" * 5)
    expected = (
        UnsavedPath("build.log", 5, "ignored"),
        UnsavedPath("node_modules/", 711, "ignored"),
    )

    foreseen = workspace.remove(order, dry_run=True)
    freed = workspace.remove(order)

    assert (foreseen.unsaved, freed.unsaved, freed.preserved) == (expected, expected, None)


def test_what_has_no_content_is_named(workspace: Workspace, order: WorkspaceSpec) -> None:
    os.mkfifo(order.path / "pipe")
    with socket.socket(socket.AF_UNIX) as server, _working_in(order.path):
        server.bind("s")

    assert workspace.remove(order).unsaved == (
        UnsavedPath("pipe", 0, "FIFO"),
        UnsavedPath("s", 0, "socket"),
    )


def test_a_tracked_file_that_became_a_pipe_does_not_keep_git_waiting(
    workspace: Workspace, order: WorkspaceSpec, ground: Ground
) -> None:
    (order.path / "README").unlink()
    os.mkfifo(order.path / "README")
    (order.path / "work").write_text("work\n")

    assert workspace.remove(order).unsaved == (UnsavedPath("README", 0, "FIFO"),)
    assert git(ground.source, "show", f"{PRESERVED}:work") == "work"


def test_a_repository_amid_tracked_files_is_saved_with_its_commits(
    workspace: Workspace, order: WorkspaceSpec, ground: Ground
) -> None:
    commit(order.path, "src/tracked", "tracked\n")
    git(order.path, "push", "--quiet", "origin", "HEAD")
    git(order.path / "src", "init", "--quiet")
    inner = commit(order.path / "src", "inner", "inner\n")
    (order.path / "src" / "loose").write_text("loose\n")

    workspace.remove(order)

    assert any(
        git_ok(ground.source, "merge-base", "--is-ancestor", inner, ref) for ref in _saved(ground)
    )
    assert any(
        "loose" in git(ground.source, "ls-tree", "--name-only", ref).split()
        for ref in _saved(ground)
    )


def test_a_broken_repository_inside_keeps_the_working_copy(
    workspace: Workspace, order: WorkspaceSpec
) -> None:
    (order.path / "fixture" / ".git").mkdir(parents=True)
    (order.path / "fixture" / ".git" / "objects.pack").write_text("who knows")
    (order.path / "fixture" / "file").write_text("x")

    for dry_run in (True, False):
        with pytest.raises(Refused, match=r"fixture/\.git \(it is no repository\)"):
            workspace.remove(order, dry_run=dry_run)
    assert (order.path / "fixture" / ".git" / "objects.pack").exists()


def test_names_that_differ_in_case_alone_are_both_saved(
    workspace: Workspace, order: WorkspaceSpec, ground: Ground
) -> None:
    git(order.path, "config", "core.ignoreCase", "true")
    (order.path / "readme").write_text("small\n")
    (order.path / "ReadMe").write_text("mixed\n")

    workspace.remove(order)

    names = git(ground.source, "ls-tree", "--name-only", PRESERVED).split()
    assert sorted(names) == [".gitignore", "README", "ReadMe", "readme"]


def test_names_that_are_not_utf_8_are_saved_and_named(
    workspace: Workspace, order: WorkspaceSpec, ground: Ground
) -> None:
    (order.path / os.fsdecode(b"caf\xe9")).write_bytes(b"\xff\x00")
    (order.path / os.fsdecode(b"caf\xe9.log")).write_bytes(b"12345")

    freed = workspace.remove(order)

    assert '"caf\\351"' in git(ground.source, "ls-tree", "--name-only", PRESERVED)
    assert freed.unsaved == (UnsavedPath("caf\\xe9.log", 5, "ignored"),)


def test_a_file_that_never_holds_still_keeps_the_working_copy(
    workspace: Workspace, order: WorkspaceSpec, ground: Ground, tmp_path: Path
) -> None:
    """The change comes from git's own filter, and so in the very moment between the
    reading and the look after it.
    """
    restless = tmp_path / "restless"
    restless.write_text(f"#!/bin/sh\ncat\necho more >>{order.path}/restless\n")
    restless.chmod(0o755)
    git(order.path, "config", "filter.restless.clean", str(restless))
    (order.path / ".gitattributes").write_text("restless filter=restless\n")
    (order.path / "restless").write_text("x\n")

    with pytest.raises(Refused, match=r"restless in .* changed again and again"):
        workspace.remove(order)
    assert (order.path / "restless").exists()


def test_files_that_come_and_go_meanwhile_keep_nothing_else_from_being_saved(
    workspace: Workspace, order: WorkspaceSpec, ground: Ground
) -> None:
    over = threading.Event()

    def write() -> None:
        for number in range(2000):
            if over.is_set():
                break
            path = order.path / f"temporary-{number % 7}"
            with suppress(OSError):  # the folder goes in the end
                path.write_text(str(number))
                path.unlink()

    (order.path / "work").write_text("work\n")
    writer = threading.Thread(target=write)
    writer.start()
    with suppress(Refused):  # it may come to that; then all is still there
        workspace.remove(order)
    over.set()
    writer.join()
    workspace.remove(order)

    assert git(ground.source, "show", f"{PRESERVED}:work") == "work"


def test_a_lock_that_a_killed_git_left_keeps_nothing_from_being_saved(
    workspace: Workspace, order: WorkspaceSpec, ground: Ground
) -> None:
    (order.path / "work").write_text("work\n")
    lock = order.path / git(order.path, "rev-parse", "--git-path", "index.lock")
    lock.touch()

    workspace.remove(order)

    assert git(ground.source, "show", f"{PRESERVED}:work") == "work"


def test_a_file_that_is_only_intended_to_be_added_is_saved(
    workspace: Workspace, order: WorkspaceSpec, ground: Ground
) -> None:
    (order.path / "meant").write_text("meant\n")
    git(order.path, "add", "--intent-to-add", "meant")

    workspace.remove(order)

    assert git(ground.source, "show", f"{PRESERVED}:meant") == "meant"


def test_a_rebase_that_stands_still_is_saved_with_what_it_began_with_and_what_it_put_aside(
    workspace: Workspace, order: WorkspaceSpec, ground: Ground
) -> None:
    for text in ("here\n", "and here\n"):
        commit(order.path, "README", text)
    before = git(order.path, "rev-parse", "HEAD")
    git(order.path, "checkout", "--quiet", "--detach", f"{before}~2")
    commit(order.path, "README", "another way\n")
    git(order.path, "checkout", "--quiet", "-B", "work", before)
    (order.path / ".gitignore").write_text("put aside\n")
    assert not git_ok(order.path, "rebase", "--autostash", "HEAD@{1}")
    put_aside = (
        (order.path / git(order.path, "rev-parse", "--git-path", "rebase-merge/autostash"))
        .read_text()
        .strip()
    )

    workspace.remove(order)

    for wanted in (before, put_aside):
        places = git(
            ground.source,
            "for-each-ref",
            "--contains",
            wanted,
            "refs/ennio/preserved",
            "refs/heads",
        )
        assert places, f"{wanted} is nowhere"


def test_the_other_side_of_an_unfinished_merge_is_saved(
    workspace: Workspace, order: WorkspaceSpec, ground: Ground
) -> None:
    git(order.path, "checkout", "--quiet", "--detach")
    theirs = commit(order.path, "README", "theirs\n")
    git(order.path, "checkout", "--quiet", order.branch)
    commit(order.path, "README", "ours\n")
    assert not git_ok(order.path, "merge", theirs)

    workspace.remove(order)

    assert git(ground.source, "for-each-ref", "--contains", theirs, "refs/ennio/preserved")


def test_detached_commits_and_those_a_reset_left_behind_are_saved_and_amended_ones_are_not(
    workspace: Workspace, order: WorkspaceSpec, ground: Ground
) -> None:
    amended = commit(order.path, "amended", "first\n")
    git(order.path, "commit", "--quiet", "--amend", "-m", "second")
    git(order.path, "push", "--quiet", "origin", "HEAD")
    reset = commit(order.path, "reset", "x\n")
    git(order.path, "reset", "--quiet", "--hard", "HEAD~1")
    git(order.path, "checkout", "--quiet", "--detach")
    detached = commit(order.path, "detached", "x\n")

    workspace.remove(order)

    for wanted in (reset, detached):
        assert git(ground.source, "for-each-ref", "--contains", wanted, "refs/ennio/preserved"), (
            wanted
        )
    assert not git_ok(ground.source, "cat-file", "-e", amended) or not git(
        ground.source, "for-each-ref", "--contains", amended
    )


def test_branches_stashes_and_tags_of_the_agent_s_are_somewhere_afterwards(
    workspace: Workspace, order: WorkspaceSpec, ground: Ground
) -> None:
    git(order.path, "checkout", "--quiet", "-b", "side")
    side = commit(order.path, "side", "side\n")
    git(order.path, "checkout", "--quiet", "--detach", order.branch)
    tagged = commit(order.path, "tagged", "tagged\n")
    git(order.path, "tag", "light")
    git(order.path, "checkout", "--quiet", order.branch)
    git(order.path, "tag", "-a", "-m", "words about what is pushed already", "heavy")
    heavy = git(order.path, "rev-parse", "heavy")
    (order.path / "README").write_text("stashed\n")
    git(order.path, "stash")
    stash = git(order.path, "rev-parse", "stash")

    workspace.remove(order)

    for wanted in (side, tagged):
        assert git(ground.source, "for-each-ref", "--contains", wanted), wanted
    assert heavy in git(ground.source, "for-each-ref", "--format=%(objectname)").split()
    assert stash in git(ground.source, "log", "--all", "--format=%H").split()


def test_tags_that_are_in_the_person_s_clone_already_are_no_work(
    kind: str, workspace: Workspace, ground: Ground
) -> None:
    git(ground.source, "tag", "-a", "-m", "release", "v1", "origin/main")
    git(ground.source, "push", "--quiet", "origin", "v1")
    order = ground.order(kind)
    workspace.create(order)

    assert workspace.remove(order).preserved is None


@pytest.mark.parametrize("spoilt", ["file", "folder"])
def test_what_cannot_be_read_keeps_the_working_copy_and_is_named(
    tmp_path: Path, person: Path, kind: str, spoilt: str
) -> None:
    program = Path(__file__).with_name("unreadable.py")
    command = [sys.executable, str(program), str(tmp_path), kind, spoilt]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)

    said = done.stdout + done.stderr
    assert said.count(f"w/{SESSION}/secret") == 2, said  # the dry run says it too
    assert said.endswith("kept\n")


def test_a_worktree_in_an_ignored_folder_is_saved(
    workspace: Workspace, order: WorkspaceSpec, ground: Ground
) -> None:
    (order.path / ".gitignore").write_text("node_modules/\n*.log\n.trees/\n")
    git(order.path, "worktree", "add", "--quiet", "--detach", str(order.path / ".trees" / "one"))
    (order.path / ".trees" / "one" / "work").write_text("work\n")

    workspace.remove(order)

    assert any(
        "work" in git(ground.source, "ls-tree", "--name-only", ref).split()
        for ref in _saved(ground)
    )


class _working_in:  # noqa: N801 - reads as a word
    """A socket's path must be short."""

    def __init__(self, path: Path) -> None:
        self._path, self._before = path, Path.cwd()

    def __enter__(self) -> None:
        os.chdir(self._path)

    def __exit__(self, *_: object) -> None:
        os.chdir(self._before)
