"""What was saved can be found, looked at and brought back."""

from __future__ import annotations

import os

import pytest

from ennio.machine.local import LocalMachine
from ennio.model.errors import Invalid, Refused
from ennio.plugins.workspace import preserved
from ennio.plugins.workspace.clone import CloneWorkspace
from ennio.plugins.workspace.preserved import Preserved
from ennio.plugins.workspace.worktree import WorktreeWorkspace
from tests.plugins.workspace.ground import SESSION, Ground, commit, git

KINDS: dict[str, type[WorktreeWorkspace | CloneWorkspace]] = {
    "worktree": WorktreeWorkspace,
    "clone": CloneWorkspace,
}


def _listed(ground: Ground) -> tuple[Preserved, ...]:
    return preserved.listed(
        LocalMachine(),
        "app",
        ground.source,
        tuple(ground.order(kind).path.parent for kind in KINDS),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_saved_work_is_listed_shown_and_brought_back_on_a_branch(kind: str, ground: Ground) -> None:
    order, workspace = ground.order(kind), KINDS[kind](LocalMachine())
    assert _listed(ground) == ()
    workspace.create(order)
    work = commit(order.path, "work", "work\n")
    (order.path / "README").write_text("changed\n")
    (order.path / os.fsdecode(b"caf\xe9")).write_text("x")
    git(order.path, "branch", "-m", "aside")  # no branch of the session's own stays
    workspace.remove(order)
    git(ground.source, "branch", "-D", "aside") if kind == "worktree" else None

    (item,) = _listed(ground)
    seen = preserved.contents(LocalMachine(), item)
    back = preserved.restored(LocalMachine(), item, None)

    assert (item.id, item.project_id, item.place) == (
        SESSION,
        "app",
        f"refs/ennio/preserved/{SESSION}",
    )
    assert item.subject == f"Not committed in session {SESSION}"
    assert [line.split(" ")[0] for line in seen.commits] == [item.commit, work]
    assert seen.files == ("M README", "A caf\\xe9")
    assert (back.branch, git(ground.source, "show", f"{back.branch}:README")) == (
        f"restored/{SESSION}",
        "changed",
    )
    assert git(ground.source, "symbolic-ref", "HEAD") == "refs/heads/mine"
    with pytest.raises(Refused, match=r"--branch"):
        preserved.restored(LocalMachine(), item, None)
    with pytest.raises(Invalid):
        preserved.restored(LocalMachine(), item, "--evil")
    assert preserved.restored(LocalMachine(), item, "again").branch == "again"
    assert _listed(ground) == (item,)


def test_what_lies_in_a_bundle_is_found_and_brought_back_too(ground: Ground) -> None:
    order, workspace = (
        ground.order("clone", source=ground.home / "nowhere"),
        CloneWorkspace(LocalMachine()),
    )
    workspace.create(order)
    (order.path / "README").write_text("changed\n")
    freed = workspace.remove(order)
    (order.path.parent / "spoilt.bundle").write_text("no bundle")

    items = {item.id: item for item in _listed(ground)}
    preserved.restored(LocalMachine(), items[SESSION], "back")

    assert items[SESSION].place == freed.preserved
    assert git(ground.source, "show", "back:README") == "changed"
    with pytest.raises(Refused, match=r"spoilt\.bundle"):
        preserved.contents(LocalMachine(), items["spoilt"])
