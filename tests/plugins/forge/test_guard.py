"""Agents' pushes to protected branches: refused by a hub of ours, noticed everywhere else."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ennio.config.model import Project
from ennio.machine.home import Home
from ennio.model.pulls import CheckState, MergeMethod, PullState
from ennio.plugins.forge.interface import Watch
from ennio.plugins.forge.local import guard
from tests.conftest import eventually
from tests.plugins.forge.hub import AGENT, ALONE, Hub, git
from tests.properties import examples

SESSION = {**AGENT, "ENNIO_SESSION_ID": "s-1"}


def _committed(folder: Path, name: str, env: dict[str, str] = SESSION) -> str:
    (folder / name).write_text("work\n")
    git(folder, "add", "-A", env=env)
    git(folder, "commit", "-q", "-m", name, env=env)
    return git(folder, "rev-parse", "HEAD")


def _push(folder: Path, refs: str, env: dict[str, str], *more: str) -> str:
    """What git said when it was refused; empty when it was not."""
    argv = ["git", *more, "push", "-q", "--force", "origin", *refs.split()]
    done = subprocess.run(
        argv,
        cwd=folder,
        env={**os.environ, **ALONE, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return "" if done.returncode == 0 else done.stderr


def test_an_agents_push_to_a_protected_branch_is_refused_and_a_persons_passes(hub: Hub) -> None:
    assert guard.install(hub.path, ("main", "release/*")) is None
    head = _committed(hub.work, "mine.txt")
    before = hub.head()
    for ref in (
        "HEAD:main",
        "HEAD:refs/heads/main",
        "HEAD:refs/heads/MAIN",
        "HEAD:refs/heads/release/1/2",
        ":main",
    ):
        assert "is protected: session s-1 may not push to it" in _push(hub.work, ref, SESSION)
    assert "is protected" in _push(hub.work, "HEAD:main", SESSION, "-c", "core.hooksPath=/dev/null")
    assert hub.head() == before
    assert "is protected: check tests may not push to it" in _push(
        hub.work, "HEAD:main", {**AGENT, "ENNIO_CHECK": "tests"}
    )
    assert hub.head() == before
    for ref in (
        "HEAD:refs/heads/fix",
        "HEAD:refs/heads/mainline",
        "HEAD:refs/heads/feature/release/1",
    ):
        assert _push(hub.work, ref, SESSION) == ""
    assert _push(hub.work, "HEAD:main", AGENT) == ""
    assert hub.head() == head


def test_a_push_of_several_branches_with_a_protected_one_moves_none(hub: Hub) -> None:
    guard.install(hub.path, ("main",))
    _committed(hub.work, "mine.txt")
    git(hub.work, "branch", "fix")
    before = hub.head()
    assert "is protected" in _push(hub.work, "HEAD:main fix", SESSION)
    assert (hub.head(), git(hub.path, "branch", "--list", "fix")) == (before, "")


def test_merges_of_ours_pass_the_hook(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    guard.install(hub.path, ("main",))
    head = hub.push("fix", {"a.txt": "a\n"})
    monkeypatch.setenv("ENNIO_SESSION_ID", "s-1")  # also where Ennio itself was started by an agent
    forge = hub.forge()
    assert forge.merge(forge.open("fix", "main", "t", "").number, head).commit == hub.head()


def test_a_persons_hooks_are_not_touched_and_it_is_said(hub: Hub) -> None:
    hook = hub.path / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 0\n")
    hook.chmod(0o755)
    assert "is not Ennio's" in (guard.install(hub.path, ("main",)) or "")
    assert hook.read_text() == "#!/bin/sh\nexit 0\n"
    hook.unlink()
    elsewhere = hub.root / "hooks of a person"
    elsewhere.mkdir()
    hook.symlink_to(elsewhere / "pre-receive")
    assert "is not Ennio's" in (guard.install(hub.path, ("main",)) or "")
    hook.unlink()
    git(hub.path, "config", "core.hooksPath", str(elsewhere))
    assert "core.hooksPath" in (guard.install(hub.path, ("main",)) or "")
    assert (list(elsewhere.iterdir()), hook.exists()) == ([], False)


def test_the_hook_follows_the_configuration_and_is_not_written_for_nothing(hub: Hub) -> None:
    hook = hub.path / "hooks" / "pre-receive"
    guard.install(hub.path, ("main",))
    first = hook.stat().st_mtime_ns
    guard.install(hub.path, ("main",))
    assert hook.stat().st_mtime_ns == first
    guard.install(hub.path, ("main", "stable"))
    _committed(hub.work, "mine.txt")
    assert "is protected" in _push(hub.work, "HEAD:refs/heads/stable", SESSION)
    hook.chmod(0o644)
    guard.install(hub.path, ("main",))
    assert os.access(hook, os.X_OK)
    assert _push(hub.work, "HEAD:refs/heads/stable", SESSION) == ""


def test_a_persons_global_hooks_path_does_not_open_the_hub(hub: Hub, tmp_path: Path) -> None:
    guard.install(hub.path, ("main",))
    config = tmp_path / "gitconfig"
    config.write_text("[core]\n\thooksPath = /dev/null\n")
    _committed(hub.work, "mine.txt")
    assert "is protected" in _push(
        hub.work, "HEAD:main", {**SESSION, "GIT_CONFIG_GLOBAL": str(config)}
    )


def test_only_a_hub_that_init_made_is_ours(hub: Hub, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    ours = home.root / "hubs" / "shop-1a2b3c4d.git"
    ours.parent.mkdir(parents=True)
    shutil.copytree(hub.path, ours)
    found = [
        guard.hub_of(Project(id="shop", name="shop", repo=str(repo), path=hub.work), home)
        for repo in (ours, hub.path, hub.work)
    ]
    assert found == [ours, None, None]


_BRANCH = st.text(alphabet="abAB/-_.*?'\"$ `\\[]é", min_size=1, max_size=8)


@settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(pattern=_BRANCH, name=st.text(alphabet="abAB/-_.", min_size=1, max_size=8))
def test_the_hook_is_a_shells_text_whatever_the_branches_are_called(
    tmp_path: Path, pattern: str, name: str
) -> None:
    hook = tmp_path / "hook"
    hook.write_text(guard.text(("main", pattern)))
    env = {"PATH": os.environ["PATH"], "ENNIO_SESSION_ID": "s-1"}

    def ran(branch: str) -> int:
        words = f"{'0' * 40} {'1' * 40} refs/heads/{branch}\n"
        done = subprocess.run(
            ["sh", str(hook)],
            input=words,
            env=env,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        assert done.returncode in (0, 1), done.stderr
        return done.returncode

    assert ran("main") == ran("Main") == 1
    if not {"*", "?"} & set(pattern) and pattern.lower() not in (name.lower(), "main"):
        assert ran(name) == 0
    if not {"\\", " "} & set(pattern) and pattern.isascii():
        assert ran(pattern.swapcase().replace("*", "x").replace("?", "x")) == 1


def test_what_an_agent_wrote_does_not_reach_the_base_through_a_check(hub: Hub) -> None:
    guard.install(hub.path, ("main",))
    before = hub.head()
    hub.push("fix", {"check.sh": f"git push -q {hub.path} HEAD:main\n"})
    forge = hub.forge(checks=[{"name": "tests", "run": "sh check.sh"}])
    number = forge.open("fix", "main", "t", "").number
    eventually(lambda: forge.look(number).checks is CheckState.FAILING)
    assert (
        "main is protected: check tests may not push to it"
        in forge.look(number).check_runs[0].log_tail
    )
    assert hub.head() == before


# --- noticed elsewhere ----------------------------------------------------------------------------


@pytest.fixture
def place(hub: Hub) -> Path:
    """A working copy of a session, with a commit of its own on its branch."""
    place = hub.root / "session"
    git(hub.root, "clone", "-q", str(hub.path), str(place))
    git(place, "checkout", "-q", "-b", "fix")
    _committed(place, "first.txt")
    return place


def _watch(place: Path, session: str = "s-1") -> Watch:
    return Watch(session, "fix", "main", workspace=str(place))


def _pushed(hub: Hub, place: Path, **settings: object) -> str | None:
    return hub.forge(**settings).survey([_watch(place)])["s-1"].pushed


def test_a_sessions_push_to_its_base_is_noticed(hub: Hub, place: Path) -> None:
    forge = hub.forge()
    assert forge.survey([_watch(place)])["s-1"].pushed is None
    head = _committed(place, "second.txt")
    git(place, "push", "-q", "origin", "HEAD:main", env=SESSION)
    assert forge.survey([_watch(place)])["s-1"].pushed == head
    assert forge.survey([_watch(place)])["s-1"].pushed == head
    assert _pushed(hub, place) == head, "also by a forge that was not there then"


def test_a_sessions_push_is_noticed_in_a_worktree_and_on_another_branch_of_it_too(hub: Hub) -> None:
    tree = hub.root / "tree"
    git(hub.work, "worktree", "add", "-q", "-b", "fix", str(tree), "origin/main")
    git(tree, "checkout", "-q", "--detach")
    head = _committed(tree, "mine.txt")
    git(tree, "checkout", "-q", "fix")
    git(tree, "push", "-q", "origin", f"{head}:refs/heads/main", env=SESSION)
    assert _pushed(hub, tree) == head


def test_what_is_pulled_from_the_base_is_nobodys_push(hub: Hub, place: Path) -> None:
    git(place, "reset", "-q", "--hard", "origin/main")
    hub.push("main", {"theirs.txt": "by a person\n"})
    git(place, "pull", "-q", "--ff-only", "origin", "main")
    assert _pushed(hub, place) is None


@pytest.mark.parametrize("method", list(MergeMethod))
def test_what_we_merged_is_no_push_also_where_another_session_pulls_it(
    hub: Hub, place: Path, method: MergeMethod
) -> None:
    head = git(place, "rev-parse", "HEAD")
    git(place, "push", "-q", "origin", "HEAD:fix", env=SESSION)
    forge = hub.forge(merge_method=method.value)
    number = forge.open("fix", "main", "t", "").number
    forge.merge(number, head)
    seen = forge.survey([_watch(place)])["s-1"]
    assert (seen.pull and seen.pull.state, seen.pushed) == (PullState.MERGED, None)
    assert _pushed(hub, place) is None, "also to a forge that was not there then"
    assert hub.forge().look(number).merged_by_push is False


def test_a_pull_request_that_a_push_has_merged_is_noticed_as_that(hub: Hub, place: Path) -> None:
    head = git(place, "rev-parse", "HEAD")
    git(place, "push", "-q", "origin", "HEAD:fix", env=SESSION)
    forge = hub.forge()
    forge.open("fix", "main", "t", "")
    git(place, "push", "-q", "origin", "HEAD:main", env=SESSION)
    seen = forge.survey([_watch(place)])["s-1"]
    assert (seen.pull and seen.pull.state, seen.pushed) == (PullState.MERGED, head)
    assert forge.look(1).merged_by_push


def test_a_working_copy_without_a_journal_is_no_reason_to_stumble(hub: Hub, place: Path) -> None:
    shutil.rmtree(place / ".git" / "logs")
    assert _pushed(hub, place) is None
    shutil.rmtree(place)
    assert _pushed(hub, place) is None
