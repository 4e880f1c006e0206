"""Ways into folders that somebody else fills: no link is followed below the top, also none that is
put there meanwhile.

Python has no ``openat2``; the way is walked by handles, a name at a time. What is done at its end
is done by the address of a handle, so the same calls serve as anywhere else.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

_PATH = getattr(os, "O_PATH", os.O_RDONLY)  # this is read where there are no sandboxes, too
_STEP = _PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def below(root: Path, path: Path) -> tuple[str, ...] | None:
    """The names that lead from a top to a path, or None where it is not below."""
    plain = Path(os.path.normpath(path))
    return plain.relative_to(root).parts if plain.is_relative_to(root) else None


@contextlib.contextmanager
def parent(root: Path, parts: tuple[str, ...], *, make: bool = False) -> Iterator[Path]:
    """The folder of what the names lead to, by its handle. Raises OSError."""
    handle = os.open(root, _PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in parts[:-1]:
            if make:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, 0o700, dir_fd=handle)
            handle = _next(handle, name)
        yield Path(f"/proc/self/fd/{handle}")
    finally:
        os.close(handle)


@contextlib.contextmanager
def folder(root: Path, parts: tuple[str, ...]) -> Iterator[Path]:
    """The folder that the names lead to, by its handle. Raises OSError."""
    with parent(root, (*parts, ".")) as place:
        yield place


def _next(handle: int, name: str) -> int:
    try:
        found = os.open(name, _STEP, dir_fd=handle)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise PermissionError(errno.EACCES, "a link leads there, or no folder", name) from error
        raise
    os.close(handle)
    return found
