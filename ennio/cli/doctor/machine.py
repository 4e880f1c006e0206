"""The machine: Python, git, tmux, memory, disk, the state folder."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from ennio.board.quantities import size
from ennio.cli.doctor.finding import Finding, broken, fine, warning
from ennio.config.database import file as database_file
from ennio.config.database import lock_of, served, shown
from ennio.machine import files
from ennio.machine.closed_place import another_home, closed, closed_home, is_read_only, opening
from ennio.machine.sandbox.availability import NoSandbox
from ennio.policy.degradation import LITTLE_DISK

PYTHON = (3, 11)
NO_DISK = 8 * 1024**2  # less does not hold what a start writes
LOOK = 20.0  # seconds a database's file is looked through; a big one takes longer
GIT = (2, 38)  # merge-tree --write-tree
INTRODUCTION = (
    'git config --global user.name "Your Name" && git config --global user.email you@example.org'
)
"""What tells git who commits."""
_PACKAGERS: Mapping[str, str] = {
    "apt-get": "sudo apt-get install {}",
    "dnf": "sudo dnf install {}",
    "pacman": "sudo pacman -S {}",
    "apk": "sudo apk add {}",
    "zypper": "sudo zypper install {}",
    "brew": "brew install {}",
}


def install(package: str) -> str:
    """The command that installs a package on this machine."""
    for tool, command in _PACKAGERS.items():
        if shutil.which(tool):
            return command.format(package)
    return f"install {package} with your package manager"


def said(*argv: str) -> str | None:
    """The first line a program prints, or None when it is not there or does not answer."""
    try:
        done = subprocess.run(
            argv,
            capture_output=True,
            text=True,
            timeout=10,
            stdin=subprocess.DEVNULL,
            check=False,
            errors="replace",
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return (done.stdout or done.stderr).strip().split("\n")[0] if done.returncode == 0 else None


def python(version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    """The Python this runs on."""
    text = ".".join(map(str, version))
    if version < PYTHON:
        return broken(f"python {text} is too old", install("python3.11"))
    return fine(f"python {text}")


def git(line: str | None) -> Finding:
    """Git, by the line it prints for ``--version``."""
    if line is None:
        return broken("git is not installed", install("git"))
    found = re.search(r"(\d+)\.(\d+)", line)
    if found is None or (int(found[1]), int(found[2])) < GIT:
        return broken(f"{line} is too old: {GIT[0]}.{GIT[1]} or newer is needed", install("git"))
    return fine(line)


def identity() -> Finding | None:
    """Whether git knows who commits here; an agent's work cannot be committed otherwise. None
    where git does, or is not there.
    """
    if said("git", "--version") is None or said("git", "var", "GIT_COMMITTER_IDENT") is not None:
        return None
    return warning("git does not know who you are, so agents cannot commit", INTRODUCTION)


def tmux(line: str | None, *, wanted: bool) -> Finding:
    """Tmux, by the line it prints for ``-V``; only broken where a project runs in it."""
    if line is not None:
        return fine(line)
    if wanted:
        return broken(
            "tmux is not installed, and a project wants it",
            f"{install('tmux')}  (or runtime: process in ennio.yaml)",
        )
    return warning(
        "tmux is not installed: agents' terminals cannot be attached to", install("tmux")
    )


def sandbox(why: NoSandbox | None, *, wanted: bool) -> Finding | None:
    """Sandboxes, by why there can be none; told where a project wants one."""
    if not wanted:
        return None
    if why is None:
        return fine("sandboxes can be made (bubblewrap)")
    return broken(f"a project wants a sandbox, and there can be none: {why.what}", why.way)


def memory(free: int, needed: int) -> Finding:
    """Free memory against what is kept free before another agent is started."""
    if free < needed:
        what = f"{size(free)} of memory are free: no agent is started below {size(needed)}"
        return warning(what, "end other programs, or lower min_free_memory in ennio.yaml")
    return fine(f"{size(free)} of memory are free")


def room(place: Path) -> Finding | None:
    """Room on the disk of a place; None for one that is read-only, which has none to give and is
    told of by whoever would write there.
    """
    return None if is_read_only(place) else disk(shutil.disk_usage(place).free, place)


def disk(free: int, place: Path) -> Finding:
    """Room for working copies, and for the database; without any nothing can be written."""
    if free < NO_DISK:
        return broken(
            f"the disk is full: {size(free)} are free at {place}",
            "free some there; ennio cleanup --dry-run  shows what ended sessions take",
        )
    if free < LITTLE_DISK:
        return warning(
            f"only {size(free)} are free at {place}",
            "ennio cleanup --dry-run  shows what ended sessions take",
        )
    return fine(f"{size(free)} are free at {place}")


def state(root: Path) -> Finding:
    """Whether Ennio can keep its files where they belong, each in its folder."""
    place = closed_home(root)
    if place is None:
        return fine(f"state in {root}")
    ways = [opening(place), another_home(root)]
    if ways[0].startswith("sudo"):
        ways.reverse()  # what needs nobody's leave comes first
    fix = "   or ".join(filter(None, ways))
    return broken(
        f"state belongs in {root}, and {closed(place)}",
        fix or "export ENNIO_HOME=...  (a folder that you can write to)",
    )


def database(url: str, *, held: bool = False, before: bool = False) -> Finding | None:
    """Whether the database's file is there, can be written and has others made beside it;
    None where it is no file. ``held``: a supervisor runs on it, and tells itself where it is gone,
    of which nothing is said here then; ``before``: one ran here before.
    """
    file = database_file(url)
    if file is None:
        return None
    beside = file.with_name(f"{file.name}-wal")  # what it makes beside itself
    if place := next((one for one in (beside, file) if closed(one)), None):
        other = "database_url: sqlite:/a/folder/of/yours/ennio.db  in ennio.yaml"
        return broken(
            f"the database is {file}, and {closed(place)}",
            "   or ".join(filter(None, (opening(place), other))),
        )
    if not file.exists() or saved(file) is not None:
        return None if held else _gone(file, before=before)
    return fine(f"database {file}")


def _gone(file: Path, *, before: bool) -> Finding:
    begun = "the next start makes an empty one, and takes in the agents that run"
    if (copy := saved(file)) is not None:
        there, rest = (
            shlex.quote(str(file)),
            " ".join(shlex.quote(f"{file}{end}") for end in ("-wal", "-shm")),
        )
        how = "empty" if file.exists() else "gone"
        return broken(
            f"the database {file} is {how}, and what it held was saved in {copy}",
            f"rm -f {rest} && mv {shlex.quote(str(copy))} {there} && ennio start --detach"
            "   or ennio start --new-database  (with an empty one)",
        )
    if before:
        return warning(
            f"the database {file} is gone: {begun}",
            "ennio start --detach   or put a backup there before",
        )
    return fine(f"database {file}")


def saved(file: Path | None) -> Path | None:
    """The newest copy that was saved of a database that was taken away, where that is still away
    or nothing but an empty file is there; None where there is none.
    """
    if file is None or (file.exists() and (not file.is_file() or file.stat().st_size)):
        return None
    copies = sorted(file.parent.glob(f"{file.name}.saved-*"))
    return copies[-1] if copies else None


def server(url: str, *, trusted: bool) -> Finding | None:
    """Whether the database's server answers, asked in a process of its own; None where it is a
    file, or nobody has trusted it.
    """
    if not served(url) or not trusted:
        return None
    asked = _asked(url, 60)
    said = asked.stdout.strip().partition("\n")[0] or asked.stderr.strip().rpartition("\n")[2]
    if asked.returncode:
        return broken(
            f"the database cannot be used: {said}",
            "mend it as it says, or name another by database_url",
        )
    return fine(f"database {shown(url)}: {said}")


def looked_through(url: str) -> Finding | None:
    """Whether a start could use what the database's file holds, read in a process of its own and
    for ``LOOK`` seconds at most; nothing is changed there. None where it could, or where there is
    no such file, or somebody works on it.
    """
    file = database_file(url)
    if file is None or not file.is_file() or not file.stat().st_size:
        return None
    try:
        if files.is_held(lock_of(file)):
            return None
        asked = _asked(url, LOOK)
    except subprocess.TimeoutExpired:
        return fine(f"database {file} (too big to be looked through in {LOOK:g} s)")
    except OSError:
        return None  # whether somebody works on it cannot be told
    if not asked.returncode:
        return None
    said = " ".join(asked.stdout.split()) or asked.stderr.strip().rpartition("\n")[2]
    return broken(
        f"the database cannot be used: {said}",
        "mend it as it says, or name another by database_url",
    )


def _asked(url: str, timeout: float) -> subprocess.CompletedProcess[str]:
    # by stdin: on a command line everybody could read its password
    return subprocess.run(
        [sys.executable, "-m", "ennio.store"],
        input=url,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
