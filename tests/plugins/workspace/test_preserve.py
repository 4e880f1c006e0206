"""Work that is saved: everything that is only there, in whatever state the agent left it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ennio.machine.local import LocalMachine
from ennio.model.errors import Refused
from ennio.plugins.git import Git
from ennio.plugins.workspace import preserve, snapshot
from ennio.plugins.workspace.dirty import FETCHED, survey
from ennio.plugins.workspace.interface import WorkspaceSpec
from ennio.plugins.workspace.worktree import WorktreeWorkspace
from tests.plugins.workspace.ground import SESSION, Ground, commit, git

PRESERVED = f"refs/ennio/preserved/{SESSION}"


@pytest.fixture
def order(workspace: WorktreeWorkspace, ground: Ground) -> WorkspaceSpec:
    made = ground.order("worktree")
    workspace.create(made)
    return made


def _saved(ground: Ground) -> list[str]:
    return git(ground.source, "for-each-ref", "--format=%(refname)", "refs/ennio/preserved").split()


def test_saving_touches_neither_files_nor_index_nor_head(
    workspace: WorktreeWorkspace, order: WorkspaceSpec, ground: Ground
) -> None:
    (order.path / "staged").write_text("staged\n")
    git(order.path, "add", "staged")
    (order.path / "untracked").write_text("untracked\n")
    before = (
        git(order.path, "status", "--porcelain"),
        git(order.path, "rev-parse", "HEAD"),
        git(order.path, "ls-files", "-s"),
    )

    work = preserve.Preserver(SESSION, Git(LocalMachine(), ground.source), order.path.parent).save(
        survey(Git(LocalMachine(), order.path), FETCHED, whole=False)
    )

    assert work == PRESERVED
    assert (
        git(order.path, "status", "--porcelain"),
        git(order.path, "rev-parse", "HEAD"),
        git(order.path, "ls-files", "-s"),
    ) == before


def test_what_was_staged_and_changed_again_is_saved_twice_in_one_line(
    workspace: WorktreeWorkspace, order: WorkspaceSpec, ground: Ground
) -> None:
    (order.path / "README").write_text("staged\n")
    git(order.path, "add", "README")
    (order.path / "README").write_text("and changed again\n")

    workspace.remove(order)

    assert git(ground.source, "show", f"{PRESERVED}:README") == "and changed again"
    assert git(ground.source, "show", f"{PRESERVED}^:README") == "staged"


def test_an_unfinished_merge_is_saved_with_its_marks(
    workspace: WorktreeWorkspace, order: WorkspaceSpec, ground: Ground
) -> None:
    git(order.path, "checkout", "--quiet", "-b", "other")
    commit(order.path, "README", "theirs\n")
    git(order.path, "checkout", "--quiet", order.branch)
    commit(order.path, "README", "ours\n")
    with pytest.raises(AssertionError):
        git(order.path, "merge", "other")

    assert workspace.inspect(order).uncommitted == 1
    workspace.remove(order)

    assert "<<<<<<< HEAD" in git(ground.source, "show", f"{PRESERVED}:README")


def test_deletions_odd_names_and_links_are_saved(
    workspace: WorktreeWorkspace, order: WorkspaceSpec, ground: Ground
) -> None:
    (order.path / "README").unlink()
    odd = ["a b", "ümlaut", "new\nline", "-dash", ":(top)magic", "*star"]
    for name in odd:
        (order.path / name).write_text(name)
    (order.path / "link").symlink_to("nowhere")

    assert workspace.remove(order).preserved_files == len(odd) + 2

    names = (
        git(ground.source, "ls-tree", "-r", "-z", "--name-only", PRESERVED).rstrip("\0").split("\0")
    )
    assert sorted(names) == sorted([".gitignore", "link", *odd])


def test_names_that_are_not_utf_8_are_saved(
    workspace: WorktreeWorkspace, order: WorkspaceSpec, ground: Ground
) -> None:
    (order.path / os.fsdecode(b"caf\xe9")).write_bytes(b"\xff\x00")
    workspace.remove(order)
    assert git(ground.source, "ls-tree", "--name-only", PRESERVED).splitlines() == [
        ".gitignore",
        "README",
        '"caf\\351"',
    ]


def test_a_file_too_large_to_be_saved_keeps_its_working_copy_from_being_removed(
    workspace: WorktreeWorkspace,
    order: WorkspaceSpec,
    ground: Ground,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(snapshot, "LARGE", 1000)
    (order.path / "core.1234").write_bytes(b"x" * 1001)
    (order.path / "README").write_text("y" * 2000)

    with pytest.raises(Refused, match=r"core\.1234"):
        workspace.remove(order)

    assert (order.path / "core.1234").exists()


def test_repositories_the_agent_made_inside_are_saved_too(
    workspace: WorktreeWorkspace, order: WorkspaceSpec, ground: Ground
) -> None:
    for name in ("fresh", "grown"):
        (order.path / name).mkdir()
        git(order.path / name, "init", "--quiet")
        (order.path / name / "file").write_text(f"{name}\n")
    grown = commit(order.path / "grown", "committed", "committed\n")
    inner = order.path / ".agent" / "worktree"
    git(order.path, "worktree", "add", "--quiet", "-b", "inner", str(inner))
    (inner / "thoughts").write_text("thoughts\n")

    seen = workspace.inspect(order)
    freed = workspace.remove(order)

    assert (seen.uncommitted, seen.unpushed) == (3, 1)
    assert (freed.preserved_files, freed.preserved_commits) == (3, 1)
    trees = {
        ref: git(ground.source, "ls-tree", "-r", "--name-only", ref).split()
        for ref in _saved(ground)
    }
    assert sorted(trees.values()) == [
        [".gitignore", "README", "thoughts"],
        ["committed", "file"],
        ["file"],
    ]
    assert any(
        git(ground.source, "rev-parse", f"{ref}^") == grown
        for ref, tree in trees.items()
        if "committed" in tree
    )
    assert str(inner) not in git(ground.source, "worktree", "list")
    assert git(ground.source, "for-each-ref", "refs/ennio/passing") == ""


def test_work_in_a_submodule_is_saved_and_does_not_keep_the_worktree_from_going(
    workspace: WorktreeWorkspace, ground: Ground, person: Path
) -> None:
    library = ground.home.parent / "library"
    library.mkdir()
    git(library, "init", "--quiet")
    commit(library, "lib", "lib\n")
    allow = ("-c", "protocol.file.allow=always")
    main = ground.home.parent / "main"
    git(main.parent, "clone", "--quiet", str(ground.hub), str(main))
    git(main, *allow, "submodule", "--quiet", "add", str(library), "library")
    git(main, "commit", "--quiet", "-m", "submodule")
    git(main, "push", "--quiet", "origin", "HEAD:main")
    order = ground.order("worktree")
    workspace.create(order)
    git(order.path, *allow, "submodule", "--quiet", "update", "--init")
    settled = workspace.inspect(order)
    (order.path / "library" / "lib").write_text("changed\n")

    seen = workspace.inspect(order)
    freed = workspace.remove(order)

    assert (settled.settled, seen.uncommitted) == (True, 1)
    assert freed.preserved == PRESERVED
    assert git(ground.source, "show", f"{PRESERVED}:lib") == "changed"
    assert not order.path.exists()
    assert list((ground.source / ".git" / "worktrees").glob("*")) == []


def test_work_that_cannot_be_saved_keeps_the_workspace(
    workspace: WorktreeWorkspace, order: WorkspaceSpec, ground: Ground
) -> None:
    (order.path / ".gitattributes").write_text("*.bin filter=broken\n")
    (order.path / "work.bin").write_text("work")
    git(ground.source, "config", "filter.broken.clean", "false")
    git(ground.source, "config", "filter.broken.required", "true")

    with pytest.raises(Refused, match=r"work\.bin"):
        workspace.remove(order)

    assert (order.path / "work.bin").read_text() == "work"
