"""The supervisor as it is, and beside it two notes: every process it starts, and when it
had seen how many sessions.

``ENNIO_BENCH_NOTES`` is the folder they are written to: ``processes`` has a line for each command,
``seen`` one for each session whose terminal was seen for the first time in this life, with the
hour (seconds since 1970).
"""

# The order is the point: it patches, and what is imported before that keeps the blocking versions.
from ennio import supervise  # isort: skip

import functools
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ennio.actors.session_step import Observations
from ennio.model.facts import Presence


def _note(name: str) -> int:
    return os.open(
        Path(os.environ["ENNIO_BENCH_NOTES"]) / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND
    )


def count_processes() -> None:
    """Note the words of every command before it is started."""
    begin, note = subprocess.Popen.__init__, _note("processes")

    @functools.wraps(begin)
    def counted(self: Any, command: Any, *args: Any, **options: Any) -> None:
        os.write(
            note,
            " ".join(map(str, command)).encode(errors="replace").replace(b"\n", b" ")[:400] + b"\n",
        )
        begin(self, command, *args, **options)

    subprocess.Popen.__init__ = counted  # type: ignore[assignment,method-assign]


def note_presences() -> None:
    """Note the first survey that each session believes."""
    look, note, known = Observations.on_process, _note("seen"), set[int]()

    @functools.wraps(look)
    def noted(self: Observations, told: Any) -> bool:
        believed = look(self, told)
        if believed and told.seen.presence is not Presence.UNKNOWN and id(self) not in known:
            known.add(id(self))
            os.write(note, f"{time.time()}\n".encode())
        return believed

    Observations.on_process = noted  # type: ignore[method-assign]


if __name__ == "__main__":
    count_processes()
    note_presences()
    sys.exit(supervise.main())
