"""Places where nothing can be written: why, and the command that opens them."""

from __future__ import annotations

import errno
import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ennio.machine.places import person, standing
from ennio.model.errors import Refused

if TYPE_CHECKING:
    from ennio.machine.interface import Machine

_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)
_PARTS = (
    *("run", "sessions", "worktrees", "clones", "trust"),
    *("databases", "forge", "hubs", "runtime"),
)
"""What is kept in a home. A supervisor that was once started as another user leaves them to that
one.
"""


def closed(path: Path) -> str:
    """Why nothing can be written at a path, or below it once it is made; empty when it can."""
    place = standing(path)
    if place != path and not place.is_dir():
        return f"{place} is no folder"
    wanted = os.W_OK | (os.X_OK if place.is_dir() else 0)
    # as it would be written: by what this process may now, not by who began it
    if not os.access(place, wanted, effective_ids=os.access in os.supports_effective_ids):
        how = "lies on a read-only disk" if is_read_only(place) else "cannot be written to"
        return f"{place} {how}"
    return ""


def closed_home(root: Path) -> Path | None:
    """Where a home cannot be written to: it, or below one of its folders; None where it can."""
    places = (root, *(root / part / "..." for part in _PARTS))
    return next((place for place in places if closed(place)), None)


def opening(path: Path) -> str:
    """The command that lets whoever runs this write at a closed path; empty where none does but
    one that nobody should type unseen: a file is in the way, or the folder is the machine's.
    """
    place = standing(path)
    if place != path and not place.is_dir():
        return ""
    if is_read_only(place):
        return f"sudo mount -o remount,rw {shlex.quote(str(_mounted(place)))}"
    owner, me, name = place.stat().st_uid, os.geteuid(), shlex.quote(str(place))
    if owner == me:
        return f"chmod u+rw{'x' if place.is_dir() else ''} {name}"
    if place != person() and place.is_relative_to(person()) and person().stat().st_uid == me:
        return f"sudo chown -R {me} {name}"
    return ""


def way_after(error: OSError) -> str:
    """The command that opens the place where this was denied; empty where it was no such thing, or
    nothing opens it.
    """
    if error.errno not in _DENIED or not _names(error):
        return ""
    path = Path(os.path.abspath(os.fsdecode(error.filename)))
    return opening(path) if closed(path) else ""


@contextmanager
def refusing(machine: Machine) -> Iterator[None]:
    """Raise Refused, with the command that opens it, for a place where something is denied
    meanwhile: that is a person's to mend, and no fault of ours. Any other error stays. Another
    machine is asked nothing more, so what opens it there is not known.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _DENIED or not _names(error):
            raise
        why = (error.strerror or str(error)).lower()
        words = f"nothing can be written at {os.fsdecode(error.filename)}: {why}"
        way = "" if machine.name else way_after(error)
        raise Refused(f"{words}; it is opened by: {way}" if way else words) from error


def way_to(path: Path) -> str:
    """The same as the beginning of a sentence that goes on with another way; empty where the path
    is open, or nothing opens it.
    """
    command = opening(path) if closed(path) else ""
    return f"{command}   or " if command else ""


def another_home(closed_one: Path) -> str:
    """The command that has Ennio keep its files in another home, which can be written to; empty
    where none is known.
    """
    state = os.environ.get("XDG_STATE_HOME") or str(person() / ".local" / "state")
    for place in (person() / ".ennio", Path(state) / "ennio"):
        if place.is_absolute() and place != closed_one and closed_home(place) is None:
            return f"export ENNIO_HOME={shlex.quote(str(place))}"
    return ""


def _names(error: OSError) -> bool:
    """Whether it says which place it is about, as a process that may not be ended does not."""
    return isinstance(error.filename, str | bytes)


def is_read_only(place: Path) -> bool:
    """Whether a place that is there lies on a disk that lets nobody write."""
    return bool(os.statvfs(place).f_flag & os.ST_RDONLY)


def _mounted(place: Path) -> Path:
    """What the disk of a place is mounted at."""
    return next(folder for folder in (place, *place.parents) if folder.is_mount())
