"""Orders to end a session that could not be written into the database, kept in a file
beside it until they can be.
"""

from __future__ import annotations

import json
from pathlib import Path

from ennio.machine.files import write_atomically


class RememberedStops:
    """Who ordered the end of which session; without a file they last as long as the process."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._orders: dict[str, str] = _read(file)

    def add(self, session_id: str, by: str) -> None:
        """Remember an order; it is on the disk when this returns. Raises OSError."""
        self._orders[session_id] = by
        self._write()

    def by(self, session_id: str) -> str | None:
        """Who ordered this session's end, or None."""
        return self._orders.get(session_id)

    def forget(self, session_id: str) -> None:
        """It is in the database now; fine if there was none. Raises OSError."""
        if self._orders.pop(session_id, None) is not None:
            self._write()

    def _write(self) -> None:
        if self._file is not None:
            write_atomically(self._file, json.dumps(self._orders), durable=True)


def _read(file: Path | None) -> dict[str, str]:
    try:
        found = json.loads(file.read_text()) if file is not None else {}
    except (OSError, ValueError):
        return {}
    return {str(name): str(by) for name, by in found.items()} if isinstance(found, dict) else {}
