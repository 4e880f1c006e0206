"""What every workspace plugin promises, asked of the stub and of the real ones with real git."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ennio.config.model import Symlink
from ennio.machine.interface import Machine
from ennio.machine.local import LocalMachine
from ennio.model.clock import ManualClock
from ennio.model.errors import Invalid, Refused
from ennio.plugins.workspace.clone import CloneWorkspace
from ennio.plugins.workspace.interface import Workspace, WorkspaceSpec
from ennio.plugins.workspace.stub import StubWorkspace
from ennio.plugins.workspace.worktree import WorktreeWorkspace
from tests.conftest import eventually
from tests.contract.machine_bench import own_over_ssh
from tests.plugins.workspace.conftest import ground, person
from tests.plugins.workspace.ground import SESSION, Ground, commit, git

__all__ = ["ground", "person"]
KINDS: dict[str, Callable[[Machine, ManualClock], Workspace]] = {
    "stub": StubWorkspace,
    "worktree": WorktreeWorkspace,
    "clone": CloneWorkspace,
}
CLOCK = ManualClock()


PLACES = [*(("here", kind) for kind in KINDS), ("over ssh", "worktree"), ("over ssh", "clone")]


@pytest.fixture(scope="module")
def far() -> Iterator[Machine]:
    """Our own user with another home, where only a POSIX shell and git are made use of."""
    with own_over_ssh() as machine:
        yield machine


@pytest.fixture(params=PLACES, ids=" by ".join)
def workspace(request: pytest.FixtureRequest, person: Path) -> Workspace:
    place, kind = request.param
    if place == "here":
        return KINDS[kind](LocalMachine(), CLOCK)
    machine: Machine = request.getfixturevalue("far")
    shutil.copy(person / ".gitconfig", machine.home)
    return KINDS[kind](machine, CLOCK)


@pytest.fixture
def order(workspace: Workspace, ground: Ground) -> WorkspaceSpec:
    return ground.order(workspace.name)


def test_a_workspace_stands_at_the_ordered_path_on_the_ordered_branch(
    workspace: Workspace, order: WorkspaceSpec
) -> None:
    made = workspace.create(order)

    assert (made.path, made.branch) == (order.path, order.branch)
    assert made.path.is_dir()
    assert len(made.base_head) == 40


def test_incident_03_a_second_create_finds_the_first_with_every_line_in_it(
    workspace: Workspace, order: WorkspaceSpec
) -> None:
    first = workspace.create(order)
    (order.path / "thoughts.txt").write_text("200 lines\n")

    assert workspace.create(order) == first
    assert (order.path / "thoughts.txt").read_text() == "200 lines\n"


def test_an_inspection_tells_what_would_be_lost(workspace: Workspace, order: WorkspaceSpec) -> None:
    assert workspace.inspect(order).exists is False
    workspace.create(order)
    clean = workspace.inspect(order)
    (order.path / "one.txt").write_text("1")
    (order.path / "folder").mkdir()
    (order.path / "folder" / "two.txt").write_text("2")
    dirty = workspace.inspect(order)

    assert (clean.exists, clean.branch, clean.uncommitted, clean.unpushed, clean.settled) == (
        True,
        order.branch,
        0,
        0,
        True,
    )
    assert (dirty.uncommitted, dirty.settled, dirty.at) == (2, False, CLOCK.now())


def test_incident_01_what_is_uncommitted_is_kept_when_the_workspace_is_removed(
    workspace: Workspace, order: WorkspaceSpec
) -> None:
    workspace.create(order)
    (order.path / "thoughts.txt").write_text("200 lines\n")

    freed = workspace.remove(order)

    assert not order.path.exists()
    assert (freed.path, freed.preserved_files) == (order.path, 1)
    assert freed.size > 0
    assert freed.preserved is not None
    assert _kept(order, freed.preserved, "thoughts.txt") == "200 lines\n"


def test_nothing_is_kept_of_a_workspace_without_work(
    workspace: Workspace, order: WorkspaceSpec
) -> None:
    workspace.create(order)

    freed = workspace.remove(order)

    assert (freed.preserved, freed.preserved_files, freed.preserved_commits) == (None, 0, 0)
    assert not order.path.exists()


def test_incident_02_a_dry_run_tells_what_the_removal_does_and_does_nothing(
    workspace: Workspace, order: WorkspaceSpec
) -> None:
    workspace.create(order)
    (order.path / "thoughts.txt").write_text("200 lines\n")

    foreseen = workspace.remove(order, dry_run=True)
    still = workspace.inspect(order)
    done = workspace.remove(order)

    assert foreseen == done
    assert (still.exists, still.uncommitted) == (True, 1)


def test_a_second_removal_frees_nothing(workspace: Workspace, order: WorkspaceSpec) -> None:
    workspace.create(order)
    workspace.remove(order)

    again = workspace.remove(order)

    assert (again.size, again.preserved) == (0, None)


def test_what_was_kept_is_never_overwritten(workspace: Workspace, order: WorkspaceSpec) -> None:
    names = []
    for text in ("first\n", "second\n", "third\n"):
        workspace.create(order)
        (order.path / "work.txt").write_text(text)
        names.append(workspace.remove(order).preserved)

    assert len(set(names)) == 3
    assert [_kept(order, name or "", "work.txt") for name in names] == [
        "first\n",
        "second\n",
        "third\n",
    ]


def test_incident_05_everything_standing_is_listed_even_when_no_session_knows_it(
    workspace: Workspace, order: WorkspaceSpec
) -> None:
    other = replace(
        order,
        session_id="app-ffffffff",
        path=order.path.with_name("app-ffffffff"),
        branch="app-ffffffff",
    )
    workspace.create(order)
    workspace.create(other)
    (order.path.parent / "app-half").mkdir()

    existing = workspace.existing(order.path.parent, order.source)

    assert [one.session_id for one in existing] == [SESSION, "app-ffffffff", "app-half"]
    assert existing[0].path == order.path
    assert existing[0].size > 0
    assert workspace.existing(order.path.parent / "nowhere", order.source) == []


def test_links_and_commands_prepare_it_in_order(workspace: Workspace, order: WorkspaceSpec) -> None:
    (order.source / ".env").write_text("PORT=1\n")
    log = order.path.parent.parent / "hooks.log"
    wish = replace(
        order,
        symlinks=(Symlink(Path(".env"), Path("etc/.env")),),
        post_create=("cat etc/.env > seen", 'echo "$COLOUR $ENNIO_SESSION_ID"'),
        env={"COLOUR": "blue"},
        log=log,
    )
    made = workspace.create(wish)

    workspace.prepare(wish)

    assert (made.path / "seen").read_text() == "PORT=1\n"
    assert f"blue {SESSION}" in log.read_text()


def test_incident_47_a_link_out_of_the_workspace_is_refused(
    workspace: Workspace, order: WorkspaceSpec
) -> None:
    wish = replace(order, symlinks=(Symlink(order.source / "README", Path("../outside")),))
    workspace.create(wish)

    with pytest.raises(Refused, match=r"\.\./outside"):
        workspace.prepare(wish)
    assert not (order.path.parent / "outside").is_symlink()


def test_a_command_that_fails_is_named_with_its_code_and_its_words(
    workspace: Workspace, order: WorkspaceSpec
) -> None:
    wish = replace(order, post_create=("true", "echo no such package; exit 7"))
    workspace.create(wish)

    with pytest.raises(
        Refused,
        match=r"(?s)post_create\[1\] `echo no such package; exit 7` ended with exit code 7.*no "
        r"such package",
    ):
        workspace.prepare(wish)


def test_a_command_above_its_limit_ends_with_all_it_started(
    workspace: Workspace, order: WorkspaceSpec
) -> None:
    wish = replace(
        order, post_create=("sleep 300 & echo $! > child; sleep 300",), post_create_timeout=0.5
    )
    made = workspace.create(wish)

    started = time.monotonic()
    with pytest.raises(Refused, match=r"did not end within 0.5 s \(post_create_timeout\)"):
        workspace.prepare(wish)

    child = int((made.path / "child").read_text())
    assert time.monotonic() - started < 30
    eventually(lambda: not _runs(child), within=30)


def test_incident_48_shell_words_in_names_are_only_names(
    workspace: Workspace, order: WorkspaceSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = "$(touch${IFS}pwned);`touch${IFS}pwned`"
    monkeypatch.chdir(order.source.parent)
    (order.source / evil).write_text("x")
    link = Symlink(Path(evil), Path(evil))
    wish = replace(
        order, branch="$(touch-pwned);x", path=order.path.parent / evil, symlinks=(link,)
    )
    wish = replace(wish, env={"SAID": evil}, post_create=('test -n "$SAID"',))

    workspace.create(wish)
    workspace.prepare(wish)
    (wish.path / "work").write_text("x")
    freed = workspace.remove(wish)

    assert freed.preserved_files == 1
    assert not wish.path.exists()
    assert not list(order.source.parent.rglob("pwned"))


def test_incident_01_commits_outlive_a_working_copy_and_branch_that_were_deleted_by_hand(
    workspace: Workspace, order: WorkspaceSpec
) -> None:
    workspace.create(order)
    if workspace.name == "stub":
        return
    last = commit(order.path, "work", "not pushed\n")
    shutil.rmtree(order.path)
    if workspace.name == "worktree":
        git(order.source, "worktree", "prune")
        git(order.source, "branch", "-D", order.branch)

    made = workspace.create(replace(order, seen_heads=(last,)))

    head, words = git(order.path, "rev-parse", "HEAD"), made.note
    assert git(order.path, "symbolic-ref", "--short", "HEAD") == order.branch
    if workspace.name == "worktree":
        assert (head, made.lost) == (last, False)
        assert words == (
            f"its branch {order.branch} had been deleted; it goes on at {last[:7]}, its last commit"
        )
    else:
        assert made.lost
        assert words == (
            f"its last commit {last[:7]} was only in the working copy that is gone: "
            f"{order.branch} begins again at {head[:7]}"
        )


def test_a_name_git_does_not_allow_is_the_caller_s_error(
    workspace: Workspace, order: WorkspaceSpec
) -> None:
    with pytest.raises(Invalid):
        workspace.create(replace(order, branch="--upload-pack=evil"))
    assert not order.path.exists()


def test_a_file_in_its_place_is_not_removed(workspace: Workspace, order: WorkspaceSpec) -> None:
    order.path.parent.mkdir(parents=True)
    order.path.write_text("somebody's")

    with pytest.raises(Refused, match="in the way"):
        workspace.create(order)
    assert order.path.read_text() == "somebody's"


def _kept(order: WorkspaceSpec, name: str, path: str) -> str:
    """A saved file, read where the report says it is."""
    if name.startswith("/"):
        return (Path(name) / path).read_text()
    return git(order.source, "show", f"{name}:{path}") + "\n"


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return (
        "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
        if Path(f"/proc/{pid}").exists()
        else True
    )
