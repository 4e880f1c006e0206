"""What is often asked of a machine: one file, one process. Where there are
several, ask for all at once.
"""

from __future__ import annotations

from pathlib import Path

from ennio.machine.interface import FileKind, FileSpan, FileState, Machine, ProcessId

_ABSENT = (FileNotFoundError, NotADirectoryError)


def state(machine: Machine, path: Path, *, follow: bool = True) -> FileState | None:
    """What a look at a path says; None when nothing is there. Raises OSError
    where that cannot be told.
    """
    (found,) = machine.stat([path], follow=follow)
    if isinstance(found, _ABSENT):
        return None
    if isinstance(found, OSError):
        raise found
    return found


def exists(machine: Machine, path: Path, *, follow: bool = True) -> bool:
    """Whether anything is there; with ``follow``, a link that leads nowhere is nothing. Raises
    OSError where that cannot be told.
    """
    return state(machine, path, follow=follow) is not None


def is_folder(machine: Machine, path: Path) -> bool:
    """Whether there is a folder. Raises OSError where that cannot be told."""
    found = state(machine, path)
    return found is not None and found.kind is FileKind.FOLDER


def is_file(machine: Machine, path: Path) -> bool:
    """Whether there is a regular file. Raises OSError where that cannot be told."""
    found = state(machine, path)
    return found is not None and found.kind is FileKind.FILE


def content(machine: Machine, path: Path, most: int) -> bytes:
    """All of a regular file of at most so many bytes. Raises OSError, and
    ValueError for one that is larger.
    """
    (part,) = machine.read([FileSpan(path, most=most + 1)])
    if isinstance(part, OSError):
        raise part
    if len(part.data) > most:
        raise ValueError(f"it is larger than {most // 1024} KiB")
    return part.data


def real(machine: Machine, path: Path) -> Path:
    """A path by its real one."""
    return machine.real([path])[0]


def expanded(machine: Machine, path: str) -> Path:
    """A path as a person writes it, with ``~`` for their home over there."""
    return machine.home / path[2:] if path == "~" or path.startswith("~/") else Path(path)


def write_text(machine: Machine, path: Path, text: str) -> None:
    """Write it whole or not at all, for its owner's eyes only."""
    machine.write(path, text.encode())


def start_of(machine: Machine, pid: int) -> str:
    """When a living process began, only good for comparing; empty when it is gone or a zombie."""
    found = machine.processes([pid]).get(pid)
    return "" if found is None or found.ended else found.id.born


def is_alive(machine: Machine, pid: int | None, born: str) -> bool:
    """Whether this very process still runs; without a known start nothing is claimed."""
    return pid is not None and bool(born) and start_of(machine, pid) == born


def process(machine: Machine, pid: int) -> ProcessId:
    """A process that is there now, by its birth too."""
    return ProcessId(pid, start_of(machine, pid))
