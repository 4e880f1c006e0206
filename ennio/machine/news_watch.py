"""What waits for news on a machine, whichever way the machine tells of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ennio.machine.file_watches import Subject

FILES = "files"
"""What a session is waited for that has an agent who writes, and whose hooks may notify us."""
NOTIFIED = "notified"
"""Of whom a hook of its agent notified us, on a machine where nothing else is waited for."""


class NewsWatch(Protocol):
    """What is waited for, each for a subject. Everything but ``wait`` may be called by anybody at
    any time, and keeps nobody waiting.
    """

    @property
    def trouble(self) -> str:
        """Why not everything can be waited for, and what helps; empty when there is nothing to
        be done.
        """
        ...

    def files(self, subject: Subject, paths: Sequence[Path], *, anew: bool = False) -> bool:
        """From now on changes of these files are told for the subject, in place of what it rested
        on before; False where not all of that can be told.
        """
        ...

    def process(self, subject: Subject, pid: int) -> bool:
        """From now on the end of this process is; False where that cannot be told."""
        ...

    def forget(self, subject: Subject) -> None:
        """Nothing is waited for on its behalf any more."""
        ...

    def wait(self, timeout: float) -> frozenset[Subject]:
        """Wait until something happens, for so many seconds at most; to whom. Only one at a time
        may wait.
        """
        ...

    def close(self) -> None:
        """Wait for nothing any more."""
        ...
