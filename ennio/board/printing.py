"""The one place where the commands, the board and the demo print: words are cleaned here, and
output that is closed is met.

Nobody reads what goes to a closed stream, and what is told beside the answer
(stderr) never stops the answer.
"""

from __future__ import annotations

import os
import sys

from ennio.board.style import shown
from ennio.model.errors import EnnioError


class OutputError(EnnioError):
    """Standard output takes no more (a full disk)."""


def begin() -> None:
    """Make the standard streams fit for use: closed ones lead nowhere, and no character can fail.

    A number that was left free would be given to the next file or socket
    opened, and then written to.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            _occupy(number)
            setattr(sys, name, open(os.devnull, "w" if number else "r", encoding="utf-8"))  # noqa: SIM115 - it lasts as long as the process
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # what an agent shows may not fit the locale


def _occupy(number: int) -> None:
    try:
        os.fstat(number)
    except OSError:
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, number)  # also makes it one that children inherit
        if nowhere != number:
            os.close(nowhere)
        os.set_inheritable(number, True)


def out(text: str, end: str = "\n") -> None:
    """Print a part of the answer. Raises BrokenPipeError when its reader is gone, OutputError when
    there is no room for it.
    """
    screen(shown(text) + end)


def screen(text: str) -> None:
    """Write to standard output what was cleaned already: whole frames with the
    sequences that place them.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        abandon()
        raise OutputError(
            f"standard output cannot be written: {error.strerror or error}"
        ) from error


def note(text: str) -> None:
    """Tell a person something beside the answer: on stderr, or not at all when that is closed."""
    try:
        print(shown(text), file=sys.stderr, flush=True)
    except OSError:
        _nowhere(sys.stderr.fileno())


def abandon() -> None:
    """Nobody reads standard output any more: the interpreter must not
    try to flush it at its end.
    """
    _nowhere(sys.stdout.fileno())


def _nowhere(number: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
