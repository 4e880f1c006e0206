"""Symbolic links a project wants in each working copy (``.env``, ``node_modules``).

The link itself must lie inside the working copy: no absolute target, no ``..``, nothing in
``.git``, and no way through a directory that is itself a link. What it points to is wherever the
configuration's author says; relative sources count from the project's path.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from ennio.config.model import Symlink
from ennio.machine.files import write_atomically
from ennio.model.errors import Refused
from ennio.plugins.git import Git
from ennio.plugins.workspace import private

_HEADING = "# links that Ennio places in working copies"


def place(links: Sequence[Symlink], workspace: Path, project: Path) -> None:
    """Make the links; those that stand are left. Raises Refused naming the link."""
    for link in links:
        _inside(link)
        _link(link, _source(link, project), workspace)


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
    own = private.folder(git.directory)
    if own is None:
        _append(git.directory / git.run("rev-parse", "--git-path", "info/exclude").text, shown)
    else:
        path = own / private.EXCLUDE
        if not path.exists():
            write_atomically(path, _persons(git), mode=0o644)
        _append(path, shown)


def _persons(git: Git) -> bytes:
    """The patterns a person has for all repositories; the file that is read
    instead begins with them.
    """
    told = git.run("config", "--path", "core.excludesFile", check=False).text
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    path = Path(told) if told else config / "git" / "ignore"
    return path.read_bytes() + b"\n" if path.is_file() else b""


def _append(path: Path, shown: Sequence[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_text(encoding="utf-8", errors="surrogateescape") if path.exists() else ""
    missing = [line for line in map(_pattern, shown) if line not in before.splitlines()]
    heading = [] if _HEADING in before.splitlines() else [_HEADING]
    if missing:
        gap = "" if before.endswith("\n") or not before else "\n"
        with path.open("a", encoding="utf-8") as file:
            file.write(gap + "".join(f"{line}\n" for line in heading + missing))


def _pattern(target: str) -> str:
    """The line that ignores exactly this path."""
    return "/" + re.sub(r"([*?\[\\])", r"\\\1", target).replace(" ", "\\ ")


def _source(link: Symlink, project: Path) -> Path:
    source = project / link.source
    if not source.exists():
        message = f"symlink {link.target}: its source {source} does not exist"
        raise Refused(message)
    # the last step is kept: where the source is itself a link, it may point elsewhere tomorrow
    return source.resolve() if source.name in ("", "..") else source.parent.resolve() / source.name


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


def _link(link: Symlink, source: Path, workspace: Path) -> None:
    """Walk down by directory handles that follow no link, so that nobody
    can bend the way meanwhile.
    """
    with ExitStack() as handles:
        here = os.open(workspace, os.O_RDONLY | os.O_DIRECTORY)
        handles.callback(os.close, here)
        for part in link.target.parts[:-1]:
            here = _step(link, part, here)
            handles.callback(os.close, here)
        name = link.target.name
        try:
            os.symlink(source, name, dir_fd=here)
        except FileExistsError:
            if not _is_linked(name, source, here):
                message = (
                    f"symlink {link.target}: something else is there already in the workspace; "
                    "remove it or the symlink"
                )
                raise Refused(message) from None


def _step(link: Symlink, part: str, here: int) -> int:
    with suppress(FileExistsError):
        os.mkdir(part, dir_fd=here)
    try:
        return os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
    except OSError:
        message = (
            f"symlink {link.target}: {part} on the way is a link or no directory; it could lead "
            "out of the workspace"
        )
        raise Refused(message) from None


def _is_linked(name: str, source: Path, here: int) -> bool:
    try:
        return os.readlink(name, dir_fd=here) == str(source)
    except OSError:
        return False
