"""A command that was begun on a machine, and goes on by itself."""

from __future__ import annotations

from typing import Protocol

from ennio.machine.interface import ProcessId


class BegunCommand(Protocol):
    """A command under way that outlives whoever began it."""

    @property
    def id(self) -> ProcessId:
        """Its process, which leads a kernel session of its own."""
        ...

    @property
    def offset(self) -> int:
        """Where its output begins in the file it is added to."""
        ...

    @property
    def ended(self) -> int | None:
        """Its exit code where that is known without asking anybody."""
        ...

    def wait(self, seconds: float) -> int | None:
        """Its exit code (a negative one is a signal), None when it takes longer than that."""
        ...
