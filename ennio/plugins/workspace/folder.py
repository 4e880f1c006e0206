"""Directories of working copies as files on a disk: how large they are, and how they go.

The walking is left to ``du`` and ``rm``: a tree of a hundred thousand files must not
stop the process that asks.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from ennio.model.errors import Refused, TimedOut

_LIMIT = 900.0


def sizes(paths: Sequence[Path]) -> Mapping[Path, int]:
    """The bytes each directory takes up on disk; 0 for one that is not there or cannot be read."""
    if not paths:
        return {}
    # several at once share what is hard-linked between them, so each is counted as
    # what its removal frees
    lines = _run("du", "-sk", "--", *map(str, paths)).stdout.splitlines()
    told = {
        Path(name): int(blocks) * 1024
        for blocks, _, name in (line.partition("\t") for line in lines)
        if blocks.isdigit()
    }
    return {path: told.get(path, 0) for path in paths}


def size(path: Path) -> int:
    """The bytes one directory takes up on disk."""
    return sizes([path])[path]


def children(root: Path) -> list[Path]:
    """The folders in a folder by name, without those that begin with a dot: they
    are being made or removed.
    """
    return (
        sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
        if root.is_dir()
        else []
    )


def is_empty(path: Path) -> bool:
    """Whether it is a directory with nothing in it."""
    return path.is_dir() and not path.is_symlink() and next(path.iterdir(), None) is None


def discard(path: Path) -> None:
    """Remove a directory for good; gone already is fine.

    It is renamed first, so that its place is free at once and a crash never leaves half of it under
    its name; what an earlier crash left is removed too. Read-only folders are made writable.
    Processes that still stand in it keep standing. Raises Refused when something cannot be removed.
    """
    trash = path.with_name(f".{path.name}.removed")
    _destroy(trash)
    if path.is_symlink() or not path.exists():
        path.unlink(missing_ok=True)
        return
    try:
        path.rename(trash)
    except OSError as error:
        message = f"{path} cannot be removed: {error.strerror}"
        raise Refused(message) from error
    _destroy(trash)


def _destroy(path: Path) -> None:
    if not path.exists():
        return
    if _run("rm", "-rf", "--", str(path)).returncode != 0:
        _run("chmod", "-R", "u+rwX", "--", str(path))
        again = _run("rm", "-rf", "--", str(path))
        if again.returncode != 0:
            last = again.stderr.strip().splitlines()[-1:] or ["it said nothing"]
            message = f"{path} cannot be removed: {last[0]}; remove it by hand"
            raise Refused(message)


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    try:
        quiet = subprocess.DEVNULL
        return subprocess.run(
            command,
            stdin=quiet,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        message = f"{command[0]} {command[-1]} did not end within {_LIMIT:g} s"
        raise TimedOut(message) from error
