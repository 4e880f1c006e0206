"""Walks through a working copy and tells what lies there: ``python walk.py ROOT``,
run without this package.

On standard input it is told what is known, on standard output it tells the rest: records that end
with NUL, a letter for the kind first. Paths are bytes, whatever they are made of. In: k tracked, d
changed or untracked, i ignored (folders with a slash at the end), n looked at by itself. Out, with
a word and a tab before the path: i ignored and its size, s what has no content and its kind, g a
folder that holds a repository, l what nobody accounts for and the reason.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass

_KINDS = {
    stat.S_IFIFO: "FIFO",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}
_END = b"\0"


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
