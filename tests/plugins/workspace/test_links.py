"""Links: always inside the working copy, wherever they point to; never part of a commit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ennio.config.model import Symlink
from ennio.machine.interface import Machine
from ennio.machine.local import LocalMachine
from ennio.model.errors import Refused
from ennio.plugins.workspace import links
from ennio.plugins.workspace.clone import CloneWorkspace
from ennio.plugins.workspace.interface import Workspace
from ennio.plugins.workspace.worktree import WorktreeWorkspace
from tests.plugins.workspace.ground import Ground, git


def _link(source: str, target: str) -> tuple[Symlink, ...]:
    return (Symlink(Path(source), Path(target)),)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / ".env").write_text("A=1\n")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret\n")
    (tmp_path / "workspace").mkdir()
    return tmp_path / "project"


def test_relative_sources_count_from_the_project_and_may_lie_above_it(project: Path) -> None:
    workspace = project.parent / "workspace"
    links.place(
        LocalMachine(),
        _link(".env", ".env") + _link("../outside", "deep/down/data"),
        workspace,
        project,
    )

    assert (workspace / ".env").read_text() == "A=1\n"
    assert (workspace / "deep" / "down" / "data" / "secret").read_text() == "secret\n"
    assert (workspace / ".env").readlink().is_absolute()


def test_a_link_that_stands_is_left(project: Path) -> None:
    for _ in range(2):
        links.place(LocalMachine(), _link(".env", ".env"), project.parent / "workspace", project)
    assert (project.parent / "workspace" / ".env").read_text() == "A=1\n"


@pytest.mark.parametrize(
    "target",
    [
        "../outside/.env",
        "a/../../outside/.env",
        "/tmp/ennio-outside",
        ".",
        ".git/config",
        "sub/.GIT/hooks",
    ],
)
def test_incident_47_targets_that_leave_the_workspace_are_refused(
    project: Path, target: str
) -> None:
    with pytest.raises(Refused, match="symlink"):
        links.place(LocalMachine(), _link(".env", target), project.parent / "workspace", project)
    assert sorted(path.name for path in (project.parent / "outside").iterdir()) == ["secret"]
    assert not Path("/tmp/ennio-outside").is_symlink()


def test_incident_47_a_way_through_a_link_is_refused(project: Path) -> None:
    workspace = project.parent / "workspace"
    (workspace / "bent").symlink_to(project.parent / "outside")

    with pytest.raises(Refused, match="bent on the way is a link"):
        links.place(LocalMachine(), _link(".env", "bent/.env"), workspace, project)
    assert sorted(path.name for path in (project.parent / "outside").iterdir()) == ["secret"]


def test_a_missing_source_is_refused_by_its_whole_path(project: Path) -> None:
    with pytest.raises(Refused, match=f"its source {project}/.envrc does not exist"):
        links.place(
            LocalMachine(), _link(".envrc", ".envrc"), project.parent / "workspace", project
        )


def test_what_is_there_already_is_not_replaced(project: Path) -> None:
    workspace = project.parent / "workspace"
    (workspace / ".env").write_text("the repository's own\n")

    with pytest.raises(Refused, match="something else is there"):
        links.place(LocalMachine(), _link(".env", ".env"), workspace, project)
    assert (workspace / ".env").read_text() == "the repository's own\n"


@pytest.mark.parametrize("plugin", [WorktreeWorkspace, CloneWorkspace])
def test_incident_45_links_are_neither_committed_nor_counted_nor_saved(
    plugin: Callable[[Machine], Workspace], ground: Ground
) -> None:
    workspace = plugin(LocalMachine())
    (ground.source / "node_modules").mkdir()
    (ground.source / "odd [name]*").write_text("x")
    # .gitignore says node_modules/, which a link of that name is not
    wish = (
        _link("node_modules", "node_modules")
        + _link("odd [name]*", "odd [name]*")
        + _link("README", "ignored.log")
    )
    order = replace(ground.order(workspace.name), symlinks=wish)
    made = workspace.create(order)
    workspace.prepare(order)
    workspace.prepare(order)
    (made.path / "odd name").write_text("the agent's\n")

    own = dict(workspace.environment(made.path))
    git(made.path, "add", "-A", env=own)

    assert git(made.path, "diff", "--cached", "--name-only") == "odd name"
    assert workspace.inspect(order).uncommitted == 1
    freed = workspace.remove(order)
    assert {one.path: one.why for one in freed.unsaved} == {
        "node_modules": "link",
        "odd [name]*": "link",
        "ignored.log": "link",
    }
    assert freed.preserved_files == 1


@pytest.mark.parametrize("plugin", [WorktreeWorkspace, CloneWorkspace])
def test_links_hide_nothing_of_the_person_s_and_the_person_s_own_patterns_hold(
    plugin: Callable[[Machine], Workspace], ground: Ground, person: Path
) -> None:
    (person / ".config" / "git").mkdir(parents=True)
    (person / ".config" / "git" / "ignore").write_text("*.swp\n")
    (ground.source / "data").mkdir()
    (ground.source / "data" / "notes").write_text("not yet committed\n")
    before = (
        git(ground.source, "status", "--short"),
        (ground.source / ".git" / "info" / "exclude").read_text(),
    )
    workspace = plugin(LocalMachine())
    order = replace(ground.order(workspace.name), symlinks=_link("data", "data"))
    made = workspace.create(order)
    workspace.prepare(order)
    (made.path / "a.swp").write_text("x")

    assert git(made.path, "status", "--short", env=dict(workspace.environment(made.path))) == ""
    assert (
        git(ground.source, "status", "--short"),
        (ground.source / ".git" / "info" / "exclude").read_text(),
    ) == before
    workspace.remove(order)
    assert (
        git(ground.source, "status", "--short"),
        (ground.source / ".git" / "info" / "exclude").read_text(),
    ) == before
