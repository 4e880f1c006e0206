"""Links that are placed in folders where others work at the same time."""

from __future__ import annotations

import errno
import os
from contextlib import ExitStack, suppress
from pathlib import Path


class MisplacedLink(OSError):
    """A link that cannot be placed at ``relative`` below its folder: ``bent`` names the part of the
    way to it that is a link itself, or no folder; where it is empty, something else is there.
    """

    def __init__(self, relative: Path, bent: str = "") -> None:
        number = errno.ENOTDIR if bent else errno.EEXIST
        super().__init__(number, os.strerror(number), bent or str(relative))
        self.relative, self.bent = relative, bent


def place(folder: Path, relative: Path, to: Path) -> None:
    """See ``Machine.link_below``.

    Walks down by directory handles that follow no link, so that nobody can bend the way meanwhile.
    """
    with ExitStack() as handles:
        here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        handles.callback(os.close, here)
        for part in relative.parts[:-1]:
            here = _step(relative, part, here)
            handles.callback(os.close, here)
        try:
            os.symlink(to, relative.name, dir_fd=here)
        except FileExistsError:
            if not _is_linked(relative.name, to, here):
                raise MisplacedLink(relative) from None


def _step(relative: Path, part: str, here: int) -> int:
    with suppress(FileExistsError):
        os.mkdir(part, dir_fd=here)
    try:
        return os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
    except OSError as error:
        raise MisplacedLink(relative, part) from error


def _is_linked(name: str, to: Path, here: int) -> bool:
    try:
        return os.readlink(name, dir_fd=here) == str(to)
    except OSError:
        return False
