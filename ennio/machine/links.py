"""Links that are placed in folders where others work at the same time."""

from __future__ import annotations

import errno
import os
from contextlib import ExitStack, suppress
from pathlib import Path


def place(folder: Path, relative: Path, to: Path) -> bool:
    """See ``Machine.link_below``.

    Walks down by directory handles that follow no link, so that nobody can bend the way meanwhile.
    """
    with ExitStack() as handles:
        here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        handles.callback(os.close, here)
        for part in relative.parts[:-1]:
            here = _step(part, here)
            handles.callback(os.close, here)
        try:
            os.symlink(to, relative.name, dir_fd=here)
        except FileExistsError:
            return _is_linked(relative.name, to, here)
    return True


def _step(part: str, here: int) -> int:
    with suppress(FileExistsError):
        os.mkdir(part, dir_fd=here)
    try:
        return os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
    except OSError as error:
        raise NotADirectoryError(errno.ENOTDIR, "it is a link, or no folder", part) from error


def _is_linked(name: str, to: Path, here: int) -> bool:
    try:
        return os.readlink(name, dir_fd=here) == str(to)
    except OSError:
        return False
