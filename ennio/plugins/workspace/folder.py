"""Directories of working copies as files on a disk: how large they are, and how they go.

The walking is left to ``du`` and ``rm``: a tree of a hundred thousand files must not
stop the process that asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ennio.machine import single
from ennio.machine.interface import Command, CompletedCommand, FileKind, Machine
from ennio.machine.questions import Questions
from ennio.model.errors import Refused, TimedOut

_LIMIT = 900.0


def sizes(machine: Machine, paths: Sequence[Path]) -> Mapping[Path, int]:
    """The bytes each directory takes up on disk; 0 for one that is not there or cannot be read."""
    if not paths:
        return {}
    # several at once share what is hard-linked between them, so each is counted as
    # what its removal frees
    lines = _text(_run(machine, measuring(paths)).stdout).splitlines()
    told = {
        Path(name): int(blocks) * 1024
        for blocks, _, name in (line.partition("\t") for line in lines)
        if blocks.isdigit()
    }
    return {path: told.get(path, 0) for path in paths}


def measuring(paths: Sequence[Path]) -> Command:
    """What tells ``sizes``."""
    return Command(("du", "-sk", "--", *map(str, paths)), timeout=_LIMIT, only_reads=True)


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
    with machine.foreseen(in_the_way(path)):
        if single.exists(machine, trash):
            _destroy(machine, trash)
        found = single.state(machine, path, follow=False)
    if found is None:
        return
    if found.kind is FileKind.LINK:
        machine.remove([path])
        return
    try:
        with machine.gathered():
            machine.rename(path, trash)
            _destroy(machine, trash)
    except OSError as error:
        message = f"{path} cannot be removed: {error.strerror}"
        raise Refused(message) from error


def in_the_way(path: Path) -> Questions:
    """What is asked of the machine before a directory is discarded."""
    return Questions(states=[path.with_name(f".{path.name}.removed")], links=[path])


def _destroy(machine: Machine, path: Path) -> None:
    if _run(machine, Command(("rm", "-rf", "--", str(path)), timeout=_LIMIT)).code != 0:
        _run(machine, Command(("chmod", "-R", "u+rwX", "--", str(path)), timeout=_LIMIT))
        again = _run(machine, Command(("rm", "-rf", "--", str(path)), timeout=_LIMIT))
        if again.code != 0:
            last = _text(again.stderr).strip().splitlines()[-1:] or ["it said nothing"]
            message = f"{path} cannot be removed: {last[0]}; remove it by hand"
            raise Refused(message)


def _run(machine: Machine, command: Command) -> CompletedCommand:
    done = machine.run(command)
    if done.overdue is not None:
        words = command.argv
        raise TimedOut(f"{words[0]} {words[-1]} did not end within {_LIMIT:g} s")
    return done


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
