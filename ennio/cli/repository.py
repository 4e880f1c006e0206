"""What ``ennio init`` finds out of a repository: its root, where it is cloned from, its default branch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ennio.model.errors import Conflict, EnnioError, NotFound
from ennio.plugins.git import Git

BARE_REMOTE = "ennio"  # the name of the remote that init makes
_ASKING = 15.0


@dataclass(frozen=True, slots=True)
class WorkingCopy:
    """A working copy with at least one commit. ``remote`` and ``url`` are None when it has no remote."""

    root: Path
    branch: str
    remote: str | None = None
    url: str | None = None


def root_of(start: Path) -> Path:
    """The root of the working copy around a folder. Raises NotFound with the command to make one."""
    if not start.is_dir():
        raise NotFound(f"there is no folder {start}; clone the repository first")
    for folder in (start, *start.parents):
        if (folder / ".git").exists():
            return folder
    raise NotFound(f"{start} is in no git repository; make it one with: git init && git add -A && git commit -m 'first commit'")


def survey(start: Path) -> WorkingCopy:
    """The repository around a folder. Raises Conflict when it has no commit or no branch to start from."""
    root = root_of(start)
    git = Git(root)
    git.run("status", "--porcelain", "--untracked-files=no")  # git's own words when it does not trust or understand the folder
    if git.commit("HEAD") is None:
        raise Conflict(f"{root} has no commits yet, and agents start from one; make it with: git add -A && git commit -m 'first commit'")
    remote = _remote(git)
    url = _absolute(git.run("remote", "get-url", remote).text, root) if remote else None
    return WorkingCopy(root, _branch(git, remote), remote, url)


def _absolute(url: str, root: Path) -> str:
    """The address as it reads from anywhere: git takes a relative path to be relative to the root."""
    return str((root / url).resolve()) if url.startswith(("./", "../")) else url


def _remote(git: Git) -> str | None:
    remotes = git.run("remote").lines
    return "origin" if "origin" in remotes else next(iter(remotes), None)


def _branch(git: Git, remote: str | None) -> str:
    current = git.run("symbolic-ref", "--quiet", "--short", "HEAD", check=False).text
    branch = (_remote_default(git, remote) if remote else None) or current
    if not branch:
        raise Conflict(f"{git.directory} has no branch checked out (detached HEAD) and no remote that tells its default; check out one")
    return branch


def _remote_default(git: Git, remote: str) -> str | None:
    """The remote's default branch: as the remote says, else as the clone remembers it, else None.

    A clone remembers what the default was when it was made: it may have been renamed since.
    """
    return _told_default(git, remote) or _remembered_default(git, remote)


def _told_default(git: Git, remote: str) -> str | None:
    try:
        told = git.run("ls-remote", "--symref", remote, "HEAD", timeout=_ASKING, check=False)
    except EnnioError:
        return None  # out of reach right now
    head = next((line for line in told.lines if line.startswith("ref: refs/heads/")), "")
    return head.removeprefix("ref: refs/heads/").split("\t")[0] or None


def _remembered_default(git: Git, remote: str) -> str | None:
    """What the clone remembers, where the branch is still known here; else the branch checked out is the best guess."""
    known = git.run("symbolic-ref", "--quiet", "--short", f"refs/remotes/{remote}/HEAD", check=False).text
    return known.removeprefix(f"{remote}/") if known and git.commit(f"refs/remotes/{known}") else None
