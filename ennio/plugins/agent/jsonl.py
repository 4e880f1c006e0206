"""Files of JSON lines that somebody else appends to, read on from where the last look ended."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ennio.machine.interface import FilePart, FileSpan, Machine

_CHUNK = 8 << 20  # bytes read in one look; the rest waits for the next
_TAIL = 4 << 20


def read_on(machine: Machine, file: Path, offset: int) -> tuple[list[Mapping[str, Any]], int]:
    """The objects since the offset, and where to go on; a line that has no end yet waits for it.

    A file that became shorter is read again from its start; one that is not there has nothing.
    """
    (part,) = machine.read([FileSpan(file, offset, _CHUNK)])
    if isinstance(part, FilePart) and part.state.size < offset:
        (part,) = machine.read([FileSpan(file, 0, _CHUNK)])
    if isinstance(part, OSError):
        return [], offset
    raw = part.data
    whole = raw.rfind(b"\n") + 1
    if not whole and len(raw) == _CHUNK:
        whole = len(raw)  # a line as long as this is nothing we know
    return list(objects(raw[:whole])), part.offset + whole


def ending(machine: Machine, file: Path) -> list[Mapping[str, Any]]:
    """The last objects of a file, as far back as a few megabytes reach. Raises
    OSError, but for a missing file.
    """
    (part,) = machine.read([FileSpan(file, -_TAIL, _TAIL)])
    if isinstance(part, FileNotFoundError):
        return []
    if isinstance(part, OSError):
        raise part
    return list(objects(part.data))


def objects(raw: bytes) -> Iterator[Mapping[str, Any]]:
    """Every line that is a JSON object; all others are passed over."""
    for line in raw.splitlines():
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, dict):
            yield entry
