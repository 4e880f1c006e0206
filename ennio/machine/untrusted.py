"""Reading what somebody else wrote: files of any kind and size, JSON of any depth. Whatever it is,
it ends in values or in ValueError.

The guard for YAML is in ``config.yaml_source``: ``read`` for configurations,
``plain`` for all other texts.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO


def opened(path: Path) -> BinaryIO:
    """A regular file, open for reading. Raises OSError, also for what is none: a pipe would
    be waited for without end.
    """
    return _opened(path, pipes=False)


def given(path: Path) -> BinaryIO:
    """As ``opened``, of a file that a person names: also the pipe of a shell's ``<(...)``,
    which lies in no folder.
    """
    return _opened(
        path, pipes=not os.path.exists(os.path.realpath(path)) or path.parent == Path("/dev/fd")
    )


def _opened(path: Path, *, pipes: bool) -> BinaryIO:
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    mode = os.fstat(number).st_mode
    if stat.S_ISREG(mode) or (pipes and stat.S_ISFIFO(mode)):
        os.set_blocking(number, True)
        return open(number, "rb")
    os.close(number)
    raise OSError(errno.EINVAL, "it is no regular file", str(path))


def content(path: Path, most: int) -> bytes:
    """All of a regular file of at most so many bytes. Raises OSError, and
    ValueError for one that is larger.
    """
    with opened(path) as file:
        raw = file.read(most + 1)
    if len(raw) > most:
        raise ValueError(f"it is larger than {most // 1024} KiB")
    return raw


def json_value(raw: bytes | str) -> Any:
    """The value of a JSON text. Raises ValueError, also for one nested too deep and for
    numbers that are none (NaN).
    """
    try:
        return json.loads(raw, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def json_file(path: Path, most: int) -> Any:
    """The value in a file of JSON. Raises as ``content`` and ``json_value`` do."""
    return json_value(content(path, most))


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number")
