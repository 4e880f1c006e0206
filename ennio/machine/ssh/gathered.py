"""Changes that nobody waits for one by one: they are made over there in their order, ahead of what
is asked next, in the same way there and back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ennio.machine.ssh import errors
from ennio.machine.ssh.shell import LARGE, ShellAnswer
from ennio.model.errors import Unreachable

_MOST = 2 * LARGE
"""Bytes that wait at most: a shell reads its question letter by letter."""
_AHEAD = rb"""
ennio_h() {
%(body)b
}
ennio_y=$(ennio_h 2>&1 >/dev/null </dev/null) || {
 printf '%%s!%(index)d\n%%s' "$ennio_n" "$ennio_y"; exit 0; }
"""


@dataclass(frozen=True, slots=True)
class Change:
    """What makes it over there, the path it is about, and what its error means."""

    body: bytes
    path: Path
    meant: Callable[[OSError], Exception]


class ChangeRefused(Exception):
    """One of the changes that waited was refused, and nothing was done after it."""


class GatheredChanges(threading.local):
    """Those of one thread; None where none are to wait."""

    waiting: list[Change] | None = None

    @contextmanager
    def gathering(self, flush: Callable[[], object]) -> Iterator[None]:
        """Let changes wait while the block lasts, and until the block around it is over. Raises
        what the error of a change means.
        """
        outermost, self.waiting = self.waiting is None, self.waiting or []
        try:
            yield
            if outermost and self.waiting:
                flush()
        except ChangeRefused as error:
            raise (error.__cause__ or error) from None
        except Exception as error:
            # what went wrong after them does not undo them
            if outermost and self.waiting and not isinstance(error, Unreachable):
                with suppress(ChangeRefused, Unreachable):
                    flush()
            raise
        finally:
            if outermost:
                self.waiting = None

    def add(self, change: Change) -> bool:
        """Whether it may wait."""
        if self.waiting is None or len(change.body) > _MOST:
            return False
        self.waiting.append(change)
        return True

    @property
    def are_many(self) -> bool:
        """Whether they should not wait any longer."""
        return sum(len(change.body) for change in self.waiting or ()) > _MOST

    def take(self) -> tuple[Change, ...]:
        """Those that wait, which are on their way from now on."""
        taken = tuple(self.waiting or ())
        if self.waiting:
            self.waiting.clear()
        return taken


def ahead_of(changes: Sequence[Change], body: bytes) -> bytes:
    """A question with changes that are made before it, or none of what follows the refused one."""
    made = [_AHEAD % {b"body": one.body, b"index": at} for at, one in enumerate(changes)]
    return b"".join(made) + body


def judge(changes: Sequence[Change], answer: ShellAnswer) -> None:
    """Raises ChangeRefused where one of them was."""
    mark = answer.nonce + b"!"
    if changes and answer.out.startswith(mark):
        number, _, said = bytes(answer.out[len(mark) :]).partition(b"\n")
        change = changes[int(number)]
        raise ChangeRefused from change.meant(errors.system_error(said, change.path))
