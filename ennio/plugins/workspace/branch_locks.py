"""Locks that a killed git left on the refs of one session, and how they are got rid of.

git holds the lock of a ref for some milliseconds, and takes it away when it is told to end; one
that is killed (out of memory, a pulled plug) leaves ``REF.lock`` for good, and nothing can be done
with that ref any more. Of ours nobody else works with the refs of a session: whoever makes or
removes its workspace does so alone, and the gits of an Ennio that died were ended before. A
person's git that is robbed of a lock it kept for so long fails, and changes nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from ennio.machine.interface import FileState
from ennio.model.errors import Unreachable
from ennio.plugins.workspace.repository import SourceRepository

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

STALE = 1.0
"""Seconds that such a lock has to stand still, after all the patience of who met it."""


def past_stale_locks(
    repository: SourceRepository, refs: Sequence[str], act: Callable[[], Answer]
) -> Answer:
    """Do it, and once more when locks that nobody holds any more were in the way of it."""
    try:
        return act()
    except Unreachable:
        if not _remove_stale(repository, refs):
            raise
        return act()


def _remove_stale(repository: SourceRepository, refs: Sequence[str]) -> bool:
    """Remove those locks of these refs that stay as they are; whether there were any."""
    machine = repository.machine
    paths = [repository.common / f"{ref}.lock" for ref in refs]
    before = machine.stat(paths, follow=False)
    if not any(isinstance(state, FileState) for state in before):
        return False
    time.sleep(STALE)
    after = machine.stat(paths, follow=False)
    stale = [path for path, *seen in zip(paths, before, after, strict=True) if _is_stale(*seen)]
    _say(stale)
    machine.remove(stale)
    return bool(stale)


def _is_stale(before: FileState | OSError, after: FileState | OSError) -> bool:
    return isinstance(before, FileState) and before == after


def _say(stale: Sequence[Path]) -> None:
    for path in stale:
        log.warning("a lock that a killed git left was removed", extra={"path": str(path)})
