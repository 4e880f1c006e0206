"""What lies in a working copy, told apart by what git knows of it: nothing there is overlooked because git does not look.

The walk is a program of its own (``python inventory.py ROOT``): a tree of a hundred thousand files must
not stop the process that asks. Paths go in and out as bytes, record by record, whatever they are made of.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

LIMIT = 900.0
_KINDS = {stat.S_IFIFO: "FIFO", stat.S_IFSOCK: "socket", stat.S_IFCHR: "device", stat.S_IFBLK: "device"}
_END = b"\0"


@dataclass(frozen=True, slots=True)
class Inventory:
    """``ignored``: path and bytes of what git was told to ignore. ``special``: path and kind of what has no content.

    ``repositories`` are folders with a ``.git`` that was not known of. ``lost`` are paths, each with the
    reason, that nobody accounts for or that cannot be read.
    """

    ignored: tuple[tuple[str, int], ...] = ()
    special: tuple[tuple[str, str], ...] = ()
    repositories: tuple[str, ...] = ()
    lost: tuple[tuple[str, str], ...] = ()


def take(root: Path, known: Iterable[str], dirty: Iterable[str], ignored: Iterable[str], elsewhere: Iterable[str]) -> Inventory:
    """Walk a working copy. ``dirty`` paths must be readable; ``elsewhere`` are folders that are looked at by themselves."""
    told = [("k", known), ("d", dirty), ("i", ignored), ("n", elsewhere)]
    given = "\0".join(f"{kind}{path}" for kind, paths in told for path in paths).encode("utf-8", "surrogateescape")
    command = [sys.executable, "-I", "-S", __file__, str(root)]
    done = subprocess.run(command, input=given, capture_output=True, timeout=LIMIT, check=True)
    return _read(done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1])


def _read(records: Sequence[str]) -> Inventory:
    found: dict[str, list[tuple[str, str]]] = {"i": [], "s": [], "g": [], "l": []}
    for record in records:
        word, _, path = record[1:].partition("\t")
        found[record[0]].append((path, word))
    ignored = tuple((path, int(size)) for path, size in sorted(found["i"]))
    return Inventory(ignored, tuple(sorted(found["s"])), tuple(path for path, _ in sorted(found["g"])), tuple(sorted(found["l"])))


# --- the program: from here on everything is bytes ---------------------------------------------


@dataclass(frozen=True, slots=True)
class _Known:
    tracked: frozenset[bytes]
    dirty: frozenset[bytes]
    ignored: frozenset[bytes]
    elsewhere: frozenset[bytes]


def _walk(root: bytes, known: _Known) -> Iterator[bytes]:
    waiting = [b""]
    while waiting:
        folder = waiting.pop()
        try:
            entries = list(os.scandir(os.path.join(root, folder)))
        except OSError as error:
            yield _lost(folder, error)
            continue
        for entry in entries:
            path = folder + entry.name
            if entry.name == b".git":
                yield from _repository(folder)
            elif path in known.elsewhere:
                continue
            elif entry.is_dir(follow_symlinks=False):
                if path + b"/" in known.ignored:
                    yield b"i%d\t%s/" % (_size(entry.path), path)
                else:
                    waiting.append(path + b"/")
            else:
                yield from _file(entry, path, known)


def _repository(folder: bytes) -> Iterator[bytes]:
    """The working copy's own is known; any other is looked at by itself."""
    if folder:
        yield b"g\t" + folder.rstrip(b"/")


def _file(entry: os.DirEntry[bytes], path: bytes, known: _Known) -> Iterator[bytes]:
    try:
        told = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return  # it went meanwhile
    kind = _KINDS.get(stat.S_IFMT(told.st_mode))
    if kind is not None:
        yield b"s%s\t%s" % (kind.encode(), path)
    elif path in known.ignored:
        yield b"slink\t" + path if entry.is_symlink() else b"i%d\t%s" % (told.st_size, path)
    elif path in known.dirty:
        if stat.S_ISREG(told.st_mode) and not os.access(entry.path, os.R_OK):
            yield b"lit cannot be read\t" + path
    elif path not in known.tracked:
        yield b"lgit does not tell of it\t" + path


def _lost(folder: bytes, error: OSError) -> bytes:
    return b"l%s\t%s" % ((error.strerror or "it cannot be read").encode(), folder)


def _size(folder: bytes) -> int:
    """The bytes in all files of a folder; what cannot be read counts for nothing."""
    size, waiting = 0, [folder]
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except OSError:
            continue
        for entry in entries:
            try:
                told = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if stat.S_ISDIR(told.st_mode):
                waiting.append(entry.path)
            elif stat.S_ISREG(told.st_mode):
                size += told.st_size
    return size


def _main() -> None:
    told: dict[bytes, set[bytes]] = {kind: set() for kind in (b"k", b"d", b"i", b"n")}
    for record in sys.stdin.buffer.read().split(_END):
        if record:
            told[record[:1]].add(record[1:])
    known = _Known(*(frozenset(told[kind]) for kind in (b"k", b"d", b"i", b"n")))
    for line in _walk(os.fsencode(sys.argv[1]), known):
        sys.stdout.buffer.write(line + _END)


if __name__ == "__main__":
    _main()
