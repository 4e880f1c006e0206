"""Makes ``origin`` mean the ordered repository inside a worktree, whatever the clone calls it.

An agent is told to push to ``origin``. Where the clone's ``origin`` is the ordered repository (the
usual case) nothing is done. Elsewhere (the project is about the clone itself, about another remote
of it, or the clone was made without refspecs) the difference is a git configuration of the session's
own: a file in the worktree's private folder, above the person's global one, which it includes. It
reaches git through ``GIT_CONFIG_GLOBAL``, which belongs into the environment of whatever runs in the
worktree (``environment``). So the clone's configuration stays untouched, ``extensions.worktreeConfig``
is not needed, and what an agent configures "globally" ends with its worktree.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ennio.plugins.git import Git
from ennio.plugins.workspace.repository import Repository
from ennio.untrusted import content

_FILE = "ennio.gitconfig"
_POINTER = 8192  # bytes; a path is no longer
_ALL = "+refs/heads/*:refs/remotes/origin/*"


def environment(workspace: Path) -> dict[str, str]:
    """What has to be in the environment so that ``origin`` is right in a working copy; often nothing.

    Reads files only; for any folder, also one that is no worktree.
    """
    folder = _private(workspace)
    return {"GIT_CONFIG_GLOBAL": str(folder / _FILE)} if folder is not None and (folder / _FILE).exists() else {}


def _private(workspace: Path) -> Path | None:
    """A worktree's private folder in its repository, as its ``.git`` file tells; None for what is no worktree."""
    try:
        pointer = content(workspace / ".git", _POINTER).decode()
    except (OSError, ValueError):
        return None  # a folder, nothing at all, or whatever an agent put there instead
    if "\0" in pointer:
        return None
    return workspace / pointer.removeprefix("gitdir:").strip()


def route(repository: Repository, tree: Git, branch: str) -> None:
    """Write the configuration with which ``origin`` is right in a worktree, if one is needed."""
    folder = _private(tree.directory) or Path(tree.run("rev-parse", "--absolute-git-dir").text)
    path, making = folder / _FILE, folder / f"{_FILE}.new"
    settings = _settings(repository, branch)
    if not settings:
        path.unlink(missing_ok=True)
        return
    making.write_text("", encoding="utf-8")
    for key, value in (*_person(), *settings):
        tree.run("config", "--file", str(making), "--add", key, value)
    making.replace(path)


def _settings(repository: Repository, branch: str) -> list[tuple[str, str]]:
    urls = repository.configured("remote.origin.url")
    if not urls:
        return [("remote.origin.url", repository.address), ("remote.origin.fetch", _ALL)]
    bent: list[tuple[str, str]] = []
    if repository.remote != "origin":
        every = dict.fromkeys([*urls, *repository.configured("remote.origin.pushurl")])
        bent = [(f"url.{repository.address}.insteadOf", url) for url in every]
    return bent + _refspecs(repository.configured("remote.origin.fetch"), branch)


def _refspecs(present: Sequence[str], branch: str) -> list[tuple[str, str]]:
    """What is missing for a push to be remembered: without a tracking ref, pushed work would look unpushed."""
    if not present:
        return [("remote.origin.fetch", _ALL)]
    sources = [spec.removeprefix("+").partition(":")[0] for spec in present]
    full = f"refs/heads/{branch}"
    if any(full == source or ("*" in source and full.startswith(source.partition("*")[0])) for source in sources):
        return []
    # the star: a fetch must not fail while the branch is not there yet
    return [("remote.origin.fetch", f"+{full}*:refs/remotes/origin/{branch}*")]


def _person() -> list[tuple[str, str]]:
    """The person's own global configuration, included the way git would read it."""
    own = os.environ.get("GIT_CONFIG_GLOBAL")
    if own:
        return [("include.path", str(Path(own).absolute()))]
    xdg = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return [("include.path", f"{xdg}/git/config"), ("include.path", "~/.gitconfig")]
