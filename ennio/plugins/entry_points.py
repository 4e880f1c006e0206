"""What the installed distributions say they bring as plugins: the entry points ``ennio.<slot>``.

To ask the standard library reads a file of every distribution, tens of milliseconds of processor,
and a start asks twenty times. So what it says is kept as long as no folder that modules come from
has changed: whatever is installed or removed changes one. That is also as long as the library
itself remembers which distributions there are.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint
from importlib.metadata import entry_points as installed

_Folders = tuple[tuple[str, int], ...]


def entry_points(slot: str, name: str | None = None) -> tuple[EntryPoint, ...]:
    """Those of a slot, or of one name in it; nothing is imported."""
    found = _read(_folders()).get(f"ennio.{slot}", ())
    return tuple(point for point in found if name in (None, point.name))


def _folders() -> _Folders:
    """Where modules come from, and when each of them changed last (nanoseconds; 0: not there)."""
    return tuple((path, _changed(path or ".")) for path in sys.path)


def _changed(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=1)
def _read(_folders: _Folders) -> Mapping[str, tuple[EntryPoint, ...]]:
    """Those of all slots, by their groups."""
    found = installed()
    ours = [group for group in found.groups if group.startswith("ennio.")]
    return {group: tuple(found.select(group=group)) for group in ours}
