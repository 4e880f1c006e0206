"""A person's machine in a temporary folder: a remote, a clone of it with
unfinished work, and Ennio's home.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ennio.machine.inherited import NAMES
from ennio.plugins.workspace.interface import WorkspaceSpec

SESSION = "app-0a1b2c3d"


def git(directory: Path, *args: str, env: dict[str, str] | None = None) -> str:
    """What git says in a directory; a failure shows its words."""
    environment = {**_environment(), **(env or {})}
    done = subprocess.run(
        ["git", *args],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"git {' '.join(args)}: {done.stderr or done.stdout}"
    return done.stdout.strip()


def git_ok(directory: Path, *args: str) -> bool:
    """Whether git succeeds with it."""
    return (
        subprocess.run(
            ["git", *args],
            cwd=directory,
            env=_environment(),
            capture_output=True,
            timeout=60,
            check=False,
        ).returncode
        == 0
    )


def _environment() -> dict[str, str]:
    """Without what points git to another repository than the one a test means."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name in NAMES
    }


@dataclass(frozen=True)
class Ground:
    """``hub`` is the bare remote, ``source`` the person's clone, ``home`` where workspaces go."""

    hub: Path
    source: Path
    home: Path

    def order(self, kind: str, session: str = SESSION, **changes: Any) -> WorkspaceSpec:
        """An ordinary order of that kind."""
        said: dict[str, Any] = {
            "project_id": "app",
            "session_id": session,
            "repo": str(self.hub),
            "source": self.source,
            "path": self.home / f"{kind}s" / "app" / session,
            "branch": session,
            "base": "main",
        }
        return WorkspaceSpec(**{**said, **changes})

    def publish(self, name: str, text: str, branch: str = "main") -> str:
        """Somebody else pushes a file to a branch of the hub; its new head."""
        other = self.hub.parent / "somebody"
        if not other.exists():
            git(self.hub.parent, "clone", "--quiet", str(self.hub), str(other))
        git(other, "fetch", "--quiet", "origin")
        start = (
            f"origin/{branch}"
            if git_ok(other, "rev-parse", "--verify", f"refs/remotes/origin/{branch}")
            else "origin/main"
        )
        git(other, "checkout", "--quiet", "-B", branch, start)
        commit(other, name, text)
        git(other, "push", "--quiet", "origin", branch)
        return git(other, "rev-parse", "HEAD")


def commit(directory: Path, name: str, text: str) -> str:
    """Commit one file; the new head."""
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    git(directory, "add", name)
    git(directory, "commit", "--quiet", "-m", f"add {name}")
    return git(directory, "rev-parse", "HEAD")


def settle(directory: Path) -> Ground:
    """A copy of a ground that is made once; the person has a changed file, a staged one, an
    untracked one, and is on a branch of their own.
    """
    hub, source, pattern = directory / "hub.git", directory / "source", _pattern()
    for made in (hub, source):
        shutil.copytree(pattern / made.name, made, symlinks=True)
    config = source / ".git" / "config"
    config.write_text(config.read_text().replace(str(pattern), str(directory)))
    git_ok(source, "update-index", "-q", "--refresh")  # the files are others than those it knows
    return Ground(hub, source, directory / "home")


@cache
def _pattern() -> Path:
    directory = Path(tempfile.mkdtemp(prefix="ennio-ground-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    hub, source = directory / "hub.git", directory / "source"
    git(directory, "init", "--quiet", "--bare", "-b", "main", str(hub))
    git(directory, "clone", "--quiet", str(hub), str(source))
    commit(source, "README", "one\n")
    commit(source, ".gitignore", "node_modules/\n*.log\n")
    git(source, "push", "--quiet", "origin", "HEAD:main")
    git(source, "checkout", "--quiet", "-b", "mine")
    (source / "README").write_text("the person's own change\n")
    (source / "staged").write_text("staged\n")
    git(source, "add", "staged")
    (source / "untracked").write_text("untracked\n")
    return directory


def possessions(source: Path) -> tuple[str, ...]:
    """Everything of the person's that nobody else may change."""
    return (
        git(source, "symbolic-ref", "HEAD"),
        git(source, "status", "--porcelain"),
        git(source, "diff"),
        git(source, "diff", "--cached"),
        git(source, "rev-parse", "refs/heads/mine", "refs/heads/main")
        if git_ok(source, "rev-parse", "refs/heads/main")
        else "",
        (source / ".git" / "config").read_text(),
        git(source, "stash", "list"),
    )
