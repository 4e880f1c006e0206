"""What the first page of an SQLite database says of it, in its file and in the log beside it.

Two numbers there are free for programs: in ``application_id`` each of our databases has a random
one of its own, and ``user_version`` is a mark that only grows. So one can tell whether a file holds
this very database, and a state of it that the log beside it goes on from. SQLite itself does not
ask that: it lays a log over whatever lies there.
"""

from __future__ import annotations

import shlex
import struct
import time
from dataclasses import dataclass
from pathlib import Path

from ennio.model.errors import Refused

LENGTH = 100
MAGIC = b"SQLite format 3\0"
_FIELDS = struct.Struct(">16s24xI16xI4xI28x")
_LOG = struct.Struct(">I4xI4x2I8x")
_FRAME = struct.Struct(">I4x2I8x")
_LOG_MAGICS = (0x377F0682, 0x377F0683)


@dataclass(frozen=True, slots=True)
class DatabaseHeader:
    """``schema`` changes with the tables, ``mark`` with what is written, ``own`` never."""

    schema: int
    mark: int
    own: int


def read(page: bytes) -> DatabaseHeader | None:
    """The header at the beginning of a first page; None where that is no database."""
    if len(page) < LENGTH:
        return None
    magic, schema, mark, own = _FIELDS.unpack_from(page)
    return DatabaseHeader(schema, mark, own) if magic == MAGIC else None


def refuse_foreign_log(file: Path) -> None:
    """Raise Refused where the log beside a database goes on from another one, or from a later
    state of this one.
    """
    for pause in (0.05, 0.05, 0.0):  # whoever writes just now may be between the two
        if _fits(_of_file(file), _of_log(log_of(file))):
            return
        time.sleep(pause)
    name, log, index = (shlex.quote(str(path)) for path in (file, log_of(file), index_of(file)))
    raise Refused(
        f"{file} was put in the place of another database, or of a later state of this one (a "
        f"backup?), whose log {log_of(file)} still lies beside it: together they would mix two "
        f"histories. To go on with {name} as it is: rm -f {log} {index}; a log that is wanted "
        "belongs to the database that lay there before"
    )


def log_of(file: Path) -> Path:
    """The log that is written ahead of a database."""
    return file.with_name(f"{file.name}-wal")


def index_of(file: Path) -> Path:
    """The index of that log."""
    return file.with_name(f"{file.name}-shm")


def _fits(main: DatabaseHeader | None, log: DatabaseHeader | None) -> bool:
    """A log begins with the state that its database had then, or with the mark after it."""
    if main is None or log is None:
        return True
    return main.own in (log.own, 0) and main.mark >= log.mark - 1


def _of_file(file: Path) -> DatabaseHeader | None:
    try:
        with file.open("rb") as stream:
            return read(stream.read(LENGTH))
    except OSError:
        return None


def _of_log(log: Path) -> DatabaseHeader | None:
    """The first header in a log; None where there is none."""
    try:
        with log.open("rb") as stream:
            beginning = stream.read(_LOG.size)
            if len(beginning) < _LOG.size:
                return None
            magic, page, *salts = _LOG.unpack(beginning)
            while magic in _LOG_MAGICS and len(frame := stream.read(_FRAME.size)) == _FRAME.size:
                number, *own_salts = _FRAME.unpack(frame)
                if own_salts != salts:
                    return None
                if number == 1:
                    return read(stream.read(LENGTH))
                stream.seek(page, 1)
    except OSError:
        return None
    return None
