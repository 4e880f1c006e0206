"""Directories of working copies as files on a disk: how large they are, and how they go.

The walking is left to ``du`` and ``rm``: a tree of a hundred thousand files must not
stop the process that asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ennio.machine import single
from ennio.machine.interface import Command, CompletedCommand, FileKind, Machine
from ennio.model.errors import Refused, TimedOut

_LIMIT = 900.0


def sizes(machine: Machine, paths: Sequence[Path]) -> Mapping[Path, int]:
    """The bytes each directory takes up on disk; 0 for one that is not there or cannot be read."""
    if not paths:
        return {}
    # several at once share what is hard-linked between them, so each is counted as
    # what its removal frees
    lines = _text(_run(machine, "du", "-sk", "--", *map(str, paths)).stdout).splitlines()
    told = {
        Path(name): int(blocks) * 1024
        for blocks, _, name in (line.partition("\t") for line in lines)
        if blocks.isdigit()
    }
    return {path: told.get(path, 0) for path in paths}


def size(machine: Machine, path: Path) -> int:
    """The bytes one directory takes up on disk."""
    return sizes(machine, [path])[path]


def children(machine: Machine, root: Path) -> list[Path]:
    """The folders in a folder by name, without those that begin with a dot: they
    are being made or removed.
    """
    if not single.is_folder(machine, root):
        return []
    paths = sorted(root / name for name in machine.list(root) if not name.startswith("."))
    kinds = [getattr(found, "kind", None) for found in machine.stat(paths)]
    return [path for path, kind in zip(paths, kinds, strict=True) if kind is FileKind.FOLDER]


def is_empty(machine: Machine, path: Path) -> bool:
    """Whether it is a directory with nothing in it."""
    found = single.state(machine, path, follow=False)
    return found is not None and found.kind is FileKind.FOLDER and not machine.list(path)


def discard(machine: Machine, path: Path) -> None:
    """Remove a directory for good; gone already is fine.

    It is renamed first, so that its place is free at once and a crash never leaves half of it under
    its name; what an earlier crash left is removed too. Read-only folders are made writable.
    Processes that still stand in it keep standing. Raises Refused when something cannot be removed.
    """
    trash = path.with_name(f".{path.name}.removed")
    _destroy(machine, trash)
    found = single.state(machine, path, follow=False)
    if found is None or found.kind is FileKind.LINK:
        machine.remove([path])
        return
    try:
        machine.rename(path, trash)
    except OSError as error:
        message = f"{path} cannot be removed: {error.strerror}"
        raise Refused(message) from error
    _destroy(machine, trash)


def _destroy(machine: Machine, path: Path) -> None:
    if not single.exists(machine, path):
        return
    if _run(machine, "rm", "-rf", "--", str(path)).code != 0:
        _run(machine, "chmod", "-R", "u+rwX", "--", str(path))
        again = _run(machine, "rm", "-rf", "--", str(path))
        if again.code != 0:
            last = _text(again.stderr).strip().splitlines()[-1:] or ["it said nothing"]
            message = f"{path} cannot be removed: {last[0]}; remove it by hand"
            raise Refused(message)


def _run(machine: Machine, *words: str) -> CompletedCommand:
    done = machine.run(Command(words, timeout=_LIMIT))
    if done.overdue is not None:
        raise TimedOut(f"{words[0]} {words[-1]} did not end within {_LIMIT:g} s")
    return done


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
