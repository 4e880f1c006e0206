"""Real git over HTTP against the stand-in: heads follow pushes, and conflicting
files are found in the clone.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from ennio.model.clock import ManualClock
from ennio.model.pulls import Mergeability, PullState
from ennio.plugins.forge.github.forge import GitHubForge
from ennio.plugins.forge.interface import Watch
from tests.github.standin.hub import ALONE, Hub
from tests.github.standin.server import Server
from tests.github.test_survey import seen, watch


def git(place: Path, *words: str) -> str:
    env = {"PATH": os.environ["PATH"], "GIT_TERMINAL_PROMPT": "0", **ALONE}
    done = subprocess.run(
        ["git", *words], cwd=place, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def commit(clone: Path, branch: str, name: str, text: str) -> str:
    git(clone, "switch", "--quiet", "-C", branch, "origin/main")
    (clone / name).write_text(text, encoding="utf-8")
    git(clone, "add", name)
    git(clone, "commit", "--quiet", "-m", f"change {name}")
    git(clone, "push", "--quiet", "--force", "origin", branch)
    return git(clone, "rev-parse", "HEAD")


def test_a_pull_request_follows_what_is_pushed_over_http(
    hub: Hub, server: Server, make: Callable[..., GitHubForge], clock: ManualClock, tmp_path: Path
) -> None:
    git(tmp_path, "clone", "--quiet", server.git, "shop")
    clone, forge = tmp_path / "shop", make()
    first = commit(clone, "fix", "app.py", "theirs\n")
    pull = seen(forge, clock).pull
    assert pull is not None
    assert (pull.head, pull.mergeability) == (first, Mergeability.CLEAN)

    other = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", server.git, "other")
    git(other, "push", "--quiet", "origin", f"{commit(other, 'side', 'app.py', 'ours')}:main")
    pull = seen(forge, clock).pull
    assert pull is not None
    assert (pull.mergeability, pull.conflicts) == (Mergeability.CONFLICTING, ("app.py",))

    git(clone, "fetch", "--quiet")
    second = commit(clone, "fix", "new.py", "agreed\n")
    pull = seen(forge, clock).pull
    assert pull is not None
    assert (pull.head, pull.mergeability, pull.conflicts) == (second, Mergeability.CLEAN, ())
    merged = forge.merge(pull.number, second).commit
    git(clone, "fetch", "--quiet")
    assert git(clone, "rev-parse", "origin/main") == merged
    pull = seen(forge, clock, watch(number=pull.number)).pull
    assert pull is not None
    assert pull.state is PullState.MERGED


def based(clone: Path, *, number: int | None = None, session: str = "s-1") -> Watch:
    return Watch(session, "fix", "main", number=number, idle=True, workspace=str(clone))


def aside(clone: Path, name: str) -> str:
    """A commit of the session's that goes to the base, and not to its branch."""
    git(clone, "switch", "--quiet", "-C", "aside", "origin/main")
    (clone / name).write_text("aside\n", encoding="utf-8")
    git(clone, "add", name)
    git(clone, "commit", "--quiet", "-m", f"add {name}")
    git(clone, "push", "--quiet", "origin", "HEAD:main")
    return git(clone, "rev-parse", "HEAD")


def test_a_push_to_the_base_alone_is_seen_with_and_without_a_pull_request(
    hub: Hub, server: Server, make: Callable[..., GitHubForge], clock: ManualClock, tmp_path: Path
) -> None:
    git(tmp_path, "clone", "--quiet", server.git, "shop")
    clone, forge = tmp_path / "shop", make()
    assert seen(forge, clock, based(clone)).pushed is None
    first = aside(clone, "first.py")
    found = seen(forge, clock, based(clone))
    assert (found.pull, found.pushed) == (None, first)

    commit(clone, "fix", "app.py", "theirs\n")
    pull = seen(forge, clock, based(clone)).pull
    assert pull is not None
    assert pull.state is PullState.OPEN
    second = aside(clone, "second.py")
    found = seen(forge, clock, based(clone, number=pull.number))
    assert found.pull is not None
    assert (found.pull.state, found.pushed) == (PullState.OPEN, second)


def test_what_a_merge_brought_and_what_others_pushed_is_no_push_of_the_session(
    hub: Hub, server: Server, make: Callable[..., GitHubForge], clock: ManualClock, tmp_path: Path
) -> None:
    git(tmp_path, "clone", "--quiet", server.git, "shop")
    clone, forge = tmp_path / "shop", make()
    head = commit(clone, "fix", "app.py", "theirs\n")
    pull = seen(forge, clock, based(clone)).pull
    assert pull is not None
    hub.push("main", {"other.py": "of somebody else\n"})
    git(clone, "pull", "--quiet", "--rebase=false", "--no-edit", "origin", "main")
    git(clone, "push", "--quiet", "origin", "fix")
    assert seen(forge, clock, based(clone, number=pull.number)).pushed is None
    hub.merge_whole(hub.pulls[pull.number])
    assert head in hub.history("main"), "its own commits are on the base"
    found = seen(forge, clock, based(clone, number=pull.number))
    assert found.pull is not None
    assert (found.pull.state, found.pushed) == (PullState.MERGED, None)
    again = Watch("s-1", "again", "main", idle=True, workspace=str(clone))
    assert seen(forge, clock, again).pushed is None, "nor for the branch after it"


def test_a_merge_that_github_has_not_told_yet_is_no_push(
    hub: Hub, server: Server, make: Callable[..., GitHubForge], clock: ManualClock, tmp_path: Path
) -> None:
    git(tmp_path, "clone", "--quiet", server.git, "shop")
    clone, forge = tmp_path / "shop", make()
    commit(clone, "fix", "app.py", "theirs\n")
    head = commit(clone, "fix", "app.py", "ours\n")
    pull = seen(forge, clock, based(clone)).pull
    assert pull is not None
    git(clone, "push", "--quiet", "origin", f"{head}:main")
    found = seen(forge, clock, based(clone, number=pull.number))
    assert found.pull is not None
    assert (found.pull.state, found.pushed) == (PullState.OPEN, None)
