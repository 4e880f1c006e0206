"""A real bare repository with a person's clone beside it, and forges on it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from ennio.config.model import Project
from ennio.model.clock import Clock, ManualClock
from ennio.model.pulls import PullRequest
from ennio.plugins.forge.interface import Watch
from ennio.plugins.forge.local import LocalForge, parse
from tests.plugins.forge.memory_store import MemoryForgeStore

AGENT = {
    "GIT_AUTHOR_NAME": "Agent Smith",
    "GIT_AUTHOR_EMAIL": "smith@agents.example",
    "GIT_COMMITTER_NAME": "Agent Smith",
    "GIT_COMMITTER_EMAIL": "smith@agents.example",
}
ALONE = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}


def git(directory: Path, *args: str, env: Mapping[str, str] = AGENT) -> str:
    """Run git for a person or an agent, hooks and all."""
    environ = {**os.environ, **ALONE, **env}
    return subprocess.run(
        ["git", *args],
        cwd=directory,
        env=environ,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout.strip()


class Hub:
    """``hub.git`` with a ``main`` of one commit, the clone ``work`` to push from,
    and a forge when asked for.
    """

    def __init__(self, root: Path, clock: Clock | None = None) -> None:
        self.root = root
        self.path = root / "hub.git"
        self.work = root / "work"
        self.store = MemoryForgeStore()
        self.clock = clock or ManualClock()
        self._forges: list[LocalForge] = []
        git(root, "init", "-q", "--bare", "-b", "main", str(self.path))
        git(root, "clone", "-q", str(self.path), str(self.work))
        git(self.work, "checkout", "-q", "-b", "main")
        self.push("main", {"README": "hello\n", "app.py": "one\ntwo\nthree\n"}, create=False)

    def push(
        self,
        branch: str,
        files: Mapping[str, str],
        *,
        base: str = "main",
        create: bool = True,
        message: str = "",
    ) -> str:
        """Commit files on top of the hub's branch (made from the base unless it is there),
        push it, return its head.
        """
        if create:
            git(self.work, "fetch", "-q", "--prune", "origin")
            there = git(self.work, "branch", "--remotes", "--list", f"origin/{branch}")
            git(
                self.work,
                "checkout",
                "-q",
                "--no-track",
                "-B",
                branch,
                f"origin/{branch if there else base}",
            )
        for name, text in files.items():
            (self.work / name).parent.mkdir(parents=True, exist_ok=True)
            (self.work / name).write_text(text)
        git(self.work, "add", "-A")
        git(self.work, "commit", "-q", "-m", message or f"change {', '.join(files)}")
        git(self.work, "push", "-q", "--force", "origin", branch)
        return git(self.work, "rev-parse", "HEAD")

    def head(self, branch: str = "main") -> str:
        return git(self.path, "rev-parse", f"refs/heads/{branch}")

    def show(self, name: str, branch: str = "main") -> str:
        return git(self.path, "show", f"{branch}:{name}")

    def project(self, repo: str | None = None, protected: tuple[str, ...] = ()) -> Project:
        return Project(
            id="shop",
            name="Shop",
            repo=repo or str(self.path),
            path=self.work,
            bots=("linter",),
            protected_branches=protected,
        )

    def forge(
        self,
        repo: str | None = None,
        *,
        protected_branches: tuple[str, ...] = (),
        **settings: object,
    ) -> LocalForge:
        made = LocalForge(
            self.project(repo, protected_branches),
            self.store,
            self.root / "forge",
            self.clock,
            parse(settings),
        )
        self._forges.append(made)
        return made

    def end(self) -> None:
        for forge in self._forges:
            forge.shutdown()


def watch(
    branch: str, *, number: int | None = None, idle: bool = True, session: str = "s-1"
) -> Watch:
    return Watch(session, branch, "main", number=number, idle=idle)


def seen_pull(forge: LocalForge, watches: Sequence[Watch] | Watch) -> PullRequest:
    """The pull request of the first watch after a survey."""
    watches = [watches] if isinstance(watches, Watch) else watches
    pull = forge.survey(watches)[watches[0].session_id].pull
    assert pull is not None
    return pull
