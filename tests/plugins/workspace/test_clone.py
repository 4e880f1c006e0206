"""Clones: repositories of their own, shallow, with origin where the work goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from ennio.machine.local import LocalMachine
from ennio.model.errors import Refused, Unreachable
from ennio.plugins.workspace.clone import DEPTH, CloneWorkspace
from tests.plugins.workspace.ground import SESSION, Ground, commit, git, git_ok, possessions

PRESERVED = f"refs/ennio/preserved/{SESSION}"


@pytest.fixture
def workspace() -> CloneWorkspace:
    return CloneWorkspace(LocalMachine())


def _grow(ground: Ground) -> None:
    """More history than a clone brings."""
    git(ground.source, "checkout", "--quiet", "--force", "main")
    for number in range(DEPTH + 5):
        git(ground.source, "commit", "--quiet", "--allow-empty", "-m", str(number))
    git(ground.source, "push", "--quiet", "origin", "main")


def test_a_clone_is_shallow_and_origin_is_the_ordered_repository(
    workspace: CloneWorkspace, ground: Ground
) -> None:
    _grow(ground)
    newest = ground.publish("later", "later\n")

    made = workspace.create(ground.order("clone"))

    assert (made.base_head, made.remote) == (newest, "origin")
    assert git(made.path, "rev-list", "--count", "HEAD") == str(DEPTH)
    assert git(made.path, "remote", "get-url", "origin") == str(ground.hub)
    assert git(made.path, "status", "--porcelain") == ""


def test_an_agent_can_push_and_its_work_counts_as_pushed(
    workspace: CloneWorkspace, ground: Ground
) -> None:
    order = ground.order("clone")
    workspace.create(order)
    head = commit(order.path, "work", "work\n")
    before = workspace.inspect(order).unpushed

    git(order.path, "fetch", "--quiet", "origin")
    git(order.path, "push", "--quiet", "-u", "origin", "HEAD")

    assert (before, workspace.inspect(order).unpushed) == (1, 0)
    assert git(ground.hub, "rev-parse", order.branch) == head
    assert workspace.remove(order).preserved is None


def test_a_branch_that_is_at_the_remote_is_continued(
    workspace: CloneWorkspace, ground: Ground
) -> None:
    head = ground.publish("theirs", "theirs\n", branch="feature")
    ground.publish("later", "later\n")

    made = workspace.create(ground.order("clone", branch="feature"))

    assert git(made.path, "rev-parse", "HEAD") == head
    assert git_ok(made.path, "merge", "--quiet", "--no-edit", "origin/main")


def test_a_base_that_is_not_there_is_refused_and_leaves_nothing(
    workspace: CloneWorkspace, ground: Ground
) -> None:
    order = ground.order("clone", base="master")
    with pytest.raises(Refused, match="has no branch master"):
        workspace.create(order)
    assert list(order.path.parent.iterdir()) == []


@pytest.mark.parametrize(("name", "other"), [("feat", "feat/same"), ("feat/same/a", "feat/same")])
def test_a_branch_that_the_remote_has_no_place_for_is_refused_and_leaves_nothing(
    workspace: CloneWorkspace, ground: Ground, name: str, other: str
) -> None:
    git(ground.hub, "branch", "feat/same", "main")
    order = ground.order("clone", branch=name)
    with pytest.raises(Refused, match=f"branch {name} cannot be made .* branch {other} in "):
        workspace.create(order)
    assert not order.path.exists()


def test_a_remote_that_does_not_answer_is_unreachable(
    workspace: CloneWorkspace, ground: Ground
) -> None:
    with pytest.raises(Unreachable):
        workspace.create(ground.order("clone", repo="http://127.0.0.1:9/app.git"))


def test_incident_05_what_a_crash_left_of_a_clone_is_made_again(
    workspace: CloneWorkspace, ground: Ground
) -> None:
    order = ground.order("clone")
    half = order.path.with_name(f".{SESSION}.making")
    (half / ".git").mkdir(parents=True)

    workspace.create(order)

    assert not half.exists()
    assert git(order.path, "status", "--porcelain") == ""


def test_incident_01_all_that_is_only_in_a_clone_is_saved_into_the_source(
    workspace: CloneWorkspace, ground: Ground
) -> None:
    _grow(ground)
    before = possessions(ground.source)
    order = ground.order("clone")
    workspace.create(order)
    (order.path / "README").write_text("stashed\n")
    git(order.path, "stash")
    git(order.path, "checkout", "--quiet", "-b", "aside")
    aside = commit(order.path, "aside", "aside\n")
    git(order.path, "checkout", "--quiet", order.branch)
    head = commit(order.path, "work", "work\n")
    (order.path / "untracked").write_text("untracked\n")

    seen = workspace.inspect(order)
    freed = workspace.remove(order)

    assert (seen.uncommitted, seen.unpushed) == (1, 2)
    assert (freed.preserved, freed.preserved_commits, freed.preserved_files) == (PRESERVED, 2, 1)
    saved = git(ground.source, "for-each-ref", "--format=%(refname)", "refs/ennio").split()
    assert saved == [PRESERVED, f"{PRESERVED}-2", f"{PRESERVED}-3"]
    assert git(ground.source, "rev-parse", f"{PRESERVED}^") == head
    assert git(ground.source, "show", f"{PRESERVED}:untracked") == "untracked"
    assert aside in git(ground.source, "rev-parse", *saved).split()
    assert "stashed" in (git(ground.source, "show", f"{ref}:README") for ref in saved)
    assert possessions(ground.source) == before
    git(ground.source, "fsck", "--connectivity-only")


def test_a_source_that_is_behind_is_given_the_base_before_it_takes_the_work(
    workspace: CloneWorkspace, ground: Ground
) -> None:
    for number in range(DEPTH + 5):
        newest = ground.publish("later", f"{number}\n")
    order = ground.order("clone")
    workspace.create(order)
    commit(order.path, "work", "work\n")

    freed = workspace.remove(order)

    assert freed.preserved == PRESERVED
    assert git(ground.source, "rev-parse", f"{PRESERVED}^") == newest
    assert git(ground.source, "rev-parse", "--is-shallow-repository") == "false"
    git(ground.source, "fsck", "--connectivity-only")


def test_where_the_source_cannot_take_the_work_it_is_bundled(
    workspace: CloneWorkspace, ground: Ground
) -> None:
    for number in range(DEPTH + 5):
        ground.publish("later", f"{number}\n")
    order = ground.order("clone")
    workspace.create(order)
    head = commit(order.path, "work", "work\n")
    away = ground.hub.rename(ground.hub.with_name("away.git"))

    bundle = Path(workspace.remove(order).preserved or "")

    git(away, "fetch", "--quiet", str(bundle), f"{PRESERVED}:refs/heads/rescued")
    assert git(away, "rev-parse", "rescued") == head
    assert git(ground.source, "for-each-ref", "refs/ennio/preserved") == ""


def test_without_a_source_the_work_is_bundled_beside_it(
    workspace: CloneWorkspace, ground: Ground
) -> None:
    order = ground.order("clone", source=ground.home / "no-such-repository")
    workspace.create(order)
    (order.path / "work").write_text("work\n")

    foreseen = workspace.remove(order, dry_run=True)
    freed = workspace.remove(order)

    bundle = Path(freed.preserved or "")
    assert foreseen == freed
    assert bundle == order.path.parent / f"{SESSION}.bundle"
    git(ground.hub, "fetch", "--quiet", str(bundle), f"{PRESERVED}:refs/heads/rescued")
    assert git(ground.hub, "show", "rescued:work") == "work"


def test_a_folder_of_somebody_else_s_is_neither_used_nor_removed(
    workspace: CloneWorkspace, ground: Ground
) -> None:
    order = ground.order("clone")
    order.path.mkdir(parents=True)
    (order.path / "theirs").write_text("theirs")

    for call in (workspace.create, workspace.remove, workspace.inspect):
        with pytest.raises(Refused, match="in the way"):
            call(order)
    assert (order.path / "theirs").exists()


def test_clones_are_listed_with_their_branches(workspace: CloneWorkspace, ground: Ground) -> None:
    order = ground.order("clone")
    workspace.create(order)
    assert [
        (one.session_id, one.branch) for one in workspace.existing(order.path.parent, order.source)
    ] == [(SESSION, order.branch)]


def test_a_clone_has_the_identity_and_the_ways_of_the_person_s_repository(
    workspace: CloneWorkspace, ground: Ground, person: Path
) -> None:
    """What is said for that repository, by itself or by a condition on its place; not what is said
    for all, which holds anyway.
    """
    ssh = 'ssh -i "work key" -o Proxy=\\\\x'
    settings = {
        "user.email": "work@company",
        "core.sshCommand": ssh,
        "url.ssh://git@host/.insteadOf": "https://host/",
    }
    for key, value in settings.items():
        git(ground.source, "config", key, value)
    git(ground.source, "config", "branch.mine.remote", "origin")
    (person / "conditional").write_text(
        "[user]\n\tsigningKey = ABC\n[credential]\n\thelper = store\n"
    )
    with (person / ".gitconfig").open("a") as file:
        file.write(
            f'[credential]\n\thelper = cache\n[includeIf "gitdir:{ground.source}/"]\n\tpath = '
            f"{person}/conditional\n"
        )

    made = workspace.create(ground.order("clone"))

    here = {
        key: git(made.path, "config", "--get", key)
        for key in (*settings, "user.signingKey", "user.name")
    }
    assert here == {**settings, "user.signingKey": "ABC", "user.name": "Pat"}
    assert git(made.path, "config", "--get-all", "credential.helper").split() == ["cache", "store"]
    commit(made.path, "work", "work\n")
    assert git(made.path, "log", "-1", "--format=%ae") == "work@company"


def test_the_settings_hold_for_the_making_of_the_clone_already_and_are_on_no_command_line(
    workspace: CloneWorkspace, ground: Ground, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    ssh = tmp_path / "ssh"
    ssh.write_text(
        f'#!/bin/sh\ntr "\\0" " " </proc/$PPID/cmdline >>{seen}\nexec git-upload-pack '
        f"{ground.hub}\n"
    )
    ssh.chmod(0o755)
    git(ground.source, "config", "core.sshCommand", str(ssh))
    git(ground.source, "config", "http.extraHeader", "Authorization: s3cret")

    made = workspace.create(ground.order("clone", repo="ssh://host/app.git"))

    assert git(made.path, "config", "http.extraHeader") == "Authorization: s3cret"
    assert seen.exists()
    assert "s3cret" not in seen.read_text()
