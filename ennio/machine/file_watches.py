"""Whose files may have changed, as the kernel tells it: inotify(7), by the
folders that the files are in.

A folder is watched, not a file: so a file that is yet to come is told of, and one that is put in
another's place. Of a folder that is yet to come the nearest one above it is. What the kernel does
not tell (another machine's writing on a shared disk) is not told here; what cannot be watched at
all, or is lost on the way, is said.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import inotify_simple as inotify

# it would look for it by starting a process at the first watch, which no thread beside the one of
# the event loop may
inotify._libc = ctypes.CDLL(None, use_errno=True)  # noqa: SLF001
_Flag = inotify.flags
_NAMES = _Flag.CREATE | _Flag.DELETE | _Flag.MOVED_FROM | _Flag.MOVED_TO
_OVER = _Flag.IGNORED | _Flag.UNMOUNT | _Flag.DELETE_SELF | _Flag.MOVE_SELF
_WANTED = _Flag.MODIFY | _Flag.ATTRIB | _NAMES | _Flag.DELETE_SELF | _Flag.MOVE_SELF
_ITSELF = ""  # instead of a name: what is watched, and all names in it
_AGAIN = 3  # times that folders may come and go while they are about to be watched
_BYTES = 1 << 16
_LIMITS = {
    errno.ENOSPC: "fs.inotify.max_user_watches",
    errno.EMFILE: "fs.inotify.max_user_instances",
    errno.ENFILE: "fs.file-max",
}

Subject = tuple[str, str]
"""Who rests on some files, and for what."""
Place = tuple[str, str]
"""A folder (or a device), and a name in it."""


class _Unwatchable(Exception):
    """A path whose changes the kernel tells nobody."""


@dataclass(slots=True)
class _Watched:
    """What somebody rests on: the paths, and by which watches and names they are told of.
    ``whole`` False: not all are.
    """

    paths: tuple[Path, ...]
    told_by: frozenset[tuple[int, str]] = frozenset()
    whole: bool = False


class FileWatches:
    """Tells who is to look at their files again. Safe under threads.

    ``fileno`` is readable when there is something to tell; ``begun`` is called once there is one. A
    subject is whoever rests on some files.
    """

    def __init__(self, begun: Callable[[], None]) -> None:
        self._begun = begun
        self._lock = threading.Lock()
        self._inotify: inotify.INotify | None = None
        self._names: dict[int, dict[str, set[Subject]]] = {}
        self._subjects: dict[Subject, _Watched] = {}
        self.trouble = ""
        """Why not everything can be watched, and what helps; empty when
        there is nothing to be done.
        """

    def fileno(self) -> int | None:
        """What to wait for; None as long as nothing is watched."""
        return self._inotify.fileno() if self._inotify is not None else None

    def watch(self, subject: Subject, paths: Sequence[Path], *, anew: bool = False) -> bool:
        """From now on changes of these files, and of the names in those that are folders,
        are told for the subject.

        In place of what it rested on before. False where not all of that can be told. As long as
        nothing came or went a second time costs nothing, unless it is to be made sure of ``anew``.
        """
        with self._lock:
            known = self._subjects.get(subject)
            if known is not None and known.whole and not anew and known.paths == tuple(paths):
                return True
            watched = _Watched(tuple(paths))
            before = known.told_by if known is not None else frozenset()
            try:
                watched.told_by = self._told_by(watched.paths)
                watched.whole, self.trouble = True, ""
            except _Unwatchable:
                pass
            except OSError as error:
                self.trouble = _words(error)
            self._subjects[subject] = watched
            for wd, name in watched.told_by:
                self._names[wd].setdefault(name, set()).add(subject)
            self._leave(subject, before - watched.told_by)
            return watched.whole

    def forget(self, subject: Subject) -> None:
        """It rests on nothing any more."""
        with self._lock:
            known = self._subjects.pop(subject, None)
            if known is not None:
                self._leave(subject, known.told_by)

    def changed(self) -> frozenset[Subject]:
        """Who is to look again; without waiting. Whatever comes or goes is made sure
        of at the next ``watch``.
        """
        with self._lock:
            found: set[Subject] = set()
            for event in self._events():
                found |= self._concerned(event.wd, event.mask, event.name)
            return frozenset(found)

    @property
    def count(self) -> int:
        """How many watches there are."""
        return len(self._names)

    def close(self) -> None:
        """Watch nothing any more."""
        with self._lock:
            if self._inotify is not None:
                self._inotify.close()
            self._inotify = None
            self._names.clear()
            self._subjects.clear()

    def _told_by(self, paths: Sequence[Path]) -> frozenset[tuple[int, str]]:
        """Watches for all of these. Raises OSError, _Unwatchable."""
        for _ in range(_AGAIN):
            places = frozenset(place for path in paths for place in _places(str(path)))
            with suppress(FileNotFoundError, NotADirectoryError):
                told_by = frozenset((self._added(folder), name) for folder, name in places)
                # what came before its folder was watched is told by nobody
                if places == frozenset(place for path in paths for place in _places(str(path))):
                    return told_by
        raise _Unwatchable

    def _added(self, folder: str) -> int:
        if self._inotify is None:
            self._inotify = _inotify()
            self._begun()
        wd: int = self._inotify.add_watch(
            folder, _WANTED
        )  # one that is watched already has the same number
        self._names.setdefault(wd, {})
        return wd

    def _leave(self, subject: Subject, told_by: frozenset[tuple[int, str]]) -> None:
        for wd, name in told_by:
            names = self._names.get(wd, {})
            names.get(name, set()).discard(subject)
            if name in names and not names[name]:
                del names[name]
        for wd in {wd for wd, _ in told_by if not self._names.get(wd, True)}:
            del self._names[wd]
            with suppress(OSError):  # it ended by itself
                if self._inotify is not None:
                    self._inotify.rm_watch(wd)

    def _events(self) -> Iterator[inotify.Event]:
        while self._inotify is not None:
            try:
                data = os.read(self._inotify.fileno(), _BYTES)
            except BlockingIOError:
                return
            yield from inotify.parse_events(data)

    def _concerned(self, wd: int, mask: int, name: str) -> set[Subject]:
        if mask & _Flag.Q_OVERFLOW:
            return self._unsure(set(self._subjects))  # nobody knows what was lost
        names = self._names.get(wd, {})
        if mask & _OVER:
            found = self._unsure({subject for subjects in names.values() for subject in subjects})
            self._leave_all(wd)
            return found
        itself = names.get(_ITSELF, set()) if mask & _NAMES or not name else set()
        found = itself | names.get(name, set())
        return self._unsure(found) if mask & _NAMES else found

    def _leave_all(self, wd: int) -> None:
        """The folder is gone, or somewhere else."""
        for name, subjects in list(self._names.get(wd, {}).items()):
            for subject in tuple(subjects):
                self._leave(subject, frozenset({(wd, name)}))

    def _unsure(self, subjects: set[Subject]) -> set[Subject]:
        for subject in subjects:
            self._subjects[subject].whole = False
        return subjects


def _places(path: str) -> Iterator[Place]:
    """What tells of a path: its name in the folder it is in or, where that is yet to come, of what
    leads there; and a folder itself.

    Raises _Unwatchable for a link, whose target changes without a word in the folder of the link.
    """
    try:
        state = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        state = None
    if state is not None and stat.S_ISCHR(state.st_mode):
        yield path, _ITSELF  # of a device its folder is told nothing
        return
    if state is not None and stat.S_ISDIR(state.st_mode):
        yield path, _ITSELF
    elif os.path.islink(path):
        raise _Unwatchable
    folder, name = os.path.split(path)
    while not os.path.isdir(folder):
        folder, name = os.path.split(folder)
    yield folder, name


def _inotify() -> inotify.INotify:
    try:
        return inotify.INotify(nonblocking=True)
    except AttributeError as error:  # another system
        raise _Unwatchable from error


def _words(error: OSError) -> str:
    limit = _LIMITS.get(error.errno or 0)
    if limit is None:
        return f"agents' files cannot be waited for: {error.strerror}"
    return (
        f"agents' files cannot be waited for: this user has no more of {limit}; `sysctl "
        f"{limit}=...` sets another"
    )
