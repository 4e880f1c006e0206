"""The bare repository a project without a remote gets, so that merges never move a
person's checked-out branch.
"""

from __future__ import annotations

import hashlib
import shutil
from contextlib import ExitStack
from pathlib import Path

from ennio.cli.repository import BARE_REMOTE, WorkingCopy
from ennio.machine.files import write_atomically
from ennio.machine.home import Home, private
from ennio.machine.local import LocalMachine
from ennio.plugins.git import Git

_PUSHING = 600.0


def bare_remote_path(repository: WorkingCopy, home: Home) -> Path:
    """Where the bare remote of this repository lies: readable, and different for folders of
    the same name elsewhere.
    """
    root = repository.root
    return (
        home.root
        / "hubs"
        / f"{root.name or 'root'}-{hashlib.sha256(str(root).encode()).hexdigest()[:8]}.git"
    )


def make_bare_remote(repository: WorkingCopy, home: Home, undo: ExitStack) -> Path:
    """Make the bare remote, push the default branch there, add it as remote; each
    step is put on ``undo``.
    """
    place = bare_remote_path(repository, home)
    private(home.root / "hubs")
    git = Git(LocalMachine(), repository.root)
    if place.exists():  # of an earlier init whose remote was taken away: what it holds is kept
        _push(git, place, repository.branch)
    else:
        _new(git, place, repository.branch, undo)
    git.run("remote", "add", BARE_REMOTE, str(place))
    undo.callback(git.run, "remote", "remove", BARE_REMOTE, check=False)
    git.run("fetch", "--progress", BARE_REMOTE, timeout=_PUSHING)
    return place


def _new(git: Git, place: Path, branch: str, undo: ExitStack) -> None:
    draft = place.with_name(f".{place.name}.new")
    shutil.rmtree(draft, ignore_errors=True)  # what an interrupted attempt left
    undo.callback(shutil.rmtree, draft, ignore_errors=True)
    git.run("init", "--bare", "--quiet", f"--initial-branch={branch}", str(draft))
    _push(git, draft, branch)
    draft.rename(place)
    undo.callback(shutil.rmtree, place, ignore_errors=True)


def _push(git: Git, place: Path, branch: str) -> None:
    git.run("push", "--progress", str(place), f"refs/heads/{branch}", timeout=_PUSHING)


def exclude(root: Path, pattern: str) -> None:
    """Keep files out of git's sight in this clone alone: the person's own
    .gitignore stays as it is.
    """
    told = Git(LocalMachine(), root).run("rev-parse", "--git-path", "info/exclude").text
    file = root / told
    file.parent.mkdir(parents=True, exist_ok=True)
    before = file.read_text(encoding="utf-8", errors="surrogateescape") if file.exists() else ""
    if pattern not in before.splitlines():
        end = "" if not before or before.endswith("\n") else "\n"
        after = f"{before}{end}{pattern}\n".encode(errors="surrogateescape")
        write_atomically(
            file.resolve(), after, mode=0o644, keep_mode=True
        )  # people keep it as a link into their dotfiles
