"""What a daemon has written down, as its client reads it on the machine
where the daemon is or was.
"""

from __future__ import annotations

from pathlib import Path

from ennio.machine.interface import FilePart, FileSpan, Machine
from ennio.plugins.runtime.ptyd import state_file
from ennio.plugins.runtime.ptyd.state_file import LARGEST, LOG_LIMIT, TerminalState


def read(machine: Machine, directory: Path) -> dict[str, TerminalState]:
    """Every record of a daemon that is no more: what had not ended then has lost its terminal."""
    folder = state_file.folder(directory)
    try:
        names = sorted(
            name
            for name in machine.list(folder)
            if name.endswith(".json") and not name.startswith(".")
        )
    except FileNotFoundError:
        return {}
    return state_file.left(
        map(_parsed, machine.read([FileSpan(folder / name, most=LARGEST) for name in names]))
    )


def one(machine: Machine, directory: Path, name: str) -> TerminalState | None:
    """The record of one terminal as it was last written, None when there is none (or what a
    crash left is no record).
    """
    (record,) = machine.read([FileSpan(state_file.paths(directory, name)[0], most=LARGEST)])
    return _parsed(record)


def log(directory: Path, name: str) -> Path:
    """What is written to with each output of a terminal; its older half is put aside."""
    return state_file.paths(directory, name)[1]


def tail(machine: Machine, directory: Path, name: str, size: int) -> bytes | None:
    """The last bytes of a terminal's output, None when there never was such a terminal."""
    _, newer, older = state_file.paths(directory, name)
    last, before = machine.read(
        [FileSpan(newer, -size, size), FileSpan(older, -size, min(size, LOG_LIMIT * 2))]
    )
    if isinstance(last, FileNotFoundError):
        return None
    if isinstance(last, OSError):
        raise last
    return ((before.data if isinstance(before, FilePart) else b"") + last.data)[-size:]


def forget(machine: Machine, directory: Path, name: str) -> None:
    """Remove the record and the output; fine if they are gone."""
    machine.remove(state_file.paths(directory, name))


def _parsed(part: FilePart | OSError) -> TerminalState | None:
    if isinstance(part, FileNotFoundError):
        return None
    if isinstance(part, OSError):
        raise part
    return state_file.parsed(part.data)
