"""What a daemon writes down of each terminal, so that an exit code outlives the daemon itself.

``<directory>/panes/<name>.json`` beside ``<name>.log`` (and ``<name>.log.1``, the older half).
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ennio.machine.files import write_atomically
from ennio.machine.untrusted import content, json_value

LOG_LIMIT = 4 << 20
LARGEST = 64 * 1024  # a title is the longest in it


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
    return left(_one(path) for path in sorted(folder(directory).glob("*.json")))


def left(found: Iterable[TerminalState | None]) -> dict[str, TerminalState]:
    """These as they are once nobody holds their terminals any more."""
    return {record.name: replace(record, dead=True) for record in found if record is not None}


def parsed(raw: bytes) -> TerminalState | None:
    """What is written of a terminal; None for what a crash left of it."""
    try:
        return TerminalState(**json_value(raw))
    except (ValueError, TypeError):
        return None


def _one(path: Path) -> TerminalState | None:
    try:
        return parsed(content(path, LARGEST))
    except (FileNotFoundError, ValueError):
        return None


def forget(directory: Path, name: str) -> None:
    """Remove the record and the output; fine if they are gone."""
    for path in paths(directory, name):
        path.unlink(missing_ok=True)


def paths(directory: Path, name: str) -> tuple[Path, Path, Path]:
    """Where the record of a terminal, its output and the older half of that lie."""
    record, newer, older = (
        folder(directory) / f"{name}{suffix}" for suffix in (".json", ".log", ".log.1")
    )
    return record, newer, older


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
