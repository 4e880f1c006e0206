"""Symbolic links a project wants in each working copy (``.env``, ``node_modules``).

The link itself must lie inside the working copy: no absolute target, no ``..``, nothing in
``.git``, and no way through a directory that is itself a link. What it points to is wherever the
configuration's author says; relative sources count from the project's path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ennio.config.model import Symlink
from ennio.machine import single
from ennio.machine.interface import Machine
from ennio.machine.links import MisplacedLink
from ennio.model.errors import Refused
from ennio.plugins.git import Git, GitCommand, GitOutput, side_by_side
from ennio.plugins.workspace import private

MOST = 16 << 20  # bytes of a file of patterns
_PERSONS = ("config", "--path", "core.excludesFile")
_HEADING = "# links that Ennio places in working copies"


def place(machine: Machine, links: Sequence[Symlink], workspace: Path, project: Path) -> None:
    """Make the links; those that stand are left. Raises Refused naming the link."""
    with refusing():
        for link in links:
            _inside(link)
            machine.link_below(workspace, link.target, _source(machine, link, project))


@contextmanager
def refusing() -> Iterator[None]:
    """Raise Refused, naming the link, where one cannot be placed; of links that were gathered that
    is known only at the end.
    """
    try:
        yield
    except MisplacedLink as error:
        raise Refused(
            f"symlink {error.relative}: {error.bent} on the way is a link or no directory; it "
            "could lead out of the workspace"
            if error.bent
            else f"symlink {error.relative}: something else is there already in the workspace; "
            "remove it or the symlink"
        ) from None


@dataclass(frozen=True, slots=True)
class Exclusion:
    """What keeps links out of commits: the links that git does not ignore, and what it says of the
    person's own patterns.

    A pattern like ``node_modules/`` in a ``.gitignore`` does not match a link of that name, nor
    what is not there yet.
    """

    git: Git
    shown: tuple[str, ...]
    persons: GitOutput

    @classmethod
    def of(cls, links: Sequence[Symlink], git: Git) -> Exclusion:
        """As git says."""
        *told, persons = side_by_side(*questions(links, git))
        names = [link.target.as_posix() for link in links]
        shown = (name for name, answer in zip(names, told, strict=True) if not answer.ok)
        return cls(git, tuple(shown), persons)

    def write(self) -> Path | None:
        """Add them to a list of this working copy's own.

        A clone has its own ``info/exclude``. Worktrees share the one of their repository with the
        person's checkout, whose files it would hide: theirs is a file of their own (see
        ``private.py``), which begins with the person's own patterns. It is what is returned, where
        it was written to.
        """
        git, shown = self.git, self.shown
        if not shown:
            return None
        own = private.folder(git.machine, git.directory)
        if own is None:
            place = git.run("rev-parse", "--git-path", "info/exclude").text
            _append(git.machine, git.directory / place, shown)
            return None
        path = own / private.EXCLUDE
        if single.exists(git.machine, path):
            _append(git.machine, path, shown)
        else:
            persons = _persons(git.machine, self.persons)
            git.machine.write(path, persons + _added(persons, shown), mode=0o644)
        return path


def questions(links: Sequence[Symlink], git: Git) -> tuple[GitCommand, ...]:
    """What tells which links git does not ignore, and where the person's own patterns are."""
    names = [link.target.as_posix() for link in links]
    asked = (GitCommand(git, ("check-ignore", "-q", "--", name)) for name in names)
    return (*asked, GitCommand(git, _PERSONS))


def _persons(machine: Machine, where: GitOutput) -> bytes:
    """The patterns a person has for all repositories; the file that is read
    instead begins with them.
    """
    path = Path(where.text) if where.text else usual_persons(machine)
    there = single.is_file(machine, path)
    return single.content(machine, path, MOST) + b"\n" if there else b""


def usual_persons(machine: Machine) -> Path:
    """Where they are unless the person says otherwise."""
    config = Path(machine.environ.get("XDG_CONFIG_HOME") or machine.home / ".config")
    return config / "git" / "ignore"


def _append(machine: Machine, path: Path, shown: Sequence[str]) -> None:
    machine.make_folder(path.parent)
    there = single.exists(machine, path)
    raw = single.content(machine, path, MOST) if there else b""
    text = _added(raw, shown)
    if text:
        machine.append(path, text, mode=0o644)


def _added(raw: bytes, shown: Sequence[str]) -> bytes:
    """What a file of patterns lacks."""
    before = raw.decode("utf-8", "surrogateescape")
    missing = [line for line in map(_pattern, shown) if line not in before.splitlines()]
    heading = [] if _HEADING in before.splitlines() else [_HEADING]
    if not missing:
        return b""
    gap = "" if before.endswith("\n") or not before else "\n"
    return (gap + "".join(f"{line}\n" for line in heading + missing)).encode()


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
