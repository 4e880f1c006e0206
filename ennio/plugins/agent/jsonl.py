"""Files of JSON lines that somebody else appends to, read on from where the last look ended."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ennio.machine.untrusted import opened

_CHUNK = 8 << 20  # bytes read in one look; the rest waits for the next
_TAIL = 4 << 20


def read_on(file: Path, offset: int) -> tuple[list[Mapping[str, Any]], int]:
    """The objects since the offset, and where to go on; a line that has no end yet waits for it.

    A file that became shorter is read again from its start; one that is not there has nothing.
    """
    try:
        with opened(file) as lines:
            size = lines.seek(0, 2)
            start = offset if offset <= size else 0
            if start == size:
                return [], start
            lines.seek(start)
            raw = lines.read(_CHUNK)
    except OSError:
        return [], offset
    whole = raw.rfind(b"\n") + 1
    if not whole and len(raw) == _CHUNK:
        whole = len(raw)  # a line as long as this is nothing we know
    return list(objects(raw[:whole])), start + whole


def ending(file: Path) -> list[Mapping[str, Any]]:
    """The last objects of a file, as far back as a few megabytes reach. Raises
    OSError, but for a missing file.
    """
    try:
        with opened(file) as lines:
            size = lines.seek(0, 2)
            lines.seek(max(0, size - _TAIL))
            return list(objects(lines.read()))
    except FileNotFoundError:
        return []


def objects(raw: bytes) -> Iterator[Mapping[str, Any]]:
    """Every line that is a JSON object; all others are passed over."""
    for line in raw.splitlines():
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, dict):
            yield entry
