"""What a verb answers: one document for programs, lines for people, an exit code for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells have it."""


@dataclass(frozen=True, slots=True)
class CommandResult:
    """The end of a verb. ``document`` is printed under ``--json``, ``lines`` otherwise,
    ``notes`` always to stderr.

    A verb that has printed as it went (a stream) answers with ``spoken``.
    """

    document: Any = None
    lines: Sequence[str] = ()
    code: int = 0
    notes: Sequence[str] = ()
    spoken: bool = False
