"""Repositories that git does not touch, since they belong to somebody else."""

from __future__ import annotations

import re
import shlex

_DUBIOUS = re.compile(r"detected dubious ownership in repository at '([^']+)'")


def not_ours(said: str) -> str | None:
    """The repository that git refused for its owner, by its words; None where it was not that."""
    found = _DUBIOUS.search(said)
    return found[1] if found else None


def allows(path: str) -> str:
    """The command that has git take it all the same, for whoever asks for it."""
    return f"git config --global --add safe.directory {shlex.quote(path)}"
