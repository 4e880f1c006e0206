"""Symbolic links a project wants in each working copy (``.env``, ``node_modules``).

The link itself must lie inside the working copy: no absolute target, no ``..``, nothing in
``.git``, and no way through a directory that is itself a link. What it points to is wherever the
configuration's author says; relative sources count from the project's path.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from ennio.config.model import Symlink
from ennio.machine import single
from ennio.machine.interface import Machine
from ennio.model.errors import Refused
from ennio.plugins.git import Git
from ennio.plugins.workspace import private

_MOST = 16 << 20  # bytes of a file of patterns
_HEADING = "# links that Ennio places in working copies"


def place(machine: Machine, links: Sequence[Symlink], workspace: Path, project: Path) -> None:
    """Make the links; those that stand are left. Raises Refused naming the link."""
    for link in links:
        _inside(link)
        _link(machine, link, _source(machine, link, project), workspace)


def exclude(links: Sequence[Symlink], git: Git) -> None:
    """Keep the links out of commits: those git does not ignore are added to a list of
    this working copy's own.

    A pattern like ``node_modules/`` in a ``.gitignore`` does not match a link of that name. A clone
    has its own ``info/exclude``. Worktrees share the one of their repository with the person's
    checkout, whose files it would hide: theirs is a file of their own (see ``private.py``), which
    begins with the person's own patterns.
    """
    shown = [
        link.target.as_posix()
        for link in links
        if not git.run("check-ignore", "-q", "--", link.target.as_posix(), check=False).ok
    ]
    if not shown:
        return
    own = private.folder(git.machine, git.directory)
    if own is None:
        told = git.run("rev-parse", "--git-path", "info/exclude").text
        _append(git.machine, git.directory / told, shown)
    else:
        path = own / private.EXCLUDE
        if not single.exists(git.machine, path):
            git.machine.write(path, _persons(git), mode=0o644)
        _append(git.machine, path, shown)


def _persons(git: Git) -> bytes:
    """The patterns a person has for all repositories; the file that is read
    instead begins with them.
    """
    told = git.run("config", "--path", "core.excludesFile", check=False).text
    config = Path(git.machine.environ.get("XDG_CONFIG_HOME") or git.machine.home / ".config")
    path = Path(told) if told else config / "git" / "ignore"
    there = single.is_file(git.machine, path)
    return single.content(git.machine, path, _MOST) + b"\n" if there else b""


def _append(machine: Machine, path: Path, shown: Sequence[str]) -> None:
    machine.make_folder(path.parent)
    there = single.exists(machine, path)
    raw = single.content(machine, path, _MOST) if there else b""
    before = raw.decode("utf-8", "surrogateescape")
    missing = [line for line in map(_pattern, shown) if line not in before.splitlines()]
    heading = [] if _HEADING in before.splitlines() else [_HEADING]
    if missing:
        gap = "" if before.endswith("\n") or not before else "\n"
        text = gap + "".join(f"{line}\n" for line in heading + missing)
        machine.append(path, text.encode(), mode=0o644)


def _pattern(target: str) -> str:
    """The line that ignores exactly this path."""
    return "/" + re.sub(r"([*?\[\\])", r"\\\1", target).replace(" ", "\\ ")


def _source(machine: Machine, link: Symlink, project: Path) -> Path:
    source = project / link.source
    if not single.exists(machine, source):
        message = f"symlink {link.target}: its source {source} does not exist"
        raise Refused(message)
    # the last step is kept: where the source is itself a link, it may point elsewhere tomorrow
    if source.name in ("", ".."):
        return single.real(machine, source)
    return single.real(machine, source.parent) / source.name


def _inside(link: Symlink) -> None:
    parts = link.target.parts
    if link.target.is_absolute() or ".." in parts or not parts:
        message = (
            f"symlink {link.target}: it would leave the workspace; give a target relative to it, "
            "without '..'"
        )
        raise Refused(message)
    if any(part.lower() == ".git" for part in parts):
        message = f"symlink {link.target}: nothing is linked into .git"
        raise Refused(message)


def _link(machine: Machine, link: Symlink, source: Path, workspace: Path) -> None:
    try:
        placed = machine.link_below(workspace, link.target, source)
    except NotADirectoryError as error:
        message = (
            f"symlink {link.target}: {error.filename} on the way is a link or no directory; it "
            "could lead out of the workspace"
        )
        raise Refused(message) from None
    if not placed:
        message = (
            f"symlink {link.target}: something else is there already in the workspace; "
            "remove it or the symlink"
        )
        raise Refused(message)
