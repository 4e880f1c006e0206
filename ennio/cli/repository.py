"""What ``ennio init`` finds out of a repository: its root, where it is cloned
from, its default branch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ennio.machine.local import LocalMachine
from ennio.model.errors import Conflict, EnnioError, NotFound
from ennio.plugins.git import Git

BARE_REMOTE = "ennio"  # the name of the remote that init makes
USUAL = ("main", "master")
_ASKING = 15.0


@dataclass(frozen=True, slots=True)
class WorkingCopy:
    """A working copy with at least one commit. ``remote`` and ``url`` are
    None when it has no remote.

    ``branch`` is its default branch, ``branch_from`` in words where that is known from.
    """

    root: Path
    branch: str
    branch_from: str
    remote: str | None = None
    url: str | None = None


def root_of(start: Path) -> Path:
    """The root of the working copy around a folder. Raises NotFound with
    the command to make one.
    """
    if not start.is_dir():
        raise NotFound(f"there is no folder {start}; clone the repository first")
    for folder in (start, *start.parents):
        if (folder / ".git").exists():
            return folder
    raise NotFound(
        f"{start} is in no git repository; make it one with: git init && git add -A && git commit "
        "--allow-empty -m 'first commit'   (a file for repositories that lie elsewhere: ennio init "
        "ennio.yaml)"
    )


def survey(start: Path) -> WorkingCopy:
    """The repository around a folder. Raises Conflict when it has no commit or
    no branch to start from.
    """
    root = root_of(start)
    git = Git(LocalMachine(), root)
    git.run(
        "status", "--porcelain", "--untracked-files=no"
    )  # git's own words when it does not trust or understand the folder
    if git.commit("HEAD") is None:
        raise Conflict(
            f"{root} has no commits yet, and agents start from one; make it with: git add -A && "
            "git commit --allow-empty -m 'first commit'"
        )
    remote = _remote(git)
    url = _absolute(git.run("remote", "get-url", remote).text, root) if remote else None
    return WorkingCopy(root, *_default_branch(git, remote), remote, url)


def _absolute(url: str, root: Path) -> str:
    """The address as it reads from anywhere: git takes a relative path to
    be relative to the root.
    """
    return str((root / url).resolve()) if url.startswith(("./", "../")) else url


def _remote(git: Git) -> str | None:
    remotes = git.run("remote").lines
    return "origin" if "origin" in remotes else next(iter(remotes), None)


def _default_branch(git: Git, remote: str | None) -> tuple[str, str]:
    """The default branch, and where that is known from: the remote, else its usual name,
    else what is checked out.

    A clone remembers what the default was when it was made: it may have been renamed since.
    """
    if remote is not None and (told := _told_default(git, remote)):
        return told, f"the default branch of the remote {remote}"
    if remote is not None and (remembered := _remembered_default(git, remote)):
        return (
            remembered,
            f"the default branch of the remote {remote} when it was cloned: it does not say now",
        )
    silent = (
        f"the remote {remote} does not tell its default branch"
        if remote
        else "there is no remote that tells"
    )
    if usual := next((name for name in USUAL if _is_there(git, remote, name)), None):
        return usual, f"the usual name: {silent}"
    current = git.run("symbolic-ref", "--quiet", "--short", "HEAD", check=False).text
    if not current:
        raise Conflict(
            f"{git.directory} has no branch checked out (detached HEAD) and no "
            f"{' or '.join(USUAL)}, and {silent}; check out one"
        )
    return current, f"the one checked out: {silent}, and there is no {' or '.join(USUAL)}"


def _is_there(git: Git, remote: str | None, name: str) -> bool:
    places = [f"refs/heads/{name}", *([f"refs/remotes/{remote}/{name}"] if remote else [])]
    return any(git.commit(place) is not None for place in places)


def _told_default(git: Git, remote: str) -> str | None:
    try:
        told = git.run("ls-remote", "--symref", remote, "HEAD", timeout=_ASKING, check=False)
    except EnnioError:
        return None  # out of reach right now
    head = next((line for line in told.lines if line.startswith("ref: refs/heads/")), "")
    return head.removeprefix("ref: refs/heads/").split("\t")[0] or None


def _remembered_default(git: Git, remote: str) -> str | None:
    """What the clone remembers, where the branch is still known here."""
    known = git.run(
        "symbolic-ref", "--quiet", "--short", f"refs/remotes/{remote}/HEAD", check=False
    ).text
    return (
        known.removeprefix(f"{remote}/") if known and git.commit(f"refs/remotes/{known}") else None
    )
