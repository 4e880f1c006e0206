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
