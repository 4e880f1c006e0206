"""What an agent leaves running when its terminal closes: found by its mark, and ended.

Every process an agent starts inherits ``ENNIO_SESSION_ID``, however often it forks and whatever
session it moves to; a session id is unique, so the mark belongs to nobody else.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable

import psutil

from ennio.model.errors import Unreachable
from ennio.plugins.process_start import is_alive

MARK = "ENNIO_SESSION_ID"
_KILL_WITHIN = 5.0
_GONE = (psutil.NoSuchProcess, psutil.AccessDenied, ProcessLookupError, PermissionError)


def find(session_id: str) -> list[psutil.Process]:
    """The living processes that carry the session's mark; never this one or its ancestors."""
    return carrying(MARK, session_id.__eq__)


def carrying(mark: str, accepts: Callable[[str], bool]) -> list[psutil.Process]:
    """The living processes in whose environment this variable has a value that is accepted; never
    this one or its ancestors.
    """
    return [
        process for process in _others() if _has_mark(process, mark, accepts) and _is_alive(process)
    ]


def family(pid: int | None, born: str) -> list[psutil.Process]:
    """An agent, its descendants and all of its kernel session, marked or not.

    Empty when the pid belongs to another process by now. Ask before the agent ends: afterwards
    nobody knows the kinship.
    """
    if pid is None or not is_alive(pid, born):
        return []
    try:
        descendants = set(psutil.Process(pid).children(recursive=True))
    except _GONE:
        return []
    kin = {process.pid for process in descendants} | {pid}
    return [
        process
        for process in _others()
        if (process.pid in kin or _kernel_session(process) == pid) and _is_alive(process)
    ]


def end(session_id: str, grace: float = 5.0, known: Iterable[psutil.Process] = ()) -> None:
    """End everything that carries the mark, and the ``known``: TERM, and KILL after the grace.
    Blocks until they are gone.

    Raises Unreachable when some outlive even that.
    """
    end_carrying(MARK, session_id.__eq__, known, grace, f"session {session_id}")


def end_carrying(
    mark: str,
    accepts: Callable[[str], bool],
    known: Iterable[psutil.Process],
    grace: float,
    what: str,
) -> None:
    """End what carries another mark, and the ``known``, as ``end`` does."""
    remembered = list(known)
    _end(
        lambda: (
            {process for process in remembered if _is_alive(process)} | set(carrying(mark, accepts))
        ),
        grace,
        what,
    )


def end_known(known: Iterable[psutil.Process], grace: float, what: str) -> None:
    """End these alone, as ``end`` does; ``what`` they are is for the error."""
    remembered = list(known)
    _end(lambda: {process for process in remembered if _is_alive(process)}, grace, what)


def _end(living: Callable[[], set[psutil.Process]], grace: float, what: str) -> None:
    if _press(living, psutil.Process.terminate, grace) or _press(
        living, psutil.Process.kill, _KILL_WITHIN
    ):
        return
    pids = ", ".join(str(process.pid) for process in living())
    raise Unreachable(f"processes of {what} did not end when killed: {pids}")


def _press(
    living: Callable[[], set[psutil.Process]],
    signal: Callable[[psutil.Process], None],
    within: float,
) -> bool:
    deadline = time.monotonic() + within
    pause = 0.02
    told: set[psutil.Process] = set()
    while rest := living():
        for process in rest - told:
            _tell(process, signal)
        told |= rest
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
        pause = min(pause * 1.5, 0.25)
    return True


def _tell(process: psutil.Process, signal: Callable[[psutil.Process], None]) -> None:
    try:
        signal(process)
    except _GONE:
        return


def _others() -> list[psutil.Process]:
    """All processes but this one and its ancestors, dead ones too: ask the dearer question
    only of those that matter.
    """
    mine = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    # it would take a process for an earlier one that had its pid, and that one is dead
    psutil.process_iter.cache_clear()
    return [process for process in psutil.process_iter() if process.pid not in mine]


def _has_mark(process: psutil.Process, mark: str, accepts: Callable[[str], bool]) -> bool:
    try:
        value = process.environ().get(mark)
        return value is not None and accepts(value)
    except (*_GONE, OSError):
        return False


def _kernel_session(process: psutil.Process) -> int | None:
    try:
        return os.getsid(process.pid)
    except OSError:
        return None


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except _GONE:
        return False
