"""Git processes whose Ennio has died: one that waits for a silent server would stay, and each
start would add another.
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
    for process in _orphans():
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
            log.warning("a git of an earlier life was ended", extra={"pid": process.pid})


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
