"""New databases of SQLite that need not take every step of the schema: one of each process does,
and the others are copies of its file.

What is about the making of a database calls ``open_store``.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from ennio.model.clock import Clock, ManualClock
from ennio.store import Store, open_store

NAME = "ennio.db"


def opened(directory: Path, clock: Clock) -> Store:
    """The store of ``ennio.db`` in this folder, which is new where there is none."""
    file = directory / NAME
    if not file.exists():
        file.write_bytes(_made())
    return open_store(f"sqlite:{NAME}", directory, clock)


@cache
def _made() -> bytes:
    with tempfile.TemporaryDirectory(prefix="ennio-made-") as folder:
        open_store(f"sqlite:{NAME}", Path(folder), ManualClock()).close()
        return (Path(folder) / NAME).read_bytes()
