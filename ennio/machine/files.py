"""Files that are there whole or not at all, and locks that the kernel lets go
of when their holder ends.

``plugins.agent.hook`` replaces its file by itself: agents run it without this package. The lock
around claude-code's settings is of claude-code's own kind.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from pathlib import Path

_AGAIN = 0.1
_LONGEST_NOTE = 4096


def write_atomically(
    path: Path,
    content: str | bytes,
    *,
    mode: int = 0o600,
    keep_mode: bool = False,
    durable: bool = False,
) -> None:
    """Put the content in place of what is there: whoever reads sees all of
    the old or all of the new.

    ``mode`` holds whatever the umask says; with ``keep_mode`` that of a file that is there does.
    ``durable`` waits until the content has reached the disk, so that not even a power cut leaves an
    empty file. A link is replaced, not followed. Raises OSError (the disk is full, the folder is
    gone); then what was there stays, and nothing is left beside it.
    """
    raw = content.encode() if isinstance(content, str) else content
    if keep_mode:
        with contextlib.suppress(FileNotFoundError):
            mode = path.stat().st_mode & 0o777
    # a name of its own: neither another thread's draft nor one that a crash left is written into
    draft = path.with_name(f".{path.name[:100]}.{os.urandom(6).hex()}.new")
    number = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(number, "wb") as file:
            os.fchmod(number, mode)
            file.write(raw)
            if durable:
                file.flush()
                os.fsync(number)
        os.replace(draft, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(draft)
        raise


def acquire(path: Path, *, patience: float = 0.0) -> int | None:
    """Hold the lock of a file, made if need be: the descriptor that holds
    it, None when another does.

    It is held until the descriptor, and every copy of it that a fork made, is closed; a program
    that is started does not get it. For ``patience`` seconds one that is held is waited for:
    somebody may only be looking, or about to end. Raises OSError.
    """
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                os.close(lock)
                return None
            time.sleep(min(_AGAIN, patience))
        except OSError:
            os.close(lock)
            raise
        else:
            return lock


def is_held(path: Path) -> bool:
    """Whether somebody holds the lock of a file; nobody does where there is none. Raises OSError.

    Looking takes the lock for a moment, shared: those who only look do not see each other.
    """
    try:
        lock = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def note_holder(lock: int, words: str) -> None:
    """Write into a lock that is held who holds it; on a full disk it is held all the same."""
    with contextlib.suppress(OSError):
        os.ftruncate(lock, 0)
        os.pwrite(lock, words.encode()[:_LONGEST_NOTE], 0)


def holder(path: Path) -> str:
    """Who holds the lock, as they noted it; empty where they did not, or it cannot be read."""
    with contextlib.suppress(OSError):
        lock = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.read(lock, _LONGEST_NOTE).decode(errors="replace").strip()
        finally:
            os.close(lock)
    return ""
