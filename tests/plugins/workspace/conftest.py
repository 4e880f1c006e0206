"""Ground to work on, with a git that knows nothing of the machine it runs on."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from ennio.machine.local import LocalMachine
from ennio.plugins.workspace.worktree import WorktreeWorkspace
from tests.conftest import need
from tests.plugins.workspace.ground import Ground, settle


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's home folder with a git identity; git reads nothing else."""
    need("git")
    home = tmp_path / "person"
    home.mkdir()
    (home / ".gitconfig").write_text(
        "[user]\n\tname = Pat\n\temail = pat@localhost\n[init]\n\tdefaultBranch = main\n"
    )
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "GIT_DIR", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.fixture
def ground(tmp_path: Path, person: Path) -> Ground:
    """A remote, a clone with unfinished work, an empty home."""
    return settle(tmp_path)


@pytest.fixture
def workspace() -> WorktreeWorkspace:
    """The one most of this is about."""
    return WorktreeWorkspace(LocalMachine())


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every git that is begun."""
    commands: list[str] = []
    begin = subprocess.Popen.__init__

    def counted(self: Any, command: list[str], *args: Any, **options: Any) -> None:
        commands.append(" ".join(command))
        begin(self, command, *args, **options)

    monkeypatch.setattr(subprocess.Popen, "__init__", counted)
    return commands
