"""The supervisor's log file: its last lines, and what is added to it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_BLOCK = 64 * 1024
_PAUSE = 0.2


def tail(log: Path, lines: int, end: int | None = None, begin: int = 0) -> list[str]:
    """The last lines of a file of any size, read backwards from ``end`` (None: all there is) to
    ``begin`` at most. In bytes.
    """
    if lines <= 0:
        return []
    with log.open("rb") as stream:
        position = stream.seek(0, os.SEEK_END) if end is None else end
        content = b""
        while position > begin and content.count(b"\n") <= lines:
            step = min(_BLOCK, position - begin)
            position = stream.seek(position - step)
            content = stream.read(step) + content
    return content.decode(errors="replace").splitlines()[-lines:]


def grown(log: Path, end: int) -> Iterator[str]:
    """What is written to the file behind ``end``, for ever; a file begun anew is
    read from its beginning.
    """
    stream = log.open("rb")
    stream.seek(end)
    while True:
        content = stream.read()
        if content:
            yield content.decode(errors="replace")
            continue
        time.sleep(_PAUSE)
        if _begun_anew(log, stream):
            if rest := stream.read():  # what came before it was moved away
                yield rest.decode(errors="replace")
            stream.close()
            stream = log.open("rb")


def _begun_anew(log: Path, stream: BinaryIO) -> bool:
    try:
        there = log.stat()
    except FileNotFoundError:
        return False  # moved or removed; the supervisor begins it anew at its next word
    return not os.path.samestat(there, os.fstat(stream.fileno())) or there.st_size < stream.tell()
