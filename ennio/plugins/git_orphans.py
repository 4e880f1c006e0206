"""Git processes whose Ennio has died: one that waits for a silent server would stay, and each
start would add another; one that makes a worktree would be in the way of who makes it anew.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import signal
from collections.abc import Iterator

import psutil

from ennio.plugins.git_environment import MARK

log = logging.getLogger(__name__)

GRACE = 2.0  # seconds such a git may take to end once told to


def own_mark() -> str:
    """The mark of this process."""
    return mark(os.getpid())


def end_former() -> None:
    """End what former lives left on this machine, once in this one."""
    end_once(os.getpid())


@functools.cache
def mark(pid: int) -> str:
    """Who asks: a process by its number and its beginning, since numbers come again."""
    return f"{pid}:{psutil.Process(pid).create_time():.2f}"


@functools.cache
def end_once(_pid: int) -> None:
    """End what former lives left, once in the life of the process with
    this number, which is ours.
    """
    leaders = [process.pid for process in _orphans()]
    if not leaders:
        return
    members = [process for process in psutil.process_iter() if _group(process.pid) in leaders]
    for leader in leaders:
        _tell(leader, signal.SIGTERM)
        log.warning("a git of an earlier life was ended", extra={"pid": leader})
    # told so, it takes its locks away; killed at once, it leaves them for good
    psutil.wait_procs(members, GRACE)
    for leader in leaders:
        _tell(leader, signal.SIGKILL)


def _tell(leader: int, number: int) -> None:
    with contextlib.suppress(OSError):
        os.killpg(leader, number)


def _group(pid: int) -> int | None:
    with contextlib.suppress(OSError):
        return os.getpgid(pid)
    return None


def _orphans() -> Iterator[psutil.Process]:
    """The leaders: each git of ours leads a group of its own, with its helpers in it."""
    user = os.getuid()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            # by its name first: what git's helpers leave running, an ssh that others share, bears
            # the mark too and is somebody's
            if (
                process.name() != "git"
                or process.uids().real != user
                or os.getpgid(process.pid) != process.pid
            ):
                continue
            if _is_orphan(process.environ().get(MARK)):
                yield process


def _is_orphan(owner: str | None) -> bool:
    if owner is None:
        return False
    number, _, begun = owner.partition(":")
    try:
        return f"{psutil.Process(int(number)).create_time():.2f}" != begun
    except (psutil.NoSuchProcess, ValueError):
        return True
