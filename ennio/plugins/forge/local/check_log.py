"""What a check printed: kept whole in a file, shown by its last lines."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

from ennio.model.printable import settled

TAIL_LINES = 60
TAIL_BYTES = 8 * 1024
LARGEST = 64 * 1024 * 1024
KEPT = timedelta(days=14)


def path_of(directory: Path, head: str, name: str, run: int) -> Path:
    """The file of one run: ``logs/<head>/<name>-<run>.log``; blanks of the name become
    ``+``, which no name has.
    """
    return directory / "logs" / head / f"{name.replace(' ', '+')}-{run}.log"


def tail(log: Path) -> str:
    """The last lines, at most 60 and 8 KB, without escape codes, and where to find the rest.

    A line that was overwritten by carriage returns is shown as it was last.
    """
    try:
        with log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - TAIL_BYTES))
            raw = file.read(TAIL_BYTES)
    except OSError as error:
        return f"(the log cannot be read: {error})"
    lines = settled(raw.decode("utf-8", "replace")).split("\n")
    shown = lines[1:] if size > TAIL_BYTES and len(lines) > 1 else lines
    return "\n".join(
        [*"\n".join(shown).rstrip().split("\n")[-TAIL_LINES:], f"(the whole log: {log})"]
    )


def forget_old(directory: Path, now: datetime, needed: frozenset[str]) -> None:
    """Remove the logs of heads nobody has run a check on for two weeks, but for those needed."""
    for folder in (directory / "logs").glob("*"):
        if (
            folder.name not in needed
            and now.timestamp() - folder.stat().st_mtime > KEPT.total_seconds()
        ):
            shutil.rmtree(folder, ignore_errors=True)
