"""What ``walk.py`` tells, of a working copy on another machine: ``find`` lists it there, and what
is listed is judged here. Nothing is needed over there but what every POSIX system has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ennio.machine.interface import Command, CompletedCommand, FileState, Machine
from ennio.machine.questions import Questions

_KINDS = {"p": "FIFO", "s": "socket", "b": "device", "c": "device"}
_SPECIAL = re.compile(r"([\\*?\[])")
_MOST = 1000  # places that ``find`` is told to leave out; what lies in others is left out here
_LIST = r"""
cd -- "$1" || exit 1; shift
find . "$@" -name .git -prune -exec sh -c 'for f do printf "g%s\0" "$f"; done' sh {} + \
 -o -type d -exec sh -c 'for f do [ -r "$f" ] && [ -x "$f" ] || printf "u%s\0" "$f"; done' sh {} + \
 -o -type f -exec sh -c 'for f do if [ -r "$f" ]; then printf "f%s\0" "$f"
  else printf "r%s\0" "$f"; fi; done' sh {} + \
 -o -type l -exec sh -c 'for f do printf "l%s\0" "$f"; done' sh {} + \
 -o -type p -exec sh -c 'for f do printf "p%s\0" "$f"; done' sh {} + \
 -o -type s -exec sh -c 'for f do printf "s%s\0" "$f"; done' sh {} + \
 -o -exec sh -c 'for f do printf "b%s\0" "$f"; done' sh {} + 2>/dev/null
printf "=\0"
"""
_SIZES = r"""
cd -- "$1" || exit 1; shift
for d do if [ -d "$d" ] && ! [ -L "$d" ]; then n=$(du -sk -- "$d" 2>/dev/null | cut -f 1)
printf '%s\0' "${n:-0}"; else printf '\0'; fi; done
"""


@dataclass(frozen=True, slots=True)
class FarWalk:
    """What is known of a working copy; see ``walk.py`` for the records."""

    machine: Machine
    root: Path
    tracked: frozenset[str]
    dirty: frozenset[str]
    ignored: frozenset[str]
    elsewhere: frozenset[str]
    limit: float

    def run(self) -> tuple[CompletedCommand, Sequence[str]]:
        """How the listing ended, and the records, where it did well."""
        folders = sorted(path.rstrip("/") for path in self.ignored if path.endswith("/"))
        left_out = [*sorted(self.elsewhere), *folders]
        done = self._asked(_LIST, _prunes(left_out[:_MOST]))
        listed = _words(done)
        if done.code or done.overdue or listed[-1:] != ["="]:
            return done, ()
        skipped = frozenset(left_out)
        entries = [
            (entry[0], entry[3:])
            for entry in listed[:-1]
            if entry[0] == "g" or not _is_within(entry[3:], skipped)
        ]
        counted = [path for path in folders if not _is_within(path, self.elsewhere)]
        ignored = [path for kind, path in entries if kind in "fr" and path in self.ignored]
        sizes = [self._command(_SIZES, [f"./{path}" for path in counted])] if counted else []
        files = [self.root / path for path in ignored]
        with self.machine.foreseen(Questions(links=files, commands=sizes)):
            return done, [*self._folders(counted), *self._records(entries, ignored)]

    def _asked(self, script: str, words: Iterable[str]) -> CompletedCommand:
        return self.machine.run(self._command(script, words))

    def _command(self, script: str, words: Iterable[str]) -> Command:
        argv = ("sh", "-c", script, "sh", str(self.root), *words)
        return Command(argv, timeout=self.limit, only_reads=True)

    def _folders(self, counted: Sequence[str]) -> Iterator[str]:
        """Ignored folders, by what they take on the disk."""
        if counted:
            sizes = _words(self._asked(_SIZES, [f"./{path}" for path in counted]))
            for path, size in zip(counted, sizes, strict=False):
                if size:  # it is there still
                    yield f"i{int(size) * 1024}\t{path}/"

    def _records(self, entries: Sequence[tuple[str, str]], ignored: Sequence[str]) -> Iterator[str]:
        sizes = self.machine.stat([self.root / path for path in ignored], follow=False)
        for path, state in zip(ignored, sizes, strict=True):
            if isinstance(state, FileState):
                yield f"i{state.size}\t{path}"
        for kind, path in entries:
            record = self._record(kind, path)
            if record is not None:
                yield record

    def _record(self, kind: str, path: str) -> str | None:
        if kind == "g":
            folder = path.rpartition("/")[0]
            return f"g\t{folder}" if folder else None
        if kind == "u":
            return f"lPermission denied\t{path}/"
        if kind in _KINDS:
            return f"s{_KINDS[kind]}\t{path}"
        if path in self.ignored:
            return f"slink\t{path}" if kind == "l" else None
        if path in self.dirty:
            return f"lit cannot be read\t{path}" if kind == "r" else None
        return None if path in self.tracked else f"lgit does not tell of it\t{path}"


def _prunes(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        pattern = _SPECIAL.sub(r"\\\1", f"./{path}")
        yield from ("-path", pattern, "-prune", "-o")


def _is_within(path: str, folders: frozenset[str]) -> bool:
    return path in folders or any(str(above) in folders for above in PurePosixPath(path).parents)


def _words(done: CompletedCommand) -> list[str]:
    return done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]
