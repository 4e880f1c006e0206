"""The repository that git means is the one that is meant: where it is another, nothing
is made, used or removed.
"""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from ennio.machine.local import LocalMachine
from ennio.model.errors import Refused, TimedOut
from ennio.plugins.workspace.clone import CloneWorkspace
from ennio.plugins.workspace.interface import Workspace
from ennio.plugins.workspace.worktree import WorktreeWorkspace
from tests.plugins.workspace.ground import Ground, commit, git, git_ok

KINDS: dict[str, type[WorktreeWorkspace | CloneWorkspace]] = {
    "worktree": WorktreeWorkspace,
    "clone": CloneWorkspace,
}


@pytest.fixture
def submodule(ground: Ground, tmp_path: Path) -> Path:
    """The project is itself a submodule."""
    git(tmp_path, "init", "--quiet", "above")
    allow = ("-c", "protocol.file.allow=always")
    git(tmp_path / "above", *allow, "submodule", "--quiet", "add", str(ground.hub), "app")
    git(tmp_path / "above", "commit", "--quiet", "-m", "submodule")
    return tmp_path / "above" / "app"


def test_a_project_that_is_a_submodule_has_worktrees_of_its_own(
    workspace: WorktreeWorkspace, ground: Ground, submodule: Path
) -> None:
    order = ground.order("worktree", source=submodule)
    made = workspace.create(order)
    (made.path / "notes").write_text("hours of work\n")

    freed = workspace.remove(order)

    assert git(submodule, "show", f"{freed.preserved}:notes") == "hours of work"


def test_a_submodule_whose_settings_bend_its_worktrees_is_refused_and_left_as_it_was(
    workspace: WorktreeWorkspace, ground: Ground, submodule: Path
) -> None:
    git(submodule, "config", "extensions.worktreeConfig", "true")
    before = git(submodule, "for-each-ref", "refs/heads")
    order = ground.order("worktree", source=submodule)

    with pytest.raises(Refused, match=r"git works on .*core\.worktree"):
        workspace.create(order)

    assert not order.path.exists()
    assert str(order.path) not in git(submodule, "worktree", "list")
    assert git(submodule, "for-each-ref", "refs/heads") == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_working_copy_that_was_bent_since_is_neither_used_nor_removed(
    kind: str, ground: Ground, tmp_path: Path
) -> None:
    workspace: Workspace = KINDS[kind](LocalMachine())
    order = ground.order(kind)
    workspace.create(order)
    (order.path / "notes").write_text("hours of work\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    if kind == "worktree":
        git(ground.source, "config", "extensions.worktreeConfig", "true")
        git(order.path, "config", "--worktree", "core.worktree", str(elsewhere))
    else:
        git(order.path, "config", "core.worktree", str(elsewhere))

    for act in (workspace.create, workspace.inspect, workspace.remove):
        with pytest.raises(Refused, match=f"git works on {elsewhere}"):
            act(order)
    assert (order.path / "notes").read_text() == "hours of work\n"


@pytest.mark.parametrize("layout", ["bare", "bare with worktreeConfig", "hidden"])
def test_bare_layouts_have_worktrees(
    workspace: WorktreeWorkspace, ground: Ground, tmp_path: Path, layout: str
) -> None:
    source = tmp_path / "layout"
    bare = source / ".bare" if layout == "hidden" else source
    git(tmp_path, "clone", "--quiet", "--bare", str(ground.hub), str(bare))
    if layout == "hidden":
        (source / ".git").write_text("gitdir: ./.bare\n")
    if layout == "bare with worktreeConfig":
        git(source, "config", "extensions.worktreeConfig", "true")
        git(source, "config", "--unset", "core.bare")
        git(source, "config", "--worktree", "core.bare", "true")
    order = ground.order("worktree", source=source)

    made = workspace.create(order)
    commit(made.path, "work", "work\n")
    (made.path / "notes").write_text("notes\n")
    freed = workspace.remove(order)

    assert git(source, "show", f"{freed.preserved}:notes") == "notes"
    assert not order.path.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_a_caller_that_works_in_another_repository_bends_nothing(
    kind: str, ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a git hook, an editor or a test that was started by one."""
    other = tmp_path / "other"
    git(tmp_path, "init", "--quiet", str(other))
    commit(other, "theirs", "theirs\n")
    before = git(other, "for-each-ref")
    for name, path in (
        ("GIT_DIR", other / ".git"),
        ("GIT_WORK_TREE", other),
        ("GIT_INDEX_FILE", other / ".git" / "index"),
    ):
        monkeypatch.setenv(name, str(path))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(other / ".git" / "objects"))
    workspace: Workspace = KINDS[kind](LocalMachine())
    order = ground.order(kind)

    workspace.create(order)
    (order.path / "notes").write_text("notes\n")
    freed = workspace.remove(order)

    assert git(ground.source, "show", f"{freed.preserved}:notes") == "notes"
    assert git(other, "for-each-ref") == before


def test_fetching_moves_refs_of_ennio_s_own_and_none_of_the_person_s(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    before = git(ground.source, "for-each-ref", "refs/heads", "refs/remotes", "refs/tags")
    newest = ground.publish("later", "later\n")

    made = workspace.create(ground.order("worktree"))

    assert made.base_head == newest
    assert (
        git(
            ground.source,
            "for-each-ref",
            "refs/remotes",
            "refs/tags",
            "refs/heads/main",
            "refs/heads/mine",
        )
        in before
    )
    assert git(ground.source, "rev-parse", "refs/ennio/base/main") == newest


def test_a_base_that_was_a_file_and_is_a_folder_now_is_in_nobody_s_way(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    ground.publish("a", "a\n", branch="release")
    workspace.create(ground.order("worktree", "app-1", base="release"))
    git(ground.hub, "update-ref", "-d", "refs/heads/release")
    newest = ground.publish("b", "b\n", branch="next")
    git(ground.hub, "update-ref", "refs/heads/release/2", newest)

    assert workspace.create(ground.order("worktree", "app-2", base="release/2")).base_head == newest
    assert git_ok(ground.source, "branch", "ennio/base/release")


def test_a_session_s_fetched_branch_is_not_kept_when_it_is_gone(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    ground.publish("begun", "begun\n", branch="feature/x")
    order = ground.order("worktree", branch="feature/x")
    workspace.create(order)
    assert git_ok(ground.source, "rev-parse", "--verify", "refs/ennio/base/feature%2Fx")

    workspace.remove(order)

    assert (
        git(ground.source, "for-each-ref", "--format=%(refname)", "refs/ennio")
        == "refs/ennio/base/main"
    )


def test_sessions_start_while_a_person_fetches_and_the_base_moves(
    workspace: WorktreeWorkspace, ground: Ground
) -> None:
    over = threading.Event()

    def fetch() -> None:
        while not over.is_set():
            git_ok(ground.source, "fetch", "--quiet", "origin")

    person = threading.Thread(target=fetch)
    person.start()
    try:
        for number in range(8):
            newest = ground.publish("later", f"{number}\n")
            assert workspace.create(ground.order("worktree", f"app-{number}")).base_head == newest
    finally:
        over.set()
        person.join()


def test_a_server_that_hangs_is_waited_for_once_by_all_who_wait(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ennio.plugins.git.STALL", 1.0)
    asked: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    asked.append(server.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        repo = f"http://127.0.0.1:{server.getsockname()[1]}/app.git"
        orders = [ground.order("worktree", f"app-{number}", repo=repo) for number in range(4)]
        with ThreadPoolExecutor(4) as pool:
            errors = [
                one.exception()
                for one in [
                    pool.submit(WorktreeWorkspace(LocalMachine()).create, order) for order in orders
                ]
            ]
    assert all(
        isinstance(error, TimedOut) and "got no answer for 1 s" in str(error) for error in errors
    ), errors
    assert len(asked) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_home_behind_a_link_is_a_home(kind: str, ground: Ground) -> None:
    real = ground.home.with_name("elsewhere")
    real.mkdir()
    ground.home.symlink_to(real)
    workspace: Workspace = KINDS[kind](LocalMachine())
    order = ground.order(kind)

    workspace.create(order)
    workspace.create(order)
    (order.path / "notes").write_text("notes\n")
    seen = workspace.inspect(order)
    freed = workspace.remove(order)

    assert (seen.exists, seen.uncommitted) == (True, 1)
    assert git(ground.source, "show", f"{freed.preserved}:notes") == "notes"
    assert not order.path.exists()
