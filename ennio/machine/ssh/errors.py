"""Why a machine could not be asked, and what the system over there said."""

from __future__ import annotations

import errno
import os
import re
from datetime import datetime
from pathlib import PurePath

from ennio.model.errors import Unreachable


class LoginRefused(Unreachable):
    """A machine was reached and did not let us in, or is not the one that is known: a person has
    to change something. What was asked of it stays unknown.

    ``mended_by`` is the command that mends it, where one does.
    """

    http_status = 503

    def __init__(
        self, words: str = "", *, until: datetime | None = None, mended_by: str = ""
    ) -> None:
        self.mended_by = mended_by
        super().__init__(words, until=until)


class NotReached(Unreachable):
    """Nothing answered where a machine's sshd should be: to try again costs nobody anything."""


def needs_a_person(error: Exception | None) -> bool:
    """Whether time alone will not mend what was said of a machine."""
    by_time = isinstance(error, Unreachable) and not isinstance(error, LoginRefused)
    return error is not None and not by_time


_NUMBERS = {os.strerror(number).lower(): number for number in errno.errorcode} | {
    "directory nonexistent": errno.ENOENT,  # as dash has it
    "no such file": errno.ENOENT,
    "not found": errno.ENOENT,
    "cannot overwrite existing file": errno.EEXIST,
    "symbolic link loop": errno.ELOOP,  # as musl has it
    "no error information": errno.EIO,
    "filename too long": errno.ENAMETOOLONG,
    "resource temporarily unavailable": errno.EAGAIN,
    "text file busy": errno.ETXTBSY,
}


def system_error(said: bytes | str, path: str | PurePath = "") -> OSError:
    """The error that a tool over there told of in its last words, of the same number as
    it had over there.
    """
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    words = lines[-1] if lines else ""
    number = _NUMBERS.get(words.rpartition(": ")[2].lower())
    if number is None:
        return OSError(errno.EIO, words or "it failed without a word", str(path))
    return failure(number, path)


def refused(nonce: bytes, said: bytes) -> bytes | None:
    """Why a program was not begun, where that was said aside."""
    found = re.search(re.escape(nonce) + rb"x\d+([^;]*);", said)
    return found[1] if found is not None else None


def failure(number: int, path: str | PurePath = "") -> OSError:
    """The error of a number, as the system words it."""
    return OSError(number, os.strerror(number), str(path))
