"""What a daemon writes down of each terminal, so that an exit code outlives the daemon itself.

``<directory>/panes/<name>.json`` beside ``<name>.log`` (and ``<name>.log.1``, the older half).
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ennio.machine.files import write_atomically
from ennio.machine.untrusted import json_file

LOG_LIMIT = 4 << 20
_LARGEST = 64 * 1024  # a title is the longest in it


@dataclass(frozen=True, slots=True)
class TerminalState:
    """One terminal: ``dead`` with neither exit code nor signal when its daemon ended before it.
    Times are epoch seconds.
    """

    name: str
    number: int
    pid: int
    started: str
    columns: int
    rows: int
    dead: bool = False
    exit_code: int | None = None
    signal: int | None = None
    output_at: float | None = None
    title: str = ""

    def as_json(self) -> dict[str, Any]:
        """The record as it is written and sent."""
        return asdict(self)


def folder(directory: Path) -> Path:
    """Where the records of a daemon's directory lie."""
    return directory / "panes"


def write(directory: Path, record: TerminalState) -> None:
    """Write it down whole or not at all."""
    write_atomically(folder(directory) / f"{record.name}.json", json.dumps(record.as_json()))


def read(directory: Path) -> dict[str, TerminalState]:
    """Every record of a daemon that is no more: what had not ended then has lost its terminal."""
    found = (one(directory, path.stem) for path in sorted(folder(directory).glob("*.json")))
    return {record.name: replace(record, dead=True) for record in found if record is not None}


def one(directory: Path, name: str) -> TerminalState | None:
    """The record of one terminal as it was last written, None when there is none (or what a
    crash left is no record).
    """
    try:
        return TerminalState(**json_file(folder(directory) / f"{name}.json", _LARGEST))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def forget(directory: Path, name: str) -> None:
    """Remove the record and the output; fine if they are gone."""
    for suffix in (".json", ".log", ".log.1"):
        (folder(directory) / f"{name}{suffix}").unlink(missing_ok=True)


def tail(directory: Path, name: str, size: int) -> bytes | None:
    """The last bytes of a terminal's output, None when there never was such a terminal."""
    try:
        newer = _end_of(folder(directory) / f"{name}.log", size)
    except FileNotFoundError:
        return None
    try:
        older = _end_of(folder(directory) / f"{name}.log.1", size - len(newer))
    except FileNotFoundError:
        older = b""
    return older + newer


def _end_of(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        length = file.seek(0, os.SEEK_END)
        file.seek(max(0, length - size))
        return file.read(size) if size > 0 else b""


class TerminalLog:
    """The output of one terminal on disk: at most twice ``LOG_LIMIT``, the newest of it."""

    def __init__(self, directory: Path, name: str) -> None:
        self._path = folder(directory) / f"{name}.log"
        self._path.with_suffix(".log.1").unlink(missing_ok=True)
        self._file = self._path.open("wb", buffering=0)
        self._size = 0

    def append(self, data: bytes) -> None:
        """Write output down, turning the file over when it is full; what does not
        fit on the disk is dropped.
        """
        with contextlib.suppress(OSError):
            self._append(data)

    def _append(self, data: bytes) -> None:
        if self._size > LOG_LIMIT:
            self._file.close()
            self._path.replace(self._path.with_suffix(".log.1"))
            self._file = self._path.open("wb", buffering=0)
            self._size = 0
        self._size += self._file.write(data) or 0

    def close(self) -> None:
        """Stop writing."""
        self._file.close()
