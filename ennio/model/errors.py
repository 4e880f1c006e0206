"""The errors of Ennio, by who can act on them.

    EnnioError
    ├── Unreachable      time: try again later; what was asked stays unknown
    │   ├── TimedOut     time: it took longer than it may
    │   ├── Exhausted    time: disk, memory, processes or open files have run out
    │   ├── Away         time: the server of the database does not answer; nothing is written until
        it does
    │   └── Gone         a person: the database was taken away under a running supervisor
    ├── Refused          a person: a budget, a token, a policy, a dirty tree
    │   ├── Unauthorized a person: no token, or a wrong one
    │   ├── Untrusted    a person: the configuration file was not trusted, or could be another's
    │   └── OverBudget   a person: a limit of money was reached
    ├── NotFound         the caller: no such id
    ├── Conflict         the caller: not in this state, or it exists already
    ├── Invalid          the caller: a field of the request is wrong
    └── ConfigError      the author of the configuration file

Anything else is a bug: it stays a plain exception and crashes the actor it happens in.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime


class EnnioError(Exception):
    """An error somebody can act on; its text says what happened and what to do."""

    http_status = 500
    exit_code = 1


class Unreachable(EnnioError):
    """A counterpart did not answer; nothing is known of what was asked.

    ``until`` is a time before which it need not be asked again, where one is known.
    """

    http_status = 504
    retry_after: int | None = None
    """Seconds after which it is worth asking again, where that is known of all of them."""

    def __init__(self, words: str = "", *, until: datetime | None = None) -> None:
        self.until = until
        super().__init__(words)


class TimedOut(Unreachable):
    """An answer took longer than it may."""


class Exhausted(Unreachable):
    """A resource of this machine has run out; whatever needs it is tried
    until there is some again.
    """

    http_status = 503


class Away(Unreachable):
    """The server of the database does not answer: nothing is written until
    it does, and agents go on.
    """

    http_status = 503
    retry_after = 5


class Gone(Unreachable):
    """The database was taken away while it was open: nothing is written
    until a person puts it back.
    """

    http_status = 503


_RUN_OUT: Mapping[int, str] = {
    errno.ENOSPC: "there is no space left on the disk: free some",
    errno.EDQUOT: "the quota of disk space is used up: free some",
    errno.EMFILE: "too many files are open in one process: raise its limit (ulimit -n)",
    errno.ENFILE: "too many files are open on this machine: raise fs.file-max, or end some programs",  # noqa: E501
    errno.ENOMEM: "there is no memory left: end some programs",
    errno.EAGAIN: "no further process can be started: raise the limit (ulimit -u), or end some "
    "programs",
}


def run_out(error: BaseException) -> Exhausted | None:
    """What the operating system had no more of, or None where the error is about something else."""
    if not isinstance(error, OSError) or error.errno is None or error.errno not in _RUN_OUT:
        return None
    where = f" ({error.filename})" if error.filename else ""
    return Exhausted(f"{_RUN_OUT[error.errno]}{where}")


def failed_by_machine(error: OSError) -> Unreachable:
    """What the operating system said, such as that a disk is broken, as an error that somebody
    reads: nothing is known of what was asked, and it is tried again.
    """
    words = (error.strerror or str(error) or type(error).__name__).lower()
    named = isinstance(error.filename, str | bytes)
    where = f" ({os.fsdecode(error.filename)})" if named else ""
    return run_out(error) or Unreachable(f"the operating system said: {words}{where}")


class Refused(EnnioError):
    """It was understood and will not be done until a person changes something."""

    http_status = 409
    exit_code = 5


class Unauthorized(Refused):
    """The request carries no valid token."""

    http_status = 401


class Untrusted(Refused):
    """A configuration file that nobody has trusted yet, or that another
    account could have written.
    """


class OverBudget(Refused):
    """A limit of money was reached."""

    http_status = 402


class NotFound(EnnioError):
    """What was named does not exist."""

    http_status = 404
    exit_code = 3


class Conflict(EnnioError):
    """It exists already, or is in a state that does not allow this."""

    http_status = 409


class Invalid(EnnioError):
    """A field of the request is wrong; the text names the field and the way out."""

    http_status = 400
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a configuration file: where, what, and what would be right."""

    path: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line is not None else ""
        return f"{where}{self.path}: {self.message}" if self.path else f"{where}{self.message}"


class ConfigError(EnnioError):
    """A configuration file cannot be used; carries every problem found in it at once."""

    http_status = 400

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        super().__init__("\n".join([f"{source}:", *(f"  {problem}" for problem in self.problems)]))
