"""What git said of a repository's remotes, which holds as long as the files say the same from which
git reads settings: then it need not be asked again.

Where it cannot be told for sure which files these are, nothing is kept. Files that include others
name them in their settings: then nothing is kept either.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ennio.machine.interface import FileSpan, FileState, Machine
from ennio.plugins.git import Git
from ennio.plugins.workspace.remotes import ASKED, Remotes

_Files = Mapping[Path, bytes]
"""What stands in each; nothing where there is none."""

_MOST = 1 << 18  # bytes of each
_BRANCHES = re.compile(
    rb'^\[branch "[^"\\\n]*"\]\n(?:\t[A-Za-z][A-Za-z0-9-]* = [^\\\n]*\n)*', re.MULTILINE
)
"""What git writes down of branches, in the words of git alone: each push with ``-u`` adds to it."""
_UNREAD = re.compile(r"unable to read config file '(/[^'\n]+)': No such file")
_ANSWERED = (0, 1)
"""The exit codes of git where it told the settings; 1: there are none of these."""
_NOTHING = Path("/dev/null")
_ELSEWHERE = ("GIT_CONFIG_COUNT", "GIT_CONFIG_NOSYSTEM")
"""Variables by which settings come, or are left out, in a way of their own."""


@dataclass(frozen=True, slots=True)
class _Known:
    files: _Files
    remotes: Remotes


class SettledRemotes:
    """Those of one repository."""

    def __init__(self) -> None:
        self._known: _Known | None = None

    def now(self, git: Git, common: Path) -> Remotes:
        """The remotes as they are. ``git`` works in the repository whose shared directory this is;
        it is asked where its files may say something else by now.
        """
        files, known = _read(git, common), self._known
        if known is not None and files == known.files:
            return known.remotes
        answer = git.run(*ASKED, check=False)
        remotes = Remotes.read(answer)
        whole = answer.code in _ANSWERED and remotes.is_plain and not remotes.includes
        if files is not None and whole and files == _read(git, common):
            self._known = _Known(files, remotes)
        return remotes


def _read(git: Git, common: Path) -> _Files | None:
    """What the files say now for a repository without settings of single worktrees; None where
    that cannot be told.
    """
    machine = git.machine
    system = _system(git)
    persons = _persons(machine.environ)
    if system is None or persons is None or any(name in machine.environ for name in _ELSEWHERE):
        return None
    own = common / "config"
    paths = [path for path in (system, *persons, own) if path != _NOTHING]
    if not all(path.is_absolute() for path in paths):
        return None
    found = dict[Path, bytes]()
    parts = machine.read([FileSpan(path, most=_MOST + 1) for path in paths])
    for path, part in zip(paths, parts, strict=True):
        absent = isinstance(part, FileNotFoundError | NotADirectoryError)
        if not absent and (isinstance(part, OSError) or len(part.data) > _MOST):
            return None
        found[path] = b"" if isinstance(part, OSError) else part.data
    if b"\\\n" not in found[own]:  # no line goes on in the next
        found[own] = _BRANCHES.sub(b"", found[own])
    return found


def _persons(environ: Mapping[str, str]) -> tuple[Path, ...] | None:
    """Those for all repositories of a person."""
    named, home = environ.get("GIT_CONFIG_GLOBAL"), environ.get("HOME")
    if named is not None:
        return (Path(named),)
    if home is None:
        return None
    config = environ.get("XDG_CONFIG_HOME") or f"{home}/.config"
    return Path(config) / "git" / "config", Path(home) / ".gitconfig"


def _system(git: Git) -> Path | None:
    """The one for all persons: where it lies was written into git as it was built."""
    machine = git.machine
    named = machine.environ.get("GIT_CONFIG_SYSTEM")
    if named is not None:
        return Path(named)
    program = machine.which("git")
    if program is None:
        return None
    (state,) = machine.stat([Path(program)])
    return None if isinstance(state, OSError) else _built_in(machine, git.directory, program, state)


@lru_cache(maxsize=16)
def _built_in(machine: Machine, directory: Path, _program: str, _state: FileState) -> Path | None:
    """What this git says of it, which names it only where it tells what stands in there, or that it
    is not there.
    """
    answer = Git(machine, directory).run(
        "config", "--system", "--show-origin", "-z", "--list", check=False
    )
    if answer.ok:
        origin = next(iter(answer.fields), "")
        return Path(origin.removeprefix("file:")) if origin.startswith("file:/") else None
    missing = _UNREAD.search(answer.stderr)
    return Path(missing[1]) if missing is not None else None
